"""Text burnt into the pixels: places that may hold some, found by the look of printed characters.

Classical and without a dictionary: strokes that stand out from their surroundings (top-hat and bottom-hat), connected
to pieces of the size and proportions of characters, of nearly one grey value each, side by side in a row. It reads
nothing and finds neither handwriting nor single letters; how often it errs is in ``docs/DEIDENTIFICATION.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MAY_HOLD_TEXT = "may contain text burnt into the picture"
FEWEST_CHARACTERS = 4
_LOWEST, _HIGHEST = 6, 40
"""Heights of characters in pixels."""
_WIDEST = 1.6
"""Of a character, in its heights; joined letters are wider."""
_CONTRAST = 0.22
"""Of a stroke to its surroundings, in the range of the picture."""
_MARGIN = 2


@dataclass(frozen=True, order=True)
class Box:
    """A rectangle in pixels: top and left inside it, bottom and right just outside."""

    top: int
    left: int
    bottom: int
    right: int


def find_text(pixels: NDArray[Any]) -> tuple[Box, ...]:
    """Places that may hold a line of text. pixels: (rows, columns), grey, any type."""
    grey = _eight_bits(pixels)
    boxes: list[Box] = []
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (9, 9))
    for operation in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        strokes = cv2.morphologyEx(grey, operation, kernel)
        boxes += _lines(_characters(strokes, grey), grey.shape)
    return tuple(sorted(set(boxes)))


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


def _characters(strokes: NDArray[np.uint8], grey: NDArray[np.uint8]) -> NDArray[np.int32]:
    """(characters, 4): left, top, width, height of pieces that look like one."""
    bold = (strokes > 255 * _CONTRAST).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bold, connectivity=8)
    kept = []
    for number in range(1, count):
        left, top, width, height, area = (int(v) for v in stats[number])
        if not (_LOWEST <= height <= _HIGHEST and width <= _WIDEST * height and area >= 0.12 * width * height):
            continue
        inside = labels[top : top + height, left : left + width] == number
        values = grey[top : top + height, left : left + width][inside]
        low, high = np.percentile(values, (25, 90))
        if high - low <= 255 * 0.25:
            kept.append((left, top, width, height))
    return np.array(kept, np.int32).reshape(-1, 4)


def _lines(characters: NDArray[np.int32], shape: tuple[int, ...]) -> list[Box]:
    """Characters of like height side by side, at least `FEWEST_CHARACTERS` of them."""
    lines: list[list[NDArray[np.int32]]] = []
    for each in characters[np.argsort(characters[:, 0], kind="stable")] if len(characters) else ():
        line = next((line for line in lines if _continues(line[-1], each)), None)
        if line is None:
            lines.append([each])
        else:
            line.append(each)
    boxes = []
    for line in lines:
        if len(line) < FEWEST_CHARACTERS:
            continue
        placed = np.array(line)
        left, top = placed[:, 0].min(), placed[:, 1].min()
        right, bottom = (placed[:, 0] + placed[:, 2]).max(), (placed[:, 1] + placed[:, 3]).max()
        boxes.append(
            Box(
                max(0, int(top) - _MARGIN),
                max(0, int(left) - _MARGIN),
                min(shape[0], int(bottom) + _MARGIN),
                min(shape[1], int(right) + _MARGIN),
            )
        )
    return boxes


def _continues(last: NDArray[np.int32], following: NDArray[np.int32]) -> bool:
    """Whether `following` stands right of `last` on one line, as near as letters and the words of a line are."""
    left, top, width, height = (int(v) for v in last)
    left2, top2, _width2, height2 = (int(v) for v in following)
    gap = left2 - (left + width)
    taller = max(height, height2)
    same_line = abs((top + height) - (top2 + height2)) <= 0.25 * taller
    return -1 <= gap <= 1.2 * taller and taller <= 1.6 * min(height, height2) and same_line
