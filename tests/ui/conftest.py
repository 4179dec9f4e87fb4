"""A window with a small analyzer that answers at once, and files to drop on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from pytestqt.qtbot import QtBot
from reading_sessions import program

from braintumor_desktop.domain.errors import Cancelled
from braintumor_desktop.domain.findings import (
    CLASSES,
    Analysis,
    Explanation,
    Finding,
    ModelIdentity,
    Quality,
    Segmentation,
    SliceFinding,
    Timing,
)
from braintumor_desktop.domain.measurements import diameters
from braintumor_desktop.domain.study import Study
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui import workspace as workspace_module
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.main_window import MainWindow

IDENTITY = ModelIdentity("test", "1.0", "ab" * 32)


@dataclass
class BrightSpot:
    """An analyzer whose lesion is what is brighter than 200, so that a test knows the answer.

    gate: when given, each analysis waits for it, or to be cancelled.
    """

    identity: ModelIdentity = IDENTITY
    device: str = "cpu"
    gate: threading.Event | None = None
    began: threading.Event = field(default_factory=threading.Event)
    fail_with: Exception | None = None

    def analyze(
        self,
        study: Study,
        *,
        load_ms: float = 0.0,
        progress: Callable[[str, float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        keep_partial: Callable[[], bool] = lambda: False,
    ) -> Analysis:
        self.began.set()
        if progress is not None:
            progress("Looking", 0.5)
        while self.gate is not None and not self.gate.wait(0.005):
            if cancelled is not None and cancelled():
                if study.slices > 1 and keep_partial():
                    return first_slices(analysis_of(study, load_ms), 2)
                raise Cancelled
        if self.fail_with is not None:
            raise self.fail_with
        return analysis_of(study, load_ms)


def analysis_of(study: Study, load_ms: float = 0.0) -> Analysis:
    mask = np.asarray(study.pixels > 200)
    areas = mask.sum(axis=(1, 2))
    key = int(areas.argmax())
    area = int(areas[key])
    heat = np.zeros(mask.shape, np.float32)
    heat[:, : mask.shape[1] // 2] = 1.0
    glioma = 0.9 if area else 0.02
    rest = (1.0 - glioma) / 3
    probabilities = {c: glioma if c is CLASSES[0] else rest for c in CLASSES}
    if not area:
        probabilities = dict(zip(CLASSES, (0.01, 0.01, 0.01, 0.97), strict=True))
    slices = tuple(SliceFinding(i, None, 0.9 if a else 0.1, "glioma", int(a)) for i, a in enumerate(areas))
    found = Segmentation(
        mask=mask,
        probability=mask.astype(np.float32),
        slice_index=key,
        area_px=area,
        area_percent_of_image=100.0 * area / mask[0].size,
        area_percent_of_head=None,
        area_mm2=None,
        diameters=diameters(mask[key]),
        expected_dice=0.81 if area else None,
    )
    return Analysis(
        study=study,
        model=IDENTITY,
        device="cpu",
        finding=Finding("glioma" if area else "no_tumor", probabilities),
        quality=Quality(),
        segmentation=found,
        explanation=Explanation("a test's map", heat, 0.5),
        slices=slices if study.slices > 1 else None,
        timing=Timing(load_ms, 1.0, 1.0, load_ms + 2.0),
    )


def first_slices(analysis: Analysis, count: int) -> Analysis:
    """As an analysis of a series is that was stopped after so many slices."""
    assert analysis.slices is not None
    return replace(analysis, slices=analysis.slices[:count])


def spot_picture(rows: int = 120, columns: int = 160) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A grey ramp with a bright square of 20 pixels a side, a quarter down and a quarter across."""
    pixels = np.tile(np.linspace(20, 120, columns, dtype=np.uint8), (rows, 1))
    pixels[30:50, 40:60] = 250
    return pixels


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "spot.png"
    Image.fromarray(spot_picture()).save(path)
    return path


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """Five pages; the bright square is on the fourth."""
    plain = spot_picture()
    plain[30:50, 40:60] = 60
    pages = [Image.fromarray(spot_picture() if i == 3 else plain) for i in range(5)]
    path = tmp_path / "stack.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    return path


@pytest.fixture
def corrupt(tmp_path: Path, picture: Path) -> Path:
    path = tmp_path / "corrupt.png"
    path.write_bytes(picture.read_bytes()[:200])
    return path


@pytest.fixture
def analyzer() -> BrightSpot:
    return BrightSpot()


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


@pytest.fixture
def window(qtbot: QtBot, analyzer: BrightSpot, settings_file: Path) -> Iterator[MainWindow]:
    made = MainWindow(Settings(), lambda _model, _device: analyzer, settings_file)
    qtbot.addWidget(made)
    made.resize(1280, 700)
    made.show()
    qtbot.waitExposed(made)
    made.start()
    yield made
    if analyzer.gate is not None:
        analyzer.gate.set()
    made.close()
    assert not made.workspace.running


def _drop(window: MainWindow, data: QMimeData) -> bool:
    point = QPointF(window.rect().center())
    actions, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(point.toPoint(), actions, data, button, keys)
    enter.ignore()
    window.dragEnterEvent(enter)
    if not enter.isAccepted():
        return False
    window.dropEvent(QDropEvent(point, actions, data, button, keys, QEvent.Type.Drop))
    return True


def _files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(p)) for p in paths])
    return data


def _settled(window: MainWindow) -> bool:
    cases = window.workspace.model.cases
    return bool(cases) and not any(c.state.busy for c in cases)


@pytest.fixture
def drop() -> Callable[[MainWindow, QMimeData], bool]:
    """Drag something over the window and let go, as the desktop would; whether it was taken."""
    return _drop


@pytest.fixture
def files() -> Callable[..., QMimeData]:
    """What a file manager offers for these paths."""
    return _files


@pytest.fixture
def settled() -> Callable[[MainWindow], bool]:
    """Whether all cases of a window have ended."""
    return _settled


@pytest.fixture
def opened(qtbot: QtBot, window: MainWindow, picture: Path) -> MainWindow:
    """A window on which the picture with the bright square was dropped and analysed."""
    assert _drop(window, _files(picture))
    qtbot.waitUntil(lambda: _settled(window) and window.results.finding.text().startswith("The model's finding"))
    return window


@pytest.fixture
def crowded(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, stack: Path) -> Callable[[MainWindow], Case]:
    """Shows another case where there is room for one only; gives the one shown until then."""

    def open_another(window: MainWindow) -> Case:
        before = window.workspace.shown
        assert before is not None
        monkeypatch.setattr(workspace_module, "MEMORY_BUDGET_BYTES", 0)
        another = stack.with_name(f"another {len(window.workspace.model.cases)}.tif")
        another.write_bytes(stack.read_bytes())
        window.workspace.open_paths([another])
        qtbot.waitUntil(lambda: window.workspace.shown is not before and _settled(window))
        return before

    return open_another


@pytest.fixture
def start(qtbot: QtBot, analyzer: object, settings_file: Path, settled: Callable[[MainWindow], bool]) -> Callable:  # type: ignore[type-arg]
    return lambda path, **set_: program(qtbot, analyzer, settings_file, settled, path, **set_)
