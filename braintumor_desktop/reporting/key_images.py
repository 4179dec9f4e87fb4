"""The pictures of a report: the key slice as it is, with the lesion outline, and with the heat map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.imaging.overlay import COLORMAPS, colorize, contours
from braintumor_desktop.imaging.windowing import Window, apply_window, robust_window
from braintumor_desktop.language import tr
from braintumor_desktop.reporting.canvas import OUTLINE_COLOUR, WHITE, Canvas, Rgb, ScaleBar, edge_letters

LONGEST_SIDE = 600
"""Pixels of the longer side of a key image: 260 dpi at its size on paper, and pure noise still makes less than 2 MB."""

_HEAT_OPACITY = (0.15, 0.65)  # where the map is 0, and where it is 1: the anatomy stays readable under little heat


@dataclass(frozen=True, eq=False)
class Mark:
    """A line of the reader's on a picture.

    lines: each (n, 2) x and y as shares of the picture's width and height; closed: the last point joins the first;
    label: what stands beside it, the number of its row in the table.
    """

    lines: tuple[NDArray[np.float64], ...]
    closed: bool
    label: str


@dataclass(frozen=True, eq=False)
class KeyImage:
    """One picture of the report.

    pixels: uint8 (rows, columns, 3) RGB, resampled to square pixels where the spacing is known;
    edge_letters: patient directions at the left, right, top and bottom edge, None where unknown;
    colour_bar: uint8 (1, n, 3) RGB from heat 0 at the left to 1 at the right, None without a heat map;
    marks: drawn over the pixels.
    """

    title: str
    caption: str
    alt_text: str
    pixels: Rgb
    scale_bar: ScaleBar
    edge_letters: tuple[str, str, str, str] | None
    colour_bar: Rgb | None = None
    marks: tuple[Mark, ...] = ()


def render_key_images(
    analysis: Analysis, *, window: Window | None = None, colormap: str = COLORMAPS[0]
) -> tuple[KeyImage, ...]:
    """The key slice raw, with the outline, and with the heat map; the last two only where the analysis has them.

    window: grey-value window, in the study's own grey values; that of the program's first view if None.
    """
    study, index = analysis.study, analysis.key_slice
    plane = study.pixels[index]
    window = window if window is not None else robust_window(plane)
    canvas = Canvas(study.rows, study.columns, study.geometry.pixel_spacing_mm, LONGEST_SIDE)
    plain = grey_picture(canvas, plane, window)
    bar, letters = canvas.scale_bar(), edge_letters(study.geometry.orientation)
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
        doubted = analysis.finding.doubted
        caption = (
            tr("No lesion outlined by the model.")
            if not found
            else tr("Outlined with a doubt (yellow), diameters (blue).")
            if doubted
            else tr("Lesion outline (yellow) and diameters (blue).")
        )
        alt = _alt(
            count,
            tr("The picture with the model's lesion outline.") if found else tr("The picture, without an outline."),
            here,
        )
        title = tr("Doubted outline") if doubted else tr("Lesion outline")
        images.append(KeyImage(title, caption, alt, outlined, bar, letters))
    if analysis.explanation is not None:
        heat = np.clip(np.nan_to_num(canvas.resample(analysis.explanation.heatmap[index])), 0.0, 1.0)
        low, high = _HEAT_OPACITY
        opacity = (low + (high - low) * heat)[:, :, None]
        blended = np.rint(plain * (1.0 - opacity) + colorize(heat, colormap) * opacity).astype(np.uint8)
        canvas.draw_outlines(blended, outlines, WHITE, thickness=2)
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


def grey_picture(canvas: Canvas, plane: NDArray[np.generic], window: Window) -> Rgb:
    """A plane (rows, columns) on the canvas through a grey-value window, as RGB."""
    grey = apply_window(canvas.resample(plane), window)
    return np.repeat(grey[:, :, None], 3, axis=2)
