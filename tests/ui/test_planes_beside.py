"""Two series side by side in three planes each: one point of the patient in all six views."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from braintumor_desktop.imaging.phantom import Lesion, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti
from braintumor_desktop.imaging.reformat import Plane
from braintumor_desktop.ui.case import CaseState
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.view_area import Layout
from braintumor_desktop.ui.viewer import Viewer

Settled = Callable[[MainWindow], bool]


@pytest.fixture
def two_series(tmp_path: Path) -> Path:
    """One study of two series: the second has other voxels and lies a little elsewhere."""
    for name, shape, spacing in (("a", (20, 48, 56), (6.0, 3.5, 3.0)), ("b", (30, 40, 40), (4.0, 4.0, 4.0))):
        write_dicom_series(make_volume(5, shape, spacing, Lesion(kind="homogeneous")), tmp_path / "disc" / name)
    first = pydicom.dcmread(tmp_path / "disc" / "a" / "0001.dcm")
    for file in (tmp_path / "disc" / "b").iterdir():
        data = pydicom.dcmread(file)
        data.StudyInstanceUID, data.FrameOfReferenceUID = first.StudyInstanceUID, first.FrameOfReferenceUID
        data.SeriesInstanceUID += ".2"
        data.SOPInstanceUID += ".2"
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [x + 7.5, y - 4.0, z + 3.0]
        data.save_as(file)
    return tmp_path / "disc"


def open_beside(qtbot: QtBot, window: MainWindow, settled: Settled, *paths: Path) -> None:
    window.commands.open_paths(list(paths))
    qtbot.waitUntil(lambda: len(window.workspace.model.cases) >= 2 and settled(window), timeout=20_000)
    window.case_panel.choose(window.workspace.model.cases[0])
    window.actions_by_name["layout_planes_beside"].trigger()
    qtbot.waitUntil(lambda: window.area.beside.study is not None)


def spot(viewer: Viewer) -> np.ndarray[Any, Any]:
    """Where a view's crosshair is in the patient, to half a plane."""
    point = viewer.crosshair
    assert point is not None
    assert viewer.stack is not None
    place = viewer.stack.patient_point(point.y() - 0.5, point.x() - 0.5, viewer.slice_index)
    assert place is not None
    return place


def test_six_views_show_one_point_of_the_patient(
    qtbot: QtBot, window: MainWindow, settled: Settled, two_series: Path
) -> None:
    open_beside(qtbot, window, settled, two_series)
    area = window.area
    assert area.arrangement is Layout.PLANES_BESIDE
    six = [*area.planes.values(), *area.beside_planes.values()]
    assert [viewer.isVisible() for viewer in area.viewers] == [viewer in six for viewer in area.viewers]
    for moved in (area.planes[Plane.AXIAL], area.beside_planes[Plane.SAGITTAL]):
        assert moved.stack is not None
        moved.point_chosen.emit(QPointF(0.4 * moved.stack.columns, 0.6 * moved.stack.rows))
        chosen = spot(moved)
        for viewer in six:
            assert viewer.stack is not None
            row_mm, _ = viewer.stack.spacing_mm or (0.0, 0.0)
            between = np.linalg.norm(viewer.stack.affine[:3, 2])  # type: ignore[index]
            assert np.linalg.norm(spot(viewer) - chosen) <= between / 2 + 1e-6, viewer.accessibleName()
            assert row_mm > 0
    before = area.planes[Plane.CORONAL].slice_index
    beside = area.beside_planes[Plane.CORONAL]
    area.go_to(beside, beside.slice_index + 5)  # 20 mm, planes of the other series are 3.5 mm apart
    assert abs(abs(area.planes[Plane.CORONAL].slice_index - before) - 20 / 3.5) <= 1


def test_two_series_in_planes_can_be_moved_one_by_one(
    qtbot: QtBot, window: MainWindow, settled: Settled, two_series: Path
) -> None:
    open_beside(qtbot, window, settled, two_series)
    area = window.area
    window.actions_by_name["synchronise"].trigger()
    axial, beside = area.planes[Plane.AXIAL], area.beside_planes[Plane.AXIAL]
    before = beside.slice_index
    area.go_to(axial, axial.slice_index + 4)
    assert beside.slice_index == before
    window.actions_by_name["synchronise"].trigger()
    assert np.linalg.norm(spot(beside) - spot(axial)) <= 4.0 / 2 + 1e-6


def test_series_of_another_frame_of_reference_stay_apart_whatever_is_asked_for(
    qtbot: QtBot, window: MainWindow, settled: Settled, two_series: Path
) -> None:
    for file in (two_series / "b").iterdir():
        data = pydicom.dcmread(file)
        data.FrameOfReferenceUID += ".9"
        data.save_as(file)
    open_beside(qtbot, window, settled, two_series)
    window.actions_by_name["by_coordinates"].trigger()
    beside = window.area.beside_planes[Plane.AXIAL]
    assert "another frame of reference" in beside.warning
    before = beside.slice_index
    window.area.go_to(window.area.planes[Plane.AXIAL], 3)
    assert beside.slice_index == before


def test_series_of_unknown_frame_stay_apart_until_the_reader_joins_them(
    qtbot: QtBot, window: MainWindow, settled: Settled, two_series: Path, tmp_path: Path
) -> None:
    volume = write_nifti(make_volume(5, (20, 48, 56), (6.0, 3.5, 3.0), None), tmp_path / "volume.nii")
    open_beside(qtbot, window, settled, two_series / "a", volume)
    area = window.area
    beside = area.beside_planes[Plane.AXIAL]
    assert "not known whether" in beside.warning
    before = beside.slice_index
    area.go_to(area.planes[Plane.AXIAL], 3)
    assert beside.slice_index == before
    window.actions_by_name["by_coordinates"].trigger()
    assert "Synchronised by coordinates" in beside.warning
    assert np.linalg.norm(spot(beside) - spot(area.planes[Plane.AXIAL])) <= 6.0 / 2 + 1e-6
    assert beside.title == "volume.nii"


def test_a_series_without_planes_stands_beside_as_acquired(
    qtbot: QtBot, window: MainWindow, settled: Settled, two_series: Path, picture: Path
) -> None:
    open_beside(qtbot, window, settled, two_series / "a", picture)
    assert window.area.arrangement is Layout.BESIDE
    assert window.area.beside.isVisible()


def test_the_answer_on_the_series_beside_appears_there(
    qtbot: QtBot, window: MainWindow, analyzer: Any, settled: Settled, two_series: Path
) -> None:
    analyzer.gate = threading.Event()
    window.commands.open_paths([two_series])
    qtbot.waitUntil(lambda: len(window.workspace.model.cases) == 2 and window.viewer.study is not None)
    window.actions_by_name["layout_planes_beside"].trigger()
    qtbot.waitUntil(lambda: window.area.beside.study is not None)
    beside = window.area.beside_planes[Plane.AXIAL]
    assert beside.analysis is None
    beside.zoom_by(2.0)
    zoomed = beside.transform
    analyzer.gate.set()
    qtbot.waitUntil(lambda: settled(window))
    other = window.area.other
    assert other is not None
    assert other.state is CaseState.DONE
    assert beside.analysis is other.analysis is not None
    assert beside.transform == zoomed


def test_series_of_the_same_study_are_offered_first(
    qtbot: QtBot, window: MainWindow, settled: Settled, two_series: Path, picture: Path
) -> None:
    window.commands.open_paths([two_series, picture])
    qtbot.waitUntil(lambda: len(window.workspace.model.cases) == 3 and settled(window), timeout=20_000)
    first, second, _ = window.workspace.model.cases
    window.case_panel.choose(second)  # the picture is next in the list
    window.actions_by_name["layout_planes_beside"].trigger()
    assert window.area.other is first
