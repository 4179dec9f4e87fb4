import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from braintumor_desktop.imaging.head import head_mask
from braintumor_desktop.inference.preprocess import Frame, find_frame, normalise, pixel_ratio, prepare, resample


def head(rows: int, columns: int, centre: tuple[float, float], radius: float, grey: int = 150) -> np.ndarray:
    """A textured disc on a dark ground."""
    y, x = np.mgrid[:rows, :columns]
    inside = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2
    texture = 1 + 0.2 * np.sin(x / 5) * np.cos(y / 7)
    return (inside * grey * texture).clip(0, 255).astype(np.uint8)


def test_the_head_outline_is_the_head_and_its_holes() -> None:
    picture = head(300, 240, (140, 110), 80)
    picture[130:150, 100:120] = 0
    mask = head_mask(picture)
    assert mask is not None
    y, x = np.mgrid[:300, :240]
    truth = (y - 140) ** 2 + (x - 110) ** 2 < 80**2
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.97
    assert mask[140, 110]


@pytest.mark.parametrize("empty", [np.zeros((64, 64), np.uint8), np.full((64, 64), 90, np.uint8)])
def test_a_constant_slice_has_no_outline(empty: np.ndarray) -> None:
    assert head_mask(empty) is None


@pytest.mark.parametrize("shape", [(17_000, 32), (32, 17_000)])
def test_a_very_long_picture_is_prepared_as_any_other(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    assert prepare(picture, 128)[0].shape == (128, 128)


def test_noise_in_the_air_does_not_widen_the_outline() -> None:
    clean = head(256, 256, (128, 128), 90).astype(np.float32)
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 0.1 * 255, clean.shape), 0, 255).astype(np.uint8)
    mask = head_mask(noisy)
    assert mask is not None
    rows = np.flatnonzero(mask.any(axis=1))
    assert abs(rows[0] - 38) <= 6
    assert abs(rows[-1] - 217) <= 6


def test_the_same_head_looks_alike_wherever_it_lies_and_however_large() -> None:
    small = head(256, 256, (120, 130), 80)
    placed = np.zeros((400, 600), np.uint8)
    placed[100:356, 300:556] = small
    doubled = cv2.resize(small, (512, 512), interpolation=cv2.INTER_LINEAR)
    reference = prepare(small, 128)[0]
    for other in (placed, doubled):
        # The outline is found at 256 pixels, so the frame of the 600-pixel picture may lie a pixel or two off.
        assert np.abs(prepare(other, 128)[0] - reference).mean() < 0.05


@pytest.mark.parametrize("size", [300, 900])
@pytest.mark.parametrize("axis", [0, 1])
def test_pixels_that_are_not_square_reach_the_network_as_square_ones(size: int, axis: int) -> None:
    square = head(size, size, (0.45 * size, 0.52 * size), 0.3 * size)
    thinned = cv2.blur(square, (1, 2) if axis == 0 else (2, 1))
    thinned = thinned[1::2] if axis == 0 else thinned[:, 1::2]
    ratio = pixel_ratio((0.8, 0.4) if axis == 0 else (0.4, 0.8))
    reference, frame, _ = prepare(square, 256)
    seen, thinned_frame, _ = prepare(thinned, 256, ratio)
    # Outlines are found on 256 pixels of each, so that the two frames may lie a pixel or two of these apart.
    assert np.abs(seen - reference).mean() < 0.05
    assert np.abs(prepare(thinned, 256)[0] - reference).mean() > 0.1
    y, x = np.mgrid[:256, :256]
    blob = np.exp(-((y - 100) ** 2 + (x - 160) ** 2) / 400).astype(np.float32)
    whole = frame.back(blob)
    expected = whole[0::2] + whole[1::2] if axis == 0 else whole[:, 0::2] + whole[:, 1::2]
    assert np.abs(thinned_frame.back(blob) - expected / 2).max() < 0.1
    assert thinned_frame.side**2 == pytest.approx(frame.side**2 / 2, rel=0.05)  # of half as many pixels


def test_pixels_that_are_nearly_square_or_of_unknown_size_are_taken_as_square() -> None:
    assert (pixel_ratio(None), pixel_ratio((0.501, 0.5)), pixel_ratio((0.5, 0.5))) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("offset", [-1000, 40, 30_000])
def test_the_air_around_a_head_is_as_dark_as_its_darkest_pixel(offset: int) -> None:
    picture = head(300, 180, (150, 90), 88).astype(np.int32)
    np.testing.assert_allclose(prepare(picture + offset, 128)[0], prepare(picture, 128)[0], atol=1e-3)


def test_brightness_and_bit_depth_do_not_change_what_the_network_sees() -> None:
    picture = head(256, 256, (128, 128), 90)
    as_16_bit = picture.astype(np.uint16) * 200 + 1000
    assert np.allclose(prepare(picture, 128)[0], prepare(as_16_bit, 128)[0], atol=0.02)


def test_a_constant_square_becomes_zero() -> None:
    assert not normalise(np.full((8, 8), 3.0, np.float32)).any()


@given(st.integers(40, 500), st.integers(40, 500), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_map_comes_back_to_where_it_was(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    side = float(rng.uniform(0.6, 1.4) * min(rows, columns))
    frame = Frame(float(rng.uniform(-0.1, 0.3) * rows), float(rng.uniform(-0.1, 0.3) * columns), side, rows, columns)
    y, x = np.mgrid[:rows, :columns]
    centre = (frame.top + side / 2, frame.left + side / 2)
    blob = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * (side / 8) ** 2)).astype(np.float32)
    back = frame.back(resample(blob, frame, 256))
    assert back.shape == (rows, columns)
    # At the edge of the picture and of the square, pixels are mixed with the nothing outside.
    edge = np.minimum.reduce([y, x, rows - 1 - y, columns - 1 - x])
    margin = np.minimum.reduce([y - frame.top, x - frame.left, frame.top + side - y, frame.left + side - x])
    assert np.abs(back - blob)[(edge >= 2) & (margin >= 3)].max(initial=0) < 0.06


@pytest.mark.parametrize(("rows", "columns", "ratio"), [(1000, 700, 1.0), (2000, 400, 1.0), (512, 80, 6.0)])
def test_what_is_seen_of_a_picture_that_is_shrunk_by_broken_steps_lies_where_its_map_is_put(
    rows: int, columns: int, ratio: float
) -> None:
    frame = find_frame(np.zeros((rows, columns)), np.ones((rows, columns), np.bool_), ratio)
    low = np.zeros((rows, columns), np.float32)
    low[-rows // 10 :] = 1
    seen = resample(low, frame, 256)[:, 128]
    down = frame.height / 256
    # The first row that is more lit than not, against where the frame says that row of the picture lies.
    assert abs(int((seen > 0.5).argmax()) - (0.9 * rows - frame.top) / down) < 1


def test_without_an_outline_the_whole_picture_is_taken() -> None:
    frame = find_frame(np.full((100, 140), 7, np.uint8))
    assert (frame.side, frame.top, frame.left) == (140, -20, 0)
