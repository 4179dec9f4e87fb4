"""Pictures come in by drop, paste, folder and menu; what can't be opened says so and costs nothing."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import ComprehensiveSRStorage
from PySide6.QtCore import QByteArray, QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.ui.case import CaseState
from braintumor_desktop.ui.folder_dialog import FolderDialog
from braintumor_desktop.ui.main_window import MainWindow

Drop = Callable[[MainWindow, QMimeData], bool]
Files = Callable[..., QMimeData]
Settled = Callable[[MainWindow], bool]


def test_the_empty_window_says_what_to_do_and_that_it_is_for_research_only(window: MainWindow) -> None:
    assert window.pages.currentWidget() is window.empty_page
    assert "Ctrl+O" in window.empty_page.headline.text()
    assert window.research_label.text() == RESEARCH_USE
    assert window.research_label.isVisible()


def test_a_dropped_picture_is_shown_and_answered(opened: MainWindow) -> None:
    assert opened.pages.currentWidget() is opened.area
    assert opened.research_label.isVisible()
    assert opened.results.finding.text() == "The model's finding is glioma (probability 90\u00a0%)."
    assert [bar.words for bar in opened.results.bars.bars.values()] == ["90.0 %", "3.3 %", "3.3 %", "3.3 %"]
    case = opened.workspace.model.cases[0]
    assert (case.state, case.status_line) == (CaseState.DONE, "Glioma, 90.0 %")


def test_the_picture_is_shown_before_its_analysis_ends(
    qtbot: QtBot, window: MainWindow, analyzer: Any, picture: Path, drop: Drop, files: Files
) -> None:
    import threading

    analyzer.gate = threading.Event()
    drop(window, files(picture))
    qtbot.waitUntil(lambda: window.viewer.study is not None)
    qtbot.waitUntil(lambda: "Looking" in window.results.state.text())
    assert window.workspace.model.cases[0].state is CaseState.ANALYSING
    assert window.results.progress.isVisible()
    assert not window.results.bars.isVisible()


def test_several_files_and_a_folder_become_one_list_in_order(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, picture: Path, drop: Drop, files: Files, settled: Settled
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("b.png", "a.png"):
        (folder / name).write_bytes(picture.read_bytes())
    drop(window, files(picture, folder))
    qtbot.waitUntil(lambda: settled(window))
    assert [c.name for c in window.workspace.model.cases] == ["spot.png", "a.png", "b.png"]
    assert window.workspace.shown is window.workspace.model.cases[0]


@pytest.mark.parametrize("at_work", ["typing", "tool in hand", "dragging"])
def test_what_is_loaded_while_the_reader_types_draws_or_drags_stays_in_the_list(
    qtbot: QtBot, opened: MainWindow, settled: Settled, at_work: str
) -> None:
    loaded = threading.Event()

    def slow(_stopped: Callable[[], bool]) -> Any:
        loaded.wait(10)
        return sample_picture()

    first, comment = opened.workspace.shown, opened.results.reader.comment
    assert first is not None
    second = opened.workspace.open_read("slow", Path("slow"), slow)
    if at_work == "typing":
        comment.setFocus()
        qtbot.keyClicks(opened.focusWidget(), "see the ")
    elif at_work == "tool in hand":
        opened.actions_by_name["length"].trigger()
    else:
        QTest.mousePress(opened.viewer, Qt.MouseButton.LeftButton)
    loaded.set()
    qtbot.waitUntil(lambda: settled(opened))
    assert (opened.workspace.shown, opened.viewer.study) == (first, first.study)
    assert "slow" in opened.statusBar().currentMessage()
    if at_work == "typing":
        qtbot.keyClicks(opened.focusWidget(), "x axis")
        assert first.comment == "see the x axis"
    opened.case_panel.step(1)
    assert opened.viewer.study is second.study is not None


@pytest.mark.parametrize("left", ["comment", "tool"])
def test_what_is_opened_after_a_comment_was_typed_or_a_tool_taken_is_shown(
    qtbot: QtBot, opened: MainWindow, stack: Path, drop: Drop, files: Files, left: str
) -> None:
    if left == "comment":
        opened.results.reader.comment.setFocus()
    else:
        opened.actions_by_name["length"].trigger()
    drop(opened, files(stack))
    qtbot.waitUntil(lambda: opened.viewer.study is not None and opened.viewer.study.slices == 5)


def test_a_drag_over_the_window_shows_where_to_let_go_until_it_leaves(
    window: MainWindow, picture: Path, files: Files
) -> None:
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent

    before = window.pages.grab().toImage()
    data = files(picture)  # the event does not keep it alive
    enter = QDragEnterEvent(
        QPoint(300, 300),
        Qt.DropAction.CopyAction | Qt.DropAction.MoveAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dragEnterEvent(enter)
    assert enter.dropAction() is Qt.DropAction.CopyAction
    assert window.pages.grab().toImage() != before
    window.dragLeaveEvent(QDragLeaveEvent())
    assert window.pages.grab().toImage() == before


def test_a_web_address_is_not_taken(window: MainWindow, drop: Drop) -> None:
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/scan.png")])
    assert not drop(window, data)
    assert not window.drop_sign.isVisible()


def test_a_picture_dragged_out_of_another_program_is_opened(
    qtbot: QtBot, window: MainWindow, picture: Path, drop: Drop, settled: Settled
) -> None:
    data = QMimeData()
    data.setData("image/png", QByteArray(picture.read_bytes()))
    assert drop(window, data)
    qtbot.waitUntil(lambda: settled(window))
    assert window.workspace.model.cases[0].name == "pasted picture"
    assert window.workspace.model.cases[0].state is CaseState.DONE


def test_a_picture_on_the_clipboard_is_opened_by_ctrl_v(
    qtbot: QtBot, window: MainWindow, picture: Path, settled: Settled
) -> None:
    QGuiApplication.clipboard().setImage(QImage(str(picture)))
    qtbot.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: settled(window))
    case = window.workspace.model.cases[0]
    assert case.state is CaseState.DONE
    assert case.analysis is not None
    assert case.analysis.segmentation is not None
    assert case.analysis.segmentation.area_px == 400


def test_pasting_without_a_picture_says_so(window: MainWindow) -> None:
    QGuiApplication.clipboard().setText("not a picture")
    window.actions_by_name["paste"].trigger()
    assert "no picture on the clipboard" in window.notice.sentence.text()
    assert window.notice.isVisible()


def test_ctrl_o_opens_a_dialog_and_the_chosen_file(
    qtbot: QtBot, window: MainWindow, picture: Path, settled: Settled
) -> None:
    qtbot.keyClick(window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    qtbot.waitExposed(dialog)
    dialog.filesSelected.emit([str(picture)])
    dialog.close()
    qtbot.waitUntil(lambda: settled(window))
    assert window.workspace.model.cases[0].path == picture
    assert window.settings.last_folder == str(picture.parent)


@pytest.mark.parametrize(
    ("start", "typed", "meant"), [("", "{root}/a/b", "a/b"), ("a/b", "../..", ""), ("a", "b", "a/b")]
)
def test_the_folder_that_is_typed_is_chosen_and_not_the_one_around_it(
    qtbot: QtBot, tmp_path: Path, start: str, typed: str, meant: str
) -> None:
    """Qt's own dialog may name the folder it shows beside the typed one."""
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = FolderDialog("Folder", str(root / start), parent)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.open()
    qtbot.waitExposed(dialog)
    line = dialog.findChild(QLineEdit, "fileNameEdit")
    assert isinstance(line, QLineEdit)
    dialog.activateWindow()
    line.setFocus()
    qtbot.waitUntil(line.hasFocus)
    qtbot.keyClicks(line, typed.format(root=root))
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.keyClick(line, Qt.Key.Key_Return)
    assert chosen.args is not None
    assert chosen.args[0] == root / meant


def test_the_folder_that_is_chosen_is_opened(qtbot: QtBot, window: MainWindow, picture: Path, settled: Settled) -> None:
    qtbot.keyClick(window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    dialog = window.findChild(FolderDialog)
    assert isinstance(dialog, FolderDialog)
    qtbot.waitExposed(dialog)
    dialog.filesSelected.emit([str(picture.parent)])
    dialog.close()
    qtbot.waitUntil(lambda: settled(window))
    assert picture in [case.path for case in window.workspace.model.cases]


def test_a_corrupt_file_gets_its_sentence_and_the_result_before_it_stays(
    qtbot: QtBot, opened: MainWindow, corrupt: Path, drop: Drop, files: Files
) -> None:
    picture_before = opened.viewer.grab().toImage()
    finding_before = opened.results.finding.text()
    size = opened.viewer.size()
    drop(opened, files(corrupt))
    qtbot.waitUntil(opened.notice.isVisible)
    case = opened.workspace.model.cases[1]
    assert case.state is CaseState.FAILED
    assert case.error is not None
    assert case.error.message in opened.notice.sentence.text()
    assert opened.notice.hint.text() == case.error.hint
    assert opened.notice.code.text() == f"Code: {case.error.code.value}"
    assert opened.results.finding.text() == finding_before
    assert opened.workspace.shown is opened.workspace.model.cases[0]
    opened.notice.close_button.click()
    qtbot.waitUntil(lambda: opened.viewer.size() == size)
    assert opened.viewer.grab().toImage() == picture_before


def test_a_failed_file_can_be_repaired_and_retried(
    qtbot: QtBot, window: MainWindow, corrupt: Path, picture: Path, drop: Drop, files: Files
) -> None:
    drop(window, files(corrupt))
    qtbot.waitUntil(window.notice.isVisible)
    corrupt.write_bytes(picture.read_bytes())
    window.notice.retry.click()
    qtbot.waitUntil(lambda: window.workspace.model.cases[0].state is CaseState.DONE)
    assert not window.notice.isVisible()


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return path


def test_an_archive_that_can_be_read_at_last_shows_all_that_is_in_it(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, picture: Path, drop: Drop, files: Files, settled: Settled
) -> None:
    archive = zipped(tmp_path / "study.zip", a_png=picture.read_bytes(), b_png=picture.read_bytes())
    whole = archive.read_bytes()
    archive.write_bytes(whole[:300])
    drop(window, files(archive))
    qtbot.waitUntil(window.notice.isVisible)
    archive.write_bytes(whole)
    window.notice.retry.click()
    qtbot.waitUntil(lambda: len(window.workspace.model.cases) == 2 and settled(window))
    assert [(c.name, c.state) for c in window.workspace.model.cases] == [
        ("a.png", CaseState.DONE),
        ("b.png", CaseState.DONE),
    ]
    assert not window.notice.isVisible()


def test_retrying_a_bad_file_of_an_archive_says_what_is_wrong_until_it_is_mended_and_doubles_nothing(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, picture: Path, drop: Drop, files: Files, settled: Settled
) -> None:
    damaged = bytes(128) + b"DICM" + bytes(40)
    archive = zipped(tmp_path / "study.zip", a_png=picture.read_bytes(), x_dcm=damaged)
    drop(window, files(archive))
    qtbot.waitUntil(lambda: settled(window) and window.notice.isVisible())
    good, bad = cases = window.workspace.model.cases
    told = window.notice.code.text()
    answer = good.analysis
    window.notice.retry.click()
    qtbot.waitUntil(window.notice.isVisible)
    assert (cases, window.notice.code.text()) == ([good, bad], told)
    assert good.analysis is answer is not None
    zipped(archive, a_png=picture.read_bytes(), x_png=picture.read_bytes())
    window.case_panel.choose(bad)
    window.actions_by_name["retry"].trigger()
    qtbot.waitUntil(lambda: len(cases) == 2 and bad not in cases and settled(window))
    assert [case.name for case in cases] == ["a.png", "x.png"]
    assert not window.notice.isVisible()
    qtbot.waitUntil(lambda: window.workspace.shown is cases[1])


def test_retrying_a_bad_file_does_not_bring_back_what_the_reader_took_off_the_list(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, picture: Path, drop: Drop, files: Files, settled: Settled
) -> None:
    damaged = bytes(128) + b"DICM" + bytes(40)
    drop(window, files(zipped(tmp_path / "study.zip", a_png=picture.read_bytes(), x_dcm=damaged)))
    qtbot.waitUntil(lambda: settled(window) and window.notice.isVisible())
    good, bad = window.workspace.model.cases
    window.workspace.remove(good)
    window.case_panel.choose(bad)
    with qtbot.waitSignal(window.workspace.reader.listing_ended):
        window.actions_by_name["retry"].trigger()
    qtbot.waitUntil(window.notice.isVisible)
    assert window.workspace.model.cases == [bad]


def test_choosing_a_file_that_can_not_be_loaded_shows_why_in_its_place(
    qtbot: QtBot, opened: MainWindow, corrupt: Path, drop: Drop, files: Files
) -> None:
    drop(opened, files(corrupt))
    qtbot.waitUntil(opened.notice.isVisible)
    qtbot.keyClick(opened, Qt.Key.Key_N)
    case = opened.workspace.model.cases[1]
    assert opened.workspace.shown is case
    assert opened.pages.currentWidget() is opened.empty_page
    assert case.error is not None
    assert case.error.message in opened.empty_page.detail.text()
    qtbot.keyClick(opened, Qt.Key.Key_P)
    assert opened.pages.currentWidget() is opened.area


def test_an_empty_folder_is_told_not_swallowed(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, drop: Drop, files: Files
) -> None:
    (tmp_path / "nothing").mkdir()
    drop(window, files(tmp_path / "nothing"))
    qtbot.waitUntil(window.notice.isVisible)
    assert "no files" in window.notice.sentence.text()


def test_a_folder_with_nothing_but_dicom_reports_is_told_not_swallowed(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, drop: Drop, files: Files
) -> None:
    (path,) = write_dicom_series(make_volume(5, (1, 40, 48), (9.0, 5.0, 4.5)), tmp_path / "reports")
    dataset = pydicom.dcmread(path)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = ComprehensiveSRStorage
    del dataset.PixelData, dataset.Rows, dataset.Columns
    dataset.save_as(path)
    drop(window, files(tmp_path / "reports"))
    qtbot.waitUntil(window.notice.isVisible)
    assert window.notice.sentence.text() == "None of the 1 files there holds a picture to analyse."


def test_a_file_over_the_limit_of_the_settings_is_refused(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, picture: Path, drop: Drop, files: Files
) -> None:
    window.settings.max_file_mb = 1
    large = tmp_path / "large.png"
    large.write_bytes(picture.read_bytes() + bytes(2**20))
    drop(window, files(large))
    qtbot.waitUntil(window.notice.isVisible)
    assert window.notice.code.text() == "Code: file_too_large"


def test_recent_files_are_listed_and_their_names_hidden_on_request(opened: MainWindow, picture: Path) -> None:
    menu = opened.menus.recent
    menu.aboutToShow.emit()
    assert "spot.png" in menu.actions()[0].text()
    opened.settings.hide_recent_names = True
    menu.aboutToShow.emit()
    assert "spot" not in menu.actions()[0].text()
    opened.commands.forget_recent()
    menu.aboutToShow.emit()
    assert menu.actions()[0].text() == "No recent files"
    assert str(picture) not in opened.settings.recent


def test_the_synthetic_sample_is_marked_as_synthetic(qtbot: QtBot, window: MainWindow, settled: Settled) -> None:
    qtbot.mouseClick(window.empty_page.sample_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: settled(window), timeout=20_000)
    study = window.viewer.study
    assert study is not None
    assert study.source.synthetic
    assert study.geometry.pixel_spacing_mm is not None


def test_a_file_dropped_on_the_name_of_the_reader_is_opened_and_not_written_there(
    qtbot: QtBot, opened: MainWindow, stack: Path, files: Files
) -> None:
    data, name = files(stack), opened.results.reader.name
    data.setText(str(stack))  # as some desktops do
    at, action, button = name.rect().center(), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(name, QDragEnterEvent(at, action, data, button, keys))
    QApplication.sendEvent(name, QDropEvent(QPointF(at), action, data, button, keys, QEvent.Type.Drop))
    assert name.text() == ""
    qtbot.waitUntil(lambda: len(opened.workspace.model.cases) == 2)


def test_a_long_file_name_without_a_gap_makes_the_window_no_wider(
    qtbot: QtBot, window: MainWindow, corrupt: Path, drop: Drop, files: Files
) -> None:
    needed = window.minimumSizeHint().width()
    drop(window, files(corrupt.rename(corrupt.with_name("x" * 150 + ".png"))))
    qtbot.waitUntil(window.notice.isVisible)
    window.case_panel.choose(window.workspace.model.cases[0])
    assert "x" * 150 in window.empty_page.detail.text()
    assert window.minimumSizeHint().width() <= max(needed, 700)


def test_a_message_can_be_read_when_the_window_turns_dark_and_light(qtbot: QtBot, window: MainWindow) -> None:
    def readable() -> bool:
        words = window.notice.sentence.palette().color(QPalette.ColorRole.WindowText)
        ground = window.notice.palette().color(QPalette.ColorRole.Window)
        return abs(words.lightness() - ground.lightness()) > 100

    window.show_error(BrainTumorError(ErrorCode.INTERNAL, "Something.", "Try again."))
    try:
        for colour in (QColor(43, 45, 48), QColor(240, 240, 240)):
            QApplication.setPalette(QPalette(colour, colour))
            qtbot.waitUntil(lambda colour=colour: window.palette().color(QPalette.ColorRole.Window) == colour)
            qtbot.waitUntil(readable)
    finally:
        QApplication.setPalette(QPalette())
