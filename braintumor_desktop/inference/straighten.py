"""Oblique volumes, resampled to the plane they are nearest to, and the way back.

The networks know axial, coronal and sagittal pictures as they are usually taken, tilted by up to some twenty degrees.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from braintumor_desktop.domain.findings import SliceMaps
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.imaging.orientation import upright

OBLIQUE_DEGREES = 30.0
"""Slices whose normal is further from the nearest patient axis are resampled. Usual head scans stay below: an axial
slice along the skull base is tilted by 10 to 25 degrees, and resampling costs sharpness."""

_PLANES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True, eq=False)
class StraightStack:
    """Slices of a straight plane through an oblique volume.

    pixels: (slices, rows, columns), the volume's own type; the volume's lowest grey value outside it;
    to_volume: (4, 4) from the stack's (column, row, slice) indices to the volume's; spacing_mm: between its slices.
    """

    pixels: NDArray[Any]
    to_volume: NDArray[np.float64]
    spacing_mm: float
    plane: str
    tilt_degrees: float

    @property
    def geometry(self) -> Geometry:
        return Geometry(slice_spacing_mm=self.spacing_mm)


def tilt(geometry: Geometry) -> tuple[float, int] | None:
    """Degrees from the slices' normal to the nearest patient axis, and which one (0 R-L, 1 A-P, 2 S-I).

    None where the place in the patient is unknown.
    """
    if geometry.affine is None:
        return None
    normal = np.cross(geometry.affine[:3, 0], geometry.affine[:3, 1])
    normal = np.abs(normal / np.linalg.norm(normal))
    axis = int(normal.argmax())
    return float(np.degrees(np.arccos(min(1.0, float(normal[axis]))))), axis


def straighten(pixels: NDArray[Any], geometry: Geometry) -> StraightStack | None:
    """The straight stack of a volume that is more oblique than `OBLIQUE_DEGREES`; None for all others.

    pixels: (slices, rows, columns). The stack covers the whole volume, at its finer pixel spacing and its slice
    spacing, linearly interpolated.
    """
    tilted = tilt(geometry)
    if tilted is None or tilted[0] <= OBLIQUE_DEGREES or geometry.affine is None or len(pixels) < 2:
        return None
    degrees, axis = tilted
    steps = np.linalg.norm(geometry.affine[:3, :3], axis=0)
    pixel, between = float(steps[:2].min()), float(steps[2])
    turned = upright(np.eye(4), axis)[2][:3, :3]  # columns: towards the right edge, the bottom edge, the next slice
    ends = itertools.product(*((-0.5, n - 0.5, 1.0)[:2] for n in pixels.shape[::-1]))
    corners = np.array([geometry.affine[:3] @ (*end, 1.0) for end in ends]) @ turned
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = np.array([pixel, pixel, between])
    counts = np.maximum(1, np.floor((high - low) / size + 1e-6)).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = turned * size
    affine[:3, 3] = turned @ ((low + high - (counts - 1) * size) / 2)
    to_volume = np.linalg.inv(geometry.affine) @ affine
    shape = (int(counts[2]), int(counts[1]), int(counts[0]))
    darkest = float(pixels.min())
    source = torch.from_numpy(pixels.astype(np.float32) - darkest)
    straight = np.empty(shape, pixels.dtype)
    for index in range(shape[0]):
        plane = _sample(source, to_volume, index, shape) + darkest
        straight[index] = plane if pixels.dtype == np.float32 else np.rint(plane)
    filled = straight.reshape(len(straight), -1).max(axis=1) > darkest
    used = slice(int(filled.argmax()), len(filled) - int(filled[::-1].argmax()))
    to_volume = to_volume @ _shifted(used.start)
    return StraightStack(straight[used], to_volume, between, _PLANES[axis], degrees)


def back_to_volume(
    maps: SliceMaps, stack: StraightStack, shape: tuple[int, ...]
) -> Any:
    """A function that gives slice `index` of the volume, float32 (rows, columns), from maps on the stack.

    shape: (slices, rows, columns) of the volume.
    """
    source = torch.from_numpy(np.asarray(maps, np.float32))
    matrix = np.linalg.inv(stack.to_volume)
    return lambda index: _sample(source, matrix, index, shape)


def shares(stack: StraightStack, shape: tuple[int, ...], lesion: SliceMaps) -> NDArray[np.float64]:
    """How much each slice of the stack has to say of each slice of the volume: (volume slices, stack slices).

    Where they cross, lesion counts by its probability and all else a hundredth. Rows sum to what is covered.
    """
    step = 8
    rows, columns = np.meshgrid(np.arange(0, shape[1], step), np.arange(0, shape[2], step), indexing="ij")
    matrix = np.linalg.inv(stack.to_volume)
    found = np.zeros((shape[0], len(stack.pixels)))
    for index in range(shape[0]):
        points = np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, index), np.ones(rows.size)])
        column, row, across = np.rint(matrix[:3] @ points).astype(int)
        _, height, width = stack.pixels.shape
        inside = (0 <= column) & (column < width) & (0 <= row) & (row < height) & (0 <= across) & (across < len(found[0]))
        for number in np.unique(across[inside]):
            here = inside & (across == number)
            found[index, number] = (lesion[int(number)][row[here], column[here]] + 0.01).sum()
    return found


def _shifted(first: int) -> NDArray[np.float64]:
    shift = np.eye(4)
    shift[2, 3] = first
    return shift


def _sample(
    source: torch.Tensor, matrix: NDArray[np.float64], index: int, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Slice `index` of a grid of `shape`, linearly interpolated; zero outside. matrix: from its indices to source's."""
    rows, columns = shape[1:]
    column, row = torch.arange(columns, dtype=torch.float64), torch.arange(rows, dtype=torch.float64)
    places = []
    for axis, count in enumerate(source.shape[::-1]):
        a, b, c, d = (float(v) for v in matrix[axis])
        place = a * column[None, :] + b * row[:, None] + (c * index + d)
        places.append(((2 * place + 1) / count - 1).float())
    grid = torch.stack(places, dim=-1)[None, None]
    found = F.grid_sample(source[None, None], grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return np.asarray(found[0, 0, 0].numpy())
