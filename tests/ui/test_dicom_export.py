"""DICOM objects from the window: the choice, the folder, and what lies in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pypdfium2 as pdfium
import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from braintumor_desktop.reporting.dicom.kinds import DicomKind
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.dicom_dialog import DicomDialog
from braintumor_desktop.ui.main_window import MainWindow


def asked(qtbot: QtBot, window: MainWindow) -> DicomDialog:
    window.actions_by_name["dicom"].trigger()
    dialog = window.findChild(DicomDialog)
    assert isinstance(dialog, DicomDialog)
    qtbot.waitExposed(dialog)
    return dialog


def choose_folder(qtbot: QtBot, window: MainWindow, folder: Path) -> Path:
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    with qtbot.waitSignal(window.exporter.saved, timeout=30_000) as saved:
        dialog.filesSelected.emit([str(folder)])
        dialog.close()
    assert saved.args is not None
    return Path(saved.args[0])


def test_the_chosen_objects_lie_in_a_new_folder(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    opened.settings.paper = "Letter"
    folders = []
    for _ in range(2):
        dialog = asked(qtbot, opened)
        dialog.boxes[DicomKind.CAPTURE].click()
        dialog.go_on.click()
        qtbot.waitUntil(lambda: opened.findChild(QFileDialog) is not None)
        folders.append(choose_folder(qtbot, opened, tmp_path))
        qtbot.waitUntil(lambda: opened.findChild(QFileDialog) is None)
    assert folders[0] != folders[1]
    for folder in folders:
        assert sorted(path.name for path in folder.iterdir()) == ["pdf.dcm", "seg.dcm", "source.dcm", "sr.dcm"]
        document = pdfium.PdfDocument(pydicom.dcmread(folder / "pdf.dcm").EncapsulatedDocument)
        assert document[0].get_size() == pytest.approx((612, 792), abs=1)  # points
        document.close()
        assert pydicom.dcmread(folder / "sr.dcm").Modality == "SR"


def test_the_report_brings_the_segmentation_along_and_nothing_chosen_can_t_be_saved(
    qtbot: QtBot, opened: MainWindow
) -> None:
    dialog = asked(qtbot, opened)
    for kind in DicomKind:
        if dialog.boxes[kind].isChecked() and kind is not DicomKind.REPORT:
            dialog.boxes[kind].click()
    assert dialog.boxes[DicomKind.SEGMENTATION].isChecked()
    dialog.boxes[DicomKind.REPORT].click()
    dialog.boxes[DicomKind.SEGMENTATION].click()
    assert dialog.kinds == ()
    assert not dialog.go_on.isEnabled()
    dialog.reject()


def test_what_the_folder_is_asked_for_is_not_let_go_meanwhile(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, crowded: Callable[[MainWindow], Case]
) -> None:
    asked(qtbot, opened).go_on.click()
    qtbot.waitUntil(lambda: opened.findChild(DicomDialog) is None and opened.findChild(QFileDialog) is not None)
    case = crowded(opened)
    folder = choose_folder(qtbot, opened, tmp_path)
    assert pydicom.dcmread(folder / "seg.dcm").Rows == 120
    crowded(opened)
    assert case.analysis is None
