"""Reports, JSON and masks, written off the window's thread; a failure costs nothing that is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, cast

from PySide6.QtCore import QObject, QThreadPool, Signal

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode, internal_error
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.reader_measurements import ReaderMeasurement
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.models.manifest import find_model
from braintumor_desktop.reporting import (
    ReaderNote,
    Report,
    atomic_write,
    build_report,
    json_line,
    write_heatmap,
    write_mask,
)


class ExportKind(Enum):
    """What can be saved: (file ending, end of the proposed name, the dialog's words)."""

    PDF = (".pdf", " report", phrase("PDF report (*.pdf)"))
    PNG = (".png", " report", phrase("PNG report (*.png)"))
    JSON = (".json", "", phrase("JSON (*.json)"))
    MASK = (".png", " mask", phrase("Mask (*.png)"))
    HEATMAP = (".png", " heat map", phrase("Heat map (*.png)"))
    MASK_STACK = (".tif", " mask", phrase("Mask (*.tif)"))
    HEATMAP_STACK = (".tif", " heat map", phrase("Heat map (*.tif)"))

    @property
    def ending(self) -> str:
        return self.value[0]

    @property
    def words(self) -> str:
        return self.value[2]

    def proposed_name(self, stem: str) -> str:
        return f"{stem}{self.value[1]}{self.ending}"


@dataclass(frozen=True, eq=False)
class Export:
    """Everything a file needs, taken at the moment the reader asked for it."""

    kind: ExportKind
    analysis: Analysis
    path: Path
    note: ReaderNote
    window: Window | None
    colormap: str
    paper: str
    measurements: tuple[ReaderMeasurement, ...] = ()


class Exporter(QObject):
    """Writes one export after the other on a thread of its own. saved: the path; failed: the typed error."""

    saved = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)

    def submit(self, export: Export) -> None:
        self._pool.start(lambda: self._write(export))

    def finish(self, wait_ms: int = 30_000) -> bool:
        """Let what was begun be finished: a report that was asked for is not lost by closing the window."""
        return self._pool.waitForDone(wait_ms)

    def _write(self, export: Export) -> None:
        try:
            self.saved.emit(write(export))
        except BrainTumorError as error:
            self.failed.emit(error)
        except Exception as cause:  # noqa: BLE001 - nothing may vanish: the reader sees it, typed
            unforeseen = internal_error(cause)
            unforeseen.__cause__ = cause
            self.failed.emit(unforeseen)


def write(export: Export) -> Path:
    """Write the file; its path. Raises BrainTumorError (export_failed), and the old file then stands as it was."""
    writers: dict[ExportKind, Callable[[Export], Path | None]] = {
        ExportKind.PDF: _pdf,
        ExportKind.PNG: _png,
        ExportKind.JSON: _json,
        ExportKind.MASK: _mask,
        ExportKind.MASK_STACK: _mask,
        ExportKind.HEATMAP: _heatmap,
        ExportKind.HEATMAP_STACK: _heatmap,
    }
    path = writers[export.kind](export)
    if path is None:
        raise BrainTumorError(
            ErrorCode.EXPORT_FAILED,
            phrase("This model gives no such map, so there is nothing to save."),
            phrase("Export the report."),
        )
    return path


def _report(export: Export) -> Report:
    return build_report(
        export.analysis,
        reader=export.note,
        window=export.window,
        colormap=export.colormap,
        measurements=export.measurements,
        model_facts=_model_facts(export.analysis.model.id),
    )


def _pdf(export: Export) -> Path:
    from braintumor_desktop.reporting import write_pdf  # the PDF library costs a quarter second: not at the start

    write_pdf(_report(export), export.path, paper=cast(Literal["A4", "Letter"], export.paper))
    return export.path


def _png(export: Export) -> Path:
    from braintumor_desktop.reporting import write_png  # as above

    write_png(_report(export), export.path)
    return export.path


def _json(export: Export) -> Path:
    content = json.dumps(json_line(export.analysis), ensure_ascii=False) + "\n"
    with atomic_write(export.path) as stream:
        stream.write(content.encode())
    return export.path


def _mask(export: Export) -> Path | None:
    return write_mask(export.analysis, export.path.parent, stem=export.path.stem)


def _heatmap(export: Export) -> Path | None:
    return write_heatmap(export.analysis, export.path.parent, stem=export.path.stem)


def _model_facts(model_id: str) -> Mapping[str, str]:
    """What the manifest says of the model; a report without it is better than none."""
    try:
        return find_model(model_id).facts()
    except BrainTumorError:
        return {}
