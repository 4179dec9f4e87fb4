"""Masks and heat maps as picture files that lie exactly on the input's pixels.

Names. The file of an input is ``<stem>.png``, the stem being the input's name without its extension. Where several
inputs of one batch have the same stem (``a/scan.png`` and ``b/scan.jpg``), `batch_stems` gives the first one the plain
stem and the others ``scan-2``, ``scan-3`` … in input order, so none overwrites another's file and the same
batch always gives the same names. A second run of the batch replaces the files of the first.
Masks and heat maps have the same names: give them different folders, or a `stem` of your own.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.reporting.atomic import atomic_write, ensure_folder


def batch_stems(inputs: Iterable[Path]) -> list[str]:
    """One file stem an input, in the same order and all different, also on disks that ignore upper and lower case."""
    own = [path.stem for path in inputs]
    taken = {stem.casefold() for stem in own}
    given: set[str] = set()
    stems = []
    for stem in own:
        name, number = stem, 1
        while name.casefold() in given or (number > 1 and name.casefold() in taken):
            number += 1
            name = f"{stem}-{number}"
        given.add(name.casefold())
        stems.append(name)
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
    grey = np.rint(np.clip(np.nan_to_num(analysis.explanation.heatmap), 0.0, 1.0) * 255.0).astype(np.uint8)
    return _write(grey, analysis, folder, stem)


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
