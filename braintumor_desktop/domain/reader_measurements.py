"""What a reader measures by hand on a slice: lengths, angles and regions, each with handles to change it by.

Points are (row, column), pixel centres at whole numbers. Lengths and angles are taken in millimetres where the pixel
spacing is known, because pixels need not be square.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.measurements import Point
from braintumor_desktop.domain.phrases import phrase

Spacing = tuple[float, float] | None
ACQUIRED = "As acquired"


class MeasurementKind(StrEnum):
    """The value is the title."""

    LENGTH = phrase("Length")
    BIDIMENSIONAL = phrase("Bidimensional")
    ANGLE = phrase("Angle")
    ELLIPSE = phrase("Ellipse")
    FREEHAND = phrase("Freehand region")


@dataclass(frozen=True)
class ReaderMeasurement:
    """One measurement on one slice.

    points: two ends of a length; both ends of the longest diameter and then of the perpendicular; the three points
    of an angle, its vertex second; two opposite corners of the box around an ellipse; the outline of a region.
    plane: the view it was drawn on, a `Plane` of `imaging.reformat` in words.
    """

    kind: MeasurementKind
    slice_index: int
    points: tuple[Point, ...]
    plane: str = ACQUIRED

    @property
    def handles(self) -> tuple[Point, ...]:
        """Where it can be taken hold of."""
        if self.kind is not MeasurementKind.ELLIPSE:
            return self.points
        (top, left), (bottom, right) = self.points
        return (top, left), (top, right), (bottom, right), (bottom, left)

    def shifted(self, rows: float, columns: float) -> ReaderMeasurement:
        return replace(self, points=tuple((r + rows, c + columns) for r, c in self.points))

    def with_handle(self, index: int, place: Point, spacing: Spacing = None) -> ReaderMeasurement:
        """With one handle elsewhere. The perpendicular stays perpendicular; an outline gives way smoothly."""
        points = list(self.points)
        match self.kind:
            case MeasurementKind.ELLIPSE:
                (top, left), (bottom, right) = points
                row, column = place
                top, bottom = (row, bottom) if index in (0, 1) else (top, row)
                left, right = (column, right) if index in (0, 3) else (left, column)
                points = [(top, left), (bottom, right)]
            case MeasurementKind.BIDIMENSIONAL:
                points = _with_calliper(points, index, place, _scale(spacing))
            case MeasurementKind.FREEHAND:
                points = _pulled(points, index, place)
            case _:
                points[index] = place
        return replace(self, points=tuple(points))


@dataclass(frozen=True)
class Values:
    """What a measurement comes to; None is what its kind does not have, or millimetres that are not known.

    lengths_px, lengths_mm: one, or longest and perpendicular; degrees: 0 to 180;
    mean, sd, pixels: of the grey values whose pixel centres lie inside; sd is the population's (divided by n).
    """

    lengths_px: tuple[float, ...] = ()
    lengths_mm: tuple[float, ...] | None = None
    degrees: float | None = None
    area_px: float | None = None
    area_mm2: float | None = None
    mean: float | None = None
    sd: float | None = None
    pixels: int | None = None


def bidimensional(slice_index: int, start: Point, end: Point, spacing: Spacing, plane: str) -> ReaderMeasurement:
    """A longest diameter with a first perpendicular of half its length through its middle."""
    scale = _scale(spacing)
    a, b = np.array(start) * scale, np.array(end) * scale
    normal = np.array([-(b - a)[1], (b - a)[0]]) / 4
    across = [(float(p[0]), float(p[1])) for p in (((a + b) / 2 + normal) / scale, ((a + b) / 2 - normal) / scale)]
    return ReaderMeasurement(MeasurementKind.BIDIMENSIONAL, slice_index, (start, end, across[0], across[1]), plane)


def measure(measurement: ReaderMeasurement, pixels: NDArray[Any], spacing: Spacing) -> Values:
    """pixels: (rows, columns), the plane it was drawn on; spacing: (between rows, between columns) in mm, or None."""
    points = np.array(measurement.points, dtype=np.float64)
    match measurement.kind:
        case MeasurementKind.ANGLE:
            return Values(degrees=_degrees(points * _scale(spacing)))
        case MeasurementKind.ELLIPSE | MeasurementKind.FREEHAND:
            return _region(measurement, points, pixels, spacing)
    ends = points.reshape(-1, 2, 2)
    lengths = tuple(float(v) for v in np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1))
    if spacing is None:
        return Values(lengths_px=lengths)
    in_mm = np.linalg.norm((ends[:, 1] - ends[:, 0]) * _scale(spacing), axis=1)
    return Values(lengths_px=lengths, lengths_mm=tuple(float(v) for v in in_mm))


def inside(measurement: ReaderMeasurement, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels (rows, columns) whose centres lie in a region. A freehand outline is closed; in it is all that it goes
    round (winding number not 0), however often it crosses itself.
    """
    whole = np.zeros(shape, np.bool_)
    box = _box(measurement, shape)
    whole[box] = _inside_box(measurement, *box)
    return whole


def _box(measurement: ReaderMeasurement, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns that a region can reach, so that a small one on a large picture costs little."""
    rows, columns = (
        slice(*np.clip((math.floor(min(along)), math.ceil(max(along)) + 1), 0, size).tolist())
        for along, size in zip(zip(*measurement.points, strict=True), shape, strict=True)
    )
    return rows, columns


def _inside_box(measurement: ReaderMeasurement, rows: slice, columns: slice) -> NDArray[np.bool_]:
    if measurement.kind is MeasurementKind.ELLIPSE:
        (r0, c0), (r1, c1) = measurement.points
        row, column = np.ogrid[rows, columns]
        height, width = max(abs(r1 - r0) / 2, 1e-9), max(abs(c1 - c0) / 2, 1e-9)
        down, across = (row - (r0 + r1) / 2) / height, (column - (c0 + c1) / 2) / width
        return np.asarray(down**2 + across**2 <= 1.0)
    crossings = np.zeros((rows.stop - rows.start, columns.stop - columns.start + 1), np.int32)
    ends = (*measurement.points[1:], measurement.points[0])
    for (r0, c0), (r1, c1) in zip(measurement.points, ends, strict=True):
        low, high = sorted((r0, r1))
        row = np.arange(max(rows.start, math.ceil(low)), min(rows.stop, math.ceil(high)))  # low <= row < high
        if row.size:
            at = np.ceil(c0 + (row - r0) * (c1 - c0) / (r1 - r0))
            place = np.clip(at, columns.start, columns.stop).astype(int) - columns.start
            np.add.at(crossings, (row - rows.start, place), 1 if r1 > r0 else -1)
    return np.asarray(np.cumsum(crossings[:, :-1], axis=1) != 0)


class MeasurementHistory:
    """The measurements of one case, with what they were before."""

    def __init__(self, current: Sequence[ReaderMeasurement] = ()) -> None:
        self.current = tuple(current)
        self._past: list[tuple[ReaderMeasurement, ...]] = []
        self._future: list[tuple[ReaderMeasurement, ...]] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def change(self, measurements: Sequence[ReaderMeasurement]) -> None:
        """What is true from now on; whatever was undone before is gone."""
        if tuple(measurements) != self.current:
            self._past.append(self.current)
            self._future.clear()
            self.current = tuple(measurements)

    def undo(self) -> None:
        if self._past:
            self._future.append(self.current)
            self.current = self._past.pop()

    def redo(self) -> None:
        if self._future:
            self._past.append(self.current)
            self.current = self._future.pop()


def _scale(spacing: Spacing) -> NDArray[np.float64]:
    return np.array(spacing if spacing is not None else (1.0, 1.0))


def _degrees(points: NDArray[np.float64]) -> float:
    one, other = points[0] - points[1], points[2] - points[1]
    cross = one[0] * other[1] - one[1] * other[0]
    return float(np.degrees(np.arctan2(abs(cross), one @ other)))


def _region(
    measurement: ReaderMeasurement, points: NDArray[np.float64], pixels: NDArray[Any], spacing: Spacing
) -> Values:
    """Area of the drawn shape itself (ellipse: π a b, outline: shoelace formula), grey values of the pixels in it.

    Of an outline that crosses itself the formula counts parts twice or not: there the area is that of these pixels.
    """
    box = _box(measurement, (pixels.shape[0], pixels.shape[1]))
    values = pixels[box][_inside_box(measurement, *box)].astype(np.float64)
    if measurement.kind is MeasurementKind.ELLIPSE:
        area = math.pi / 4 * float(np.prod(np.abs(points[1] - points[0])))
    else:
        r, c = points.T
        area = 0.5 * abs(float(r @ np.roll(c, -1) - c @ np.roll(r, -1)))
        length = float(np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1).sum())
        in_picture = bool(((points >= -0.5) & (points <= np.array(pixels.shape) - 0.5)).all())
        # Without a crossing the two differ by less than half a pixel for each pixel of the outline.
        if in_picture and abs(area - values.size) > 0.05 * values.size + length / 2:
            area = float(values.size)
    area_mm2 = None if spacing is None else area * spacing[0] * spacing[1]
    if not values.size:
        return Values(area_px=area, area_mm2=area_mm2, pixels=0)
    mean, sd = float(values.mean()), float(values.std())
    return Values(area_px=area, area_mm2=area_mm2, mean=mean, sd=sd, pixels=values.size)


def _with_calliper(points: list[Point], index: int, place: Point, scale: NDArray[np.float64]) -> list[Point]:
    a, b, c, d = (np.array(p) * scale for p in points)

    def frame(start: NDArray[np.float64], end: NDArray[np.float64]) -> tuple[Any, Any, float]:
        length = max(float(np.linalg.norm(end - start)), 1e-9)
        axis = (end - start) / length
        return axis, np.array([-axis[1], axis[0]]), length

    axis, normal, length = frame(a, b)
    along, sides = float((c - a) @ axis) / length, [float((c - a) @ normal), float((d - a) @ normal)]
    target = np.array(place) * scale
    if index < 2:
        a, b = (target, b) if index == 0 else (a, target)
        axis, normal, length = frame(a, b)
    else:
        along = min(max(float((target - a) @ axis) / length, 0.0), 1.0)
        sides[index - 2] = float((target - a) @ normal)
    c, d = (a + along * length * axis + side * normal for side in sides)
    return [(float(p[0]), float(p[1])) for p in (a / scale, b / scale, c / scale, d / scale)]


def _pulled(points: list[Point], index: int, place: Point) -> list[Point]:
    """One vertex moves, its neighbours with it, less and less along an eighth of the outline to either side."""
    count = len(points)
    reach = max(1, count // 8)
    by = place[0] - points[index][0], place[1] - points[index][1]
    moved = []
    for i, (row, column) in enumerate(points):
        apart = min((i - index) % count, (index - i) % count)
        share = 0.5 + 0.5 * math.cos(math.pi * apart / reach) if apart < reach else 0.0
        moved.append((row + share * by[0], column + share * by[1]))
    return moved
