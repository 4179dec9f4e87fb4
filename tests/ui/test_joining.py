"""Slices saved as pictures: offered as one stack, and one when the reader asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from braintumor_desktop.domain.errors import Cancelled
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.domain.study import Study
from braintumor_desktop.ui import joining
from braintumor_desktop.ui.case import CaseState
from braintumor_desktop.ui.main_window import MainWindow


def test_numbered_pictures_are_offered_as_one_stack_and_become_one(
    qtbot: QtBot, window: MainWindow, settled: Callable[[MainWindow], bool], tmp_path: Path
) -> None:
    for number in range(8, 12):
        Image.fromarray(np.full((60, 60), 5 * number, np.uint8) + np.eye(60, dtype=np.uint8)).save(
            tmp_path / f"slice {number}.png"
        )
    Image.fromarray(np.eye(60, dtype=np.uint8) * 90).save(tmp_path / "logo.png")
    cases = window.workspace.model.cases
    window.commands.open_paths([tmp_path])
    qtbot.waitUntil(lambda: len(cases) == 5 and settled(window))
    assert not window.actions_by_name["join"].isEnabled()  # the logo comes first
    window.case_panel.choose(next(case for case in cases if case.name == "slice 9.png"))
    window.measuring.changed.emit()
    qtbot.keyClick(window, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: len(cases) == 2 and settled(window) and window.viewer.study is cases[1].study)
    assert cases[1].name == "slice *.png"
    assert window.viewer.study is not None
    assert window.viewer.study.pixels[:, 0, 1].tolist() == [40, 45, 50, 55]
    assert len(list(tmp_path.iterdir())) == 5


def test_pictures_that_do_not_fit_together_stay_as_they_are(
    qtbot: QtBot, window: MainWindow, settled: Callable[[MainWindow], bool], tmp_path: Path
) -> None:
    for number, side in ((1, 60), (2, 60), (3, 64)):
        Image.fromarray(90 * np.eye(side, dtype=np.uint8)).save(tmp_path / f"slice {number}.png")
    cases = window.workspace.model.cases
    window.commands.open_paths([tmp_path])
    qtbot.waitUntil(lambda: len(cases) == 3 and settled(window) and window.viewer.study is not None)
    window.actions_by_name["join"].trigger()
    qtbot.waitUntil(lambda: len(cases) == 4 and settled(window) and window.notice.isVisible())
    assert "slice 3.png has 64 × 64 pixels" in window.notice.sentence.text()
    assert [case.name for case in cases] == ["slice 1.png", "slice 2.png", "slice 3.png", "slice *.png"]


def test_the_stack_is_shown_and_not_the_picture_after_those_it_is_made_of(
    qtbot: QtBot, window: MainWindow, settled: Callable[[MainWindow], bool], tmp_path: Path
) -> None:
    for name in ("a1", "a2", "a3", "b1", "b2"):
        Image.fromarray(90 * np.eye(60, dtype=np.uint8)).save(tmp_path / f"{name}.png")
    cases = window.workspace.model.cases
    window.commands.open_paths([tmp_path])
    qtbot.waitUntil(lambda: len(cases) == 5 and settled(window) and window.viewer.study is not None)
    window.case_panel.choose(cases[0])
    window.actions_by_name["join"].trigger()
    qtbot.waitUntil(lambda: len(cases) == 3 and settled(window))
    assert [case.name for case in cases] == ["b1.png", "b2.png", "a*.png"]
    assert window.workspace.shown is cases[2]
    assert window.viewer.study is cases[2].study


def test_pictures_that_were_waiting_are_analysed_where_they_are_no_stack(
    qtbot: QtBot, window: MainWindow, analyzer: Any, settled: Callable[[MainWindow], bool], tmp_path: Path
) -> None:
    for number, side in ((1, 60), (2, 60), (3, 64)):
        Image.fromarray(90 * np.eye(side, dtype=np.uint8)).save(tmp_path / f"slice {number}.png")
    analyzer.gate = threading.Event()
    cases = window.workspace.model.cases
    window.commands.open_paths([tmp_path])
    qtbot.waitUntil(lambda: analyzer.began.is_set() and window.viewer.study is not None)
    window.actions_by_name["join"].trigger()
    qtbot.waitUntil(lambda: cases[-1].state is CaseState.FAILED)
    analyzer.gate.set()
    qtbot.waitUntil(lambda: settled(window))
    assert [case.state for case in cases] == [CaseState.DONE, CaseState.DONE, CaseState.DONE, CaseState.FAILED]


@pytest.mark.parametrize("hears", [True, False], ids=["the analysis stops first", "it has not stopped yet"])
def test_pictures_that_were_waiting_are_analysed_when_the_stack_is_taken_off_the_list_before_it_is_read(
    qtbot: QtBot,
    window: MainWindow,
    analyzer: Any,
    settled: Callable[[MainWindow], bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hears: bool,
) -> None:
    """The first one is answered, the second being analysed, the third waits."""

    def slow(_entries: object, _limits: object, *, cancelled: Callable[[], bool]) -> Study:
        while not cancelled():
            threading.Event().wait(0.005)
        raise Cancelled

    monkeypatch.setattr(joining, "load_joined", slow)
    for number in (1, 2, 3):
        Image.fromarray(90 * np.eye(60, dtype=np.uint8)).save(tmp_path / f"slice {number}.png")
    cases = window.workspace.model.cases
    window.commands.open_paths([tmp_path / "slice 1.png"])
    qtbot.waitUntil(lambda: len(cases) == 1 and settled(window))
    first, analyze = cases[0].analysis, analyzer.analyze

    def deaf(study: Study, *, cancelled: Callable[[], bool], **options: Any) -> Analysis:
        analyzer.began.set()
        analyzer.gate.wait(10)
        if cancelled():
            raise Cancelled
        return analyze(study, cancelled=cancelled, **options)

    if not hears:
        monkeypatch.setattr(analyzer, "analyze", deaf)
    analyzer.gate = threading.Event()
    analyzer.began.clear()
    window.commands.open_paths([tmp_path / "slice 2.png", tmp_path / "slice 3.png"])
    qtbot.waitUntil(lambda: analyzer.began.is_set() and window.viewer.study is cases[1].study is not None)
    window.actions_by_name["join"].trigger()
    stack = cases[-1]
    assert stack.name == "slice *.png"
    if hears:
        qtbot.waitUntil(lambda: stack.state is CaseState.LOADING)
    window.case_panel.choose(stack)
    window.actions_by_name["remove"].trigger()
    analyzer.gate.set()
    qtbot.waitUntil(lambda: [case.state for case in cases] == 3 * [CaseState.DONE])
    assert all(case.analysis is not None for case in cases)
    assert cases[0].analysis is first
