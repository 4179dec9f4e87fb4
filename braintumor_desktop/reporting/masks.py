"""Masks and heat maps that lie exactly on the input's pixels: picture files for pictures, NIfTI for series and volumes.

A NIfTI file has the axes and the affine of the NIfTI volume it belongs to; for a DICOM series those of (column, row,
slice) in RAS millimetres. Where the input's place in the patient is unknown its codes say so (0), as the format wants.
A stack that leans has its place in sform alone, the code of qform is 0: qform holds turns and voxel sizes, no shear.

Names. The file of an input is ``<stem>.png``, the stem being the input's name without its extension. Where several
inputs of one batch have the same stem (``a/scan.png`` and ``b/scan.jpg``), `batch_stems` gives the first one the plain
stem and the others ``scan-2``, ``scan-3`` … in input order, so none overwrites another's file and the same
batch always gives the same names. A second run of the batch replaces the files of the first.
Masks and heat maps have the same names: give them different folders, or a `stem` of your own.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from braintumor_desktop.domain.findings import Analysis, SliceMaps
from braintumor_desktop.reporting.atomic import atomic_write, ensure_folder


def batch_stems(inputs: Iterable[Path]) -> list[str]:
    """One file stem an input, in the same order and all different, also on disks that ignore upper and lower case."""
    return distinct_stems([path.stem for path in inputs])


def distinct_stems(own: Sequence[str], files: Callable[[int, str], Iterable[str]] | None = None) -> list[str]:
    """As `batch_stems` for stems that were made otherwise.

    files: of an input's place in the batch and a stem for it, the files written under that stem, by whatever name means
    the same file; no two inputs share one of them either (``scan.heatmap.png`` may be the mask of another input).
    """

    def names(place: int, stem: str) -> set[str]:
        return {name.casefold() for name in (stem, *(files(place, stem) if files is not None else ()))}

    taken = {name for place, stem in enumerate(own) for name in names(place, stem)}
    given: set[str] = set()
    numbers: dict[str, int] = {}  # the last one of a stem: thousands of inputs may have the same
    stems = []
    for place, stem in enumerate(own):
        number = numbers.get(stem.casefold(), 0) + 1
        chosen = stem if number == 1 else f"{stem}-{number}"
        while not given.isdisjoint(wanted := names(place, chosen)) or (number > 1 and not taken.isdisjoint(wanted)):
            number += 1
            chosen = f"{stem}-{number}"
        numbers[stem.casefold()] = number
        given |= wanted
        stems.append(chosen)
    return stems


def write_mask(analysis: Analysis, folder: Path, *, stem: str | None = None) -> Path | None:
    """Write the lesion mask, 8-bit grey: 255 inside, 0 outside, the input's own width and height. The file's path.

    A picture gives ``<stem>.png``; a picture of several pages ``<stem>.tif`` with one page a slice.
    An input without a lesion gives an empty mask. None, and no file, where the model draws no masks.
    `stem` replaces the input's own stem, see `batch_stems`. Raises BrainTumorError EXPORT_FAILED.
    """
    if analysis.segmentation is None:
        return None
    return _write(analysis.segmentation.mask.astype(np.uint8) * np.uint8(255), analysis, folder, stem)


def write_heatmap(analysis: Analysis, folder: Path, *, stem: str | None = None) -> Path | None:
    """Write the heat map, 8-bit grey: 0 for 0.0 to 255 for 1.0, rounded; names and errors as `write_mask`.

    None, and no file, where the model gives no heat map.
    """
    if analysis.explanation is None:
        return None
    return _write(_as_grey(analysis.explanation.heatmap), analysis, folder, stem)


def write_mask_nifti(analysis: Analysis, folder: Path, *, stem: str) -> Path | None:
    """Write the lesion mask as ``<stem>.nii.gz``: uint8, 1 inside, 0 outside, in the input's geometry. The file's path.

    None, and no file, where the model draws no masks. Raises BrainTumorError EXPORT_FAILED.
    """
    if analysis.segmentation is None:
        return None
    return _write_nifti(analysis.segmentation.mask.astype(np.uint8), 1.0, analysis, folder, stem)


def write_heatmap_nifti(analysis: Analysis, folder: Path, *, stem: str) -> Path | None:
    """Write the heat map as ``<stem>.nii.gz``: 0..1 in steps of 1/255, in the input's geometry. The file's path.

    None, and no file, where the model gives no heat map. Raises BrainTumorError EXPORT_FAILED.
    """
    if analysis.explanation is None:
        return None
    return _write_nifti(_as_grey(analysis.explanation.heatmap), 1 / 255, analysis, folder, stem)


def _write_nifti(volume: NDArray[np.uint8], slope: float, analysis: Analysis, folder: Path, stem: str) -> Path:
    """volume: (slices, rows, columns); slope: what a step of a voxel is worth."""
    import nibabel

    nifti: Any = nibabel  # its functions carry no types
    geometry, grid = analysis.study.geometry, analysis.study.stored_grid
    stored = volume.transpose(2, 1, 0) if grid is None else grid.to_file(volume)
    affine = geometry.affine if grid is None else grid.affine
    image = nifti.Nifti1Image(np.asfortranarray(stored), affine)
    if affine is not None:
        image.header.set_xyzt_units("mm")
        image.set_qform(affine, code="scanner")
        image.set_sform(affine, code="scanner")
        if not _same_places(image.get_qform(), affine, stored.shape):
            image.set_qform(affine, code="unknown")
    elif geometry.pixel_spacing_mm is not None and (geometry.slice_spacing_mm is not None or len(volume) == 1):
        sizes = (geometry.slice_spacing_mm or 1.0, *geometry.pixel_spacing_mm)
        axes = (2, 1, 0) if grid is None else grid.axes
        image.header.set_zooms([sizes[axis] for axis in axes])
        image.header.set_xyzt_units("mm")
    image.header.set_slope_inter(slope, 0.0)
    path = folder / f"{stem}.nii.gz"
    ensure_folder(folder)
    with atomic_write(path) as stream:
        # No time stamp: the same answer gives the same file.
        stream.write(gzip.compress(image.to_bytes(), compresslevel=4, mtime=0))
    return path


def _same_places(one: NDArray[np.float64], other: NDArray[np.float64], shape: tuple[int, ...]) -> bool:
    """Whether two affines lead every voxel to the same place, to half the shortest side of a voxel.

    Up to there each voxel is still its own and not its neighbour. Nothing stricter, because scanners write rounded
    right angles, and ITK reads no file without a qform whose sform is askew by as little as 0.01 degrees.
    """
    corners = np.array([[*corner, 1] for corner in product(*((0, size - 1) for size in shape))])
    apart = np.linalg.norm(corners @ (one - other).T, axis=1)
    return bool(apart.max() <= 0.5 * np.linalg.norm(other[:3, :3], axis=0).min())


def _as_grey(heatmap: SliceMaps) -> NDArray[np.uint8]:
    """Slice by slice: a whole series in float32 would be large."""
    grey = np.empty(heatmap.shape, np.uint8)
    for index in range(len(grey)):
        grey[index] = np.rint(np.clip(np.nan_to_num(heatmap[index]), 0.0, 1.0) * 255.0)
    return grey


def _write(slices: NDArray[np.uint8], analysis: Analysis, folder: Path, stem: str | None) -> Path:
    """slices: (slices, rows, columns)."""
    first, *others = (Image.fromarray(each) for each in slices)
    content = BytesIO()
    if others:
        first.save(content, "TIFF", save_all=True, append_images=others, compression="tiff_deflate")
    else:
        first.save(content, "PNG", optimize=False, compress_level=6)
    extension = ".tif" if others else ".png"
    path = folder / ((stem if stem is not None else analysis.study.source.path.stem) + extension)
    ensure_folder(folder)
    with atomic_write(path) as stream:
        stream.write(content.getvalue())
    return path
