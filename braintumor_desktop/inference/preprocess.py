"""What the network sees: the head, cropped, made square, scaled in size and brightness, and the way back."""

from __future__ import annotations

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

LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.5
"""Brightness range of the cropped head that is mapped to 0..1; robust to bright vessels and dead pixels."""


@dataclass(frozen=True)
class Frame:
    """The square, in the input's pixel coordinates, that is scaled to the network's grid.

    top, left: of the square's corner, may be negative where air is added; side: its length in pixels;
    rows, columns: of the input.
    """

    top: float
    left: float
    side: float
    rows: int
    columns: int

    def to_network(self, size: int) -> NDArray[np.float64]:
        """2x3 matrix for cv2 (x, y order) from input pixel centres to those of a `size` x `size` grid."""
        scale = size / self.side
        shift = 0.5 * scale - 0.5
        return np.array([[scale, 0, shift - self.left * scale], [0, scale, shift - self.top * scale]])

    def back(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a square map (n, n) back to the input's grid (rows, columns); zero outside the square.

        Linear interpolation; smoothed first where the input is coarser than the map, to avoid aliasing.
        """
        size = values.shape[0]
        if self.side < size:
            values = cv2.resize(values, (max(1, round(self.side)),) * 2, interpolation=cv2.INTER_AREA)
            size = values.shape[0]
        matrix = cv2.invertAffineTransform(self.to_network(size))
        result = cv2.warpAffine(values, matrix, (self.columns, self.rows), flags=cv2.INTER_LINEAR)
        return np.asarray(result, dtype=np.float32)


def find_frame(slice_pixels: NDArray[Any], head: NDArray[np.bool_] | None = None) -> Frame:
    """The square around the head; the whole picture where no head outline is found."""
    rows, columns = slice_pixels.shape
    mask = head_mask(slice_pixels) if head is None else head
    if mask is None:
        top, bottom, left, right = 0, rows, 0, columns
        margin = 0.0
    else:
        used_rows, used_columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        top, bottom = int(used_rows[0]), int(used_rows[-1]) + 1
        left, right = int(used_columns[0]), int(used_columns[-1]) + 1
        margin = MARGIN * max(bottom - top, right - left)
    side = max(bottom - top, right - left) + 2 * margin
    return Frame((top + bottom - side) / 2, (left + right - side) / 2, side, rows, columns)


def resample(slice_pixels: NDArray[Any], frame: Frame, size: int) -> NDArray[np.float32]:
    """The framed square as float32 (size, size) in the input's own grey values; zero outside the picture.

    Area averaging where it shrinks, linear where it grows, so noise and edges look alike at any resolution.
    """
    pixels = slice_pixels.astype(np.float32)
    shrink = frame.side / size
    if shrink > 1.5:
        step = 1 / shrink
        shape = (max(1, round(frame.columns * step)), max(1, round(frame.rows * step)))
        pixels = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA)
        scale = pixels.shape[1] / frame.columns
        frame = Frame(frame.top * scale, frame.left * scale, frame.side * scale, pixels.shape[0], pixels.shape[1])
    return np.asarray(cv2.warpAffine(pixels, frame.to_network(size), (size, size), flags=cv2.INTER_LINEAR))


def normalise(framed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map the 1st..99.5th percentile of the framed square to 0..1, clipped; all zero for a constant one."""
    low, high = np.percentile(framed, (LOW_PERCENTILE, HIGH_PERCENTILE))
    if high <= low:
        return np.zeros_like(framed)
    return np.asarray(np.clip((framed - low) / (high - low), 0, 1), dtype=np.float32)


def prepare(slice_pixels: NDArray[Any], size: int) -> tuple[NDArray[np.float32], Frame, NDArray[np.bool_] | None]:
    """Network input (size, size) float32 0..1, its frame, and the head outline (rows, columns) or None."""
    head = head_mask(slice_pixels)
    frame = find_frame(slice_pixels, head)
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
