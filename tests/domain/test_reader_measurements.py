"""Measurements by hand against hand-computed cases and SciPy; invariant under flips and turns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from braintumor_desktop.domain.reader_measurements import (
    MeasurementHistory,
    MeasurementKind,
    ReaderMeasurement,
    Values,
    bidimensional,
    inside,
    measure,
)
from braintumor_desktop.imaging.turning import Turn

PIXELS = np.random.default_rng(5).integers(0, 4000, (40, 50)).astype(np.uint16)
Point = tuple[float, float]


def of(kind: MeasurementKind, *points: Point) -> ReaderMeasurement:
    return ReaderMeasurement(kind, 0, points)


def test_a_length_is_in_millimetres_where_spacing_is_known_and_in_pixels_where_not() -> None:
    line = of(MeasurementKind.LENGTH, (10.0, 10.0), (13.0, 14.0))
    assert measure(line, PIXELS, None) == Values(lengths_px=(5.0,))
    values = measure(line, PIXELS, (2.0, 0.5))
    assert values.lengths_px == (5.0,)
    assert values.lengths_mm == pytest.approx((math.hypot(6, 2),))


def test_an_angle_is_measured_in_millimetres_where_pixels_are_not_square() -> None:
    corner = of(MeasurementKind.ANGLE, (0.0, 10.0), (10.0, 10.0), (0.0, 20.0))
    assert measure(corner, PIXELS, None).degrees == pytest.approx(45.0)
    assert measure(corner, PIXELS, (1.0, math.sqrt(3))).degrees == pytest.approx(60.0)
    straight = of(MeasurementKind.ANGLE, (5.0, 0.0), (5.0, 10.0), (5.0, 20.0))
    assert measure(straight, PIXELS, None).degrees == pytest.approx(180.0)


@given(
    st.lists(st.tuples(st.floats(-5, 45), st.floats(-5, 55)), min_size=3, max_size=12),
)
def test_freehand_regions_hold_the_pixels_that_the_outline_goes_round(points: list[Point]) -> None:
    jittered = [(r + 0.00137, c + 0.00071) for r, c in points]  # on an edge either answer is right
    ours = inside(of(MeasurementKind.FREEHAND, *jittered), (40, 50))
    row, column = np.indices((40, 50))
    corners = [(r - row) + 1j * (c - column) for r, c in jittered]
    ends = [*corners[1:], corners[0]]
    turned = sum(np.angle(end * start.conjugate()) for start, end in zip(corners, ends, strict=True))
    theirs = np.abs(turned) > np.pi  # by whole turns, or not at all
    near = ndimage.binary_dilation(_edge(jittered), iterations=1)
    np.testing.assert_array_equal(ours[~near], theirs[~near])


def _edge(points: list[Point]) -> np.ndarray:
    """Pixels within about a thousandth of the outline, where rounding may decide."""
    mask = np.zeros((40, 50), bool)
    for (r0, c0), (r1, c1) in zip(points, [*points[1:], points[0]], strict=True):
        steps = 1 + int(200 * max(abs(r1 - r0), abs(c1 - c0)))
        rows, columns = np.linspace(r0, r1, steps), np.linspace(c0, c1, steps)
        close = (np.abs(rows - np.round(rows)) < 0.01) & (np.abs(columns - np.round(columns)) < 0.01)
        for r, c in zip(np.round(rows[close]).astype(int), np.round(columns[close]).astype(int), strict=True):
            if 0 <= r < 40 and 0 <= c < 50:
                mask[r, c] = True
    return mask


def test_an_ellipse_has_the_mean_spread_and_area_that_scipy_and_geometry_give() -> None:
    shape = of(MeasurementKind.ELLIPSE, (5.0, 8.0), (25.0, 38.0))
    row, column = np.indices(PIXELS.shape)
    label = (((row - 15) / 10) ** 2 + ((column - 23) / 15) ** 2 <= 1).astype(int)
    values = measure(shape, PIXELS, (0.5, 0.8))
    assert values.mean == pytest.approx(float(ndimage.mean(PIXELS, label, 1)))
    assert values.sd == pytest.approx(float(ndimage.standard_deviation(PIXELS, label, 1)))
    assert values.pixels == label.sum()
    assert values.area_px == pytest.approx(math.pi * 10 * 15)
    assert values.area_mm2 == pytest.approx(math.pi * 10 * 15 * 0.4)


def test_a_freehand_square_has_its_area_and_the_grey_values_in_it() -> None:
    square = of(MeasurementKind.FREEHAND, (9.5, 9.5), (9.5, 19.5), (19.5, 19.5), (19.5, 9.5))
    values = measure(square, PIXELS, (2.0, 2.0))
    part = PIXELS[10:20, 10:20].astype(float)
    assert (values.area_px, values.area_mm2, values.pixels) == (100.0, 400.0, 100)
    assert values.mean == pytest.approx(part.mean())
    assert values.sd == pytest.approx(part.std())


def test_the_area_of_an_outline_that_crosses_itself_is_that_of_its_pixels() -> None:
    eight = of(MeasurementKind.FREEHAND, (9.5, 9.5), (29.5, 29.5), (29.5, 9.5), (9.5, 29.5))
    values = measure(eight, PIXELS, (2.0, 0.5))
    assert values.pixels == pytest.approx(200, abs=20)  # half a pixel a row and edge
    assert (values.area_px, values.area_mm2) == (values.pixels, values.pixels)
    angles = np.linspace(0, 3 * np.pi, 90)  # one and a half times round
    circle = [(19.6 + 10 * math.sin(a), 24.7 + 10 * math.cos(a)) for a in angles]
    assert measure(of(MeasurementKind.FREEHAND, *circle), PIXELS, None).area_px == pytest.approx(100 * math.pi, abs=10)
    narrow = of(MeasurementKind.FREEHAND, (9.1, 5.0), (9.1, 45.0), (9.9, 45.0), (9.9, 5.0))
    assert measure(narrow, PIXELS, None).area_px == pytest.approx(32.0)  # between two rows: no pixels, but an area


def test_a_region_outside_of_the_picture_has_an_area_and_no_grey_values() -> None:
    values = measure(of(MeasurementKind.ELLIPSE, (-30.0, -30.0), (-20.0, -10.0)), PIXELS, None)
    assert (values.mean, values.sd, values.pixels) == (None, None, 0)
    assert values.area_px == pytest.approx(math.pi * 5 * 10)


points = st.tuples(st.floats(-50, 50), st.floats(-50, 50))
spacings = st.one_of(st.none(), st.tuples(st.floats(0.2, 5), st.floats(0.2, 5)))


@given(points, points, st.integers(0, 3), points, spacings)
def test_the_perpendicular_stays_perpendicular_however_its_ends_are_dragged(
    start: Point, end: Point, handle: int, place: Point, spacing: tuple[float, float] | None
) -> None:
    if math.dist(start, end) < 1 or (handle < 2 and math.dist(place, (start, end)[1 - handle]) < 1):
        return
    made = bidimensional(0, start, end, spacing, "As acquired").with_handle(handle, place, spacing)
    scaled = np.array(made.points) * np.array(spacing or (1.0, 1.0))
    longest, across = scaled[1] - scaled[0], scaled[3] - scaled[2]
    size = np.linalg.norm(longest) * np.linalg.norm(across)
    assert abs(longest @ across) <= 1e-6 * max(size, 1.0)
    if handle < 2:
        assert made.points[handle] == pytest.approx(place)


@given(st.sampled_from(list(MeasurementKind)), st.booleans(), st.integers(0, 3))
def test_flips_and_turns_of_the_picture_change_no_measurement(
    kind: MeasurementKind, mirrored: bool, quarters: int
) -> None:
    """The picture, its spacing and the points turned together."""
    turn, spacing = Turn(mirrored, quarters), (0.7, 1.3)
    drawn = {
        MeasurementKind.LENGTH: of(kind, (4.0, 6.0), (21.5, 30.25)),
        MeasurementKind.BIDIMENSIONAL: bidimensional(0, (4.0, 6.0), (21.5, 30.25), spacing, "As acquired"),
        MeasurementKind.ANGLE: of(kind, (4.0, 6.0), (21.5, 30.25), (30.0, 3.0)),
        MeasurementKind.ELLIPSE: of(kind, (4.3, 6.2), (21.5, 30.25)),
        MeasurementKind.FREEHAND: of(kind, (4.3, 6.2), (21.5, 30.25), (30.1, 3.3), (12.7, 8.1)),
    }[kind]
    centre = (PIXELS.shape[0] - 1) / 2, (PIXELS.shape[1] - 1) / 2
    (a, b), (c, d) = turn.matrix
    laid = turn.apply(PIXELS)
    new_centre = (laid.shape[0] - 1) / 2, (laid.shape[1] - 1) / 2
    moved = [
        (
            new_centre[0] + c * (q - centre[1]) + d * (p - centre[0]),
            new_centre[1] + a * (q - centre[1]) + b * (p - centre[0]),
        )
        for p, q in drawn.points
    ]
    turned_spacing = spacing[::-1] if turn.lies_across else spacing
    before = measure(drawn, PIXELS, spacing)
    after = measure(ReaderMeasurement(kind, 0, tuple(moved)), laid, turned_spacing)
    assert after.lengths_mm == (None if before.lengths_mm is None else pytest.approx(before.lengths_mm))
    for name in ("degrees", "area_mm2", "mean", "sd", "pixels"):
        expected = getattr(before, name)
        assert getattr(after, name) == (None if expected is None else pytest.approx(expected))


def test_each_corner_of_an_ellipse_moves_its_two_sides() -> None:
    shape = of(MeasurementKind.ELLIPSE, (10.0, 10.0), (20.0, 30.0))
    for handle in range(4):
        opposite = shape.handles[(handle + 2) % 4]
        changed = shape.with_handle(handle, (15.0, 17.0))
        assert (15.0, 17.0) in changed.handles
        assert opposite in changed.handles


def test_an_outline_gives_way_around_the_vertex_that_is_pulled() -> None:
    circle = [(20 + 10 * math.sin(a), 20 + 10 * math.cos(a)) for a in np.linspace(0, 2 * math.pi, 48, endpoint=False)]
    pulled = of(MeasurementKind.FREEHAND, *circle).with_handle(0, (20.0, 36.0))
    shifts = [math.dist(p, q) for p, q in zip(circle, pulled.points, strict=True)]
    assert shifts[0] == pytest.approx(6.0)
    assert shifts[0] > shifts[1] > shifts[2] > 0
    assert max(shifts[6:-5]) == 0


def test_undo_and_redo_walk_through_what_was_measured() -> None:
    one, two = of(MeasurementKind.LENGTH, (0.0, 0.0), (1.0, 1.0)), of(MeasurementKind.LENGTH, (0.0, 0.0), (2.0, 2.0))
    history = MeasurementHistory()
    history.change([one])
    history.change([one, two])
    history.undo()
    assert history.current == (one,)
    history.undo()
    assert (history.current, history.can_undo) == ((), False)
    history.redo()
    history.redo()
    assert (history.current, history.can_redo) == ((one, two), False)
    history.undo()
    history.change([two])
    history.redo()
    assert history.current == (two,)


@pytest.mark.parametrize("kind", [MeasurementKind.ELLIPSE, MeasurementKind.FREEHAND])
def test_a_region_costs_what_it_covers_however_large_the_picture_is(kind: MeasurementKind) -> None:
    corners = [(9.5, 9.5), (19.5, 19.5)] if kind is MeasurementKind.ELLIPSE else [(9.5, 9.5), (9.5, 19.5), (19.5, 9.5)]
    expected = measure(of(kind, *corners), np.full((40, 50), 7, np.uint16), None)
    assert expected.pixels
    huge = np.broadcast_to(np.uint16(7), (10**6, 10**6))  # a mask of it fits into no memory
    assert measure(of(kind, *corners), huge, None) == expected
