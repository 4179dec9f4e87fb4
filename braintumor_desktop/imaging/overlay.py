"""What is drawn over the pixels: heat-map colours and lesion outlines."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# The first is the default: cividis reads the same to colour-blind eyes (Nuñez et al., PLoS ONE 2018;13:e0199239).
COLORMAPS: tuple[str, ...] = ("cividis", "viridis", "jet")


def colorize(values01: NDArray[Any], colormap: str = COLORMAPS[0]) -> NDArray[np.uint8]:
    """Colours of values from 0 to 1 (outside: clipped): uint8 RGB, the shape of the values and 3.

    Raises ValueError for a name that is not in `COLORMAPS`.
    """
    if colormap not in COLORMAPS:
        raise ValueError(f"unknown colour map {colormap!r}")
    colours: NDArray[np.uint8] = _table(colormap)[np.rint(np.clip(values01, 0.0, 1.0) * 255).astype(np.uint8)]
    return colours


@lru_cache
def _table(colormap: str) -> NDArray[np.uint8]:
    codes = {"cividis": cv2.COLORMAP_CIVIDIS, "viridis": cv2.COLORMAP_VIRIDIS, "jet": cv2.COLORMAP_JET}
    bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], codes[colormap])
    table: NDArray[np.uint8] = np.ascontiguousarray(bgr[:, 0, ::-1])
    table.flags.writeable = False
    return table


def contours(mask2d: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Closed outlines of a mask along the edges of its pixels, holes included.

    mask2d: (rows, columns). Each outline is (n, 2) float of row, column at the corners where it turns; pixel centres
    lie at whole numbers, so corners lie at halves. The last corner joins the first. Pixels that touch by a
    corner only belong to two outlines. Going round, the lesion is on the right hand as seen on screen, so the shoelace
    areas (column as x, row as y) are positive for outer outlines, negative for holes, and sum to the pixels exactly.
    """
    used_rows, used_columns = np.flatnonzero(mask2d.any(axis=1)), np.flatnonzero(mask2d.any(axis=0))
    if not len(used_rows):
        return []
    top, left = int(used_rows[0]), int(used_columns[0])
    leaving = _edges(mask2d[top : used_rows[-1] + 1, left : used_columns[-1] + 1])
    unused = {(corner, step): None for corner, steps in leaving.items() for step in steps}
    outlines = []
    while unused:
        first = corner, step = next(iter(unused))
        corners, came = [], (0, 0)
        while (corner, step) in unused:
            del unused[corner, step]
            if step != came:
                corners.append(corner)
            corner, came = (corner[0] + step[0], corner[1] + step[1]), step
            steps = leaving[corner]
            # Where two pixels touch by this corner only, turn right and so stay with the same pixel.
            step = steps[0] if len(steps) == 1 else (came[1], -came[0])
        if came == first[1]:  # the start lay in the middle of a straight edge
            del corners[0]
        outlines.append(np.array(corners, dtype=np.float64) + np.array([top - 0.5, left - 0.5]))
    return outlines


_Step = tuple[int, int]


def _edges(mask: NDArray[np.bool_]) -> dict[tuple[int, int], list[_Step]]:
    """Every pixel edge between lesion and surroundings: from which corner it leaves, in which direction."""
    inside = np.pad(mask.astype(bool), 1)
    leaving: dict[tuple[int, int], list[_Step]] = {}
    # The neighbour across the edge; the corner it leaves from, relative to the pixel's upper left; the direction.
    for across, corner, step in (
        ((-1, 0), (0, 0), (0, 1)),
        ((0, 1), (0, 1), (1, 0)),
        ((1, 0), (1, 1), (0, -1)),
        ((0, -1), (1, 0), (-1, 0)),
    ):
        edge = inside & ~np.roll(inside, (-across[0], -across[1]), axis=(0, 1))
        for row, column in (np.argwhere(edge) - 1 + corner).tolist():
            leaving.setdefault((row, column), []).append(step)
    return leaving
