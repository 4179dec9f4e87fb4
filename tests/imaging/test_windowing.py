"""Window and level against hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from braintumor_desktop.imaging.windowing import Window, apply_window, full_window, robust_window

DTYPES = [np.uint8, np.uint16, np.int16, np.float32]


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_are_mapped_straight_between_black_and_white(dtype: type) -> None:
    pixels = np.array([[0, 50, 100, 110, 125, 150, 200, 250]], dtype=dtype)
    # (value - 100) / 50 * 255 between the ends: 51 at 110, 127.5 rounded up at 125.
    expected = [[0, 0, 0, 51, 128, 255, 255, 255]]
    shown = apply_window(pixels, Window(100, 150))
    assert shown.dtype == np.uint8
    np.testing.assert_array_equal(shown, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_inverting_swaps_black_and_white(dtype: type) -> None:
    pixels = np.array([[0, 10, 60, 100]], dtype=dtype)
    np.testing.assert_array_equal(apply_window(pixels, Window(0, 100), invert=True), [[255, 230, 102, 0]])


def test_negative_values_have_their_window() -> None:
    pixels = np.array([[-300, -100, 0, 100]], dtype=np.int16)
    np.testing.assert_array_equal(apply_window(pixels, Window(-100, 100)), [[0, 0, 128, 255]])


def test_level_and_width_name_the_same_window() -> None:
    window = Window(100, 160)
    assert (window.level, window.width) == (130, 60)
    assert Window.of(130, 60) == window


@pytest.mark.parametrize(("low", "high"), [(5, 5), (6, 5), (0, float("nan"))])
def test_a_window_without_width_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="low < high"):
        Window(low, high)


def test_the_robust_window_leaves_out_the_tails() -> None:
    pixels = np.arange(1001, dtype=np.uint16).reshape(1, 7, 143)
    assert robust_window(pixels) == Window(10, 995)


def test_the_robust_window_of_a_few_bright_pixels_is_the_full_range() -> None:
    pixels = np.zeros((100, 100), np.uint8)
    pixels[0, 0] = 200
    assert robust_window(pixels) == Window(0, 200)


def test_the_robust_window_of_a_large_stack_is_that_of_its_values() -> None:
    pixels = np.random.default_rng(3).integers(0, 10_000, (10, 1000, 1000), dtype=np.uint16)
    window = robust_window(pixels)
    # The error of a percentile of n uniform samples is below 10,000 · 4 · sqrt(0.01 · 0.99 / 4·10⁶) ≈ 2.
    assert window.low == pytest.approx(100, abs=3)
    assert window.high == pytest.approx(9950, abs=3)


def test_the_full_window_spans_all_values() -> None:
    assert full_window(np.array([[-5.5, 3.25]], np.float32)) == Window(-5.5, 3.25)


def test_one_grey_value_gets_a_window_one_wide() -> None:
    assert full_window(np.full((3, 3), 7, np.uint8)) == Window(7, 8)
    assert robust_window(np.full((3, 3), 7, np.uint8)) == Window(7, 8)


@given(low=st.floats(-1e4, 1e4), width=st.floats(1e-3, 1e5), values=st.lists(st.integers(0, 65535), min_size=2))
def test_brighter_stays_brighter_in_any_window(low: float, width: float, values: list[int]) -> None:
    shown = apply_window(np.sort(np.array([values], dtype=np.uint16)), Window(low, low + width))
    assert (np.diff(shown.astype(int)) >= 0).all()
