"""The window as a reader uses it, on a real X display with the real model. Screenshots where BRAINTUMOR_SHOTS says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot
from window_shots import shoot

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.imaging.phantom import Lesion, make_picture
from braintumor_desktop.models.manifest import manifest_path
from braintumor_desktop.ui.case import CaseState
from braintumor_desktop.ui.main_window import MainWindow

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="needs an X display (run under xvfb-run)"),
    pytest.mark.skipif(not manifest_path().exists(), reason="the weights manifest is absent"),
]

SIZES = [(1366, 768), (1920, 1080)]
PATIENCE_MS = 60_000


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def screen(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels, _ = make_picture(size=320, lesion=Lesion(kind="homogeneous"))
    path = tmp_path / "phantom head.png"
    Image.fromarray(pixels).save(path)
    return path


def drop(window: MainWindow, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(p)) for p in paths])
    point = QPointF(window.rect().center())
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(point.toPoint(), action, data, button, keys)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    shoot(window, "02-drag")
    event = QDropEvent(point, action, data, button, keys, QEvent.Type.Drop)
    QApplication.sendEvent(window, event)
    assert event.isAccepted()


def viewer_pixels(window: MainWindow) -> QImage:
    return window.viewer.grab().toImage()


def export(qtbot: QtBot, window: MainWindow, key: Qt.Key, keys: Qt.KeyboardModifier, path: Path) -> None:
    """Press the key, type the name into the dialog and press Enter, as a reader does."""
    qtbot.keyClick(window, key, keys)
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    qtbot.waitExposed(dialog)
    dialog.selectFile(str(path))
    with qtbot.waitSignal(window.exporter.saved, timeout=PATIENCE_MS):
        dialog.accept()
    qtbot.waitUntil(lambda: str(path) in window.statusBar().currentMessage())
    window.activateWindow()
    qtbot.waitActive(window)


def test_first_light_from_drop_to_report_and_close(
    qtbot: QtBot, window: MainWindow, picture: Path, tmp_path: Path
) -> None:
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    shoot(window, "01-empty")

    drop(window, picture)
    qtbot.waitUntil(lambda: window.viewer.study is not None, timeout=PATIENCE_MS)
    shoot(window, "03-loaded")
    case = window.workspace.model.cases[0]
    qtbot.waitUntil(lambda: case.state is CaseState.DONE, timeout=PATIENCE_MS)
    assert case.analysis is not None
    sentence = case.analysis.finding.sentence().replace(" %", "\u00a0%")
    qtbot.waitUntil(lambda: window.results.finding.text() == sentence)
    shoot(window, "04-answer")

    for key, name in ((Qt.Key.Key_C, "contour"), (Qt.Key.Key_F, "fill"), (Qt.Key.Key_H, "heat-map")):
        before = viewer_pixels(window)
        qtbot.keyClick(window, key)
        if name == "heat-map" or (case.analysis.segmentation is not None and case.analysis.segmentation.present):
            assert viewer_pixels(window) != before
        shoot(window, f"05-{name}")
        qtbot.keyClick(window, key)
        assert viewer_pixels(window) == before

    export(qtbot, window, Qt.Key.Key_S, control, tmp_path / "report.pdf")
    document = pdfium.PdfDocument(tmp_path / "report.pdf")
    text = "\n".join(page.get_textpage().get_text_bounded() for page in document)
    document.close()
    assert RESEARCH_USE in text
    export(qtbot, window, Qt.Key.Key_S, control | shift, tmp_path / "report.png")
    with Image.open(tmp_path / "report.png") as image:
        assert np.asarray(image).std() > 10

    corrupt = tmp_path / "cut short.png"
    corrupt.write_bytes(picture.read_bytes()[:2000])
    drop(window, corrupt)
    qtbot.waitUntil(window.notice.isVisible, timeout=PATIENCE_MS)
    assert "cut short.png" in window.notice.sentence.text()
    assert window.workspace.shown is case
    shoot(window, "06-corrupt")

    window.actions_by_name["sample_stack"].trigger()
    stack = window.workspace.model.cases[2]
    qtbot.waitUntil(lambda: stack.state is CaseState.DONE, timeout=PATIENCE_MS)
    qtbot.waitUntil(window.slice_strip.isVisible)
    shoot(window, "07-stack")

    window.actions_by_name["reanalyse"].trigger()
    qtbot.waitUntil(lambda: stack.state is CaseState.ANALYSING, timeout=PATIENCE_MS)
    shoot(window, "08-analysing")
    window.close()
    assert not window.workspace.running
    assert not window.stuck


def test_the_program_closed_while_it_loads_its_model_ends_without_a_word(tmp_path: Path, picture: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from PySide6.QtCore import QTimer;"
        "from PySide6.QtWidgets import QApplication; from braintumor_desktop import app;"
        "application = QApplication([]); QTimer.singleShot(700, QApplication.closeAllWindows);"
        f"sys.exit(app.run([Path({str(picture)!r})]))"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "BRAINTUMOR_CONFIG_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "QThread" not in ended.stderr
    assert "Traceback" not in ended.stderr
