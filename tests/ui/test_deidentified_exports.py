"""The switch for de-identified exports: in the menu, in the dialogs, in the status bar, and in what is saved."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pypdfium2 as pdfium
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QCheckBox, QFileDialog
from pytestqt.qtbot import QtBot

from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.ui.dicom_dialog import DicomDialog
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.report_preview import ReportPreview

MARKER = "ZQXMARK"


@pytest.fixture
def named(tmp_path: Path, picture: Path) -> Path:
    return picture.rename(tmp_path / f"{MARKER} Anna.png")


@pytest.fixture
def window_with(
    qtbot: QtBot,
    window: MainWindow,
    drop: Callable[[MainWindow, QMimeData], bool],
    files: Callable[..., QMimeData],
    settled: Callable[[MainWindow], bool],
) -> Callable[[Path], MainWindow]:
    """The window, with a file dropped and analysed, and a reader's comment that names someone."""

    def show(path: Path) -> MainWindow:
        assert drop(window, files(path))
        qtbot.waitUntil(lambda: settled(window) and window.results.finding.text().startswith("The model's finding"))
        window.results.reader.disagree.click()
        qtbot.keyClicks(window.results.reader.comment, f"Seen with {MARKER}")
        window.settings.clinic_name = window.settings.clinic_footer = f"Clinic of {MARKER}"
        return window

    return show


def dialog_of(qtbot: QtBot, window: MainWindow, action: str) -> QFileDialog:
    window.actions_by_name[action].trigger()
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    qtbot.waitExposed(dialog)
    return dialog


def box_of(dialog: QFileDialog | DicomDialog) -> QCheckBox:
    (box,) = (box for box in dialog.findChildren(QCheckBox) if "identified" in box.text())
    return box


def save(qtbot: QtBot, window: MainWindow, action: str, folder: Path) -> Path:
    """Save under the name the dialog proposes."""
    dialog = dialog_of(qtbot, window, action)
    (proposed,) = dialog.selectedFiles()
    path = folder / Path(proposed).name
    with qtbot.waitSignal(window.exporter.saved, timeout=30_000):
        dialog.fileSelected.emit(str(path))
        dialog.close()
    qtbot.waitUntil(lambda: window.findChild(QFileDialog) is None)
    return path


def words_in(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix != ".pdf":
        return data.decode("latin-1")
    with pdfium.PdfDocument(data) as document:
        return f"{[page.get_textpage().get_text_bounded() for page in document]} {document.get_metadata_dict()}"


def test_with_the_switch_on_no_export_names_anyone(
    qtbot: QtBot, window_with: Callable[[Path], MainWindow], named: Path, tmp_path: Path
) -> None:
    window = window_with(named)
    window.actions_by_name["deidentify"].trigger()
    out = tmp_path / "out"
    out.mkdir()
    saved = [save(qtbot, window, action, out) for action in ("pdf", "png", "json", "mask", "heatmap_file")]
    for path in saved:
        assert path.name.startswith("case-")
        assert MARKER not in words_in(path)
    assert len({path.name[:17] for path in saved}) == 1  # one case, one name
    report = words_in(saved[0])
    assert "De-identified" in report
    assert "Disagree" in report
    line = json.loads(saved[2].read_text())
    assert line["path"] == saved[2].stem
    assert line["finding"]["label"] == "glioma"


def test_without_the_switch_exports_are_as_before(
    qtbot: QtBot, window_with: Callable[[Path], MainWindow], named: Path, tmp_path: Path
) -> None:
    window = window_with(named)
    path = save(qtbot, window, "json", tmp_path)
    assert json.loads(path.read_text())["path"] == str(named)
    assert MARKER in path.name


def test_one_switch_everywhere(
    qtbot: QtBot, window_with: Callable[[Path], MainWindow], named: Path, settings_file: Path
) -> None:
    window = window_with(named)
    action, badge = window.actions_by_name["deidentify"], window.deidentify.badge
    assert not action.isChecked()
    assert not badge.isVisible()
    dialog = dialog_of(qtbot, window, "pdf")
    assert MARKER in dialog.selectedFiles()[0]
    box_of(dialog).click()
    assert MARKER not in Path(dialog.selectedFiles()[0]).name
    assert action.isChecked()
    assert badge.isVisible()
    dialog.reject()
    qtbot.waitUntil(lambda: window.findChild(QFileDialog) is None)
    again = dialog_of(qtbot, window, "json")
    assert box_of(again).isChecked()
    again.reject()
    window.close()
    assert json.loads(settings_file.read_text())["deidentify_exports"] is True


def test_dicom_objects_name_no_patient_and_agree_among_each_other(
    qtbot: QtBot, window_with: Callable[[Path], MainWindow], tmp_path: Path
) -> None:
    pixels = make_volume(3, (1, 64, 64), (5.0, 3.0, 3.0))
    (path,) = write_dicom_series(pixels, tmp_path / "in")
    dataset = pydicom.dcmread(path)
    dataset.PatientName = dataset.PatientID = dataset.StudyDescription = dataset.AccessionNumber = MARKER
    dataset.InstitutionName = dataset.ReferringPhysicianName = dataset.StudyID = MARKER
    dataset.save_as(path)
    window = window_with(path)
    window.actions_by_name["dicom"].trigger()
    asked = window.findChild(DicomDialog)
    assert isinstance(asked, DicomDialog)
    qtbot.waitExposed(asked)
    box_of(asked).click()
    asked.go_on.click()
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    with qtbot.waitSignal(window.exporter.saved, timeout=60_000):
        dialog.filesSelected.emit([str(tmp_path)])
        dialog.close()
    (folder,) = tmp_path.glob("case-*")
    written = [pydicom.dcmread(file) for file in folder.iterdir()]
    assert written
    assert len({each.StudyInstanceUID for each in written} - {dataset.StudyInstanceUID}) == 1
    assert all(str(each.PatientID).startswith("anon-") for each in written)
    for file in folder.iterdir():
        assert MARKER.encode() not in file.read_bytes()
        for uid in (dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID):
            assert uid.encode() not in file.read_bytes()


def export_all(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    dialog = dialog_of(qtbot, window, "all_reports")
    dialog.filesSelected.emit([str(folder)])
    dialog.close()
    qtbot.waitUntil(lambda: window.reports.batch is None and (folder / "summary.csv").exists(), timeout=30_000)


def test_all_reports_at_once_name_no_one(
    qtbot: QtBot, window_with: Callable[[Path], MainWindow], named: Path, tmp_path: Path
) -> None:
    window = window_with(named)
    window.deidentify.set_on(True)
    folder = tmp_path / f"of {MARKER}"
    folder.mkdir()
    export_all(qtbot, window, folder)
    for path in folder.iterdir():
        assert MARKER not in path.name
        assert MARKER not in words_in(path)
    (row,) = csv.DictReader((folder / "summary.csv").read_text(encoding="utf-8-sig").splitlines())
    assert (row["verdict"], row["comment"], row["reader"]) == ("disagree", "", "")


def test_a_failed_case_is_a_row_that_names_no_one(
    qtbot: QtBot, window: MainWindow, settled: Callable[[MainWindow], bool], tmp_path: Path
) -> None:
    for number, side in ((1, 60), (2, 60), (3, 64)):
        Image.fromarray(90 * np.eye(side, dtype=np.uint8)).save(tmp_path / f"{MARKER} {number}.png")
    cases = window.workspace.model.cases
    window.commands.open_paths([tmp_path])
    qtbot.waitUntil(lambda: len(cases) == 3 and settled(window) and window.viewer.study is not None)
    window.actions_by_name["join"].trigger()  # one of them doesn't fit, and the error says which
    qtbot.waitUntil(lambda: len(cases) == 4 and settled(window) and window.notice.isVisible())
    window.deidentify.set_on(True)
    folder = tmp_path / "reports"
    folder.mkdir()
    export_all(qtbot, window, folder)
    assert MARKER not in (folder / "summary.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader((folder / "summary.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert rows[3]["error_message"].startswith(f"{rows[3]['path']} has 64 × 64 pixels")


def test_a_switch_that_is_flipped_meanwhile_changes_none_of_the_reports_that_are_being_saved(
    qtbot: QtBot, window_with: Callable[[Path], MainWindow], named: Path, settled: Any, tmp_path: Path
) -> None:
    window = window_with(named)
    other = named.with_name(f"{MARKER} Bea.png")
    other.write_bytes(named.read_bytes())
    window.commands.open_paths([other])
    qtbot.waitUntil(lambda: len(window.workspace.model.cases) == 2 and settled(window))
    window.deidentify.set_on(True)
    folder = tmp_path / "reports"
    folder.mkdir()
    dialog = dialog_of(qtbot, window, "all_reports")
    dialog.filesSelected.emit([str(folder)])
    dialog.close()
    window.deidentify.set_on(False)
    qtbot.waitUntil(lambda: window.reports.batch is None and (folder / "summary.csv").exists(), timeout=30_000)
    assert len(list(folder.iterdir())) == 3
    for path in folder.iterdir():
        assert MARKER not in words_in(path)


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("drawn", [True, False])
def test_a_switch_that_is_flipped_during_a_preview_holds_for_what_is_saved_of_it(
    qtbot: QtBot, window_with: Callable[[Path], MainWindow], named: Path, tmp_path: Path, on: bool, drawn: bool
) -> None:
    window = window_with(named)
    (case,) = window.workspace.model.cases
    window.deidentify.set_on(not on)

    def shown() -> list[ReportPreview]:
        return [each for each in window.findChildren(ReportPreview) if each.isVisible()]

    window.actions_by_name["preview"].trigger()
    if drawn:
        qtbot.waitUntil(lambda: bool(shown()), timeout=20_000)
        first = shown()
        window.deidentify.set_on(on)
        first[0].save.click()  # it is shown again before it is saved
        qtbot.waitUntil(lambda: bool(shown()) and shown() != first, timeout=20_000)
    else:
        window.deidentify.set_on(on)
        qtbot.waitUntil(lambda: bool(shown()), timeout=20_000)
    (preview,) = shown()
    preview.save.click()
    dialog = preview.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    assert (MARKER in Path(dialog.selectedFiles()[0]).name) is not on
    with qtbot.waitSignal(window.exporter.saved, timeout=20_000):
        dialog.fileSelected.emit(str(tmp_path / "saved.pdf"))
    assert (MARKER in words_in(tmp_path / "saved.pdf")) is not on
    assert (case.exported == case.reading) is not on  # what was typed is in the file, or still nowhere


@pytest.fixture
def with_text(tmp_path: Path) -> Path:
    """A picture with a patient burnt into it."""
    pixels = np.full((160, 200), 40, np.uint8)
    cv2.putText(pixels, "ANNA 03.02.1951", (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)
    Image.fromarray(pixels).save(tmp_path / "text.png")
    return tmp_path / "text.png"


def test_text_in_the_picture_is_told(
    qtbot: QtBot, window_with: Callable[[Path], MainWindow], with_text: Path, tmp_path: Path
) -> None:
    window = window_with(with_text)
    window.deidentify.set_on(True)
    save(qtbot, window, "json", tmp_path)
    assert not window.notice.isVisible() or "text_in_picture" in window.notice.code.text()
    qtbot.waitUntil(lambda: window.notice.isVisible() and "text_in_picture" in window.notice.code.text())


def test_text_in_the_picture_is_told_with_the_preview_too(
    qtbot: QtBot, window_with: Callable[[Path], MainWindow], with_text: Path
) -> None:
    window = window_with(with_text)
    window.deidentify.set_on(True)
    window.actions_by_name["preview"].trigger()
    qtbot.waitUntil(lambda: window.findChild(ReportPreview) is not None, timeout=20_000)
    qtbot.waitUntil(lambda: window.notice.isVisible() and "text_in_picture" in window.notice.code.text())


def test_the_settings_have_the_switch(qtbot: QtBot, window: MainWindow) -> None:
    from braintumor_desktop.ui.settings_dialog import SettingsDialog

    window.actions_by_name["settings"].trigger()
    dialog: Any = window.findChild(SettingsDialog)
    qtbot.waitExposed(dialog)
    dialog.deidentify.click()
    dialog.accept()
    assert window.actions_by_name["deidentify"].isChecked()
    assert window.deidentify.badge.isVisible()
