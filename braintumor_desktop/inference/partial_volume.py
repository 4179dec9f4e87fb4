"""Where a lesion ends along the slice axis: thick slices show it before it fills half of them.

A voxel at the end of a lesion holds some lesion and some of what lies beyond (Choi, Haynor and Kim, IEEE Trans Med
Imaging 1991;10:395), and an outline takes it in as soon as it stands out at all. Counting each such voxel in full makes
volumes too large, the more so the thicker the slices: the overprojection of stereology (Rosen and Harry, J Neurosci
Methods 1990;35:115).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.imaging.windowing import robust_window

LEAST_CONTRAST = 0.1
"""Grey difference between inside and outside, as a share of the series' grey range, from which mixing can be told."""

_SMOOTHED_PX = 3


def trim_ends(
    mask: NDArray[np.bool_],
    pixels: NDArray[np.generic],
    known: NDArray[np.bool_] | None = None,
    beside: NDArray[np.bool_] | None = None,
) -> None:
    """Clear in place what a lesion fills by less than half, at its ends along the slice axis.

    mask, pixels: (slices, rows, columns), slices in order. A voxel of the mask that has one of it on one side and none
    on the other is taken out where its grey value lies between those of its two neighbours and nearer to the outer one,
    the usual half-maximum edge. Where it does not lie between, or the neighbours differ too little, mixing is no
    explanation and the voxel stays. Grey values are means of 3 x 3 pixels, against noise.
    known: (slices,), those that were analysed, all if None: where the next one was not, nothing is known to end.
    beside: (slices - 1,), whether each slice and the next are neighbours, all if None: nor is anything across a hole.
    """
    used = np.flatnonzero(mask.any(axis=(1, 2)))
    if not len(used):
        return
    least = LEAST_CONTRAST * robust_window(pixels).width
    original: dict[int, NDArray[np.bool_]] = {}  # as they were, so that the order of slices makes no difference
    grey: dict[int, NDArray[np.float32]] = {}
    for index in used:
        around = [i for i in (int(index) - 1, int(index), int(index) + 1) if 0 <= i < len(mask)]
        original = {i: original[i] if i in original else mask[i].copy() for i in around}
        grey = {i: grey[i] if i in grey else _smoothed(pixels[i]) for i in around}
        if len(around) < 3:  # nothing is known beyond the first and the last slice
            continue
        before, own, after = around
        for inner, outer in ((before, after), (after, before)):
            if known is not None and not known[outer]:
                continue
            if beside is not None and not (beside[before] and beside[own]):
                continue
            end = original[own] & original[inner] & ~original[outer]
            contrast, left = grey[inner] - grey[outer], grey[own] - grey[outer]
            with np.errstate(divide="ignore", invalid="ignore"):
                share = left / contrast
            mask[own] &= ~(end & (np.abs(contrast) > least) & (share >= 0) & (share < 0.5))


def _smoothed(plane: NDArray[np.generic]) -> NDArray[np.float32]:
    return np.asarray(cv2.blur(plane.astype(np.float32), (_SMOOTHED_PX, _SMOOTHED_PX)))
