"""Planes through a volume: as acquired, or axial, coronal and sagittal in the patient, resampled from any affine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.orientation import edge_directions, voxel_sizes

Affine = NDArray[np.float64]
_LONGEST_SIDE = 640  # samples of a reformatted plane at most: more than a third of a screen shows
_BAND_PIXELS = 16_384
_NO_STEP = 1e-6  # voxels a sample: headers write right angles with such rests


class Plane(StrEnum):
    """What a view shows; the value is its title."""

    ACQUIRED = phrase("As acquired")
    AXIAL = phrase("Axial")
    CORONAL = phrase("Coronal")
    SAGITTAL = phrase("Sagittal")


# Towards the right edge, the bottom edge and the next plane, in RAS: radiological convention, faces look left.
_DIRECTIONS: dict[Plane, tuple[tuple[int, int, int], ...]] = {
    Plane.AXIAL: ((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
    Plane.CORONAL: ((-1, 0, 0), (0, 0, -1), (0, -1, 0)),
    Plane.SAGITTAL: ((0, -1, 0), (0, 0, -1), (1, 0, 0)),
}


@dataclass(frozen=True, eq=False)
class PlaneStack:
    """Parallel planes through one volume.

    affine: (4, 4), from (column, row, plane) to the patient's RAS millimetres, None where unknown;
    to_volume: (4, 4), from (column, row, plane) to the volume's (column, row, slice), None for the planes as acquired;
    spacing_mm: (between rows, between columns); orientation: as in `Geometry`.
    """

    plane: Plane
    slices: int
    rows: int
    columns: int
    spacing_mm: tuple[float, float] | None
    orientation: tuple[str, str] | None
    affine: Affine | None
    to_volume: Affine | None = None

    def cut(self, volume: NDArray[Any], index: int, *, nearest: bool = False) -> NDArray[Any]:
        """One plane (rows, columns) of the volume's own type: trilinear between voxel centres, or the nearest voxel.

        volume: (slices, rows, columns), of the shape this was made for. Outside the voxels it is the volume's
        smallest possible grey: 0, or the first voxel's value where that is below 0.
        """
        if self.to_volume is None:
            return np.asarray(volume[index])
        return _sample(volume, self.to_volume, (self.rows, self.columns), index, nearest)

    @property
    def slanted(self) -> bool:
        """Whether its planes run across the volume's axes, so that a cut takes ten times as long."""
        return self.to_volume is not None and not _straight(self.to_volume)

    def coarser(self, pixels: int) -> PlaneStack:
        """The same planes in at most about so many pixels each, evenly spread over the same area; itself where they
        have no more, and as acquired.
        """
        factor = (self.rows * self.columns / pixels) ** 0.5
        if self.to_volume is None or self.affine is None or self.spacing_mm is None or factor <= 1:
            return self
        rows, columns = max(1, round(self.rows / factor)), max(1, round(self.columns / factor))
        down, across = self.rows / rows, self.columns / columns
        wider = np.diag([across, down, 1.0, 1.0])
        wider[:2, 3] = (across - 1) / 2, (down - 1) / 2  # pixel areas, not pixel centres, keep their edges
        row_mm, column_mm = self.spacing_mm
        return replace(
            self,
            rows=rows,
            columns=columns,
            spacing_mm=(row_mm * down, column_mm * across),
            affine=self.affine @ wider,
            to_volume=self.to_volume @ wider,
        )

    def position_mm(self, index: int) -> float | None:
        """Where a plane lies along the stack's normal, from the patient's origin; None where unknown."""
        if self.affine is None:
            return None
        normal = np.cross(self.affine[:3, 0], self.affine[:3, 1])
        centre = self.affine @ np.array([0.0, 0.0, index, 1.0])
        return float(centre[:3] @ normal / np.linalg.norm(normal))

    def patient_point(self, row: float, column: float, index: float) -> NDArray[np.float64] | None:
        """RAS millimetres (3,) of a point in a plane, pixel centres at whole numbers."""
        return None if self.affine is None else (self.affine @ np.array([column, row, index, 1.0]))[:3]

    def grid_point(self, patient: NDArray[np.float64]) -> tuple[float, float, float] | None:
        """(row, column, plane) of a point in RAS millimetres, not clipped to the stack."""
        if self.affine is None:
            return None
        column, row, index = (np.linalg.inv(self.affine) @ np.append(patient, 1.0))[:3]
        return float(row), float(column), float(index)


def acquired(study: Study) -> PlaneStack:
    """The planes of the file itself."""
    geometry = study.geometry
    return PlaneStack(
        Plane.ACQUIRED,
        study.slices,
        study.rows,
        study.columns,
        geometry.pixel_spacing_mm,
        geometry.orientation,
        geometry.affine,
    )


def can_reformat(study: Study) -> bool:
    """Whether it is a volume whose place in the patient is known."""
    return study.geometry.affine is not None and min(study.pixels.shape) > 1


def reformatted(study: Study, plane: Plane) -> PlaneStack:
    """Planes through the whole volume, square pixels of its smallest voxel side (coarser for very large volumes).

    The planes lie as far apart as the volume's own voxels along that direction, so that none is skipped.
    Raises ValueError where the affine is unknown.
    """
    affine = study.geometry.affine
    if affine is None:
        raise ValueError("a volume without an affine can't be reformatted")
    axes = np.array(_DIRECTIONS[plane], dtype=np.float64)  # rows: unit vectors, RAS
    shape = np.array([study.columns, study.rows, study.slices])
    low, high = _extent(affine, shape, axes)
    sizes = voxel_sizes(affine)
    length = high - low
    step = max(float(sizes.min()), float(length[:2].max()) / (_LONGEST_SIDE - 1))
    between = _voxel_side_along(affine, axes[2])
    count = np.maximum(1, np.floor(length / np.array([step, step, between]) + 1e-6).astype(int) + 1)
    own = np.eye(4)
    own[:3, :3] = axes.T * np.array([step, step, between])
    rest = (length - (count - 1) * np.array([step, step, between])) / 2  # the same margin at both ends
    own[:3, 3] = axes.T @ (low + rest)
    return PlaneStack(
        plane,
        int(count[2]),
        int(count[1]),
        int(count[0]),
        (step, step),
        edge_directions(own),
        own,
        np.linalg.inv(affine) @ own,
    )


def _extent(affine: Affine, shape: NDArray[Any], axes: Affine) -> tuple[Affine, Affine]:
    """Lowest and highest coordinate of the outermost voxel centres along each axis, in millimetres."""
    corners = np.array([[x, y, z, 1] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=np.float64)
    corners[:, :3] *= shape - 1
    along = (affine @ corners.T)[:3].T @ axes.T
    return along.min(axis=0), along.max(axis=0)


def _voxel_side_along(affine: Affine, direction: Affine) -> float:
    """The voxel size of the volume's axis that runs nearest to a direction."""
    sizes = voxel_sizes(affine)
    return float(sizes[int(np.abs((affine[:3, :3] / sizes).T @ direction).argmax())])


def _sample(volume: NDArray[Any], matrix: Affine, shape: Sequence[int], index: int, nearest: bool) -> NDArray[Any]:
    rows, columns = shape
    straight = _straight(matrix)
    if straight:
        matrix = matrix.copy()
        matrix[:3, :3][np.abs(matrix[:3, :3]) <= _NO_STEP] = 0.0
    start = matrix @ np.array([0.0, 0.0, index, 1.0])
    across, down = matrix[:3, 0], matrix[:3, 1]
    # Each volume index as an outer sum: a part for the column and a part for the row.
    parts = [
        (start[k] + across[k] * np.arange(columns), down[k] * np.arange(rows)) for k in (2, 1, 0)
    ]  # slice, row, column
    outside = min(0, volume.flat[0]) if volume.dtype != np.bool_ else False
    if straight:
        return _sample_straight(volume, parts, nearest, outside)
    result = np.empty((rows, columns), volume.dtype)
    height = max(1, _BAND_PIXELS // columns)
    for top in range(0, rows, height):
        band = slice(top, min(top + height, rows))
        _sample_band(volume, [(by_column, by_row[band]) for by_column, by_row in parts], nearest, outside, result[band])
    return result


def _sample_band(
    volume: NDArray[Any], parts: list[tuple[Affine, Affine]], nearest: bool, outside: Any, result: NDArray[Any]
) -> None:
    """Some rows of a plane, few enough that what is worked out for them stays in the processor's cache."""
    strides = (volume.shape[1] * volume.shape[2], volume.shape[2], 1)
    flat = volume.reshape(-1)
    inside: NDArray[np.bool_] | None = None
    base: NDArray[np.intp] = np.zeros((1, 1), np.intp)
    shares = []
    for (by_column, by_row), length, stride in zip(parts, volume.shape, strides, strict=True):
        place = np.add.outer(by_row, by_column)
        corners = place[[0, 0, -1, -1], [0, -1, 0, -1]]
        if corners.min() < -0.5 or corners.max() > length - 0.5:
            within = (place >= -0.5) & (place <= length - 0.5)
            inside = within if inside is None else inside & within
        if corners.min() < 0 or corners.max() > length - 1:
            np.clip(place, 0, length - 1, out=place)
        if nearest:
            low = (place + 0.5).astype(np.intp)  # nothing is negative, so that cutting is rounding down
        else:
            low = np.minimum(place.astype(np.intp), max(0, length - 2))
            shares.append((place - low).astype(np.float32))
        base = base + low * stride
    if nearest:
        result[...] = flat.take(base)
    else:
        steps = [stride if length > 1 else 0 for stride, length in zip(strides, volume.shape, strict=True)]
        result[...] = _cast(_between(flat, base, list(zip(steps, shares, strict=True))), volume.dtype)
    if inside is not None:
        result[~inside] = outside


def _between(
    flat: NDArray[Any], base: NDArray[np.intp], axes: list[tuple[int, NDArray[np.float32]]]
) -> NDArray[np.float32]:
    """Linear along one axis after the other. axes: step in `flat` to the next voxel and the share of it."""
    if not axes:
        return np.asarray(flat.take(base), np.float32)
    (step, share), rest = axes[0], axes[1:]
    low, high = _between(flat, base, rest), _between(flat, base + step, rest)
    high -= low
    high *= share
    high += low
    return high


def _straight(matrix: Affine) -> bool:
    """Whether each axis of the plane runs along one axis of the volume."""
    return bool((np.count_nonzero(np.abs(matrix[:3, :3]) > _NO_STEP, axis=0) == 1).all())


def _sample_straight(
    volume: NDArray[Any], parts: list[tuple[Affine, Affine]], nearest: bool, outside: Any
) -> NDArray[Any]:
    """One axis after the other: a hundredth of the work of the general case."""
    by_row = [bool(np.ptp(part[1]) > 1e-9) for part in parts]
    by_column = [bool(np.ptp(part[0]) > 1e-9) for part in parts]
    plane: NDArray[Any] = volume
    fixed = next(k for k in range(3) if not by_row[k] and not by_column[k])
    positions = [part[1] + part[0][0] if row else part[0] + part[1][0] for part, row in zip(parts, by_row, strict=True)]
    plane = _along_axis(plane, positions[fixed][:1], fixed, nearest, outside).squeeze(fixed)
    moving = [k for k in range(3) if k != fixed]
    for axis, k in enumerate(moving):
        plane = _along_axis(plane, positions[k], axis, nearest, outside)
    if by_row[moving[1]]:
        plane = plane.T
    return np.ascontiguousarray(_cast(plane, volume.dtype))


def _along_axis(data: NDArray[Any], places: Affine, axis: int, nearest: bool, outside: Any) -> NDArray[Any]:
    length = data.shape[axis]
    within = np.clip(places, 0, length - 1)
    if nearest:
        result = np.take(data, np.floor(within + 0.5).astype(np.intp), axis)
    else:
        low = np.minimum(np.floor(within).astype(np.intp), max(0, length - 2))
        share = (within - low).astype(np.float32)
        if np.abs(share - np.round(share)).max() < 1e-5:
            result = np.take(data, low + np.round(share).astype(np.intp), axis)
        else:
            weight = share.reshape([-1 if k == axis else 1 for k in range(data.ndim)])
            above = np.minimum(low + 1, length - 1)
            result = np.take(data, low, axis) * (1 - weight) + np.take(data, above, axis) * weight
    off = (places < -0.5) | (places > length - 0.5)
    if off.any():
        result[tuple(off if k == axis else slice(None) for k in range(data.ndim))] = outside
    return result


def _cast(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if np.issubdtype(dtype, np.integer) and not np.issubdtype(values.dtype, np.integer):
        values = np.floor(values + 0.5)
    return values.astype(dtype, copy=False)
