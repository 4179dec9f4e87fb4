"""A window for brain tissue: the head's own grey values, without air and without the brightest fat and vessels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.imaging.head import head_mask
from braintumor_desktop.imaging.windowing import Window, robust_window

_LOOKED_AT = 9  # slices of a volume: their percentiles differ from all slices' by less than a screen grey


def brain_window(pixels: NDArray[Any]) -> Window:
    """2nd to 97th percentile of the pixels inside the head's outline, eroded by a tenth of its size to lose the scalp.

    pixels: (slices, rows, columns). The middle half of a volume is looked at. Where no head outline is found it is
    `robust_window`.
    """
    count = len(pixels)
    chosen = np.unique(np.linspace(count // 4, max(count // 4, (3 * count - 1) // 4), _LOOKED_AT).astype(int))
    values = [inside for index in chosen if (inside := _inside(pixels[index])) is not None]
    if not values:
        return robust_window(pixels)
    low, high = np.percentile(np.concatenate(values), (2.0, 97.0))
    return Window(float(low), float(high)) if low < high else robust_window(pixels)


def _inside(plane: NDArray[Any]) -> NDArray[Any] | None:
    mask = head_mask(plane)
    if mask is None:
        return None
    rows, columns = np.nonzero(mask)
    reach = max(1, min(int(np.ptp(rows)), int(np.ptp(columns))) // 10)
    core = mask.copy()
    core[reach:] &= mask[:-reach]
    core[:-reach] &= mask[reach:]
    core[:, reach:] &= mask[:, :-reach]
    core[:, :-reach] &= mask[:, reach:]
    return plane[core] if core.any() else None
