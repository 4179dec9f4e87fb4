"""The reports of all cases at once: saved, stopped, failing, and while the window closes."""

from __future__ import annotations

import csv
import threading
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from save_dialog import name_in_dialog

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.reading import SharedRead


def test_all_reports_are_written_with_one_table(
    qtbot: QtBot, opened: MainWindow, stack: Path, corrupt: Path, drop: Any, files: Any, settled: Any, tmp_path: Path
) -> None:
    opened.results.reader.disagree.click()
    drop(opened, files(stack, corrupt))
    qtbot.waitUntil(lambda: len(opened.workspace.model.cases) == 3 and settled(opened))
    opened.workspace.model.cases[0].let_go()  # as happens to the oldest of many
    folder = tmp_path / "reports"
    folder.mkdir()
    opened.actions_by_name["all_reports"].trigger()
    name_in_dialog(qtbot, opened, folder)
    qtbot.waitUntil(lambda: (folder / "summary.csv").exists() and opened.reports.batch is None, timeout=30_000)
    assert sorted(path.name for path in folder.iterdir()) == ["spot.pdf", "stack.pdf", "summary.csv"]
    with (folder / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(Path(row["path"]).name, row["row"], row["status"]) for row in rows] == [
        ("spot.png", "image", "ok"),
        ("stack.tif", "series", "ok"),
        ("corrupt.png", "input", "error"),
    ]
    assert rows[0]["report"] == str(folder / "spot.pdf")
    assert rows[0]["verdict"] == "disagree"
    assert not opened.batch_bar.isVisible()
    assert opened.statusBar().currentMessage() == f"Saved 2 of 3 reports to {folder}"


def two_open(qtbot: QtBot, window: MainWindow, stack: Path, drop: Any, files: Any, settled: Any, folder: Path) -> None:
    """Two analysed cases, whose reports are on their way."""
    drop(window, files(stack))
    qtbot.waitUntil(lambda: len(window.workspace.model.cases) == 2 and settled(window))
    folder.mkdir()
    window.actions_by_name["all_reports"].trigger()
    name_in_dialog(qtbot, window, folder)
    assert window.reports.batch is not None
    assert window.batch_bar.isVisible()


def test_saving_all_reports_can_be_stopped_and_what_is_saved_is_whole(
    qtbot: QtBot, opened: MainWindow, stack: Path, drop: Any, files: Any, settled: Any, tmp_path: Path
) -> None:
    two_open(qtbot, opened, stack, drop, files, settled, tmp_path / "reports")
    opened.actions_by_name["cancel"].trigger()
    qtbot.waitUntil(lambda: opened.reports.batch is None, timeout=30_000)
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["spot.pdf", "summary.csv"]
    assert opened.statusBar().currentMessage().startswith("Stopped. Saved 1 of 2 reports")


def begin_all_reports(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    folder.mkdir()
    window.actions_by_name["all_reports"].trigger()
    name_in_dialog(qtbot, window, folder)
    assert window.reports.batch is not None


def test_a_reset_ends_saving_all_reports_and_the_window_can_be_closed(
    qtbot: QtBot, opened: MainWindow, analyzer: Any, stack: Path, drop: Any, files: Any, tmp_path: Path
) -> None:
    analyzer.gate = threading.Event()
    drop(opened, files(stack))
    qtbot.waitUntil(lambda: len(opened.workspace.model.cases) == 2)
    begin_all_reports(qtbot, opened, tmp_path / "reports")
    waited_for = opened.workspace.model.cases[1]
    qtbot.waitUntil(lambda: opened.workspace.held is waited_for, timeout=30_000)
    opened.actions_by_name["reset"].trigger()
    qtbot.waitUntil(lambda: opened.reports.batch is None, timeout=30_000)
    assert opened.close()


def test_a_case_that_is_analysed_again_is_not_waited_for_once_saving_is_stopped(
    qtbot: QtBot, opened: MainWindow, analyzer: Any, tmp_path: Path
) -> None:
    analyzer.gate = threading.Event()
    opened.actions_by_name["reanalyse"].trigger()
    begin_all_reports(qtbot, opened, tmp_path / "reports")
    opened.batch_bar.cancel_button.click()
    qtbot.waitUntil(lambda: opened.reports.batch is None, timeout=30_000)
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["summary.csv"]


def test_hundreds_of_failed_cases_are_rows_of_the_table(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    error = BrainTumorError(ErrorCode.NOT_AN_IMAGE, "This is no picture.", "Choose another file.")
    opened.workspace.model.add(
        [
            Case(
                1000 + i,
                f"{i}.png",
                None,
                SharedRead(lambda _stopped: sample_picture()),
                state=CaseState.FAILED,
                error=error,
            )
            for i in range(600)
        ]
    )
    begin_all_reports(qtbot, opened, tmp_path / "reports")
    qtbot.waitUntil(lambda: opened.reports.batch is None, timeout=30_000)
    with (tmp_path / "reports" / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        assert sum(row["status"] == "error" for row in csv.DictReader(file)) == 600


def test_a_listing_under_way_when_all_reports_are_saved_can_still_be_cancelled(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    begin_all_reports(qtbot, opened, tmp_path / "reports")
    opened.workspace.reader.listing.emit("Reading headers", 0.3)
    qtbot.waitUntil(lambda: opened.reports.batch is None, timeout=30_000)
    assert opened.actions_by_name["cancel"].isEnabled()
    opened.workspace.reader.listing_ended.emit()
    assert not opened.actions_by_name["cancel"].isEnabled()


def test_a_window_that_is_closed_meanwhile_saves_all_reports_first(
    qtbot: QtBot, opened: MainWindow, stack: Path, drop: Any, files: Any, settled: Any, tmp_path: Path
) -> None:
    two_open(qtbot, opened, stack, drop, files, settled, tmp_path / "reports")
    assert not opened.close()
    qtbot.waitUntil(lambda: not opened.workspace.running, timeout=30_000)
    assert not opened.isVisible()
    names = sorted(path.name for path in (tmp_path / "reports").iterdir())
    assert names == ["spot.pdf", "stack.pdf", "summary.csv"]


def test_a_folder_that_takes_no_reports_is_told_once(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    opened.actions_by_name["all_reports"].trigger()
    dialog = opened.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    folder.rmdir()
    dialog.filesSelected.emit([str(folder)])
    dialog.close()
    qtbot.waitUntil(lambda: opened.notice.isVisible() and opened.reports.batch is None, timeout=30_000)
    assert opened.notice.code.text() == "Code: export_failed"
    assert "2 files could not be saved" in opened.notice.sentence.text()
    assert "Saved 0 of 1 reports" in opened.statusBar().currentMessage()


def test_reports_that_fail_while_the_window_closes_are_told_in_a_window_that_stays(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    gate = threading.Event()
    opened.exporter.run(gate.wait, lambda _outcome: None)
    begin_all_reports(qtbot, opened, tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert not opened.close()
    gate.set()
    qtbot.waitUntil(lambda: opened.notice.isVisible() and opened.reports.batch is None, timeout=30_000)
    assert "2 files could not be saved" in opened.notice.sentence.text()
    qtbot.wait(50)  # what was left in the event loop is done
    assert opened.isVisible()
