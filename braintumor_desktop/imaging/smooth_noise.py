"""Seeded smooth random fields in space, band-limited around one wavelength."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_POINTS, _STEP_MM = 72, 3.6  # the lattice spans ±129 mm


class SmoothNoise:
    """A random field of mean 0 and standard deviation 1 that waves with about `wavelength_mm`.

    symmetric: mostly alike on both sides of the plane x = 0, as a brain is.
    """

    def __init__(self, seed: Sequence[int], wavelength_mm: float, *, symmetric: bool = False) -> None:
        white = np.random.default_rng(seed).standard_normal((_POINTS,) * 3, dtype=np.float32)
        k = np.fft.fftfreq(_POINTS, _STEP_MM)
        half = np.fft.rfftfreq(_POINTS, _STEP_MM)
        frequency = np.sqrt(k[:, None, None] ** 2 + k[None, :, None] ** 2 + half[None, None, :] ** 2)
        ring = np.exp(-(((frequency * wavelength_mm - 1.0) / 0.35) ** 2))
        ring[0, 0, 0] = 0.0
        lattice = np.fft.irfftn(np.fft.rfftn(white) * ring)
        if symmetric:
            lattice = lattice + 0.8 * lattice[:, :, ::-1]
        self._lattice = (lattice / lattice.std()).astype(np.float32)

    def at(self, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float32]:
        """Values on the plane that three coordinate vectors (mm) span, of which exactly one holds a single value.

        Returned as (rows, columns) of the other two in the order z, y, x.
        """
        values: NDArray[np.float32] = self._lattice
        # The axis with one value first, so that little is left for the others. (Four taps by hand: a matrix product
        # would start the threads of BLAS for a few thousand numbers.)
        for axis in sorted(range(3), key=lambda a: len((z, y, x)[a])):
            values = _interpolate(values, (z, y, x)[axis], axis)
        return values.reshape([len(v) for v in (z, y, x) if len(v) > 1])


def _interpolate(values: NDArray[np.float32], coordinates: NDArray[np.float64], axis: int) -> NDArray[np.float32]:
    """Cubic B-spline along one axis of the lattice."""
    position = coordinates / _STEP_MM + (_POINTS - 1) / 2
    first = np.floor(position).astype(int)
    t = (position - first).astype(np.float32)
    taps = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    shape = [-1 if a == axis else 1 for a in range(3)]
    # Beyond the lattice, far outside any head, its edge goes on.
    parts = (
        values.take(np.clip(first + k - 1, 0, _POINTS - 1), axis=axis) * (tap / 6).reshape(shape)
        for k, tap in enumerate(taps)
    )
    interpolated: NDArray[np.float32] = np.add.reduce(list(parts))
    return interpolated
