"""Window and level: which grey values the screen shows as black and as white."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A percentile of every n-th pixel, n such that about this many are looked at: exact enough, and quick on volumes.
_SAMPLE = 4_000_000


@dataclass(frozen=True)
class Window:
    """Grey values up to `low` are black, from `high` on white, straight in between. low < high."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"a window needs low < high, got {self.low} and {self.high}")

    @property
    def level(self) -> float:
        """The grey value shown as middle grey (DICOM's window centre)."""
        return (self.low + self.high) / 2

    @property
    def width(self) -> float:
        return self.high - self.low

    @classmethod
    def of(cls, level: float, width: float) -> Window:
        return cls(level - width / 2, level + width / 2)


def robust_window(pixels: NDArray[Any]) -> Window:
    """1st to 99.5th percentile of one slice or a stack, any shape; the full range where those two are equal.

    Few very bright pixels (vessels, burnt-in text) then do not darken the rest.
    """
    flat = pixels.reshape(-1)
    low, high = np.percentile(flat[:: max(1, flat.size // _SAMPLE)], (1.0, 99.5))
    return Window(float(low), float(high)) if low < high else full_window(pixels)


def full_window(pixels: NDArray[Any]) -> Window:
    """Smallest to largest value; one grey value wide where all pixels are the same."""
    low, high = float(pixels.min()), float(pixels.max())
    return Window(low, high) if low < high else Window(low, low + 1.0)


def apply_window(slice_pixels: NDArray[Any], window: Window, *, invert: bool = False) -> NDArray[np.uint8]:
    """Pixels as shown: uint8, same shape, 0 black, 255 white, rounded to the nearest; invert swaps the two."""
    if slice_pixels.dtype in (np.uint8, np.uint16, np.int16):  # a look-up table is quickest where values are few
        unsigned = slice_pixels.view(np.uint16) if slice_pixels.dtype == np.int16 else slice_pixels
        return np.asarray(_table(window, invert, slice_pixels.dtype.str)[unsigned])
    return _shown(slice_pixels, window, invert)


@lru_cache(maxsize=8)
def _table(window: Window, invert: bool, dtype: str) -> NDArray[np.uint8]:
    """What each value is shown as, in the order of the values' bits read as unsigned; kept while slices go by."""
    bits = np.dtype(dtype).newbyteorder("=")
    unsigned = np.arange(2 ** (8 * bits.itemsize), dtype=f"u{bits.itemsize}")
    return _shown(unsigned.view(bits), window, invert)


def _shown(values: NDArray[Any], window: Window, invert: bool) -> NDArray[np.uint8]:
    scaled = np.clip((values.astype(np.float64) - window.low) / window.width, 0.0, 1.0)
    return np.floor((1.0 - scaled if invert else scaled) * 255.0 + 0.5).astype(np.uint8)
