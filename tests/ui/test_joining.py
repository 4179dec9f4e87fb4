"""Slices saved as pictures: offered as one stack, and one when the reader asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

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
