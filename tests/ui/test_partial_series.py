"""An analysis of a series that is stopped half-way: what was found so far stays, and is told apart from the whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from braintumor_desktop.ui import workspace as workspace_module
from braintumor_desktop.ui.case import CaseState
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.reader_box import reader_note


def begin(qtbot: QtBot, window: MainWindow, stack: Path, began: threading.Event) -> None:
    window.commands.open_paths([stack])
    qtbot.waitUntil(lambda: began.is_set() and window.viewer.study is not None)


def test_cancelling_a_series_keeps_the_slices_analysed_so_far(
    qtbot: QtBot, window: MainWindow, analyzer: Any, stack: Path, settled: Callable[[MainWindow], bool]
) -> None:
    analyzer.gate = threading.Event()
    begin(qtbot, window, stack, analyzer.began)
    window.actions_by_name["cancel"].trigger()
    qtbot.waitUntil(lambda: settled(window))
    (case,) = window.workspace.model.cases
    assert case.state is CaseState.DONE
    assert case.analysis is not None
    assert case.analysis.slices is not None
    assert [finding.index for finding in case.analysis.slices] == [0, 1]
    assert case.headline.endswith("2 of 5 slices")
    assert window.actions_by_name["reanalyse"].isEnabled()
    strip = window.slice_strip
    for index, words in ((0, "Slice 1: tumour probability"), (4, "Slice 5: not analysed")):
        at = strip.bar_centre(index).toPoint()
        QApplication.sendEvent(strip, QHelpEvent(QEvent.Type.ToolTip, at, strip.mapToGlobal(QPoint(at))))
        assert QToolTip.text().startswith(words)
    QToolTip.hideText()


def test_a_verdict_on_part_of_a_series_is_not_one_on_the_whole(
    qtbot: QtBot, window: MainWindow, analyzer: Any, stack: Path, settled: Callable[[MainWindow], bool]
) -> None:
    analyzer.gate = threading.Event()
    begin(qtbot, window, stack, analyzer.began)
    window.actions_by_name["cancel"].trigger()
    agree = window.results.reader.agree
    qtbot.waitUntil(lambda: settled(window) and agree.isVisible())
    agree.click()
    (case,) = window.workspace.model.cases
    part = case.analysis
    analyzer.gate.set()
    window.actions_by_name["reanalyse"].trigger()
    qtbot.waitUntil(lambda: case.analysis is not part and not agree.isChecked())
    assert reader_note(case).verdict is None
    assert part is not None
    case.finish(part)
    assert case.verdict == "agree"


def test_a_whole_answer_is_not_replaced_by_part_of_a_new_one(
    qtbot: QtBot, window: MainWindow, analyzer: Any, stack: Path, settled: Callable[[MainWindow], bool]
) -> None:
    window.commands.open_paths([stack])
    qtbot.waitUntil(lambda: settled(window))
    (case,) = window.workspace.model.cases
    whole = case.analysis
    analyzer.gate = threading.Event()
    analyzer.began.clear()
    window.actions_by_name["reanalyse"].trigger()
    qtbot.waitUntil(analyzer.began.is_set)
    window.actions_by_name["cancel"].trigger()
    qtbot.waitUntil(lambda: settled(window))
    assert case.analysis is whole
    assert case.state is CaseState.DONE


def test_a_whole_answer_that_was_let_go_is_not_replaced_by_part_of_a_new_one(
    qtbot: QtBot,
    window: MainWindow,
    analyzer: Any,
    stack: Path,
    picture: Path,
    settled: Callable[[MainWindow], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workspace_module, "MEMORY_BUDGET_BYTES", 0)
    agree, button = window.results.reader.agree, window.results.button
    window.commands.open_paths([stack])
    qtbot.waitUntil(lambda: settled(window) and agree.isVisible())
    agree.click()
    window.commands.open_paths([picture])
    cases = window.workspace.model.cases
    qtbot.waitUntil(lambda: len(cases) == 2 and settled(window))
    case = cases[0]
    assert case.analysis is None
    analyzer.gate = threading.Event()
    window.case_panel.choose(case)
    qtbot.waitUntil(lambda: case.state is CaseState.ANALYSING)
    window.actions_by_name["cancel"].trigger()
    qtbot.waitUntil(lambda: settled(window) and button.isVisible() and button.text() == "Analyse")
    assert case.status_line == window.results.state.text() == "Glioma, 90.0 %"
    analyzer.gate.set()
    button.click()
    qtbot.waitUntil(lambda: settled(window) and agree.isVisible())
    assert case.analysis is not None
    assert case.analysis.complete
    assert agree.isChecked()
