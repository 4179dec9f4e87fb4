"""What the network sees: the head, cropped, made square, scaled in size and brightness, and the way back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from braintumor_desktop.imaging.head import head_mask
from braintumor_desktop.imaging.windowing import apply_window, robust_window

if TYPE_CHECKING:  # the window asks for flags before torch is there
    from braintumor_desktop.models.architectures import WholePicture

MARGIN = 0.04
"""Air kept around the head, as a share of its longer side."""

NEARLY_SQUARE = 0.01
"""Pixels whose sides differ by no more than this share are taken as square."""

LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.5
"""Brightness range of the cropped head that is mapped to 0..1; robust to bright vessels and dead pixels."""


@dataclass(frozen=True)
class Frame:
    """The square, in the input's pixel coordinates, that is scaled to the network's grid.

    top, left: of the square's corner, may be negative where air is added; side: its length in pixels, or where these
    aren't square themselves the root of their number; rows, columns: of the input; ratio: see `pixel_ratio`.
    """

    top: float
    left: float
    side: float
    rows: int
    columns: int
    ratio: float = 1.0

    @property
    def height(self) -> float:
        """In rows."""
        return self.side / math.sqrt(self.ratio)

    @property
    def width(self) -> float:
        """In columns."""
        return self.side * math.sqrt(self.ratio)

    def to_grid(self, rows: int, columns: int) -> NDArray[np.float64]:
        """2x3 matrix for cv2 (x, y order) from input pixel centres to those of a grid over the square."""
        across, down = columns / self.width, rows / self.height
        return np.array(
            [
                [across, 0, 0.5 * across - 0.5 - self.left * across],
                [0, down, 0.5 * down - 0.5 - self.top * down],
            ]
        )

    def back(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a square map (n, n) back to the input's grid (rows, columns); zero outside the square.

        Linear interpolation; smoothed first where the input is coarser than the map, to avoid aliasing.
        """
        size = values.shape[0]
        rows, columns = (min(size, max(1, round(length))) for length in (self.height, self.width))
        if min(rows, columns) < size:
            values = cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA)
        matrix = cv2.invertAffineTransform(self.to_grid(rows, columns))
        result = cv2.warpAffine(values, matrix, (self.columns, self.rows), flags=cv2.INTER_LINEAR)
        return np.asarray(result, dtype=np.float32)


def pixel_ratio(spacing_mm: tuple[float, float] | None) -> float:
    """How many times as high as wide pixels are, 1 where unknown. spacing_mm: (between rows, between columns)."""
    ratio = 1.0 if spacing_mm is None else spacing_mm[0] / spacing_mm[1]
    return ratio if abs(ratio - 1) > NEARLY_SQUARE else 1.0


def find_frame(slice_pixels: NDArray[Any], head: NDArray[np.bool_] | None = None, ratio: float = 1.0) -> Frame:
    """The square around the head; the whole picture where no head outline is found. ratio: see `pixel_ratio`."""
    rows, columns = slice_pixels.shape
    mask = head_mask(slice_pixels) if head is None else head
    if mask is None:
        top, bottom, left, right = 0, rows, 0, columns
    else:
        used_rows, used_columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        top, bottom = int(used_rows[0]), int(used_rows[-1]) + 1
        left, right = int(used_columns[0]), int(used_columns[-1]) + 1
    stretch = math.sqrt(ratio)
    longer = max((bottom - top) * stretch, (right - left) / stretch)
    side = longer if mask is None else longer + 2 * MARGIN * longer
    corner = (top + bottom - side / stretch) / 2, (left + right - side * stretch) / 2
    return Frame(*corner, side, rows, columns, ratio)


def resample(slice_pixels: NDArray[Any], frame: Frame, size: int) -> NDArray[np.float32]:
    """The framed square as float32 (size, size) in the input's own grey values.

    Outside the picture it is the slice's lowest grey value, which stands for air whatever the file counts from.
    Area averaging where it shrinks, linear where it grows, so noise and edges look alike at any resolution.
    """
    pixels = slice_pixels.astype(np.float32)
    down, across = frame.height / size, frame.width / size
    if max(down, across) > 1.5:
        by_row, by_column = min(1.0, 1 / down), min(1.0, 1 / across)
        shape = (max(1, round(frame.columns * by_column)), max(1, round(frame.rows * by_row)))
        pixels = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA)
        scale = pixels.shape[1] / frame.columns  # by whole pixels, so not quite `by_column`
        stretch = pixels.shape[0] / frame.rows / scale
        frame = Frame(
            frame.top * scale * stretch,
            frame.left * scale,
            frame.side * scale * math.sqrt(stretch),
            pixels.shape[0],
            pixels.shape[1],
            frame.ratio / stretch,
        )
    air = float(slice_pixels.min())
    framed = cv2.warpAffine(
        pixels,
        frame.to_grid(size, size),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=air,
    )
    return np.asarray(framed)


def normalise(framed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map the 1st..99.5th percentile of the framed square to 0..1, clipped; all zero for a constant one."""
    low, high = np.percentile(framed, (LOW_PERCENTILE, HIGH_PERCENTILE))
    if high <= low:
        return np.zeros_like(framed)
    return np.asarray(np.clip((framed - low) / (high - low), 0, 1), dtype=np.float32)


def prepare(
    slice_pixels: NDArray[Any], size: int, ratio: float = 1.0
) -> tuple[NDArray[np.float32], Frame, NDArray[np.bool_] | None]:
    """Network input (size, size) float32 0..1, its frame, and the head outline (rows, columns) or None.

    ratio: see `pixel_ratio`.
    """
    head = head_mask(slice_pixels)
    frame = find_frame(slice_pixels, head, ratio)
    return normalise(resample(slice_pixels, frame, size)), frame, head


class WholeFrame(Frame):
    """The whole picture, stretched to a square whatever its shape: what the reference models see."""

    @classmethod
    def of(cls, rows: int, columns: int) -> WholeFrame:
        """side: that of a square of the same area, so that shares of it mean shares of the picture."""
        return cls(0.0, 0.0, float(np.sqrt(rows * columns)), rows, columns)

    def back(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a square map (n, n) back to the input's grid (rows, columns); averages where that is coarser."""
        size = (min(self.columns, values.shape[1]), min(self.rows, values.shape[0]))
        small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
        result = cv2.resize(small, (self.columns, self.rows), interpolation=cv2.INTER_LINEAR)
        return np.asarray(result, dtype=np.float32)


def resize_whole(slice_pixels: NDArray[Any], feeding: WholePicture) -> NDArray[np.uint8]:
    """The whole slice as grey bytes (size, size), stretched, as the original systems fed their networks.

    Bytes are taken as they are; anything else goes through the program's own first window. Bilinear is OpenCV's, which
    looks at four pixels only however much it shrinks, bicubic is Pillow's, which smooths: the ones the originals had.
    """
    size = (feeding.size, feeding.size)
    grey = slice_pixels if slice_pixels.dtype == np.uint8 else apply_window(slice_pixels, robust_window(slice_pixels))
    if feeding.interpolation == "bicubic":
        return np.array(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC), dtype=np.uint8)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
