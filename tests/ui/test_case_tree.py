"""Studies with their series at the left: grouped, walked through with keys, taken off one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from braintumor_desktop.domain.findings import CLASSES, INDETERMINATE, Finding, Quality
from braintumor_desktop.imaging.phantom import Lesion, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.case_list import status_lines
from braintumor_desktop.ui.case_tree import StudyRow
from braintumor_desktop.ui.main_window import MainWindow


@pytest.fixture
def two_studies(tmp_path: Path) -> Path:
    """Files of three series in two studies, named so that studies and the numbers of their series come in disorder."""
    write_dicom_series(make_volume(5, (4, 40, 40), (9.0, 5.0, 5.0), Lesion(kind="homogeneous")), tmp_path / "made")
    for name, study, series in (("c", ".1", ".1"), ("b", ".2", ".2"), ("a", ".1", ".3")):
        for file in sorted((tmp_path / "made").iterdir()):
            data = pydicom.dcmread(file)
            data.StudyInstanceUID += study
            data.StudyDescription = f"Head{study}"
            data.SeriesInstanceUID += series
            data.SeriesDescription = f"series {name}"
            data.SeriesNumber = {"a": 5, "b": 2, "c": 12}[name]
            data.SOPInstanceUID += series
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
            folder = tmp_path / "disc" / series[1:]
            folder.mkdir(parents=True, exist_ok=True)
            data.save_as(folder / file.name)
    return tmp_path / "disc"


@pytest.fixture
def filled(
    qtbot: QtBot, window: MainWindow, settled: Callable[[MainWindow], bool], two_studies: Path, picture: Path
) -> MainWindow:
    QAbstractItemModelTester(
        window.workspace.model, QAbstractItemModelTester.FailureReportingMode.Fatal, window.workspace.model
    )
    window.commands.open_paths([two_studies, picture])
    qtbot.waitUntil(lambda: len(window.workspace.model.cases) == 4 and settled(window), timeout=20_000)
    qtbot.waitUntil(lambda: window.workspace.shown is not None)
    return window


def rows(window: MainWindow) -> list[str]:
    """What the tree says from top to bottom, series behind a dash."""
    model = window.workspace.model
    said = []
    for row in range(model.rowCount(QModelIndex())):
        index = model.index(row)
        said.append(model.data(index))
        said += [f"- {model.data(model.index(child, 0, index))}" for child in range(model.rowCount(index))]
    return said


def shown(window: MainWindow) -> str:
    return window.workspace.shown.name if window.workspace.shown is not None else ""


def test_series_stand_under_their_study_and_pictures_by_themselves(filled: MainWindow) -> None:
    assert rows(filled) == [
        "Head.1 · 2 series",
        "- series a",
        "- series c",
        "Head.2 · 1 series",
        "- series b",
        "spot.png",
    ]
    assert [case.name for case in filled.workspace.model.cases] == ["series a", "series c", "series b", "spot.png"]
    view = filled.case_panel.view
    assert all(view.isExpanded(filled.workspace.model.index(row)) for row in (0, 1))


def test_keys_walk_through_the_tree_and_a_study_leaves_its_series_on_the_screen(
    qtbot: QtBot, filled: MainWindow
) -> None:
    view, model = filled.case_panel.view, filled.workspace.model
    filled.case_panel.choose(model.cases[1])
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert isinstance(model.at(view.currentIndex()), StudyRow)
    assert shown(filled) == "series c"
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert not view.isExpanded(view.currentIndex())
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert shown(filled) == "spot.png"
    for expected in ("series b", "series c", "series a", "series a"):
        filled.actions_by_name["previous"].trigger()
        assert shown(filled) == expected
    for expected in ("series c", "series b", "spot.png", "spot.png"):
        filled.actions_by_name["next"].trigger()
        assert shown(filled) == expected


def test_taking_series_off_takes_empty_studies_with_them_and_shows_the_next(filled: MainWindow) -> None:
    model = filled.workspace.model
    filled.case_panel.choose(model.cases[1])
    for left, next_one in (
        (["Head.1 · 1 series", "- series a", "Head.2 · 1 series", "- series b", "spot.png"], "series a"),
        (["Head.2 · 1 series", "- series b", "spot.png"], "series b"),
        (["spot.png"], "spot.png"),
        ([], ""),
    ):
        filled.actions_by_name["remove"].trigger()
        assert rows(filled) == left
        assert shown(filled) == next_one
        assert filled.case_panel.current is filled.workspace.shown


def test_a_case_is_not_taken_off_while_its_study_is_the_row_chosen(qtbot: QtBot, filled: MainWindow) -> None:
    model, view = filled.workspace.model, filled.case_panel.view
    filled.case_panel.choose(model.cases[3])
    view.setCurrentIndex(model.index(0))
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert len(model.cases) == 4
    assert not filled.actions_by_name["remove"].isEnabled()
    filled.case_panel.choose(model.cases[3])
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert [case.name for case in model.cases] == ["series a", "series c", "series b"]


def test_title_and_buttons_follow_what_is_taken_off(filled: MainWindow) -> None:
    panel = filled.case_panel
    filled.actions_by_name["remove"].trigger()
    assert panel.title.text() == "Cases (3)"
    assert panel.remove_button.isEnabled()
    filled.actions_by_name["reset"].trigger()
    assert panel.title.text() == "Cases (0)"
    assert not panel.remove_button.isEnabled()
    assert not panel.retry_button.isEnabled()


def test_a_row_is_described_for_those_who_hear_it(filled: MainWindow) -> None:
    model = filled.workspace.model
    case: Case = model.cases[0]
    said = model.data(model.index_of(case), Qt.ItemDataRole.AccessibleTextRole)
    assert "series a" in said
    assert "4 slices" in said


def test_an_answer_on_something_unlike_a_head_is_marked_in_the_list_and_beside_it(opened: MainWindow) -> None:
    (case,) = opened.workspace.model.cases
    assert case.analysis is not None
    assert case.headline == "Glioma, 90.0 %"
    case.finish(replace(case.analysis, quality=Quality(in_distribution=False, ood_score=1.0)))
    assert case.headline == "⚠ Glioma, 90.0 %"
    opened.results.show_case(case)
    assert opened.results.finding.text().startswith("⚠ The model's finding is glioma")


def test_an_open_answer_says_in_the_list_how_likely_a_tumour_is(opened: MainWindow) -> None:
    (case,) = opened.workspace.model.cases
    assert case.analysis is not None
    likely = dict(zip(CLASSES, (0.3, 0.1, 0.05, 0.55), strict=True))
    case.finish(replace(case.analysis, finding=Finding(INDETERMINATE, likely)))
    assert case.headline == "Indeterminate, tumour 45 %"


def test_a_long_answer_takes_two_lines_or_loses_its_middle_but_never_its_probability(opened: MainWindow) -> None:
    (case,) = opened.workspace.model.cases
    case.headline = "Pituitary tumour, more than 99.9 %"
    metrics = opened.fontMetrics()
    width = metrics.horizontalAdvance("Pituitary tumour, more")
    assert status_lines(metrics, case, width, room=2) == (2, case.headline)
    lines, words = status_lines(metrics, case, width, room=1)
    assert lines == 1
    assert words.startswith("Pit")
    assert words.endswith("99.9 %")
    case.headline = "Indeterminate, which no single class explains well enough, more than 99.9 %"
    lines, words = status_lines(metrics, case, width, room=2)
    assert lines == 2
    assert words.startswith("Indet")
    assert words.endswith("99.9 %")
