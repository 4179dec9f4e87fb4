"""The key images, by their pixels."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.reporting.canvas import DIAMETER_COLOUR, OUTLINE_COLOUR, edge_letters
from braintumor_desktop.reporting.key_images import render_key_images


def near(picture: Any, colour: tuple[int, int, int], tolerance: int = 40) -> Any:
    return np.abs(picture.astype(int) - colour).max(axis=2) <= tolerance


def test_a_picture_has_original_outline_and_heat_map(make_analysis: Any) -> None:
    images = render_key_images(make_analysis())
    assert [image.title for image in images] == ["Original", "Lesion outline", "Heat map"]
    for image in images:
        assert image.pixels.dtype == np.uint8
        assert image.pixels.shape == (450, 600, 3)  # 180 rows, 240 columns
        assert image.alt_text
    assert [image.colour_bar is not None for image in images] == [False, False, True]


def test_the_outline_runs_along_the_edge_of_the_mask(make_analysis: Any) -> None:
    analysis = make_analysis()
    outlined = render_key_images(analysis)[1].pixels
    rows, columns = np.nonzero(near(outlined, OUTLINE_COLOUR))
    scale = 600 / 240
    distance = np.hypot(
        (rows + 0.5) / scale - 0.5 - 70, (columns + 0.5) / scale - 0.5 - 150
    )  # from the lesion's centre
    assert len(rows) > 200
    assert distance.min() > 17.5
    assert distance.max() < 22.5
    angles = np.degrees(np.arctan2(rows / scale - 70, columns / scale - 150)) % 360
    assert len(np.unique(angles // 10)) == 36  # all the way round
    assert near(outlined, DIAMETER_COLOUR).sum() > 100


def test_no_lesion_draws_no_line(make_analysis: Any) -> None:
    original, outlined, _ = render_key_images(make_analysis(lesion=False))
    assert np.array_equal(original.pixels, outlined.pixels)
    assert "No lesion" in outlined.caption


def test_the_original_is_grey_and_follows_the_window(make_analysis: Any) -> None:
    default = render_key_images(make_analysis())[0].pixels
    assert (default == default[:, :, :1]).all()
    white = render_key_images(make_analysis(), window=Window(-2.0, -1.0))[0].pixels
    assert (white == 255).all()


def test_the_heat_map_is_hottest_where_the_heat_is(make_analysis: Any) -> None:
    analysis = make_analysis(lesion=False)
    original, _, heated = render_key_images(analysis)
    colourful = heated.pixels.max(axis=2).astype(int) - heated.pixels.min(axis=2)
    hot = colourful[int(75 * 2.5), int(140 * 2.5)]
    assert hot > 80
    assert hot > 2 * colourful[int(90 * 2.5), int(60 * 2.5)]
    assert heated.colour_bar is not None
    assert heated.colour_bar.shape == (1, 256, 3)
    assert not np.array_equal(original.pixels, heated.pixels)


def test_unequal_pixel_spacing_is_drawn_in_true_proportion(make_analysis: Any) -> None:
    image = render_key_images(make_analysis(geometry=Geometry(pixel_spacing_mm=(2.0, 1.0))))[0]
    assert image.pixels.shape == (600, 400, 3)  # 360 mm high, 240 mm wide


@pytest.mark.parametrize(
    ("spacing", "label", "width"),
    [
        (None, "50 px", 50 / 240),
        ((0.5, 0.5), "20 mm", 20 / 120),
        ((1.0, 0.1), "5 mm", 5 / 24),
        ((9.0, 9.0), "500 mm", 500 / 2160),
    ],
)
def test_the_scale_bar_is_true_to_spacing_and_counts_pixels_without(
    make_analysis: Any, spacing: Any, label: str, width: float
) -> None:
    bar = render_key_images(make_analysis(geometry=Geometry(pixel_spacing_mm=spacing)))[0].scale_bar
    assert bar.label == label
    assert bar.width == pytest.approx(width)


@pytest.mark.parametrize(
    ("orientation", "letters"),
    [
        (("L", "P"), ("R", "L", "A", "P")),
        (("P", "F"), ("A", "P", "H", "F")),
        (("LA", "F"), ("RP", "LA", "H", "F")),
        (None, None),
    ],
)
def test_edge_letters_are_opposites_and_absent_where_orientation_is_unknown(orientation: Any, letters: Any) -> None:
    assert edge_letters(orientation) == letters


def test_the_key_slice_is_the_one_shown(make_analysis: Any) -> None:
    analysis = make_analysis(slices=3)
    pixels = analysis.study.pixels.copy()
    pixels[:2] = 0
    shown = dataclasses.replace(analysis, study=dataclasses.replace(analysis.study, pixels=pixels))
    assert np.array_equal(render_key_images(shown)[0].pixels, render_key_images(analysis)[0].pixels)
