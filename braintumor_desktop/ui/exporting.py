"""Reports, JSON and masks, written off the window's thread; a failure costs nothing that is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QThreadPool, Signal

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.reader_measurements import ReaderMeasurement
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.models.manifest import find_model
from braintumor_desktop.reporting import (
    Letterhead,
    ReaderNote,
    Report,
    atomic_write,
    build_report,
    json_line,
    write_heatmap,
    write_heatmap_nifti,
    write_mask,
    write_mask_nifti,
)
from braintumor_desktop.reporting.dicom.kinds import DicomKind
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.deidentifying import SESSION, label_of
from braintumor_desktop.ui.reader_box import reader_note
from braintumor_desktop.ui.reading import typed_error

Outcome = Any | BrainTumorError
NIFTI_ENDING = ".nii.gz"


class ExportKind(Enum):
    """What can be saved: (file ending, end of the proposed name, the dialog's words)."""

    PDF = (".pdf", " report", phrase("PDF report (*.pdf)"))
    PNG = (".png", " report", phrase("PNG report (*.png)"))
    JSON = (".json", "", phrase("JSON (*.json)"))
    MASK = (".png", " mask", phrase("Mask (*.png)"))
    HEATMAP = (".png", " heat map", phrase("Heat map (*.png)"))
    MASK_STACK = (".tif", " mask", phrase("Mask (*.tif)"))
    HEATMAP_STACK = (".tif", " heat map", phrase("Heat map (*.tif)"))
    DICOM = ("", " DICOM", phrase("DICOM objects"))
    MASK_NIFTI = (NIFTI_ENDING, " mask", phrase("Mask (*.nii.gz)"))
    HEATMAP_NIFTI = (NIFTI_ENDING, " heat map", phrase("Heat map (*.nii.gz)"))

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
    """Everything a file needs, taken at the moment the reader asked for it.

    path: the file; of DICOM objects the folder to make for them; dicom_kinds: which of them; label: what the case is
    called where the export is to be de-identified; blank_text: with places black that may hold text; clean: the
    analysis is de-identified already.
    """

    kind: ExportKind
    analysis: Analysis
    path: Path
    note: ReaderNote
    window: Window | None
    colormap: str
    paper: str
    measurements: tuple[ReaderMeasurement, ...] = ()
    letterhead: Letterhead | None = None
    dicom_kinds: tuple[DicomKind, ...] = ()
    label: str | None = None
    blank_text: bool = False
    clean: bool = False


def export_of(case: Case, kind: ExportKind, path: Path, settings: Settings) -> Export:
    """What is to be saved of an analysed case as it is now."""
    if case.analysis is None:
        raise ValueError("only an analysed case can be saved")
    head = Letterhead.from_settings(
        settings.clinic_name, settings.clinic_address, settings.clinic_footer, settings.clinic_logo
    )
    return Export(
        kind,
        case.analysis,
        path,
        reader_note(case),
        case.window,
        settings.colormap,
        settings.paper,
        case.measured.current,
        head,
        label=label_of(case, settings),
        blank_text=settings.blank_text,
    )


class Exporter(QObject):
    """Writes one file after the other on a thread of its own. saved: the path; failed: the typed error;
    text_seen: a de-identified export may hold text in its pictures; output_ended: whether a file or print came about.
    """

    saved = Signal(object)
    failed = Signal(object)
    text_seen = Signal()
    output_ended = Signal(bool)
    _ended = Signal(object, object, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)  # PDFium, that draws pages, is not made for several threads
        self._outputs = 0
        self._ended.connect(self._end)

    @property
    def busy(self) -> bool:
        """Whether a file or a print is under way."""
        return self._outputs > 0

    def submit(self, export: Export, then: Callable[[], None] | None = None) -> None:
        """Write the file and tell; then: called when it is written."""
        self.run(lambda: write(export, self.text_seen.emit), lambda outcome: self._tell(outcome, then), output=True)

    def save(self, content: bytes, path: Path, then: Callable[[], None] | None = None) -> None:
        """Write bytes that are there already, such as the report that the reader has just seen."""

        def written() -> Path:
            with atomic_write(path) as stream:
                stream.write(content)
            return path

        self.run(written, lambda outcome: self._tell(outcome, then), output=True)

    def run(self, task: Callable[[], Any], then: Callable[[Outcome], None], *, output: bool = False) -> None:
        """Do a task on the thread, and call `then` on the window's with what it gave, or the typed error it met.

        output: a file or a print comes of it.
        """
        self._outputs += output
        self._pool.start(lambda: self._ended.emit(then, _outcome(task), output))

    def finish(self, wait_ms: int = 30_000) -> bool:
        """Let what was begun be finished: a report that was asked for is not lost by closing the window."""
        return self._pool.waitForDone(wait_ms)

    def _end(self, then: Callable[[Outcome], None], outcome: Outcome, output: bool) -> None:
        self._outputs -= output
        then(outcome)
        if output:
            self.output_ended.emit(not isinstance(outcome, BrainTumorError))

    def _tell(self, outcome: Outcome, then: Callable[[], None] | None) -> None:
        if isinstance(outcome, BrainTumorError):
            self.failed.emit(outcome)
            return
        if then is not None:
            then()
        self.saved.emit(outcome)


def _outcome(task: Callable[[], Any]) -> Outcome:
    try:
        return task()
    except Exception as error:  # noqa: BLE001 - nothing may vanish: the reader sees it, typed
        return typed_error(error)


def without_identity(export: Export, text_seen: Callable[[], None] | None = None) -> Export:
    """The export as it may go out: itself, or de-identified where that was asked for.

    text_seen: called where its pictures may hold text that is not made black. Takes a moment; not for the window's
    thread.
    """
    if export.label is None or export.clean:
        return export
    from braintumor_desktop.reporting.deidentification.analyses import deidentified, verdict_alone

    headers = export.kind is ExportKind.DICOM
    analysis, texts = deidentified(
        export.analysis, SESSION, export.label, headers=headers, blank_text=export.blank_text
    )
    if texts and not export.blank_text and text_seen is not None:
        text_seen()
    return replace(export, analysis=analysis, note=verdict_alone(export.note), letterhead=None, clean=True)


def write(export: Export, text_seen: Callable[[], None] | None = None) -> Path:
    """Write the file; its path. text_seen: see `without_identity`.

    Raises BrainTumorError (export_failed), and the old file then stands as it was.
    """
    writers: dict[ExportKind, Callable[[Export], Path | None]] = {
        ExportKind.PDF: _pdf,
        ExportKind.PNG: _png,
        ExportKind.JSON: _json,
        ExportKind.MASK: _mask,
        ExportKind.MASK_STACK: _mask,
        ExportKind.MASK_NIFTI: _mask_nifti,
        ExportKind.HEATMAP: _heatmap,
        ExportKind.HEATMAP_STACK: _heatmap,
        ExportKind.DICOM: _dicom,
        ExportKind.HEATMAP_NIFTI: _heatmap_nifti,
    }
    path = writers[export.kind](without_identity(export, text_seen))
    if path is None:
        raise BrainTumorError(
            ErrorCode.EXPORT_FAILED,
            phrase("This model gives no such map, so there is nothing to save."),
            phrase("Export the report."),
        )
    return path


def report_of(export: Export) -> Report:
    return build_report(
        export.analysis,
        reader=export.note,
        window=export.window,
        colormap=export.colormap,
        measurements=export.measurements,
        model_facts=_model_facts(export.analysis.model.id),
        letterhead=export.letterhead,
        deidentified=export.clean,
    )


def pdf_of(export: Export, text_seen: Callable[[], None] | None = None) -> bytes:
    """The bytes of the PDF report. text_seen: see `without_identity`."""
    from braintumor_desktop.reporting.pdf import (  # the PDF library costs a quarter second: not at the start
        paper_of,
        render_pdf,
    )

    report = report_of(without_identity(export, text_seen))
    return render_pdf(report, paper=paper_of(export.paper))


def _pdf(export: Export) -> Path:
    content = pdf_of(export)
    with atomic_write(export.path) as stream:
        stream.write(content)
    return export.path


def _png(export: Export) -> Path:
    from braintumor_desktop.reporting import write_png  # as above

    write_png(report_of(export), export.path)
    return export.path


def _json(export: Export) -> Path:
    line = json_line(export.analysis, reader=export.note, measurements=export.measurements)
    content = json.dumps(line, ensure_ascii=False) + "\n"
    with atomic_write(export.path) as stream:
        stream.write(content.encode(errors="backslashreplace"))  # a name that is no UTF-8, as JSON spells it
    return export.path


def _mask(export: Export) -> Path | None:
    return write_mask(export.analysis, export.path.parent, stem=_stem(export))


def _heatmap(export: Export) -> Path | None:
    return write_heatmap(export.analysis, export.path.parent, stem=_stem(export))


def _mask_nifti(export: Export) -> Path | None:
    return write_mask_nifti(export.analysis, export.path.parent, stem=_stem(export))


def _heatmap_nifti(export: Export) -> Path | None:
    return write_heatmap_nifti(export.analysis, export.path.parent, stem=_stem(export))


def _stem(export: Export) -> str:
    return export.path.name.removesuffix(export.kind.ending)  # `Path.stem` would cut a name at its last dot


def _dicom(export: Export) -> Path:
    from braintumor_desktop.reporting import write_dicom  # its library costs a second: not at the start
    from braintumor_desktop.reporting.dicom.identity import Identity
    from braintumor_desktop.reporting.pdf import paper_of

    folder = _new_folder(export.path)
    identity = Identity.of_deidentified(export.analysis.study) if export.clean else Identity()
    write_dicom(report_of(export), export.analysis, folder, export.dicom_kinds, identity, paper_of(export.paper))
    return folder


def _new_folder(wished: Path) -> Path:
    """`wished`, or with a number where that name is taken: an earlier export is never mixed with this one."""
    folder, number = wished, 1
    while folder.exists():
        number += 1
        folder = wished.with_name(f"{wished.name}-{number}")
    return folder


def _model_facts(model_id: str) -> Mapping[str, str]:
    """What the manifest says of the model; a report without it is better than none."""
    try:
        return find_model(model_id).facts()
    except BrainTumorError:
        return {}
