"""Text burnt into the pixels: places that may hold some, found by the look of printed characters.

Classical and without a dictionary: strokes that stand out from their surroundings (top-hat and bottom-hat), connected
to pieces of the size of characters, that stand side by side on one base line and are all equally bright, as print is
and anatomy is not. It reads nothing and finds neither handwriting nor a few letters alone; how often it errs is in
``docs/DEIDENTIFICATION.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MAY_HOLD_TEXT = "may contain text burnt into the picture"

_CONTRASTS = (0.55, 0.3)
"""Of strokes to their surroundings, in the range of the picture: print is white as a rule, but need not be."""
_WIDEST_STROKE = 11
_LOWEST, _HIGHEST = 5, 48
"""Heights of characters in pixels."""
_WIDEST = 7.0
"""Of a piece, in its heights: small letters run into each other."""
_MOST_PIECES = 1500
"""More of them are noise."""
_SAME_BRIGHTNESS = 0.12
"""Of neighbours on a line, in the range of the picture."""
_FEWEST_BRIGHT, _FEWEST_DARK = 5, 6
"""Pieces of a line. Dark print is rare, and furrows of the brain look most like it."""
_FAINTEST = 0.55
"""Contrast of a line's brightest strokes, the median over its pieces."""
_SPREAD = 0.25
"""Of heights and of tops, mean deviation from the median in heights: capitals, small letters and digits are alike."""
_ON_BASE_LINE, _OF_LIKE_BRIGHTNESS = 0.6, 0.6
"""Share of a line's pieces whose feet stand on it (letters with tails and punctuation don't); and of those that are as
bright as the line's median to 0.05 of the range."""
_MARGIN = 2


@dataclass(frozen=True, order=True)
class Box:
    """A rectangle in pixels: top and left inside it, bottom and right just outside."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Connected strokes that may be characters; arrays of one length. peak: their brightest pixel, 0..1."""

    left: NDArray[np.int64]
    top: NDArray[np.int64]
    width: NDArray[np.int64]
    height: NDArray[np.int64]
    peak: NDArray[np.float64]


def find_text(pixels: NDArray[Any]) -> tuple[Box, ...]:
    """Places that may hold a line of text. pixels: (rows, columns), grey, any type."""
    grey = _eight_bits(pixels)
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_WIDEST_STROKE, _WIDEST_STROKE))
    boxes: set[Box] = set()
    for operation, fewest in ((cv2.MORPH_TOPHAT, _FEWEST_BRIGHT), (cv2.MORPH_BLACKHAT, _FEWEST_DARK)):
        strokes = np.asarray(cv2.morphologyEx(grey, operation, kernel), np.uint8)
        for contrast in _CONTRASTS:
            boxes.update(_lines(_pieces(strokes, contrast), grey.shape, fewest))
    return tuple(sorted(boxes))


def blanked(frame: NDArray[Any], boxes: Iterable[Box], dark: Any) -> None:
    """Overwrite the places in place. frame: (rows, columns, ...); dark: the value that shows as black."""
    for box in boxes:
        frame[box.top : box.bottom, box.left : box.right] = dark


def _eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """The whole range to 0..255: burnt-in text is among the brightest, so nothing is cut off."""
    values = np.nan_to_num(pixels.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(pixels.shape, np.uint8)
    return np.asarray((values - low) * (255.0 / (high - low)), np.uint8)


def _pieces(strokes: NDArray[np.uint8], contrast: float) -> _Pieces:
    bold = (strokes > 255 * contrast).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bold, connectivity=8)
    inside = bold > 0
    peak = np.zeros(count, np.uint8)
    np.maximum.at(peak, np.asarray(labels)[inside], strokes[inside])
    left, top, width, height, area = np.asarray(stats, np.int64).T
    kept = (height >= _LOWEST) & (height <= _HIGHEST) & (width <= _WIDEST * height) & (area >= 0.1 * width * height)
    kept[0] = False  # the background
    if kept.sum() > _MOST_PIECES:
        kept[:] = False
    return _Pieces(left[kept], top[kept], width[kept], height[kept], peak[kept] / 255.0)


def _lines(pieces: _Pieces, shape: tuple[int, ...], fewest: int) -> list[Box]:
    found = []
    for line in _groups(_neighbours(pieces)):
        left, top, width, height = (each[line] for each in (pieces.left, pieces.top, pieces.width, pieces.height))
        tall = float(np.median(height))
        feet = top + height
        standing = np.abs(feet - np.median(feet)) <= max(1.0, 0.12 * tall)
        like = np.abs(pieces.peak[line] - np.median(pieces.peak[line])) <= 0.05
        right, bottom = int((left + width).max()), int(feet.max())
        if (
            len(line) >= fewest
            and float(np.median(pieces.peak[line])) >= _FAINTEST
            and max(_spread(height), _spread(top)) <= _SPREAD * tall
            and standing.mean() >= _ON_BASE_LINE
            and like.mean() >= _OF_LIKE_BRIGHTNESS
            and bottom - int(top.min()) <= 2.0 * tall
            and right - int(left.min()) >= 3.5 * tall
        ):
            found.append(
                Box(
                    max(0, int(top.min()) - _MARGIN),
                    max(0, int(left.min()) - _MARGIN),
                    min(shape[0], bottom + _MARGIN),
                    min(shape[1], right + _MARGIN),
                )
            )
    return found


def _spread(values: NDArray[np.int64]) -> float:
    return float(np.abs(values - np.median(values)).mean())


def _neighbours(pieces: _Pieces) -> NDArray[np.bool_]:
    """(pieces, pieces): whether the second follows the first on a line, as near as letters and words do."""
    right, feet = pieces.left + pieces.width, pieces.top + pieces.height
    taller = np.maximum(pieces.height[:, None], pieces.height[None, :])
    lower = np.minimum(pieces.height[:, None], pieces.height[None, :])
    gap = pieces.left[None, :] - right[:, None]
    near = (gap >= -0.3 * lower) & (gap <= 1.1 * taller) & (pieces.left[None, :] > pieces.left[:, None])
    shared = np.minimum(feet[:, None], feet[None, :]) - np.maximum(pieces.top[:, None], pieces.top[None, :])
    alike = (taller <= 2.0 * lower) & (shared >= 0.6 * lower)
    alike &= np.abs(pieces.peak[:, None] - pieces.peak[None, :]) <= _SAME_BRIGHTNESS
    return np.asarray(near & alike)


def _groups(follows: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Pieces that hang together, largest chains of neighbours."""
    group = np.arange(len(follows))
    firsts, seconds = np.nonzero(follows)
    for first, second in zip(firsts, seconds, strict=True):
        low, high = sorted((group[first], group[second]))
        if low != high:
            group[group == high] = low
    return [np.nonzero(group == each)[0] for each in np.unique(group)]
