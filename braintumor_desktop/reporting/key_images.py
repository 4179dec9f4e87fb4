"""The pictures of a report: the key slice as it is, with the lesion outline, and with the heat map."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.domain.measurements import Diameter, Point
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.imaging.overlay import COLORMAPS, colorize, contours
from braintumor_desktop.imaging.windowing import Window, apply_window, robust_window
from braintumor_desktop.language import tr

Rgb = NDArray[np.uint8]

LONGEST_SIDE = 600
"""Pixels of the longer side of a key image: 260 dpi at its size on paper, and pure noise still makes less than 2 MB."""

# Okabe and Ito, Color Universal Design (2008): told apart by colour-blind readers, and from grey.
OUTLINE_COLOUR = (240, 228, 66)
DIAMETER_COLOUR = (86, 180, 233)
_WHITE, _HALO = (255, 255, 255), (0, 0, 0)
_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H", "S": "I", "I": "S"}
_BAR_LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_SUBPIXEL_BITS = 4
_HEAT_OPACITY = (
    0.15,
    0.65,
)  # where the map is 0, and where it is 1: the anatomy stays readable where there is little heat


@dataclass(frozen=True)
class ScaleBar:
    """width: as a share of the image's width; label: its length, ``20 mm``, or ``100 px`` where spacing is unknown."""

    width: float
    label: str


@dataclass(frozen=True, eq=False)
class KeyImage:
    """One picture of the report.

    pixels: uint8 (rows, columns, 3) RGB, resampled to square pixels where the spacing is known;
    edge_letters: patient directions at the left, right, top and bottom edge, None where unknown;
    colour_bar: uint8 (1, n, 3) RGB from heat 0 at the left to 1 at the right, None without a heat map.
    """

    title: str
    caption: str
    alt_text: str
    pixels: Rgb
    scale_bar: ScaleBar
    edge_letters: tuple[str, str, str, str] | None
    colour_bar: Rgb | None = None


def render_key_images(
    analysis: Analysis, *, window: Window | None = None, colormap: str = COLORMAPS[0]
) -> tuple[KeyImage, ...]:
    """The key slice raw, with the outline, and with the heat map; the last two only where the analysis has them.

    window: grey-value window, in the study's own grey values; that of the program's first view if None.
    """
    study, index = analysis.study, analysis.key_slice
    plane = study.pixels[index]
    window = window if window is not None else robust_window(plane)
    canvas = _Canvas(study.rows, study.columns, study.geometry)
    grey = apply_window(canvas.resample(plane), window)
    plain = np.repeat(grey[:, :, None], 3, axis=2)
    bar, letters = canvas.scale_bar(), edge_letters(study.geometry)
    here, count = index + 1, study.slices
    shown = tr("As loaded, grey values {low:g} to {high:g}.", low=window.low, high=window.high)

    images = [KeyImage(tr("Original"), shown, _alt(count, tr("Grey picture as loaded."), here), plain, bar, letters)]
    segmentation = analysis.segmentation
    outlines = [] if segmentation is None else contours(segmentation.mask[index])
    if segmentation is not None:
        outlined = plain.copy()
        diameters = segmentation.diameters if segmentation.slice_index == index else None
        for diameter in () if diameters is None else (diameters.longest, diameters.perpendicular):
            canvas.draw_diameter(outlined, diameter)
        canvas.draw_outlines(outlined, outlines, OUTLINE_COLOUR, thickness=3)
        found = segmentation.present
        caption = (
            tr("Lesion outline (yellow) and diameters (blue).") if found else tr("No lesion outlined by the model.")
        )
        alt = _alt(
            count,
            tr("The picture with the model's lesion outline.") if found else tr("The picture, without an outline."),
            here,
        )
        images.append(KeyImage(tr("Lesion outline"), caption, alt, outlined, bar, letters))
    if analysis.explanation is not None:
        heat = np.clip(np.nan_to_num(canvas.resample(analysis.explanation.heatmap[index])), 0.0, 1.0)
        low, high = _HEAT_OPACITY
        opacity = (low + (high - low) * heat)[:, :, None]
        blended = np.rint(plain * (1.0 - opacity) + colorize(heat, colormap) * opacity).astype(np.uint8)
        canvas.draw_outlines(blended, outlines, _WHITE, thickness=2)
        ramp = colorize(np.linspace(0.0, 1.0, 256, dtype=np.float32)[None, :], colormap)
        caption = tr("Where the model looked. Not a finding of its own.")
        alt = _alt(
            count,
            tr("The picture with the model's heat map laid over it, {colormap} colours.", colormap=colormap),
            here,
        )
        images.append(KeyImage(tr("Heat map"), caption, alt, blended, bar, letters, ramp))
    return tuple(images)


def _alt(slices: int, words: str, number: int) -> str:
    """What a picture shows, for those who can't see it."""
    return words if slices == 1 else f"{words} {tr('Slice {number} of {slices}.', number=number, slices=slices)}"


def edge_letters(geometry: Geometry) -> tuple[str, str, str, str] | None:
    """Patient directions at the left, right, top and bottom edge of the picture, None where orientation is unknown."""
    if geometry.orientation is None:
        return None
    right, bottom = geometry.orientation
    return _opposite(right), right, _opposite(bottom), bottom


def _opposite(direction: str) -> str:
    """The other end of a DICOM patient direction such as ``L`` or ``AL`` (PS3.3 C.7.6.1.1.1)."""
    return "".join(_OPPOSITE.get(letter, "?") for letter in direction)


class _Canvas:
    """The drawing surface of one slice: where its pixels go, square on paper where the spacing is known."""

    def __init__(self, rows: int, columns: int, geometry: Geometry) -> None:
        spacing = geometry.pixel_spacing_mm
        row_size, column_size = spacing if spacing is not None else (1.0, 1.0)
        self.spacing = spacing
        longest = max(rows * row_size, columns * column_size)
        self.height = max(1, round(LONGEST_SIDE * rows * row_size / longest))
        self.width = max(1, round(LONGEST_SIDE * columns * column_size / longest))
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
        self, picture: Rgb, outlines: list[NDArray[np.float64]], colour: tuple[int, int, int], thickness: int
    ) -> None:
        """Closed anti-aliased lines with a dark halo, so that they are seen on bright and on dark tissue alike."""
        lines = [self._place(outline) for outline in outlines]
        for width, ink in ((thickness + 2, _HALO), (thickness, colour)):
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
