"""Seeing, printing and saving reports; the letterhead of the settings; a reading that is asked about before it goes."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pypdfium2
import pytest
from PIL import Image
from PySide6.QtGui import QPageSize
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot
from save_dialog import name_in_dialog

from braintumor_desktop.domain.reader_measurements import MeasurementKind, ReaderMeasurement
from braintumor_desktop.language import long_date
from braintumor_desktop.storage.settings import Settings, load_settings
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.pages import draw_pages
from braintumor_desktop.ui.printing import DOTS_PER_INCH, prepare_printer, print_pages
from braintumor_desktop.ui.report_preview import ReportPreview
from braintumor_desktop.ui.settings_dialog import SettingsDialog

LINE = ReaderMeasurement(MeasurementKind.LENGTH, 0, ((10.0, 10.0), (40.0, 50.0)))


def texts(path: Path) -> list[str]:
    document = pypdfium2.PdfDocument(path)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


def previewed(qtbot: QtBot, window: MainWindow) -> ReportPreview:
    window.actions_by_name["preview"].trigger()
    qtbot.waitUntil(lambda: window.findChild(ReportPreview) is not None, timeout=20_000)
    dialog = window.findChild(ReportPreview)
    assert isinstance(dialog, ReportPreview)
    qtbot.waitExposed(dialog)
    return dialog


def press(window: MainWindow, words: str) -> None:
    """A button of the question on the screen."""
    box = window.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    next(b for b in box.findChildren(QPushButton) if b.text().replace("&", "") == words).click()


def test_the_preview_shows_the_pages_that_are_then_saved(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    qtbot.keyClicks(opened.results.reader.comment, "Rather an artefact")
    qtbot.keyClicks(opened.results.reader.name, "Dr. A. Reader")
    dialog = previewed(qtbot, opened)
    pages = [label.pixmap() for label in dialog.labels]
    assert dialog.words.text() == "1 page"
    assert 1.39 < pages[0].height() / pages[0].width() < 1.43  # A4
    assert 0 < pages[0].width() <= dialog.area.width()
    before = pages[0].width()
    dialog.zoom(1.25)
    assert dialog.labels[0].pixmap().width() > before
    with qtbot.waitSignal(opened.exporter.saved):
        dialog.save.click()
        name_in_dialog(qtbot, opened, tmp_path / "seen 15.1")
    (text,) = texts(tmp_path / "seen 15.1.pdf")
    assert "Rather an artefact" in text
    assert "Dr. A. Reader" in text
    assert opened.workspace.model.cases[0].signed_on is not None
    assert long_date(opened.workspace.model.cases[0].signed_on) in text


def test_no_preview_opens_once_the_window_is_closed(qtbot: QtBot, opened: MainWindow) -> None:
    opened.actions_by_name["preview"].trigger()
    assert opened.close()
    drawn = []
    opened.exporter.run(lambda: None, drawn.append)
    qtbot.waitUntil(lambda: bool(drawn))
    assert opened.findChild(ReportPreview) is None


def test_an_unsigned_report_leaves_name_and_date_empty(qtbot: QtBot, opened: MainWindow) -> None:
    opened.results.reader.agree.click()
    assert opened.workspace.model.cases[0].signed_on is None
    qtbot.keyClicks(opened.results.reader.name, "A")
    assert opened.workspace.model.cases[0].signed_on is not None
    opened.results.reader.name.setText("")
    opened.results.reader.name.textEdited.emit("")
    assert opened.workspace.model.cases[0].signed_on is None


@pytest.fixture(scope="module")
def two_pages() -> bytes:
    """Letter, each page black in its upper left inch."""
    from fpdf import FPDF

    document = FPDF(unit="in", format=(8.5, 11))
    for _ in range(2):
        document.add_page()
        document.set_fill_color(0, 0, 0)
        document.rect(0, 0, 1, 1, style="F")
    return bytes(document.output())


@pytest.mark.parametrize(("first", "last", "count"), [(0, 0, 2), (2, 2, 1)])
def test_printing_puts_each_page_whole_on_paper_of_its_size(
    qapp: object, two_pages: bytes, tmp_path: Path, first: int, last: int, count: int
) -> None:
    pages = draw_pages(two_pages, DOTS_PER_INCH)
    printer = QPrinter()
    prepare_printer(printer, pages[0])
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "printed.pdf"))
    printer.setFromTo(first, last)
    print_pages(printer, pages)
    assert printer.pageLayout().pageSize().id() == QPageSize.PageSizeId.Letter
    document = pypdfium2.PdfDocument(tmp_path / "printed.pdf")
    assert len(document) == count
    assert document[0].get_size() == pytest.approx((612, 792), abs=1)
    pixels = document[0].render(scale=1).to_numpy()[:, :, 0]
    document.close()
    rows, columns = np.nonzero(pixels < 128)
    assert (rows.min(), columns.min()) == (0, 0)
    assert abs(rows.max() - 71) <= 1  # one inch: nothing was shrunk or moved
    assert abs(columns.max() - 71) <= 1


def test_the_print_dialog_prints_what_the_preview_shows(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    preview = previewed(qtbot, opened)
    preview.print.click()
    qtbot.waitUntil(lambda: preview.findChild(QPrintDialog) is not None, timeout=20_000)
    dialog = preview.findChild(QPrintDialog)
    assert isinstance(dialog, QPrintDialog)
    dialog.printer().setOutputFileName(str(tmp_path / "printed.pdf"))
    dialog.done(QPrintDialog.DialogCode.Accepted)
    opened.exporter.finish()
    document = pypdfium2.PdfDocument(tmp_path / "printed.pdf")
    assert len(document) == len(preview.labels)
    assert document[0].get_size() == pytest.approx((595, 842), abs=2)
    assert (document[0].render(scale=0.5).to_numpy() < 128).mean() > 0.02  # there is a report on it
    document.close()


def test_reports_that_lie_there_are_replaced_only_when_the_reader_says_so(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "spot.pdf").write_text("old")
    for answer in ("Cancel", "Replace"):
        opened.actions_by_name["all_reports"].trigger()
        name_in_dialog(qtbot, opened, folder)
        qtbot.waitUntil(lambda: opened.findChild(QMessageBox) is not None)
        press(opened, answer)
        if answer == "Cancel":
            qtbot.waitUntil(lambda: opened.findChild(QMessageBox) is None)
            assert {path.name: path.read_text() for path in folder.iterdir()} == {"spot.pdf": "old"}
    qtbot.waitUntil(lambda: (folder / "summary.csv").exists() and opened.reports.batch is None, timeout=30_000)
    assert (folder / "spot.pdf").read_bytes().startswith(b"%PDF")


def test_the_json_holds_what_the_reader_said_and_measured(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    opened.results.reader.agree.click()
    opened.workspace.model.cases[0].measured.change([LINE])
    opened.actions_by_name["json"].trigger()
    with qtbot.waitSignal(opened.exporter.saved):
        name_in_dialog(qtbot, opened, tmp_path / "out.json")
    reader = json.loads((tmp_path / "out.json").read_text())["reader"]
    assert reader["verdict"] == "agree"
    assert reader["name"] == ""
    (line,) = reader["measurements"]
    assert (line["kind"], line["slice"], line["points"]) == ("length", 0, [[10.0, 10.0], [40.0, 50.0]])
    assert (line["lengths_px"], line["lengths_mm"]) == ([50.0], None)  # a picture has no millimetres


def test_the_mask_of_a_volume_is_saved_in_its_own_geometry(
    qtbot: QtBot, window: MainWindow, drop: Any, files: Any, settled: Any, tmp_path: Path
) -> None:
    voxels = np.full((40, 40, 6), 50, np.int16)
    voxels[10:20, 10:20, 2:4] = 250
    affine = np.diag([1.0, 1.5, 4.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(voxels, affine), tmp_path / "volume.nii.gz")
    drop(window, files(tmp_path / "volume.nii.gz"))
    qtbot.waitUntil(lambda: settled(window) and window.actions_by_name["mask"].isEnabled())
    window.actions_by_name["mask"].trigger()
    with qtbot.waitSignal(window.exporter.saved):
        name_in_dialog(qtbot, window, tmp_path / "out mask.nii.gz")
    mask = nibabel.load(tmp_path / "out mask.nii.gz")
    assert np.allclose(mask.affine, affine)
    assert np.array_equal(np.asarray(mask.dataobj) > 0, voxels > 200)


def test_clinic_and_logo_of_the_settings_stand_in_the_report(
    qtbot: QtBot, opened: MainWindow, settings_file: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (400, 100), (0, 128, 128)).save(tmp_path / "logo.png")
    (tmp_path / "notes.png").write_text("no picture")
    opened.actions_by_name["settings"].trigger()
    dialog = opened.findChild(SettingsDialog)
    assert isinstance(dialog, SettingsDialog)
    page = dialog.letterhead
    qtbot.keyClicks(page.name, "Clinic by the Park")
    page.footer.setPlainText("Confidential.")
    page.take_logo(tmp_path / "notes.png")
    assert "can't be read as a picture" in page.trouble.text()
    page.take_logo(tmp_path / "logo.png")
    assert page.remove.isEnabled()
    dialog.accept()
    (tmp_path / "logo.png").unlink()  # the settings have their own copy
    opened.actions_by_name["pdf"].trigger()
    with qtbot.waitSignal(opened.exporter.saved):
        name_in_dialog(qtbot, opened, tmp_path / "out.pdf")
    text = "\n".join(texts(tmp_path / "out.pdf"))
    assert "Clinic by the Park" in text
    assert "Confidential." in text
    document = pypdfium2.PdfDocument(tmp_path / "out.pdf")
    pixels = document[0].render(scale=1).to_numpy()[:, :, :3].astype(int)
    document.close()
    assert (np.abs(pixels - (128, 128, 0)).max(axis=2) < 20).sum() > 1000
    opened.close()
    assert load_settings(settings_file)[0].clinic_name == "Clinic by the Park"


@pytest.mark.parametrize("damage", [b"", b"iVBORw0KGgp4eHg=", b"iVBORw0Kx", "iVBORw0Ké".encode()])
def test_a_damaged_logo_in_the_settings_stops_neither_reports_nor_the_dialog(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, damage: bytes
) -> None:
    content = BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 200, 3), np.uint8)).save(content, "PNG")
    cut_short = base64.b64encode(content.getvalue()[:3000])
    opened.settings.clinic_name, opened.settings.clinic_logo = "Clinic by the Park", (damage or cut_short).decode()
    opened.actions_by_name["pdf"].trigger()
    with qtbot.waitSignal(opened.exporter.saved):
        name_in_dialog(qtbot, opened, tmp_path / "out.pdf")
    assert "Clinic by the Park" in "\n".join(texts(tmp_path / "out.pdf"))
    opened.actions_by_name["settings"].trigger()
    dialog = opened.findChild(SettingsDialog)
    assert isinstance(dialog, SettingsDialog)
    assert not dialog.letterhead.remove.isEnabled()
    dialog.accept()
    assert opened.settings.clinic_logo == ""


@pytest.fixture
def forgetful(
    qtbot: QtBot, analyzer: Any, settings_file: Path, picture: Path, settled: Callable[[MainWindow], bool]
) -> Iterator[MainWindow]:
    """A window that keeps no readings, with a comment on its only case."""
    window = MainWindow(Settings(keep_readings=False), lambda _m, _d: analyzer, settings_file)
    qtbot.addWidget(window)
    window.show()
    window.start([picture])
    qtbot.waitUntil(lambda: settled(window) and window.results.reader.isVisible())
    qtbot.keyClicks(window.results.reader.comment, "rather a cyst")
    yield window
    for case in window.workspace.model.cases:
        case.exported = case.reading
    window.close()


def test_closing_with_a_comment_that_is_nowhere_asks_and_can_be_taken_back(qtbot: QtBot, forgetful: MainWindow) -> None:
    assert not forgetful.close()
    qtbot.waitUntil(lambda: forgetful.findChild(QMessageBox) is not None)
    assert not forgetful.close()  # a second try asks no second time
    assert len(forgetful.findChildren(QMessageBox)) == 1
    press(forgetful, "Cancel")
    assert forgetful.isVisible()
    assert forgetful.workspace.running
    assert forgetful.workspace.model.cases[0].comment == "rather a cyst"


@pytest.mark.parametrize(("answer", "kept"), [("Keep", 1), ("Discard", 0)])
def test_a_comment_can_be_kept_or_given_up_when_the_window_closes(
    qtbot: QtBot, forgetful: MainWindow, settings_file: Path, answer: str, kept: int
) -> None:
    forgetful.close()
    press(forgetful, answer)
    qtbot.waitUntil(lambda: not forgetful.workspace.running)
    assert not forgetful.isVisible()
    readings = list((settings_file.parent / "readings").glob("*.json"))
    assert len(readings) == kept
    assert all("rather a cyst" in path.read_text() for path in readings)
    assert load_settings(settings_file)[0].keep_readings is bool(kept)


def test_a_comment_that_is_in_a_saved_report_is_not_asked_about(
    qtbot: QtBot, forgetful: MainWindow, tmp_path: Path
) -> None:
    forgetful.actions_by_name["pdf"].trigger()
    with qtbot.waitSignal(forgetful.exporter.saved):
        name_in_dialog(qtbot, forgetful, tmp_path / "out.pdf")
    assert forgetful.close()


def test_taking_a_case_off_the_list_asks_too(qtbot: QtBot, forgetful: MainWindow) -> None:
    for action in ("remove", "reset"):
        forgetful.actions_by_name[action].trigger()
        assert len(forgetful.workspace.model.cases) == 1
        press(forgetful, "Cancel")
        qtbot.waitUntil(lambda: forgetful.findChild(QMessageBox) is None)
    forgetful.actions_by_name["remove"].trigger()
    press(forgetful, "Discard")
    assert forgetful.workspace.model.cases == []


def test_a_preview_closed_before_its_pages_are_drawn_for_the_printer_prints_nothing(
    qtbot: QtBot, opened: MainWindow
) -> None:
    preview, gate, ended = previewed(qtbot, opened), threading.Event(), []
    opened.exporter.run(gate.wait, lambda _outcome: None)
    preview.print.click()
    opened.exporter.run(lambda: None, ended.append)
    preview.reject()
    qtbot.waitUntil(lambda: opened.findChild(ReportPreview) is None)
    with qtbot.captureExceptions() as raised:
        gate.set()
        qtbot.waitUntil(lambda: bool(ended), timeout=20_000)
    assert raised == []
