import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from braintumor_desktop.domain.measurements import area_mm2, diameters


def disc(radius: float, size: int = 101) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] - size // 2
    return rows**2 + columns**2 <= radius**2


def test_an_empty_mask_has_no_diameter() -> None:
    assert diameters(np.zeros((5, 5), bool)) is None


def test_a_single_pixel_measures_one_pixel() -> None:
    mask = np.zeros((5, 5), bool)
    mask[2, 3] = True
    found = diameters(mask)
    assert found is not None
    assert found.longest.length_px == pytest.approx(1)
    assert found.perpendicular.length_px == pytest.approx(1)
    assert found.longest.length_mm is None


def test_a_rectangle_measures_from_side_middle_to_side_middle_of_opposite_corner_pixels() -> None:
    mask = np.zeros((50, 60), bool)
    mask[10:20, 5:35] = True
    found = diameters(mask)
    assert found is not None
    assert found.longest.length_px == pytest.approx((9**2 + 30**2) ** 0.5)
    # At right angles to it, the widest chord between the long sides: 10 / cos(atan(9 / 30)).
    assert found.perpendicular.length_px == pytest.approx(10 / np.cos(np.arctan(9 / 30)))


@pytest.mark.parametrize("radius", [5, 20, 45])
def test_a_disc_measures_its_diameter_both_ways_within_a_pixel(radius: int) -> None:
    found = diameters(disc(radius))
    assert found is not None
    assert found.longest.length_px == pytest.approx(2 * radius + 1, abs=1)
    assert found.perpendicular.length_px == pytest.approx(2 * radius + 1, abs=1)


@pytest.mark.parametrize("spacing", [0.5, 1.6])
@pytest.mark.parametrize("flatness", [1.0, 0.6])
def test_ellipses_anywhere_between_pixels_measure_true_on_the_mean_within_three_quarters_of_a_pixel(
    spacing: float, flatness: float
) -> None:
    rng = np.random.default_rng(0)
    off = []
    for _ in range(40):
        rows, columns = np.mgrid[:80, :80]
        row, column = 40 + rng.uniform(-0.5, 0.5, 2)
        turn = rng.uniform(0, np.pi)
        along = (columns - column) * np.cos(turn) + (rows - row) * np.sin(turn)
        across = (rows - row) * np.cos(turn) - (columns - column) * np.sin(turn)
        found = diameters((along * spacing / 14) ** 2 + (across * spacing / 14 / flatness) ** 2 < 1, (spacing, spacing))
        assert found is not None
        assert found.longest.length_mm is not None
        assert found.perpendicular.length_mm is not None
        off.append((found.longest.length_mm - 28, found.perpendicular.length_mm - 28 * flatness))
    assert np.abs(np.mean(off, axis=0)).max() < 0.9 * spacing
    assert np.abs(np.mean(off, axis=0)).mean() < 0.75 * spacing


def test_unequal_spacing_decides_which_way_is_longest() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:20, 10:25] = True  # 10 rows of 3 mm are longer than 15 columns of 1 mm
    found = diameters(mask, (3.0, 1.0))
    assert found is not None
    assert found.longest.length_mm == pytest.approx((30**2 + 14**2) ** 0.5)
    direction = np.subtract(found.longest.end, found.longest.start) * (3.0, 1.0)
    across = np.subtract(found.perpendicular.end, found.perpendicular.start) * (3.0, 1.0)
    assert direction @ across == pytest.approx(0, abs=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_any_mask_agrees_with_scipy_hull_and_keeps_turned_and_mirrored(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((int(rng.integers(2, 14)), int(rng.integers(2, 14)))) < 0.3
    mask[0, 0] = True
    found = diameters(mask)
    assert found is not None
    rows, columns = np.nonzero(mask)
    corners = np.array(
        [
            (r + a, c + b)
            for r, c in zip(rows, columns, strict=True)
            for a, b in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5))
        ]
    )
    hull = corners[ConvexHull(corners).vertices]
    assert found.longest.length_px == pytest.approx(pdist(hull).max())
    assert found.perpendicular.length_px <= found.longest.length_px + 1e-9
    for same in (np.rot90(mask), mask[::-1], mask[:, ::-1]):
        again = diameters(np.ascontiguousarray(same))
        assert again is not None
        assert again.longest.length_px == pytest.approx(found.longest.length_px)


def test_area_needs_spacing() -> None:
    assert area_mm2(10, None) is None
    assert area_mm2(10, (0.5, 2.0)) == 10.0
