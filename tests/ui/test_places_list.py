"""The list of lesions and key slices in the results panel leads to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from braintumor_desktop.domain.findings import KeySlices, Lesion
from braintumor_desktop.domain.measurements import diameters
from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.results_panel import ResultsPanel

Settled = Callable[[MainWindow], bool]


@pytest.fixture
def answered(qtbot: QtBot, window: MainWindow, settled: Settled, tmp_path: Path) -> MainWindow:
    """A series of 20 slices with two lesions and key slices."""
    write_dicom_series(make_volume(5, (20, 48, 56), (6.0, 3.5, 3.0), None), tmp_path / "disc")
    window.commands.open_paths([tmp_path / "disc"])
    qtbot.waitUntil(lambda: settled(window) and window.viewer.study is not None)
    case = window.workspace.model.cases[0]
    assert case.analysis is not None
    assert case.analysis.segmentation is not None
    disc = np.hypot(*np.mgrid[-6:7, -6:7]) < 5
    size = diameters(disc, (3.5, 3.0))
    lesions = (
        Lesion((3, 8), 6, 80, 800.0, size, 12.34, (5.5, 20.0, 30.0), None, True, 0.9),
        Lesion((12, 12), 12, 20, 200.0, None, None, (12.4, 30.0, 10.0), None, False, 0.6),
    )
    case.analysis = replace(
        case.analysis,
        segmentation=replace(case.analysis.segmentation, lesions=lesions),
        key_slices=KeySlices(6, 15, 2),
    )
    window.area.show_analysis(case)
    window.results.show_case(case)
    return window


def click(qtbot: QtBot, window: MainWindow, row: int) -> None:
    places = window.results.places
    window.results.ensureWidgetVisible(places)
    at = places.visualItemRect(places.item(row)).center()
    qtbot.mouseClick(places.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_each_lesion_stands_with_its_size_and_its_measurability(answered: MainWindow) -> None:
    places = answered.results.places
    words = [places.item(row).text() for row in range(places.count())]
    assert words[0].startswith("Lesion 1 · 12.34 ml · ")
    assert words[0].endswith("mm\nslices 4 to 9 · RANO measurable")
    assert words[1:] == [
        "Lesion 2\nslice 13 · not RANO measurable",
        "Most certain: slice 16",
        "Least certain: slice 3",
    ]


def test_outlines_in_doubt_are_not_called_lesions(answered: MainWindow) -> None:
    case = answered.workspace.model.cases[0]
    assert case.analysis is not None
    case.analysis = replace(case.analysis, finding=replace(case.analysis.finding, doubted=True))
    answered.results.show_case(case)
    places = answered.results.places
    assert places.item(0).text().startswith("Doubted outline 1 · 12.34 ml\nslices 4 to 9 · ")
    assert places.item(1).text() == "Doubted outline 2\nslice 13"


def test_a_click_on_a_lesion_shows_its_largest_slice_and_all_planes_through_it(
    qtbot: QtBot, answered: MainWindow
) -> None:
    for row, index in ((0, 6), (1, 12), (2, 15), (3, 2)):
        click(qtbot, answered, row)
        assert answered.viewer.slice_index == index
    answered.actions_by_name["layout_four"].trigger()
    click(qtbot, answered, 0)
    study = answered.viewer.study
    assert study is not None
    assert study.geometry.affine is not None
    centre = (study.geometry.affine @ (30.0, 20.0, 6.0, 1.0))[:3]
    for viewer in (answered.viewer, *answered.area.planes.values()):
        assert viewer.stack is not None
        place = viewer.stack.grid_point(centre)
        assert place is not None
        assert viewer.slice_index == round(place[2])
        assert viewer.crosshair is not None
        assert (viewer.crosshair.y(), viewer.crosshair.x()) == pytest.approx((place[0] + 0.5, place[1] + 0.5))


def test_the_list_is_reached_and_used_with_keys(qtbot: QtBot, answered: MainWindow) -> None:
    places = answered.results.places
    places.setFocus()
    places.setCurrentRow(0)
    qtbot.keyClick(places, Qt.Key.Key_Down)
    qtbot.keyClick(places, Qt.Key.Key_Return)
    assert answered.viewer.slice_index == 12


def test_every_row_is_shown_whole_however_wide_the_panel(qtbot: QtBot, answered: MainWindow) -> None:
    panel: ResultsPanel = answered.results
    places = panel.places
    for width in range(220, 420, 20):
        panel.setFixedWidth(width)
        last = places.item(places.count() - 1)
        qtbot.waitUntil(lambda last=last: places.viewport().rect().contains(places.visualItemRect(last)))


def test_a_picture_has_no_places(opened: MainWindow) -> None:
    assert not opened.results.places.isVisible()
