"""From directions in the patient to letters, and the upright view of a volume that was stored in any other way.

Directions are vectors in the patient's RAS millimetres; LPS are DICOM's axes (left, posterior, superior).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_LETTERS = (("R", "L"), ("A", "P"), ("S", "I"))

# Radiological convention: the patient's right on the left of the screen, faces look left. By the anatomical axis
# across the slices: letters towards the right edge, the bottom edge and the next slice. The last one is DICOM's
# normal, row direction × column direction, so that no view is ever a mirror image.
_UPRIGHT = {0: ("P", "I", "R"), 1: ("L", "I", "P"), 2: ("L", "P", "S")}


def letter(direction: Vector) -> str:
    """The patient direction that a vector points at most: R, L, A, P, S or I. direction: (3,)."""
    axis = int(np.abs(direction).argmax())
    return _LETTERS[axis][0 if direction[axis] > 0 else 1]


def edge_directions(affine: NDArray[np.float64]) -> tuple[str, str]:
    """Letters towards the right and the bottom edge, of two different pairs. affine: (4, 4), from (column, row, slice).

    In planes that are very oblique both may run most along one axis of the patient: it goes to the one that does more.
    """
    right, bottom = (affine[:3, i] / np.linalg.norm(affine[:3, i]) for i in (0, 1))
    if np.abs(right).max() >= np.abs(bottom).max():
        return letter(right), letter(np.where(np.abs(right) == np.abs(right).max(), 0.0, bottom))
    return letter(np.where(np.abs(bottom) == np.abs(bottom).max(), 0.0, right)), letter(bottom)


def voxel_sizes(affine: NDArray[np.float64]) -> Vector:
    """Millimetres a step along each of the three indices."""
    return np.asarray(np.sqrt((affine[:3, :3] ** 2).sum(axis=0)))


def shear_degrees(affine: NDArray[np.float64]) -> float:
    """How far the three axes stray from right angles."""
    unit = affine[:3, :3] / voxel_sizes(affine)
    cosines = np.abs([unit[:, a] @ unit[:, b] for a, b in ((0, 1), (0, 2), (1, 2))])
    return float(np.degrees(np.arcsin(np.clip(cosines.max(), 0.0, 1.0))))


def upright(
    affine: NDArray[np.float64], slice_axis: int
) -> tuple[tuple[int, int, int], tuple[bool, bool, bool], NDArray[np.float64]]:
    """How to turn a volume, by swapping and reversing axes only, so that its slices stand upright.

    affine: (4, 4) from file indices (i, j, k) to RAS mm; slice_axis: the file axis across the slices.
    Returns, for each file axis, which axis of (slices, rows, columns) it becomes and whether it is reversed; and the
    matrix (4, 4) from (column, row, slice) to file indices but for the offset of reversed axes, see `turned_affine`.
    """
    nearest = nearest_axes(affine)
    right, bottom, onward = _UPRIGHT[nearest[slice_axis]]
    axes, turned = [0, 0, 0], [False, False, False]
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1.0
    for study_axis, wanted in ((2, right), (1, bottom), (0, onward)):
        anatomical = next(a for a, pair in enumerate(_LETTERS) if wanted in pair)
        file_axis = nearest.index(anatomical)
        axes[file_axis] = study_axis
        positive = affine[anatomical, file_axis] > 0
        turned[file_axis] = positive != (wanted == _LETTERS[anatomical][0])
        matrix[file_axis, 2 - study_axis] = -1.0 if turned[file_axis] else 1.0
    return (axes[0], axes[1], axes[2]), (turned[0], turned[1], turned[2]), matrix


def turned_affine(
    affine: NDArray[np.float64], matrix: NDArray[np.float64], file_shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """The affine from (column, row, slice), given `upright`'s matrix and the file's (i, j, k) shape."""
    complete = matrix.copy()
    for file_axis, length in enumerate(file_shape[:3]):
        if complete[file_axis, :3].min() < 0:
            complete[file_axis, 3] = length - 1
    return np.asarray(affine @ complete)


def nearest_axes(affine: NDArray[np.float64]) -> list[int]:
    """For each file axis the anatomical axis (0 right-left, 1 front-back, 2 up-down) it runs along most, all different.

    nibabel's `io_orientation` (a polar decomposition) decides, so that oblique volumes are judged as everywhere else.
    """
    from nibabel.orientations import io_orientation

    return [int(axis) for axis in io_orientation(affine)[:, 0]]  # type: ignore[no-untyped-call]
