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


def test_a_single_pixel_measures_its_diagonal() -> None:
    mask = np.zeros((5, 5), bool)
    mask[2, 3] = True
    found = diameters(mask)
    assert found is not None
    assert found.longest.length_px == pytest.approx(2**0.5)
    assert found.perpendicular.length_px == pytest.approx(2**0.5)
    assert found.longest.length_mm is None


def test_a_rectangle_measures_its_diagonal() -> None:
    mask = np.zeros((50, 60), bool)
    mask[10:20, 5:35] = True
    found = diameters(mask)
    assert found is not None
    assert found.longest.length_px == pytest.approx((10**2 + 30**2) ** 0.5)
    # At right angles to the diagonal, the widest chord of a 10 x 30 rectangle: 10 / cos(atan(10 / 30)).
    assert found.perpendicular.length_px == pytest.approx(10 / np.cos(np.arctan(10 / 30)))


@pytest.mark.parametrize("radius", [5, 20, 45])
def test_a_disc_measures_its_diameter_both_ways_within_a_pixel_and_a_half(radius: int) -> None:
    found = diameters(disc(radius))
    assert found is not None
    assert found.longest.length_px == pytest.approx(2 * radius + 1, abs=1.5)
    assert found.perpendicular.length_px == pytest.approx(2 * radius + 1, abs=1.5)


def test_unequal_spacing_decides_which_way_is_longest() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:20, 10:25] = True  # 10 rows of 3 mm are longer than 15 columns of 1 mm
    found = diameters(mask, (3.0, 1.0))
    assert found is not None
    assert found.longest.length_mm == pytest.approx((30**2 + 15**2) ** 0.5)
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
        [(r + a, c + b) for r, c in zip(rows, columns, strict=True) for a in (-0.5, 0.5) for b in (-0.5, 0.5)]
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
