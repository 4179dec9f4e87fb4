"""Slanted planes while the crosshair moves: coarse at first, sharp at rest, everything in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from braintumor_desktop.ui.main_window import MainWindow

SHAPE, MARK = (300, 320, 60), (180, 120, 33)  # as the file has them: columns, rows, slices
_A, _B = np.radians((20.0, 10.0))
TURNED = np.array([[1, 0, 0], [0, np.cos(_A), -np.sin(_A)], [0, np.sin(_A), np.cos(_A)]]) @ np.array(
    [[np.cos(_B), -np.sin(_B), 0], [np.sin(_B), np.cos(_B), 0], [0, 0, 1]]
)


@pytest.fixture
def oblique(tmp_path: Path) -> Path:
    """A dim block with one bright cube in it, tilted about two axes."""
    pixels = np.full(SHAPE, 60, np.int16)
    pixels[:6] = pixels[:, :6] = 0
    pixels[MARK[0] - 8 : MARK[0] + 9, MARK[1] - 8 : MARK[1] + 9, MARK[2] - 2 : MARK[2] + 3] = 250
    affine = np.eye(4)
    affine[:3, :3] = TURNED * np.array([0.8, 0.8, 3.0])
    nibabel.save(nibabel.Nifti1Image(pixels, affine), tmp_path / "tilted.nii")
    return tmp_path / "tilted.nii"


def middle_of(found: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Centre (x, y) of what was found in the inner part of a view, where no texts are."""
    down, across = found.shape[0] // 5, found.shape[1] // 7
    places = np.argwhere(found[down:-down, across:-across])
    assert len(places) > 20
    return np.asarray((places.mean(axis=0) + np.array([down, across]))[::-1])


def bright(image: QImage) -> NDArray[np.float64]:
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    pixels = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())[:, : grey.width()]
    return middle_of(pixels > 225)


def coloured(image: QImage) -> NDArray[np.float64]:
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rgb = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    rgb = rgb[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3)
    return middle_of(np.ptp(rgb.astype(int), axis=2) > 90)


def test_planes_are_coarse_while_the_crosshair_moves_and_sharp_at_rest(
    qtbot: QtBot, window: MainWindow, settled: Callable[[MainWindow], bool], oblique: Path
) -> None:
    window.commands.open_paths([oblique])
    qtbot.waitUntil(lambda: settled(window) and window.viewer.study is not None)
    for name in ("contour", "fill", "heatmap", "diameters"):
        window.toggle_layer(name, False)
    window.actions_by_name["window_full"].trigger()
    window.actions_by_name["layout_three"].trigger()
    area = window.area
    axial, coronal, sagittal = area.planes.values()
    assert axial.stack is not None
    centre = np.asarray(apply_affine(nibabel.load(oblique).affine, MARK))
    area.go_to(axial, round(axial.stack.grid_point(centre)[2]))  # type: ignore[index]
    row, column, _ = axial.stack.grid_point(centre)  # type: ignore[misc]
    axial.point_chosen.emit(QPointF(column + 0.5, row + 0.5))
    moving = {}
    for viewer in (coronal, sagittal):
        assert viewer.stack is not None
        place = viewer.stack.grid_point(centre)
        assert place is not None
        assert viewer.slice_index == round(place[2])
        viewer.show_crosshair(None)
        at = viewer.transform.to_widget(QPointF(place[1] + 0.5, place[0] + 0.5))
        moving[viewer] = viewer.grab().toImage()
        assert bright(moving[viewer]) == pytest.approx((at.x(), at.y()), abs=2.0)
    qtbot.waitUntil(lambda: all(viewer.grab().toImage() != image for viewer, image in moving.items()))
    for viewer, image in moving.items():
        assert viewer.stack is not None
        assert bright(viewer.grab().toImage()) == pytest.approx(bright(image), abs=2.0)
        assert viewer.plane_pixels.shape == (viewer.stack.rows, viewer.stack.columns)


def test_grey_values_are_read_from_the_sharp_plane_while_the_reader_moves(
    qtbot: QtBot, window: MainWindow, settled: Callable[[MainWindow], bool], oblique: Path
) -> None:
    window.commands.open_paths([oblique])
    qtbot.waitUntil(lambda: settled(window) and window.viewer.study is not None)
    window.actions_by_name["layout_three"].trigger()
    coronal = list(window.area.planes.values())[1]
    assert coronal.stack is not None
    assert coronal.study is not None
    window.area.go_to(coronal, coronal.slice_index + 3)
    expected = coronal.stack.cut(coronal.study.pixels, coronal.slice_index)
    np.testing.assert_array_equal(coronal.plane_pixels, expected)


def test_an_outline_lies_at_the_same_place_coarse_and_sharp(
    qtbot: QtBot, window: MainWindow, settled: Callable[[MainWindow], bool], oblique: Path
) -> None:
    window.commands.open_paths([oblique])
    qtbot.waitUntil(lambda: settled(window) and window.viewer.study is not None)
    case = window.workspace.model.cases[0]
    assert case.analysis is not None
    assert case.analysis.segmentation is not None  # what is brighter than 200: the cube
    study = replace(case.analysis.study, pixels=np.zeros_like(case.analysis.study.pixels))
    case.analysis = replace(case.analysis, study=study)
    window.actions_by_name["layout_three"].trigger()
    window.area.show_analysis(case)
    for name in ("contour", "heatmap", "diameters"):
        window.toggle_layer(name, False)
    window.toggle_layer("fill", True)
    window.set_opacity("fill", 1.0)
    sagittal = list(window.area.planes.values())[2]
    assert sagittal.stack is not None
    place = sagittal.stack.grid_point(np.asarray(apply_affine(nibabel.load(oblique).affine, MARK)))
    assert place is not None
    window.area.go_to(sagittal, round(place[2]))
    at = sagittal.transform.to_widget(QPointF(place[1] + 0.5, place[0] + 0.5))
    sagittal.show_crosshair(None)

    moving = coloured(sagittal.grab().toImage())
    assert sagittal.plane_pixels.size  # sharp from here on
    assert moving == pytest.approx((at.x(), at.y()), abs=2.0)
    assert coloured(sagittal.grab().toImage()) == pytest.approx((at.x(), at.y()), abs=2.0)
