"""A ball seen through thick slices: what an outline takes in too much along the slice axis is taken out again."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from braintumor_desktop.inference.partial_volume import trim_ends

SHAPE, RADIUS = (9, 48, 48), 17.0  # pixels of 1 mm


def ball(thickness: float, offset: float) -> NDArray[np.float64]:
    """Share of each voxel that lies in the ball, exact along the slice axis."""
    row, column = np.mgrid[: SHAPE[1], : SHAPE[2]] - 23.5
    half = np.sqrt(np.maximum(RADIUS**2 - row**2 - column**2, 0))
    edges = (np.arange(SHAPE[0] + 1) - SHAPE[0] / 2 + offset) * thickness
    inside = np.clip(edges[:, None, None], -half, half)
    return np.diff(inside, axis=0) / thickness


@pytest.mark.parametrize("thickness", [5.0, 6.0])
@pytest.mark.parametrize("offset", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("brightness", [900.0, 60.0])
def test_a_generous_outline_becomes_as_large_as_the_ball(thickness: float, offset: float, brightness: float) -> None:
    share = ball(thickness, offset)
    noise = np.random.default_rng(3).normal(0, 12, SHAPE)
    pixels = np.rint(400 + (brightness - 400) * share + noise).astype(np.int16)
    pixels[0, :6], pixels[-1, :6] = 0, 1000  # the grey range of a head
    mask = share > 0.15
    true = share.sum()
    assert mask.sum() > 1.08 * true
    trim_ends(mask, pixels)
    assert mask.sum() == pytest.approx(true, rel=0.03)


def test_an_end_brighter_than_both_sides_is_no_mixture_and_stays() -> None:
    share = ball(5.0, 0.2)
    mask = share > 0.15
    wall = mask & ~(np.roll(mask, 1, axis=0) & np.roll(mask, -1, axis=0))
    pixels = np.where(wall, 900, np.where(mask, 200, 500)).astype(np.uint16)
    before = mask.sum()
    trim_ends(mask, pixels)
    assert mask.sum() > 0.97 * before  # means of 3 x 3 pixels blur the wall's inner edge


def test_without_contrast_noise_decides_nothing() -> None:
    mask = ball(5.0, 0.0) > 0.15
    pixels = np.random.default_rng(3).normal(500, 12, SHAPE).astype(np.float32)
    pixels[0, :6], pixels[-1, :6] = 0, 1000
    before = mask.copy()
    trim_ends(mask, pixels)
    assert np.array_equal(mask, before)


def test_a_lesion_cut_off_by_the_end_of_the_series_keeps_its_last_slice() -> None:
    share = ball(5.0, 0.0)[4:]
    mask = share > 0.15
    first = mask[0].copy()
    trim_ends(mask, (1000 * share).astype(np.uint16))
    assert np.array_equal(mask[0], first)


def test_a_lesion_where_the_analysis_was_stopped_keeps_its_last_slice() -> None:
    """What lies beyond was not looked at, so the outline does not end there."""
    share = ball(5.0, 0.0)
    mask = share > 0.15
    mask[5:] = False
    last = mask[4].copy()
    noise = np.random.default_rng(3).normal(0, 12, SHAPE)
    pixels = np.rint(400 + 500 * share * np.linspace(1, 0.2, 9)[:, None, None] + noise).astype(np.int16)
    trim_ends(mask, pixels, np.arange(9) < 5)
    assert np.array_equal(mask[4], last)
    trim_ends(mask, pixels)
    assert not np.array_equal(mask[4], last)


def test_across_a_hole_a_lesion_does_not_end() -> None:
    share = ball(5.0, 0.2)
    mask, pixels = share > 0.15, (1000 * share).astype(np.uint16)
    first = int(np.flatnonzero(mask.any(axis=(1, 2)))[0])
    before = mask[first].copy()
    trim_ends(mask, pixels, beside=np.arange(len(mask) - 1) != first - 1)
    assert np.array_equal(mask[first], before)
    trim_ends(mask, pixels)
    assert mask[first].sum() < before.sum()
