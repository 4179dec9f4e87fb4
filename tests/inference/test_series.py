"""What joins slices to a series, on masks and numbers made by hand. The network is in test_series_analysis."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage

from braintumor_desktop.domain.byte_maps import ByteMaps
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.inference.lesions import (
    join,
    keep_only,
    measure_lesion,
    outline_box,
    support,
    volume_ml,
    worth_keeping,
)
from braintumor_desktop.inference.planes import Volume, lay_grid, resample_to, straight_grid, tilt
from braintumor_desktop.inference.preprocess import Frame
from braintumor_desktop.inference.series import (
    NO_TUMOR,
    Candidate,
    Standing,
    choose_key_slices,
    has_head,
    judge,
    pool,
    series_probabilities,
    smoothed_maps,
    sought_class,
    suspicious_run,
)
from braintumor_desktop.inference.series_reading import named_slices
from braintumor_desktop.inference.slice_axis import extents, positions, smooth, smoothing_weights

NONE, TUMOR = np.array([0.02, 0.02, 0.01, 0.95]), np.array([0.9, 0.03, 0.02, 0.05])


def geometry(spacing: float = 1.0, pixel: float = 1.0, tilt_degrees: float = 0.0) -> Geometry:
    """Axial slices, turned about the patient's right-left axis."""
    angle = np.radians(tilt_degrees)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-pixel, -pixel, spacing])
    affine[:3, 3] = (10.0, 20.0, -30.0)
    return Geometry((pixel, pixel), spacing, ("L", "P"), affine)


def ball(shape: tuple[int, int, int], center: tuple[float, float, float], radius: float, spacing: float) -> np.ndarray:
    z, y, x = np.mgrid[: shape[0], : shape[1], : shape[2]].astype(float)
    return ((z - center[0]) * spacing) ** 2 + (y - center[1]) ** 2 + (x - center[2]) ** 2 < radius**2


def test_joined_outlines_are_the_components_that_scipy_finds() -> None:
    mask = scipy.ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(20, 60, 60)), 1.5) > 0.1
    places = np.arange(20) * 5.0  # too far apart for bridges
    structure = np.zeros((3, 3, 3), bool)
    structure[1] = True
    structure[:, 1, 1] = True
    labels, count = scipy.ndimage.label(mask, structure)
    joined = join(mask, places)
    assert len(joined) == count > 1
    assert sorted(int(o.areas.sum()) for o in joined) == sorted(np.bincount(labels.ravel())[1:].tolist())
    biggest = max(joined, key=lambda o: int(o.areas.sum()))
    label = 1 + int(np.bincount(labels.ravel())[1:].argmax())
    assert biggest.center == pytest.approx(scipy.ndimage.center_of_mass(labels == label))
    keep_only(mask, [biggest])
    assert np.array_equal(mask, labels == label)


def test_a_missed_slice_parts_a_lesion_at_five_millimetres_but_not_at_one() -> None:
    mask = ball((30, 40, 40), (15, 20, 20), 8, 1.0)
    mask[15] = False
    assert len(join(mask, np.arange(30) * 1.0)) == 1
    assert len(join(mask, np.arange(30) * 5.0)) == 2
    assert len(join(mask, None)) == 2


def test_a_spot_on_one_slice_counts_where_slices_are_thick_only() -> None:
    mask = np.zeros((10, 64, 64), bool)
    mask[5, 20:30, 20:30] = True
    (spot,) = join(mask, None)
    assert not worth_keeping(spot, geometry(1.0))
    assert not worth_keeping(spot, geometry(3.0))
    assert worth_keeping(spot, geometry(5.0))
    assert worth_keeping(spot, Geometry())
    mask[5] = False
    mask[5, 20:24, 20:24] = True  # 16 mm² × 5 mm is 0.08 ml
    (speck,) = join(mask, None)
    assert not worth_keeping(speck, geometry(5.0))


@pytest.mark.parametrize("spacing", [1.0, 3.0, 6.0])
def test_a_ball_measures_what_a_ball_measures(spacing: float) -> None:
    radius, known = 14.0, geometry(spacing)
    center = (round(30 / spacing), 40.0, 45.0)
    mask = ball((round(60 / spacing), 80, 80), center, radius, spacing)
    (outline,) = join(mask, positions(known, len(mask)))
    lesion = measure_lesion(outline, mask, 0.9, known)
    assert lesion.volume_ml == pytest.approx(4 / 3 * np.pi * radius**3 / 1000, rel=0.03)
    assert lesion.diameters is not None
    # Pixels count as squares: the outline lies up to half a pixel beyond the ball on either side.
    assert lesion.diameters.longest.length_mm == pytest.approx(2 * radius, abs=1.0)
    assert lesion.diameters.perpendicular.length_mm == pytest.approx(2 * radius, abs=1.0)
    assert abs(lesion.key_slice - center[0]) <= 1  # neighbours may have the very same area
    assert known.affine is not None
    assert lesion.center_mm == pytest.approx((known.affine @ [45, 40, center[0], 1])[:3], abs=1e-6)
    assert lesion.measurable is True
    box, corner = outline_box(outline, mask)
    assert box.sum() == mask.sum()
    inside = tuple(slice(c + 1, c + n - 1) for c, n in zip(corner, box.shape, strict=True))
    assert np.array_equal(mask[inside], box[1:-1, 1:-1, 1:-1])


def test_the_pieces_of_a_lesion_name_each_of_its_components_and_no_other() -> None:
    mask = ball((14, 40, 60), (7.0, 20.0, 14.0), 6.0, 1.0) | ball((14, 40, 60), (6.0, 20.0, 44.0), 5.0, 1.0)
    mask[7, 20, 8:20] = False  # parts one slice of the first in two
    first, second = join(mask, np.arange(14.0))
    lesions = [measure_lesion(outline, mask, 0.9, geometry(1.0)) for outline in (first, second)]
    for lesion, own in zip(lesions, (mask & (np.arange(60) < 30), mask & (np.arange(60) >= 30)), strict=True):
        for index in range(14):
            numbered, count = scipy.ndimage.label(own[index], np.ones((3, 3)))
            named = [int(numbered[row, column]) for at, row, column in lesion.pieces if at == index]
            assert sorted(named) == list(range(1, count + 1))


def test_a_lesion_is_measurable_with_ten_millimetres_both_ways_on_two_slices() -> None:
    mask = np.zeros((8, 64, 64), bool)
    mask[3, 10:20, 10:20] = True
    mask[4, 10:20, 10:16] = True  # large enough along, not across
    (outline,) = join(mask, None)
    assert measure_lesion(outline, mask, 0.5, geometry(5.0)).measurable is False
    mask[4, 10:20, 10:20] = True
    (outline,) = join(mask, None)
    assert measure_lesion(outline, mask, 0.5, geometry(5.0)).measurable is True
    unknown = measure_lesion(outline, mask, 0.5, Geometry())
    assert (unknown.measurable, unknown.volume_ml, unknown.center_mm, unknown.area_mm2) == (None, None, None, None)


def test_a_slice_stands_for_half_the_way_to_its_neighbours() -> None:
    uneven = Geometry(pixel_spacing_mm=(1.0, 1.0), slice_positions_mm=(0.0, 3.0, 9.0, 12.0))
    reach = extents(positions(uneven, 4))
    assert reach is not None
    assert reach.tolist() == [3.0, 4.5, 4.5, 3.0]
    assert volume_ml(np.array([0, 1000, 1000, 0]), uneven) == pytest.approx(9.0)
    assert volume_ml(np.array([1, 1]), Geometry(pixel_spacing_mm=(1.0, 1.0))) is None


def test_a_slice_beside_a_hole_does_not_stand_for_it() -> None:
    torn = Geometry(pixel_spacing_mm=(1.0, 1.0), slice_positions_mm=(0.0, 5.0, 10.0, 60.0, 65.0))
    reach = extents(positions(torn, 5))
    assert reach is not None
    assert reach.tolist() == [5.0] * 5


def test_outlines_on_both_sides_of_a_hole_are_two() -> None:
    mask = np.zeros((6, 20, 20), bool)
    mask[1:5, 5:15, 5:15] = True
    assert len(join(mask, np.arange(6) * 5.0)) == 1
    assert len(join(mask, np.array([0.0, 5, 10, 60, 65, 70]))) == 2
    assert len(join(mask, np.array([0.0, 1, 2, 4.5, 5.5, 6.5]))) == 1, "bridged"


def test_smoothing_mixes_near_slices_and_leaves_far_ones_alone() -> None:
    assert smoothing_weights(np.arange(9) * 6.0, 4, 9) == {4: 1.0}
    assert smoothing_weights(None, 4, 9) == {4: 1.0}
    fine = smoothing_weights(np.arange(9) * 1.0, 4, 9)
    assert sum(fine.values()) == pytest.approx(1)
    assert fine[3] == fine[5] > fine[2]
    spike = np.zeros((9, 1))
    spike[4] = 1.0
    assert smooth(spike, np.arange(9) * 1.0)[4, 0] < 0.4
    assert smooth(spike, np.arange(9) * 6.0)[4, 0] == 1.0


def test_smoothed_maps_are_weighted_means_of_their_neighbours_and_skip_slices_without_a_head() -> None:
    frames = [Frame(2.0, 3.0, 32.0, 40, 48)] * 5
    maps: list[np.ndarray | None] = [np.full((64, 64), v, np.float32) for v in (0.0, 0.2, 1.0, 0.4, 0.6)]
    maps[3] = None
    places = np.arange(5) * 1.0
    for index, result in enumerate(smoothed_maps(maps, frames, places)):
        weights = smoothing_weights(places, index, 5)
        expected = sum(w * (0.0 if maps[i] is None else float(maps[i][0, 0])) for i, w in weights.items())
        assert result.shape == (40, 48)
        assert result[20, 20] == pytest.approx(expected, abs=1e-5)
        assert result[0, 0] == 0


def test_dark_slices_without_a_head_at_the_ends_are_left_out_unless_most_are() -> None:
    assert has_head([False, True, True, True], [3, 80, 90, 70]).tolist() == [False, True, True, True]
    assert has_head([False, False, False, True], [3, 80, 90, 70]).all()


def test_slices_that_a_head_fills_count_in_the_middle_and_at_an_end() -> None:
    outlined = [False, True, True, False, True, True, False]
    assert has_head(outlined, [110, 105, 90, 100, 80, 60, 2]).tolist() == [True] * 6 + [False]
    assert has_head([True, False, True, True], [80, 0, 90, 70]).tolist() == [True, False, True, True], "a blank slice"


def test_byte_maps_are_true_to_half_a_step() -> None:
    values = np.random.default_rng(0).random((3, 20, 30)).astype(np.float32)
    maps = ByteMaps.empty(values.shape)
    for index, each in enumerate(values):
        maps.put(index, each)
    assert maps.shape == values.shape
    assert maps.nbytes == values.nbytes // 4
    assert maps[1].dtype == np.float32
    assert np.abs(maps[1] - values[1]).max() <= 0.5 / 255 + 1e-6
    assert np.array_equal(np.asarray(maps)[1], maps[1])


def test_only_volumes_far_from_every_plane_are_resampled() -> None:
    for degrees in (0.0, 20.0, 29.9, -25.0):
        assert straight_grid((10, 20, 30), geometry(2.0, 1.0, degrees)) is None
    assert straight_grid((10, 20, 30), Geometry()) is None
    oblique = straight_grid((10, 20, 30), geometry(2.0, 1.0, 40.0))
    assert oblique is not None
    assert (oblique.degrees, oblique.axis, oblique.grid.spacing_mm) == pytest.approx((40.0, 2, 2.0))
    assert tilt(geometry(2.0, 1.0, 60.0)) == pytest.approx((30.0, 1))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_resampling_puts_every_voxel_where_it_is_in_the_patient(axis: int) -> None:
    """A volume whose grey value is a linear function of the patient's place: interpolation is exact."""
    known, shape = geometry(3.0, 1.5, 35.0), (24, 40, 44)
    assert known.affine is not None
    z, y, x = np.mgrid[: shape[0], : shape[1], : shape[2]].astype(float)
    places = np.stack([x, y, z, np.ones_like(x)], axis=-1) @ known.affine.T
    volume = (places[..., 0] + 2 * places[..., 1] - 3 * places[..., 2] + 500).astype(np.float32)
    grid = lay_grid(known.affine, shape, axis)
    found = resample_to(volume, grid)
    own = known.affine @ grid.to_volume
    s, r, c = (n // 2 for n in grid.shape)
    for step in (-4, 0, 4):
        place = own @ [c + step, r - step, s + step, 1]
        assert found[s + step, r - step, c + step] == pytest.approx(place @ [1, 2, -3, 500], abs=0.05)
    back = Volume(found).slice(12, shape, np.linalg.inv(grid.to_volume))
    assert np.abs(back[10:30, 10:34] - volume[12, 10:30, 10:34]).max() < 0.1
    assert grid.from_volume((12.0, 20.0, 22.0)) == pytest.approx(
        tuple((np.linalg.inv(grid.to_volume) @ [22, 20, 12, 1])[[2, 1, 0]])
    )


def test_pooled_opinions_follow_the_planes_that_are_sure() -> None:
    assert pool([TUMOR, TUMOR, TUMOR]) == pytest.approx(TUMOR)
    sure_not = np.array([0.003, 0.003, 0.003, 0.991])
    assert pool([TUMOR, sure_not, sure_not])[NO_TUMOR] > 0.8
    assert pool([TUMOR, TUMOR, np.array([0.1, 0.1, 0.1, 0.7])])[NO_TUMOR] < 0.3
    assert pool([np.array([1.0, 0, 0, 0]), np.array([0, 0, 0, 1.0])]).sum() == pytest.approx(1)


def one_candidate(
    other_planes: np.ndarray, outlined: bool, own: np.ndarray = TUMOR, radius: float = 6.0, spacing: float = 1.0
) -> Candidate:
    """A ball (radius in mm) that its own slices call a tumour, and what the other planes are made to say."""
    slices = round(90 / spacing)
    mask = ball((slices, 48, 48), (slices // 2, 24, 24), radius, spacing)
    probabilities = np.where(mask.any(axis=(1, 2))[:, None], own, NONE)
    views: list[tuple[int, ...]] = []

    def look(slices: object) -> tuple[np.ndarray, list[np.ndarray]]:
        views.extend(each.shape for each in slices)  # type: ignore[attr-defined]
        shown = [np.full(each.shape, outlined) for each in slices]  # type: ignore[attr-defined]
        return np.tile(other_planes, (3, 1)), shown

    (candidate,) = judge(mask, probabilities, mask.astype(np.uint8), geometry(spacing), look)
    assert len(views) == 6
    return candidate


def test_a_lesion_must_show_in_the_other_planes_at_the_same_place() -> None:
    seen, denied, elsewhere = (one_candidate(*said) for said in ((TUMOR, True), (NONE, True), (TUMOR, False)))
    assert [each.standing for each in (seen, denied, elsewhere)] == [Standing.ACCEPTED, *[Standing.DROPPED] * 2]
    assert [each.planes for each in (seen, denied, elsewhere)] == [3, 3, 3]


def test_a_large_outline_that_only_its_own_slices_call_a_tumour_is_doubted_and_not_dropped() -> None:
    likely, unlikely = np.array([0.8, 0.02, 0.02, 0.16]), np.array([0.7, 0.03, 0.03, 0.24])
    lesion = one_candidate(NONE, outlined=True, own=likely, radius=8.5)
    assert (lesion.standing, lesion.planes) == (Standing.DOUBTED, 3)
    pooled = pool([likely, NONE, NONE])
    assert lesion.probabilities == pytest.approx((likely + pooled) / 2)
    assert pooled[NO_TUMOR] > lesion.probabilities[NO_TUMOR] > likely[NO_TUMOR]
    assert one_candidate(NONE, outlined=True, own=unlikely, radius=8.5).standing is Standing.DROPPED
    untyped = np.array([0.4, 0.2, 0.25, 0.15])
    assert one_candidate(NONE, outlined=True, own=untyped, radius=8.5).standing is Standing.DROPPED
    assert one_candidate(NONE, outlined=True, own=likely, radius=7.5).standing is Standing.DROPPED, "1.8 ml"
    assert one_candidate(NONE, outlined=True, own=likely, radius=9, spacing=9.5).standing is Standing.DROPPED, "9.5 mm"
    assert one_candidate(TUMOR, outlined=True, own=likely, radius=8.5).standing is Standing.ACCEPTED


def test_a_long_outline_of_which_its_own_slices_are_sure_needs_no_other_plane() -> None:
    sure, doubted = np.array([0.9, 0.04, 0.03, 0.03]), np.array([0.83, 0.05, 0.03, 0.09])
    for spacing, radius in ((1.0, 9.0), (5.0, 9.0), (6.5, 8.0)):
        lesion = one_candidate(NONE, outlined=False, own=sure, radius=radius, spacing=spacing)
        assert (lesion.standing, lesion.planes) == (Standing.ACCEPTED, 1)
        assert lesion.probabilities == pytest.approx(sure)
        assert one_candidate(TUMOR, outlined=True, own=sure, radius=radius, spacing=spacing).planes == 3
        denied = one_candidate(NONE, outlined=False, own=doubted, radius=radius, spacing=spacing)
        assert denied.standing is not Standing.ACCEPTED
    for radius, spacing in ((7.0, 1.0), (5.0, 6.5)):  # 13 mm; one slice
        short = one_candidate(NONE, outlined=False, own=sure, radius=radius, spacing=spacing)
        assert short.standing is not Standing.ACCEPTED


@pytest.mark.parametrize(
    "places", [Geometry((1.0, 1.0), 2.0), geometry(2.0)], ids=["no place in the patient", "a slab of 24 mm"]
)
def test_without_other_planes_a_lesion_needs_more_from_its_own(places: Geometry) -> None:
    mask = ball((12, 48, 48), (6, 24, 24), 9, 2.0)

    def never(_slices: object) -> tuple[np.ndarray, list[np.ndarray]]:
        raise AssertionError("no other plane is known")

    for probability, standing in ((0.9, Standing.ACCEPTED), (0.7, Standing.DROPPED)):
        rows = np.tile([probability, 0, 0, 1 - probability], (12, 1))
        (candidate,) = judge(mask, rows, mask.astype(np.uint8), places, never)
        assert candidate.standing is standing


def test_the_series_finding_is_that_of_the_largest_lesion_and_never_of_single_slices() -> None:
    stack = np.array([NONE] * 190 + [TUMOR] * 10)
    seen = np.ones(200, bool)
    mask = ball((30, 48, 48), (15, 24, 24), 8, 1.0)
    (outline,) = join(mask, None)
    assert support(outline, np.arange(30.0)) == pytest.approx(15)
    found = Candidate(outline, TUMOR, TUMOR, 3, Standing.ACCEPTED)
    assert series_probabilities(stack, seen, [found]) == pytest.approx(TUMOR)
    without = series_probabilities(stack, seen, [])
    assert without[NO_TUMOR] > 0.98
    assert without.sum() == pytest.approx(1)
    dropped, harmless = (Candidate(outline, own, NONE, 3, Standing.DROPPED) for own in (TUMOR, NONE))
    assert series_probabilities(stack, seen, [harmless]) == pytest.approx(without)
    tumor = 1 - series_probabilities(stack, seen, [dropped, harmless])[NO_TUMOR]
    mean = 1 - stack.mean(axis=0)[NO_TUMOR]
    assert tumor / (1 - tumor) == pytest.approx(0.3 * mean / (1 - mean))
    assert series_probabilities(np.array([TUMOR, TUMOR]), np.ones(2, bool), []) == pytest.approx(TUMOR)


def test_a_long_run_of_suspicious_slices_is_named() -> None:
    tumor = np.zeros(40)
    tumor[[3, 10, 11, 12]] = 0.9
    tumor[20:34] = 0.8
    assert suspicious_run(tumor, np.arange(40) * 1.0) == (20, 33)
    tumor[20:34] = 0.1
    assert suspicious_run(tumor, np.arange(40) * 1.0) is None
    assert suspicious_run(tumor, np.arange(40) * 5.0) == (10, 12)
    assert suspicious_run(tumor, None) == (10, 12)
    assert suspicious_run(np.zeros(5), None) is None


def test_key_slices_are_the_largest_the_surest_and_the_least_sure() -> None:
    rows = np.array([NONE, [0.25, 0.25, 0.25, 0.25], TUMOR, [0.8, 0.1, 0.05, 0.05]])
    heads = np.array([900, 1000, 1000, 900])
    keys = choose_key_slices(np.array([0, 0, 20, 30]), rows, 0, heads)
    assert (keys.largest, keys.most_confident, keys.most_uncertain) == (3, 2, 1)
    assert choose_key_slices(np.zeros(4, int), rows, NO_TUMOR, heads).largest is None


def test_key_slices_are_not_the_empty_ends_of_a_head() -> None:
    """Air is surely no tumour, and so is the little skin at the vertex: neither is worth looking at first."""
    rows = np.array([[0.0, 0.0, 0.0, 1.0], [0.1, 0.0, 0.0, 0.9], [0.2, 0.0, 0.0, 0.8], [0.01, 0.01, 0.01, 0.97]])
    none = np.zeros(4, int)
    keys = choose_key_slices(none, rows, NO_TUMOR, np.array([0, 900, 1000, 300]))
    assert (keys.most_confident, keys.most_uncertain) == (1, 2)
    noise_at_the_end = np.array([900] * 12 + [9000])
    many = np.vstack([np.tile(rows[1], (11, 1)), rows[3], rows[2]])
    assert choose_key_slices(np.zeros(13, int), many, NO_TUMOR, noise_at_the_end).most_confident == 11
    flat = np.full((2, 4), 0.25)
    assert choose_key_slices(none, np.vstack([flat, rows[2:]]), NO_TUMOR, np.array([0, 0, 9, 9])).most_uncertain == 2
    assert choose_key_slices(none, rows, NO_TUMOR, none).most_confident == 0  # tight crops have no outline anywhere


def test_with_a_lesion_the_most_confident_slice_shows_it() -> None:
    rows = np.array([[0.95, 0.0, 0.0, 0.05], [0.9, 0.0, 0.0, 0.1], [0.8, 0.0, 0.0, 0.2]])
    keys = choose_key_slices(np.array([0, 40, 60]), rows, 0, np.full(3, 1000))
    assert (keys.largest, keys.most_confident) == (2, 1)


def test_a_sentence_names_a_slice_once_and_no_more_than_five() -> None:
    assert named_slices([6, 5, 0, 5, 24]) == "7, 6, 1, 25"
    assert named_slices([6, 5, 0, 5, 24, 3, 2]) == "7, 6, 1, 25, 4 and others"


@pytest.mark.parametrize(
    ("pooled", "sought"),
    [([0.2, 0.25, 0.1, 0.45], 1), ([0.2, 0.2, 0.1, 0.5], NO_TUMOR), ([0.1, 0.1, 0.5, 0.3], 2)],
)
def test_slices_are_sought_for_a_tumour_where_tumours_are_likelier_than_none(pooled: list[float], sought: int) -> None:
    assert sought_class(np.array(pooled)) == sought
