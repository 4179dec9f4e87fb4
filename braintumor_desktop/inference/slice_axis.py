"""Where slices lie along their normal, how far each one reaches, and smoothing between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.study import Geometry

SMOOTHING_MM = 1.5
"""Standard deviation of the Gaussian along the slice axis. Neighbours 1 mm away count nearly in full, those 3 mm away
a little, those 5 mm away not at all: thick slices hold too little in common."""

_NEGLIGIBLE = 0.02


def positions(geometry: Geometry, slices: int) -> NDArray[np.float64] | None:
    """Millimetres along the normal, (slices,); None where they are unknown."""
    if geometry.slice_positions_mm is not None and len(geometry.slice_positions_mm) == slices:
        return np.array(geometry.slice_positions_mm, np.float64)
    if geometry.slice_spacing_mm is not None:
        return np.arange(slices, dtype=np.float64) * np.float64(geometry.slice_spacing_mm)
    return None


HOLE = 2.5
"""Steps that are this many times the usual one or more are holes: more than one slice is missing there."""


def neighbours(places: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each slice and the next have no hole between them, (slices - 1,). places: from `positions`."""
    gaps = np.abs(np.diff(places))
    return np.asarray(gaps < HOLE * np.median(gaps)) if len(gaps) else np.zeros(0, np.bool_)


def extents(places: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Millimetres that each slice stands for: half the way to either neighbour, at the ends as far outwards as inwards.

    A slice beside a hole reaches half the usual step into it, and nobody knows of the rest.
    places: from `positions`; None where it is None or there is one slice only.
    """
    if places is None or len(places) < 2:
        return None
    gaps = np.abs(np.diff(places))
    gaps[~neighbours(places)] = np.median(gaps)
    return np.asarray((np.append(gaps[:1], gaps) + np.append(gaps, gaps[-1:])) / 2)


def smoothing_weights(places: NDArray[np.float64] | None, index: int, count: int) -> dict[int, float]:
    """Weights of the slices that make the smoothed slice `index`, adding up to 1. count: how many slices there are.

    A slice of unknown place is left as it is.
    """
    if places is None:
        return {index: 1.0}
    near = np.exp(-0.5 * ((places[:count] - places[index]) / SMOOTHING_MM) ** 2)
    used = np.flatnonzero(near >= _NEGLIGIBLE)
    return {int(i): float(near[i] / near[used].sum()) for i in used}


def smooth(values: NDArray[np.float64], places: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Rows (slices, n) smoothed along the slice axis."""
    rows = [smoothing_weights(places, index, len(values)) for index in range(len(values))]
    return np.array([sum(w * values[i] for i, w in row.items()) for row in rows])
