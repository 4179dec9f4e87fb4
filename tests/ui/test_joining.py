"""Slices saved as pictures: offered as one stack, and one when the reader asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

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
