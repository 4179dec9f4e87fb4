"""Analysing, cancelling, failing, reading and closing: the program stays usable and loses nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from braintumor_desktop.domain.errors import BrainTumorError, Cancelled, ErrorCode
from braintumor_desktop.domain.study import Study
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui import workspace as workspace_module
from braintumor_desktop.ui.case import CaseState
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.reading import SharedRead
from braintumor_desktop.ui.settings_dialog import SettingsDialog

Drop = Callable[[MainWindow, QMimeData], bool]
Files = Callable[..., QMimeData]
Settled = Callable[[MainWindow], bool]


def test_cancel_stops_the_analysis_and_keeps_the_picture(
    qtbot: QtBot, window: MainWindow, analyzer: Any, picture: Path, drop: Drop, files: Files
) -> None:
    analyzer.gate = threading.Event()
    drop(window, files(picture))
    qtbot.waitUntil(lambda: analyzer.began.is_set() and window.actions_by_name["cancel"].isEnabled())
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    case = window.workspace.model.cases[0]
    qtbot.waitUntil(lambda: case.state is CaseState.CANCELLED)
    assert window.viewer.study is case.study is not None
    analyzer.gate.set()
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: case.state is CaseState.DONE)


def test_a_waiting_case_can_be_cancelled_before_its_turn(
    qtbot: QtBot, window: MainWindow, analyzer: Any, picture: Path, stack: Path, drop: Drop, files: Files
) -> None:
    analyzer.gate = threading.Event()
    drop(window, files(picture, stack))
    qtbot.waitUntil(analyzer.began.is_set)
    second = window.workspace.model.cases[1]
    window.workspace.cancel(second)
    assert second.state is CaseState.CANCELLED
    analyzer.gate.set()
    qtbot.waitUntil(lambda: window.workspace.model.cases[0].state is CaseState.DONE)
    assert second.study is None


class SlowFile:
    """Takes very long to be read unless it is asked to stop; `begun` counts the readings."""

    def __init__(self) -> None:
        self.begun = 0

    def __call__(self, stopped: Callable[[], bool]) -> Study:
        self.begun += 1
        end = time.monotonic() + 10
        while not stopped() and time.monotonic() < end:
            threading.Event().wait(0.005)
        raise Cancelled


def test_esc_stops_the_reading_of_the_case_shown_for_good(qtbot: QtBot, window: MainWindow) -> None:
    file = SlowFile()
    case = window.workspace.open_read("slow", Path("slow"), file)
    qtbot.waitUntil(lambda: case.state is CaseState.LOADING and file.begun == 1)
    window.case_panel.choose(case)
    assert window.empty_page.headline.text() == "Loading…"
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: case.state is CaseState.CANCELLED)
    assert window.workspace.reader.shut(5000)  # nothing is being read any more
    assert file.begun == 1
    assert window.empty_page.headline.text() == "Cancelled"
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: file.begun == 2)


def test_esc_while_an_answered_case_is_read_again_says_so_and_leaves_its_answer_in_the_list(
    qtbot: QtBot, opened: MainWindow, stack: Path, monkeypatch: Any, settled: Settled
) -> None:
    monkeypatch.setattr(workspace_module, "MEMORY_BUDGET_BYTES", 0)
    opened.commands.open_paths([stack])
    qtbot.waitUntil(lambda: len(opened.workspace.model.cases) == 2 and settled(opened))
    case, file = opened.workspace.model.cases[0], SlowFile()
    case.load = SharedRead(file)
    opened.case_panel.choose(case)
    qtbot.waitUntil(lambda: file.begun == 1)
    qtbot.keyClick(opened, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: settled(opened))
    assert opened.empty_page.headline.text() == "Cancelled"
    assert case.status_line == "Glioma, 90.0 %"


@pytest.mark.parametrize("action", ["remove", "reset"])
def test_what_is_taken_off_the_list_while_it_is_read_keeps_nothing_waiting(
    qtbot: QtBot, window: MainWindow, picture: Path, settled: Settled, action: str
) -> None:
    file = SlowFile()
    case = window.workspace.open_read("slow", Path("slow"), file)
    qtbot.waitUntil(lambda: file.begun == 1)
    window.case_panel.choose(case)
    window.actions_by_name[action].trigger()
    window.commands.open_paths([picture])
    qtbot.waitUntil(lambda: settled(window))
    assert [c.state for c in window.workspace.model.cases] == [CaseState.DONE]


def test_an_exception_inside_the_analysis_reaches_the_reader_and_the_next_case_is_analysed(
    qtbot: QtBot, window: MainWindow, analyzer: Any, picture: Path, stack: Path, drop: Drop, files: Files
) -> None:
    analyzer.fail_with = ZeroDivisionError("secret name")
    drop(window, files(picture))
    qtbot.waitUntil(window.notice.isVisible)
    assert "ZeroDivisionError" in window.notice.sentence.text()
    assert "secret" not in window.notice.sentence.text()
    assert window.notice.code.text() == "Code: internal"
    assert window.viewer.study is not None
    analyzer.fail_with = None
    drop(window, files(stack))
    cases = window.workspace.model.cases
    qtbot.waitUntil(lambda: len(cases) == 2 and cases[1].state is CaseState.DONE)


def test_running_out_of_memory_is_told_as_such(
    qtbot: QtBot, window: MainWindow, analyzer: Any, picture: Path, drop: Drop, files: Files
) -> None:
    analyzer.fail_with = MemoryError()
    drop(window, files(picture))
    qtbot.waitUntil(window.notice.isVisible)
    assert window.notice.code.text() == "Code: out_of_memory"


def test_a_failed_repeat_keeps_the_earlier_answer_in_view(qtbot: QtBot, opened: MainWindow, analyzer: Any) -> None:
    analyzer.fail_with = BrainTumorError(ErrorCode.MODEL_DAMAGED, "The weights are damaged.", "Install again.")
    opened.actions_by_name["reanalyse"].trigger()
    qtbot.waitUntil(opened.notice.isVisible)
    assert opened.notice.hint.text() == "Install again."
    assert opened.results.bars.isVisible()
    assert opened.results.bars.bars["glioma"].words == "90.0 %"  # type: ignore[index]
    qtbot.waitUntil(lambda: "earlier answer" in opened.results.state.text())


def test_a_model_that_can_not_be_opened_leaves_the_picture_usable(
    qtbot: QtBot, picture: Path, settings_file: Path, drop: Drop, files: Files
) -> None:
    def refuse(_model: str, _device: str) -> Any:
        raise BrainTumorError(ErrorCode.MODEL_MISSING, "The model's weights are missing.", "Install again.")

    window = MainWindow(Settings(), refuse, settings_file)
    qtbot.addWidget(window)
    window.show()
    window.start()
    drop(window, files(picture))
    qtbot.waitUntil(lambda: bool(window.workspace.model.cases) and window.workspace.model.cases[0].error is not None)
    assert window.viewer.study is not None
    assert window.notice.isVisible()
    window.close()
    assert not window.workspace.running


@pytest.mark.parametrize("another", [False, True])
def test_the_message_of_a_model_that_was_not_ready_goes_when_one_is_and_no_other_does(
    qtbot: QtBot, analyzer: Any, corrupt: Path, settings_file: Path, drop: Drop, files: Files, another: bool
) -> None:
    def no_card(_model: str, device: str) -> Any:
        if device == "cuda":
            raise BrainTumorError(ErrorCode.DEVICE_UNAVAILABLE, "No graphics card answers.", "Choose another device.")
        return analyzer

    window = MainWindow(Settings(device="cuda"), no_card, settings_file)
    qtbot.addWidget(window)
    window.show()
    window.start()
    qtbot.waitUntil(window.notice.isVisible)
    assert window.notice.code.text() == "Code: device_unavailable"
    if another:
        drop(window, files(corrupt))
        qtbot.waitUntil(lambda: window.notice.code.text() == "Code: image_truncated")
    window.settings.device = "auto"
    window.workspace.settings_changed()
    qtbot.waitUntil(lambda: "ready on CPU" in window.model_label.text())
    assert window.notice.isVisible() is another
    window.close()


def test_sizes_are_in_pixels_where_the_file_has_no_spacing(opened: MainWindow) -> None:

    words = [label.text() for label in opened.results.findChildren(QLabel)]
    assert "400 px" in words
    assert "27.6 px" in words  # across a square of 20 pixels, from side middle to side middle: sqrt(20² + 19²)
    assert "This file has no pixel spacing, so sizes are in pixels." in words
    assert not any(word.endswith(" mm") for word in words)


def test_the_reader_s_verdict_belongs_to_its_case(
    qtbot: QtBot, opened: MainWindow, stack: Path, drop: Drop, files: Files, settled: Settled
) -> None:
    reader = opened.results.reader
    qtbot.mouseClick(reader.disagree, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(reader.comment, "a cyst, if anything")
    drop(opened, files(stack))
    qtbot.waitUntil(lambda: settled(opened) and len(opened.workspace.model.cases) == 2)
    qtbot.waitUntil(lambda: reader.comment.toPlainText() == "")
    assert not reader.disagree.isChecked()
    opened.case_panel.step(-1)
    qtbot.waitUntil(lambda: reader.comment.toPlainText() == "a cyst, if anything")
    assert reader.disagree.isChecked()
    qtbot.mouseClick(reader.disagree, Qt.MouseButton.LeftButton)
    assert opened.workspace.model.cases[0].verdict is None


def test_tab_reaches_both_verdicts_whichever_had_the_focus_or_was_given(qtbot: QtBot, opened: MainWindow) -> None:
    opened.activateWindow()
    reader = opened.results.reader
    for given in (reader.agree, reader.disagree, reader.disagree):  # the last click takes the verdict back
        qtbot.mouseClick(given, Qt.MouseButton.LeftButton)
        reader.agree.setFocus()
        qtbot.keyClick(reader.agree, Qt.Key.Key_Tab)
        assert reader.disagree.hasFocus()
        qtbot.keyClick(reader.disagree, Qt.Key.Key_Tab)
        assert reader.comment.hasFocus()
        qtbot.keyClick(reader.comment, Qt.Key.Key_Backtab)
        assert reader.disagree.hasFocus()
        qtbot.keyClick(reader.disagree, Qt.Key.Key_Backtab)
        assert reader.agree.hasFocus()


def test_keys_typed_into_the_comment_neither_flick_overlays_nor_remove_the_case(
    qtbot: QtBot, opened: MainWindow
) -> None:
    opened.activateWindow()
    opened.results.reader.comment.setFocus()
    qtbot.keyClicks(opened.results.reader.comment, "cfhd")
    assert opened.results.reader.comment.toPlainText() == "cfhd"
    qtbot.keyClick(opened.results.reader.comment, Qt.Key.Key_Home)
    qtbot.keyClick(opened.results.reader.comment, Qt.Key.Key_Delete)
    assert opened.results.reader.comment.toPlainText() == "fhd"
    assert len(opened.workspace.model.cases) == 1
    assert opened.viewer.layers.contour
    assert not opened.viewer.layers.heatmap


def test_general_information_is_folded_and_marked_as_such(qtbot: QtBot, opened: MainWindow) -> None:
    reference = opened.results.reference
    assert not reference.text.isVisible()
    reference.button.click()
    assert reference.text.isVisible()
    assert "General information" in reference.text.text()
    assert "Sources" in reference.text.text()


def test_removing_and_resetting_leave_the_files_and_an_inviting_window(
    qtbot: QtBot, opened: MainWindow, picture: Path, stack: Path, drop: Drop, files: Files, settled: Settled
) -> None:
    drop(opened, files(stack))
    qtbot.waitUntil(lambda: settled(opened) and len(opened.workspace.model.cases) == 2)
    opened.actions_by_name["remove"].trigger()
    assert [c.name for c in opened.workspace.model.cases] == ["spot.png"]
    assert not opened.actions_by_name["layout_beside"].isEnabled()
    opened.actions_by_name["reset"].trigger()
    assert opened.workspace.model.cases == []
    assert not opened.actions_by_name["next"].isEnabled()
    assert opened.pages.currentWidget() is opened.empty_page
    assert picture.exists()
    assert stack.exists()


def test_closing_in_the_middle_of_an_analysis_ends_its_thread(
    qtbot: QtBot, window: MainWindow, analyzer: Any, picture: Path, drop: Drop, files: Files
) -> None:
    analyzer.gate = threading.Event()  # never set: only the request to stop ends the analysis
    drop(window, files(picture))
    qtbot.waitUntil(analyzer.began.is_set)
    assert window.workspace.running
    window.close()
    assert not window.workspace.running
    assert not window.stuck


def test_every_action_has_words_a_tip_and_no_key_twice(window: MainWindow) -> None:
    keys: list[str] = []
    for name, action in window.actions_by_name.items():
        assert action.text(), name
        assert action.statusTip(), name
        keys += [k.toString() for k in action.shortcuts()]
    assert len(keys) == len(set(keys))
    assert {"C", "F", "H", "D", "I", "R", "F5", "Esc", "Ctrl+O", "Ctrl+S"} <= set(keys)


def test_every_control_has_an_accessible_name(opened: MainWindow) -> None:
    from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QPlainTextEdit, QScrollBar

    for kind in (QAbstractButton, QAbstractSlider, QComboBox, QPlainTextEdit):
        for control in opened.findChildren(kind):
            if isinstance(control, QScrollBar) or control.objectName().startswith("qt_"):
                continue
            assert control.accessibleName() or getattr(control, "text", str)(), control


def test_an_uncaught_exception_becomes_a_message_in_the_window(window: MainWindow) -> None:
    window.show_crash(KeyError("patient"))
    assert window.notice.isVisible()
    assert "KeyError" in window.notice.sentence.text()
    assert "patient" not in window.notice.sentence.text()


def test_help_names_every_key_and_the_mouse(qtbot: QtBot, window: MainWindow) -> None:
    from braintumor_desktop.ui.help_dialogs import TextDialog

    window.actions_by_name["shortcuts"].trigger()
    dialog = window.findChild(TextDialog)
    assert isinstance(dialog, TextDialog)
    qtbot.waitExposed(dialog)
    text = dialog.text.toPlainText()
    assert "Right drag" in text
    assert "Ctrl+S" in text
    dialog.close()


def test_a_comment_goes_on_where_it_was_typed_when_another_analysis_ends(
    qtbot: QtBot, opened: MainWindow, analyzer: Any
) -> None:
    analyzer.gate = threading.Event()
    opened.actions_by_name["reanalyse"].trigger()
    qtbot.waitUntil(opened.results.progress.isVisible)
    qtbot.keyClicks(opened.results.reader.comment, "lesion abuts")
    scrolled = opened.results.verticalScrollBar()
    scrolled.setValue(40)
    assert scrolled.value() == 40
    before = opened.workspace.model.cases[0].analysis
    analyzer.gate.set()
    qtbot.waitUntil(lambda: not opened.results.progress.isVisible())
    assert opened.workspace.model.cases[0].analysis is not before
    qtbot.keyClicks(opened.results.reader.comment, " the falx")
    assert opened.results.reader.comment.toPlainText() == "lesion abuts the falx"
    assert scrolled.value() > 0


def test_cases_that_wait_are_analysed_by_the_model_chosen_meanwhile(
    qtbot: QtBot, analyzer: Any, settings_file: Path, picture: Path, settled: Settled
) -> None:
    analyzer.gate, asked = threading.Event(), []

    def factory(model: str, _device: str) -> Any:
        def analyze(study: Any, **options: Any) -> Any:
            asked.append(model)
            return analyzer.analyze(study, **options)

        return SimpleNamespace(identity=analyzer.identity, device="cpu", analyze=analyze)

    window = MainWindow(Settings(), factory, settings_file)
    qtbot.addWidget(window)
    window.show()
    copies = [picture.with_name(name) for name in ("a.png", "b.png", "c.png")]
    for copy in copies:
        copy.write_bytes(picture.read_bytes())
    window.start(copies)
    qtbot.waitUntil(analyzer.began.is_set)
    first = window.settings.model_id
    window.commands.edit_settings()
    dialog = window.findChild(SettingsDialog)
    assert isinstance(dialog, SettingsDialog)
    dialog.model.setCurrentIndex(int(dialog.model.currentIndex() == 0))
    dialog.accept()
    assert window.settings.model_id != first
    analyzer.gate.set()
    qtbot.waitUntil(lambda: settled(window))
    assert asked == [first, window.settings.model_id, window.settings.model_id]
    window.close()
