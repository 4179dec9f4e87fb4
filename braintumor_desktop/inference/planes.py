"""Straight axial, coronal and sagittal slices out of any volume, and the way back.

Networks know these three planes as they are usually taken, tilted by up to some twenty degrees.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from braintumor_desktop.domain.findings import QualityFlag, SliceMaps
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.imaging.orientation import upright

OBLIQUE_DEGREES = 30.0
"""Slices whose normal is further than this from the nearest patient axis are resampled. Usual head scans stay below: an
axial slice along the skull base is tilted by 10 to 25 degrees, and resampling costs sharpness."""

FINEST_MM = 0.75
"""Pixels of resampled slices: the networks see a head of 20 cm on 256 pixels."""

PLANES = (phrase("sagittal"), phrase("coronal"), phrase("axial"))
"""By the patient axis across the slices: right-left, front-back, up-down."""

_SAMPLE_STEP = 8


@dataclass(frozen=True, eq=False)
class Grid:
    """Upright slices of one of the three planes, laid through a volume so that they cover it.

    shape: (slices, rows, columns), square pixels; to_volume: (4, 4) from (column, row, slice) indices to the
    volume's; spacing_mm: between slices.
    """

    shape: tuple[int, int, int]
    to_volume: NDArray[np.float64]
    spacing_mm: float

    def from_volume(self, center: tuple[float, float, float]) -> tuple[float, float, float]:
        """(slice, row, column) indices of the volume to those of this grid."""
        column, row, index, _ = np.linalg.inv(self.to_volume) @ (*center[::-1], 1.0)
        return float(index), float(row), float(column)


def tilt(geometry: Geometry) -> tuple[float, int] | None:
    """Degrees from the slices' normal to the nearest patient axis, and that axis (index into `PLANES`).

    None where the place in the patient is unknown.
    """
    if geometry.affine is None:
        return None
    normal = np.cross(geometry.affine[:3, 0], geometry.affine[:3, 1])
    normal = np.abs(normal / np.linalg.norm(normal))
    axis = int(normal.argmax())
    return float(np.degrees(np.arccos(min(1.0, float(normal[axis]))))), axis


def lay_grid(affine: NDArray[np.float64], shape: tuple[int, ...], axis: int, between_mm: float | None = None) -> Grid:
    """A grid across one patient axis that covers a volume, in its finest spacing but no finer than `FINEST_MM`.

    affine: of the volume, from (column, row, slice) to RAS mm; shape: its (slices, rows, columns);
    between_mm: between the grid's slices, as between its pixels if None.
    """
    pixel = max(FINEST_MM, float(np.linalg.norm(affine[:3, :3], axis=0).min()))
    between = pixel if between_mm is None else between_mm
    turned = upright(np.eye(4), axis)[2][:3, :3]  # columns: towards the right edge, the bottom edge, the next slice
    ends = itertools.product(*((-0.5, n - 0.5) for n in shape[::-1]))
    corners = np.array([affine[:3] @ (*end, 1.0) for end in ends]) @ turned
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = np.array([pixel, pixel, between])
    counts = np.maximum(1, np.floor((high - low) / size + 1e-6)).astype(int)
    own = np.eye(4)
    own[:3, :3] = turned * size
    own[:3, 3] = turned @ ((low + high - (counts - 1) * size) / 2)
    return Grid((int(counts[2]), int(counts[1]), int(counts[0])), np.linalg.inv(affine) @ own, between)


@dataclass(frozen=True, eq=False)
class Tilted:
    """An oblique volume: how far its slices are tilted, the axis they are nearest to, and straight slices across it."""

    degrees: float
    axis: int
    grid: Grid


def straight_grid(shape: tuple[int, ...], geometry: Geometry) -> Tilted | None:
    """Straight slices for a volume that is tilted by more than `OBLIQUE_DEGREES`, as far apart as its own; else None.

    shape: of the volume, (slices, rows, columns).
    """
    tilted = tilt(geometry)
    if tilted is None or tilted[0] <= OBLIQUE_DEGREES or geometry.affine is None or shape[0] < 2:
        return None
    degrees, axis = tilted
    between = float(np.linalg.norm(geometry.affine[:3, 2]))
    return Tilted(degrees, axis, lay_grid(geometry.affine, shape, axis, between))


def resample_to(pixels: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """A volume on a grid, in its own type."""
    volume = Volume(pixels)
    found = np.empty(grid.shape, pixels.dtype)
    for index in range(grid.shape[0]):
        plane = volume.slice(index, grid.shape, grid.to_volume)
        found[index] = plane if pixels.dtype == np.float32 else np.rint(plane)
    return found


class Volume:
    """Voxels ready to be sampled anywhere: one float32 copy. values: (slices, rows, columns), any numeric type."""

    def __init__(self, values: NDArray[Any] | SliceMaps) -> None:
        voxels = np.array(values, np.float32)
        self._floor = float(voxels.min())
        voxels -= np.float32(self._floor)
        self._voxels = torch.from_numpy(voxels)

    def slice(self, index: int, shape: tuple[int, ...], to_volume: NDArray[np.float64]) -> NDArray[np.float32]:
        """Slice `index` of a grid of `shape`, linearly interpolated; the volume's lowest value outside it."""
        column = torch.arange(shape[2], dtype=torch.float64)[None, :]
        row = torch.arange(shape[1], dtype=torch.float64)[:, None]
        places = []
        for axis, count in enumerate(reversed(self._voxels.shape)):
            a, b, c, d = (float(v) for v in to_volume[axis])
            places.append(((2 * (a * column + b * row + (c * index + d)) + 1) / count - 1).float())
        where = torch.stack(places, dim=-1)[None, None]
        found = F.grid_sample(self._voxels[None, None], where, "bilinear", "zeros", align_corners=False)
        return np.asarray(found[0, 0, 0].numpy() + np.float32(self._floor))


def shares(grid: Grid, shape: tuple[int, ...], lesion: SliceMaps) -> NDArray[np.float64]:
    """How much each slice of a grid has to say of each slice of the volume: (volume slices, grid slices).

    Where they cross, lesion counts by its probability, and all the rest a hundredth. lesion: on the grid.
    """
    rows, columns = np.mgrid[: shape[1] : _SAMPLE_STEP, : shape[2] : _SAMPLE_STEP].reshape(2, -1)
    matrix = np.linalg.inv(grid.to_volume)[:3]
    slices, height, width = grid.shape
    found = np.zeros((shape[0], slices))
    for index in range(shape[0]):
        points = np.stack([columns, rows, np.full_like(rows, index), np.ones_like(rows)])
        column, row, across = np.rint(matrix @ points).astype(int)
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (across >= 0) & (across < slices)
        for number in np.unique(across[inside]):
            here = inside & (across == number)
            found[index, number] = (lesion[int(number)][row[here], column[here]] + 0.01).sum()
    return found


def resampled_flags(tilted: Tilted | None) -> list[QualityFlag]:
    """Flag where an oblique series was analysed in another plane than it was taken in."""
    if tilted is None:
        return []
    words = phrase(
        "An oblique series, tilted by {degrees:.0f}°: it was analysed in {plane} slices.",
        degrees=tilted.degrees,
        plane=PLANES[tilted.axis],
    )
    return [QualityFlag("resampled_plane", words)]
