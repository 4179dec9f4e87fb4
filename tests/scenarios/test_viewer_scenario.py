"""A series as a radiologist reads it, on a real X display at 1366 × 768. Screenshots where BRAINTUMOR_SHOTS says."""

from __future__ import annotations

import os
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from window_shots import shoot

from braintumor_desktop.imaging.phantom import Lesion, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.models.manifest import manifest_path
from braintumor_desktop.ui.case import CaseState
from braintumor_desktop.ui.main_window import MainWindow

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="needs an X display (run under xvfb-run)"),
    pytest.mark.skipif(not manifest_path().exists(), reason="the weights manifest is absent"),
]
PATIENCE_MS = 60_000


def test_a_series_is_scrolled_turned_measured_reformatted_and_reported_by_keyboard(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    write_dicom_series(make_volume(5, (16, 128, 144), (6.0, 1.6, 1.4), Lesion(kind="homogeneous")), tmp_path / "disc")
    window.commands.open_paths([tmp_path / "disc"])
    qtbot.waitUntil(lambda: window.viewer.study is not None, timeout=PATIENCE_MS)
    case = window.workspace.model.cases[0]
    qtbot.waitUntil(lambda: case.state is CaseState.DONE, timeout=PATIENCE_MS)
    shoot(window, "viewer-01-series")

    viewer = window.viewer
    viewer.setFocus()
    qtbot.keyClick(viewer, Qt.Key.Key_Home)
    assert viewer.slice_index == 0
    for _ in range(8):
        qtbot.keyClick(viewer, Qt.Key.Key_PageDown)
    assert viewer.slice_index == 8
    before = viewer.grab().toImage()
    qtbot.keyClick(window, Qt.Key.Key_X)
    assert viewer.grab().toImage() != before
    shoot(window, "viewer-02-flipped")
    qtbot.keyClick(window, Qt.Key.Key_X)
    assert viewer.grab().toImage() == before

    qtbot.keyClick(window, Qt.Key.Key_E)
    middle = QPoint(viewer.width() // 2, viewer.height() // 2)
    QTest.mousePress(viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle - QPoint(60, 40))
    QTest.mouseMove(viewer, middle)
    QTest.mouseRelease(viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle + QPoint(60, 40))
    assert len(case.measured.current) == 1
    shoot(window, "viewer-03-measured")

    qtbot.keyClick(window, Qt.Key.Key_F8)
    assert [each.isVisible() for each in window.area.planes.values()] == [True, True, True]
    shoot(window, "viewer-04-planes")
    qtbot.keyClick(window, Qt.Key.Key_F6)

    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    qtbot.waitExposed(dialog)
    dialog.selectFile(str(tmp_path / "report.pdf"))
    with qtbot.waitSignal(window.exporter.saved, timeout=PATIENCE_MS):
        dialog.accept()
    document = pdfium.PdfDocument(tmp_path / "report.pdf")
    text = "\n".join(page.get_textpage().get_text_bounded() for page in document)
    document.close()
    assert "MEASURED BY THE READER" in text
    assert "mm²" in text
