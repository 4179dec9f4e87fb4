"""Areas and diameters of a lesion outline, in pixels and, where spacing is known, in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]


@dataclass(frozen=True)
class Diameter:
    """A straight calliper across a lesion.

    start, end: (row, column) in pixel coordinates, pixel centres at whole numbers;
    length_px: Euclidean length in pixels; length_mm: with the pixel spacing, None where unknown.
    """

    start: Point
    end: Point
    length_px: float
    length_mm: float | None


@dataclass(frozen=True)
class Diameters:
    """Longest diameter and the longest one perpendicular to it, on the same slice (RANO, RECIST 1.1)."""

    longest: Diameter
    perpendicular: Diameter


def area_mm2(area_px: int, spacing_mm: tuple[float, float] | None) -> float | None:
    """Area in mm² of `area_px` pixels, None where the spacing is unknown."""
    return None if spacing_mm is None else area_px * spacing_mm[0] * spacing_mm[1]


def diameters(mask: NDArray[np.bool_], spacing_mm: tuple[float, float] | None = None) -> Diameters | None:
    """Longest and longest perpendicular diameter of one connected lesion.

    mask: (rows, columns). Its edge runs through the middles of the sides of its outermost pixels, as contours at half
    height do (marching squares): hulls of whole pixels measure a disc too long by more than a pixel, these by half one.
    The longest diameter is the greatest distance between two corners of the edge's convex hull; the
    perpendicular is the widest extent of the hull at right angles to it, drawn through the chord where
    the hull is widest (RANO 2010 bidimensional measurement, J Clin Oncol 28:1963). Lengths and right
    angles are taken in millimetres where the spacing is known. None for an empty mask.
    """
    if not mask.any():
        return None
    scale = np.array(spacing_mm if spacing_mm is not None else (1.0, 1.0))
    hull = _convex_hull(_edge(mask) * scale)
    distances = np.linalg.norm(hull[:, None] - hull[None, :], axis=2)
    first, second = np.unravel_index(int(distances.argmax()), distances.shape)
    start, end = hull[first], hull[second]
    axis = (end - start) / np.linalg.norm(end - start)
    low, high = _widest_chord(hull, start, axis)
    return Diameters(_diameter(start, end, scale, spacing_mm), _diameter(low, high, scale, spacing_mm))


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Outer side middles of the first and last pixel of every row and column. (n, 2) row, column."""
    return np.array(_ends(mask) + [(r, c) for c, r in _ends(mask.T)], np.float64)


def _ends(mask: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """(row, where its first pixel begins) and (row, where its last one ends) of every row that has any."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1) - 0.5
    last = mask.shape[1] - mask[rows, ::-1].argmax(axis=1) - 0.5
    return [(float(r), float(c)) for ends in (first, last) for r, c in zip(rows, ends, strict=True)]


def _convex_hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convex hull by Andrew's monotone chain, (n, 2) in counter-clockwise order."""
    ordered = sorted({(float(a), float(b)) for a, b in points})

    def half(sequence: list[Point]) -> list[Point]:
        chain: list[Point] = []
        for p in sequence:
            while len(chain) >= 2 and _turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def _turn(o: Point, a: Point, b: Point) -> float:
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])


def _widest_chord(
    hull: NDArray[np.float64], origin: NDArray[np.float64], axis: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The longest chord of the hull at right angles to `axis`.

    Chord length along the axis is concave and piecewise linear, so its greatest value is at a corner.
    """
    normal = np.array([-axis[1], axis[0]])
    along, across = (hull - origin) @ axis, (hull - origin) @ normal
    best: tuple[float, float, float, float] = (-1.0, 0.0, 0.0, 0.0)
    following = np.roll(np.arange(len(hull)), -1)
    for position in along:
        crossings: list[float] = []
        for a, b, u, v in zip(along, along[following], across, across[following], strict=True):
            if min(a, b) - 1e-9 <= position <= max(a, b) + 1e-9:
                crossings += [u, v] if abs(b - a) < 1e-9 else [u + (v - u) * (position - a) / (b - a)]
        low, high = min(crossings), max(crossings)
        best = max(best, (high - low, float(position), low, high))
    _, position, low, high = best
    return origin + position * axis + low * normal, origin + position * axis + high * normal


def _diameter(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    scale: NDArray[np.float64],
    spacing_mm: tuple[float, float] | None,
) -> Diameter:
    a, b = start / scale, end / scale
    return Diameter(
        (float(a[0]), float(a[1])),
        (float(b[0]), float(b[1])),
        float(np.linalg.norm(b - a)),
        None if spacing_mm is None else float(np.linalg.norm(end - start)),
    )
