"""Where the head is in a slice: the outline that areas are compared with and that the networks are centred on."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_LOWEST, _HIGHEST = 0.03, 0.25  # of the bright end: below is noise of the air, above is already tissue
_SMALLEST_SHARE = 0.08  # of the picture; less is not a head


def head_mask(slice_pixels: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Outline of the head, holes filled.

    slice_pixels: (rows, columns), grey, any numeric type. Returns bool (rows, columns), or None where no
    outline stands out from the air (an empty slice, a tight crop, a picture that is no head).
    Half of Otsu's threshold (IEEE Trans. SMC 1979;9:62) on the smoothed slice, the largest component, closed.
    """
    rows, columns = slice_pixels.shape
    work = min(1.0, 256 / max(rows, columns))
    across, down = max(work, 1 / columns), max(work, 1 / rows)  # of a very long picture at least one pixel is left
    small = cv2.resize(slice_pixels.astype(np.float32), None, fx=across, fy=down, interpolation=cv2.INTER_AREA)
    low, high = np.percentile(small, (1, 99.5))
    if high <= low:
        return None
    grey = np.clip((small - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    grey = cv2.GaussianBlur(grey, (0, 0), 2)
    otsu, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    threshold = float(np.clip(otsu / 2, _LOWEST * 255, _HIGHEST * 255))
    tissue = (grey > threshold).astype(np.uint8)
    tissue = cv2.morphologyEx(tissue, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(tissue)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    outlines, _ = cv2.findContours((labels == largest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(tissue)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    if filled.mean() < _SMALLEST_SHARE or filled.all():
        return None
    full = cv2.resize(filled, (columns, rows), interpolation=cv2.INTER_NEAREST)
    return np.asarray(full > 0)
