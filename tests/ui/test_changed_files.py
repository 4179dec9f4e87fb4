"""A file that comes to hold another picture while its pixels are let go: nothing said of the first is lost or moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from reading_sessions import LONGER, press, read

from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.main_window import MainWindow

Open = Callable[..., MainWindow]
Settled = Callable[[MainWindow], bool]


@pytest.fixture
def first(picture: Path, tmp_path: Path) -> Path:
    """What the file holds when it is opened."""
    copy = tmp_path / "first"
    copy.write_bytes(picture.read_bytes())
    return copy


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """What it comes to hold."""
    path = tmp_path / "second"
    Image.fromarray(90 * np.eye(200, dtype=np.uint8)).save(path, "png")
    return path


def swapped(
    qtbot: QtBot, window: MainWindow, settled: Settled, crowded: Callable[[MainWindow], Case], path: Path, by: Path
) -> None:
    """The case shown is let go, its file replaced, and the case chosen again."""
    case = crowded(window)
    assert case.study is None
    path.write_bytes(by.read_bytes())
    window.notice.hide()
    window.case_panel.choose(case)
    qtbot.waitUntil(lambda: settled(window) and window.viewer.study is case.study is not None)
    qtbot.waitUntil(window.results.reader.isVisible)


def test_what_was_said_of_a_picture_stays_with_it_when_its_file_holds_another(
    qtbot: QtBot,
    start: Open,
    picture: Path,
    first: Path,
    second: Path,
    settled: Settled,
    crowded: Callable[[MainWindow], Case],
) -> None:
    with start(picture) as window:
        case, reader = window.workspace.model.cases[0], window.results.reader
        read(window, qtbot)
        swapped(qtbot, window, settled, crowded, picture, second)
        assert window.notice.code.text() == "Code: file_changed"
        assert window.notice.sentence.text().startswith("The file of spot.png has changed since it was opened")
        assert case.analysis is not None
        assert case.analysis.study.pixels.shape == (1, 200, 200)
        assert case.headline == "No tumour, 97.0 %"
        assert not reader.disagree.isChecked()
        assert reader.comment.toPlainText() == ""
        assert window.measuring.history is case.measured
        assert case.reading.empty
        reader.agree.click()
        qtbot.keyClicks(reader.comment, "of the second")
        swapped(qtbot, window, settled, crowded, picture, first)
        assert (case.verdict, case.comment, case.measured.current) == ("disagree", "rather a cyst", (LONGER,))
        assert case.reading.sequence == "FLAIR"
        assert not window.notice.isHidden()
        swapped(qtbot, window, settled, crowded, picture, first)
        assert (case.verdict, window.notice.isHidden()) == ("disagree", True)
    with start(second) as window:
        case = window.workspace.model.cases[0]
        assert (case.verdict, case.comment, case.measured.current) == ("agree", "of the second", ())


def test_a_file_that_holds_another_picture_asks_where_the_reading_of_the_first_would_be_lost(
    qtbot: QtBot,
    start: Open,
    picture: Path,
    first: Path,
    second: Path,
    settled: Settled,
    crowded: Callable[[MainWindow], Case],
) -> None:
    with start(picture, keep_readings=False) as window:
        read(window, qtbot)
        swapped(qtbot, window, settled, crowded, picture, second)
        assert window.workspace.model.cases[0].reading.empty
        press(window, "Keep")
    with start(first) as window:
        assert window.workspace.model.cases[0].comment == "rather a cyst"


def test_each_reading_whose_file_holds_another_picture_is_asked_about_and_esc_loses_none(
    qtbot: QtBot,
    start: Open,
    picture: Path,
    tmp_path: Path,
    settled: Settled,
    crowded: Callable[[MainWindow], Case],
) -> None:
    other = tmp_path / "other.png"
    Image.fromarray(60 * np.eye(100, dtype=np.uint8)).save(other)
    first, second, folder = tmp_path / "first", tmp_path / "second", tmp_path / "reports"
    first.write_bytes(picture.read_bytes())
    second.write_bytes(other.read_bytes())
    folder.mkdir()
    with start(picture, keep_readings=False) as window:
        window.workspace.open_paths([other])
        qtbot.waitUntil(lambda: len(window.workspace.model.cases) == 2 and settled(window))
        a, b = window.workspace.model.cases
        a.comment, b.comment = "of the first", "of the other"
        crowded(window)
        for path, size in ((picture, 200), (other, 220)):
            Image.fromarray(90 * np.eye(size, dtype=np.uint8)).save(path, "png")
        window.reports._check_folder(folder)
        qtbot.waitUntil(lambda: window.reports.batch is None and (folder / "summary.csv").exists(), timeout=30_000)
        (box,) = [each for each in window.findChildren(QMessageBox) if each.isVisible()]
        qtbot.keyClick(box, Qt.Key.Key_Escape)
        assert box.isVisible(), "the cases can't stay as they are"
        press(window, "Keep")
        qtbot.waitUntil(lambda: not [each for each in window.findChildren(QMessageBox) if each.isVisible()])
    for path, comment in ((first, "of the first"), (second, "of the other")):
        with start(path) as window:
            assert window.workspace.model.cases[0].comment == comment
