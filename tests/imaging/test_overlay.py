"""Lesion outlines and heat-map colours."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from braintumor_desktop.imaging.overlay import COLORMAPS, colorize, contours


def shoelace(outline: NDArray[np.float64]) -> float:
    rows, columns = outline.T
    return float(np.sum(columns * np.roll(rows, -1) - np.roll(columns, -1) * rows) / 2)


def test_one_pixel_is_outlined_by_its_four_corners() -> None:
    mask = np.zeros((5, 5), bool)
    mask[2, 3] = True
    (outline,) = contours(mask)
    assert {tuple(corner) for corner in outline} == {(1.5, 2.5), (1.5, 3.5), (2.5, 3.5), (2.5, 2.5)}


def test_an_empty_mask_has_no_outline() -> None:
    assert contours(np.zeros((4, 4), bool)) == []


def test_a_mask_to_the_edges_of_the_picture_is_outlined_along_them() -> None:
    (outline,) = contours(np.ones((3, 4), bool))
    assert {tuple(corner) for corner in outline} == {(-0.5, -0.5), (-0.5, 3.5), (2.5, 3.5), (2.5, -0.5)}


def test_a_hole_has_its_own_outline_of_negative_area() -> None:
    mask = np.ones((5, 6), bool)
    mask[2, 2:4] = False
    assert sorted(shoelace(outline) for outline in contours(mask)) == [-2, 30]


def test_pixels_that_touch_by_a_corner_have_two_outlines() -> None:
    assert [len(outline) for outline in contours(np.eye(2, dtype=bool))] == [4, 4]


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=14)))
def test_outlines_enclose_exactly_the_pixels_of_the_mask(mask: NDArray[np.bool_]) -> None:
    outlines = contours(mask)
    assert sum(shoelace(outline) for outline in outlines) == mask.sum()
    for outline in outlines:
        steps = np.roll(outline, -1, axis=0) - outline
        assert ((steps == 0).sum(axis=1) == 1).all()  # along pixel edges only
        upright = steps[:, 0] != 0
        assert (upright != np.roll(upright, 1)).all()  # a point only where it turns


@pytest.mark.parametrize("name", ["cividis", "viridis"])
def test_colours_are_those_of_the_published_map(name: str) -> None:
    values = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    expected = np.asarray(matplotlib.colormaps[name](values.astype(np.float64)))[..., :3] * 255
    colours = colorize(values, name)
    assert colours.dtype == np.uint8
    assert colours.shape == (16, 16, 3)
    np.testing.assert_allclose(colours, expected, atol=1)  # both tables are rounded from the same data


def test_jet_runs_from_blue_over_green_to_red() -> None:
    values = np.linspace(0, 1, 256)
    # The usual definition: trapezoids of width 3/4 around 3/4, 1/2 and 1/4.
    expected = 255 * np.clip(1.5 - np.abs(4 * values[:, None] - [3, 2, 1]), 0, 1)
    np.testing.assert_allclose(colorize(values, "jet"), expected, atol=3)  # OpenCV tabulates it in steps of 4


def test_values_outside_the_scale_take_the_end_colours() -> None:
    np.testing.assert_array_equal(colorize(np.array([-3.0, 7.0])), colorize(np.array([0.0, 1.0])))


def test_an_unknown_colour_map_is_refused() -> None:
    with pytest.raises(ValueError, match="rainbow"):
        colorize(np.zeros(3), "rainbow")


@given(st.sampled_from(COLORMAPS), array_shapes(max_dims=3, max_side=4))
def test_any_shape_gains_three_channels(name: str, shape: tuple[int, ...]) -> None:
    assert colorize(np.zeros(shape), name).shape == (*shape, 3)
