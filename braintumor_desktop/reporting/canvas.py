"""The drawing surface of one slice: where its pixels go, square on paper where the spacing is known."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.measurements import Diameter, Point
from braintumor_desktop.imaging.turning import opposite

Rgb = NDArray[np.uint8]
Colour = tuple[int, int, int]

# Okabe and Ito, Color Universal Design (2008): told apart by colour-blind readers, and from grey.
OUTLINE_COLOUR: Colour = (240, 228, 66)
DIAMETER_COLOUR: Colour = (86, 180, 233)
WHITE: Colour = (255, 255, 255)
_HALO: Colour = (0, 0, 0)
_BAR_LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_SUBPIXEL_BITS = 4


@dataclass(frozen=True)
class ScaleBar:
    """width: as a share of the image's width; label: its length, ``20 mm``, or ``100 px`` where spacing is unknown."""

    width: float
    label: str


def edge_letters(orientation: tuple[str, str] | None) -> tuple[str, str, str, str] | None:
    """Patient directions at the left, right, top and bottom edge of the picture, None where orientation is unknown.

    orientation: as in `Geometry`, towards the right edge and the bottom edge.
    """
    if orientation is None:
        return None
    right, bottom = orientation
    return opposite(right), right, opposite(bottom), bottom


class Canvas:
    """spacing: (between rows, between columns) in mm, None where unknown; longest: pixels of the longer side."""

    def __init__(self, rows: int, columns: int, spacing: tuple[float, float] | None, longest: int) -> None:
        row_size, column_size = spacing if spacing is not None else (1.0, 1.0)
        self.spacing = spacing
        extent = max(rows * row_size, columns * column_size)
        self.height = max(1, round(longest * rows * row_size / extent))
        self.width = max(1, round(longest * columns * column_size / extent))
        self.down, self.across = self.height / rows, self.width / columns  # canvas pixels a pixel of the slice
        self.columns = columns

    def resample(self, plane: NDArray[np.generic]) -> NDArray[np.generic]:
        """(rows, columns) to the canvas: averaged when it shrinks, linear when it grows (adds no edges of its own)."""
        method = cv2.INTER_AREA if min(self.down, self.across) < 1 else cv2.INTER_LINEAR
        resampled: NDArray[np.generic] = cv2.resize(plane, (self.width, self.height), interpolation=method)
        return resampled

    def scale_bar(self) -> ScaleBar:
        """The longest round length that takes at most a third of the width."""
        total = self.columns * (self.spacing[1] if self.spacing is not None else 1.0)
        fitting = [length for length in _BAR_LENGTHS if length <= total / 3]
        length = fitting[-1] if fitting else _BAR_LENGTHS[0]
        return ScaleBar(min(1.0, length / total), f"{length} {'px' if self.spacing is None else 'mm'}")

    def draw_outlines(
        self, picture: Rgb, outlines: list[NDArray[np.float64]], colour: Colour, thickness: int, halo: int = 1
    ) -> None:
        """Closed anti-aliased lines with a dark halo, so that they are seen on bright and on dark tissue alike."""
        lines = [self._place(outline) for outline in outlines]
        for width, ink in ((thickness + 2 * halo, _HALO), (thickness, colour)):
            cv2.polylines(picture, lines, True, ink, width, cv2.LINE_AA, _SUBPIXEL_BITS)

    def draw_diameter(self, picture: Rgb, diameter: Diameter) -> None:
        ends: tuple[Point, Point] = (diameter.start, diameter.end)
        line = self._place(np.array(ends))
        for width, ink in ((4, _HALO), (2, DIAMETER_COLOUR)):
            cv2.polylines(picture, [line], False, ink, width, cv2.LINE_AA, _SUBPIXEL_BITS)

    def _place(self, points: NDArray[np.float64]) -> NDArray[np.int32]:
        """(n, 2) row, column, pixel centres at whole numbers → (n, 1, 2) x, y in OpenCV's fixed-point sub-pixels."""
        x = (points[:, 1] + 0.5) * self.across - 0.5
        y = (points[:, 0] + 0.5) * self.down - 0.5
        placed: NDArray[np.int32] = np.rint(np.stack([x, y], axis=1)[:, None, :] * 2**_SUBPIXEL_BITS).astype(np.int32)
        return placed
