"""What is open already is shown, not listed twice; what changed on the disk since is another picture."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from braintumor_desktop.imaging.phantom import Lesion, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.ui.main_window import MainWindow

Settled = Callable[[MainWindow], bool]


@pytest.fixture
def folder(tmp_path: Path, picture: Path) -> Path:
    """A series, a picture and an empty file."""
    folder = tmp_path / "disc"
    write_dicom_series(make_volume(5, (6, 40, 48), (6.0, 4.0, 4.0), Lesion(kind="homogeneous")), folder)
    (folder / "spot.png").write_bytes(picture.read_bytes())
    (folder / "empty.png").write_bytes(b"")
    return folder


@pytest.fixture
def listed(qtbot: QtBot, window: MainWindow, settled: Settled) -> Callable[..., None]:
    """Open, and wait until all is listed and nothing works any more."""

    def open_and_wait(*paths: Path) -> None:
        with qtbot.waitSignal(window.workspace.reader.listing_ended, timeout=20_000):
            window.commands.open_paths(list(paths))
        qtbot.waitUntil(lambda: settled(window), timeout=20_000)

    return open_and_wait


def names(window: MainWindow) -> list[str]:
    return sorted(case.name for case in window.workspace.model.cases)


def test_a_folder_opened_again_is_shown_where_it_stands(
    qtbot: QtBot, window: MainWindow, listed: Callable[..., None], folder: Path, picture: Path
) -> None:
    listed(folder)
    listed(picture)
    cases = list(window.workspace.model.cases)
    assert len(cases) == 4
    qtbot.waitUntil(lambda: window.workspace.shown is not None and window.workspace.shown.path == picture)
    analyses = [case.analysis for case in cases]
    window.notice.hide()
    listed(folder)
    assert window.workspace.model.cases == cases
    assert all(case.analysis is analysis for case, analysis in zip(cases, analyses, strict=True)), "not analysed again"
    assert window.workspace.shown is not None
    assert window.workspace.shown.path == folder
    assert window.statusBar().currentMessage().endswith("is open already")
    assert window.notice.isVisible(), "the empty file is told of again"
    assert window.notice.code.text() == "Code: file_empty"


def test_what_came_to_the_folder_is_added_alone(
    window: MainWindow, listed: Callable[..., None], folder: Path, picture: Path
) -> None:
    listed(folder)
    before = list(window.workspace.model.cases)
    (folder / "new.png").write_bytes(picture.read_bytes())
    (folder / "empty.png").unlink()
    listed(folder)
    added = [case.name for case in window.workspace.model.cases if case not in before]
    assert added == ["new.png"]
    assert "empty.png" not in names(window)


def test_a_file_that_changed_since_is_another_case(
    window: MainWindow, listed: Callable[..., None], picture: Path
) -> None:
    listed(picture)
    (first,) = window.workspace.model.cases
    status = picture.stat()
    os.utime(picture, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    listed(picture)
    assert len(window.workspace.model.cases) == 2
    assert window.workspace.model.cases[0] is first


def test_what_was_taken_off_the_list_can_be_opened_again(
    window: MainWindow, listed: Callable[..., None], picture: Path
) -> None:
    listed(picture)
    window.workspace.remove(window.workspace.model.cases[0])
    listed(picture)
    assert names(window) == ["spot.png"]


def test_a_relative_and_an_absolute_name_are_one(
    window: MainWindow, listed: Callable[..., None], picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(picture.parent)
    listed(Path(picture.name))
    listed(picture)
    assert len(window.workspace.model.cases) == 1


def test_a_reader_who_writes_is_told_and_not_moved_away(
    qtbot: QtBot, window: MainWindow, listed: Callable[..., None], folder: Path, picture: Path
) -> None:
    listed(folder)
    listed(picture)
    qtbot.waitUntil(lambda: window.workspace.shown is not None and window.workspace.shown.path == picture)
    window.activateWindow()
    with qtbot.waitSignal(window.workspace.open_already, timeout=20_000):
        window.workspace.open_paths([folder])
        window.results.reader.comment.setFocus()
        qtbot.waitUntil(window.results.reader.comment.hasFocus)
        qtbot.keyClick(window.results.reader.comment, Qt.Key.Key_A)
    assert window.workspace.shown is not None
    assert window.workspace.shown.path == picture
    assert "choose it in the list" in window.statusBar().currentMessage()
