"""The strip of a series: a few of its slices in order, with the outline and what the model says of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.imaging.overlay import contours
from braintumor_desktop.imaging.windowing import Window, robust_window
from braintumor_desktop.language import tr
from braintumor_desktop.reporting import figures
from braintumor_desktop.reporting.canvas import OUTLINE_COLOUR, Canvas, Rgb
from braintumor_desktop.reporting.key_images import grey_picture

MOST_TILES = 9
_LONGEST_SIDE = 220  # 250 dpi at its size on paper


@dataclass(frozen=True, eq=False)
class StripTile:
    """One slice. title: its number and what is special of it; words: how probable a tumour is there.

    pixels: uint8 (rows, columns, 3) RGB, with the model's outline; alt_text: the same for who can't see it.
    """

    title: str
    words: str
    alt_text: str
    pixels: Rgb


def render_strip(analysis: Analysis, *, window: Window | None = None) -> tuple[StripTile, ...]:
    """Key slices and others evenly spread over the analysed slices, in order; empty for a single picture.

    window: as in `render_key_images`, one for all slices.
    """
    study = analysis.study
    if not analysis.slices:
        return ()
    by_index = {each.index: each for each in analysis.slices}
    roles = _roles(analysis)
    window = window if window is not None else robust_window(study.pixels[analysis.key_slice])
    canvas = Canvas(study.rows, study.columns, study.geometry.pixel_spacing_mm, _LONGEST_SIDE)
    tiles = []
    for index in _chosen(sorted(by_index), sorted(set(roles) & set(by_index))):
        picture = grey_picture(canvas, study.pixels[index], window)
        outlines = [] if analysis.segmentation is None else contours(analysis.segmentation.mask[index])
        canvas.draw_outlines(picture, outlines, OUTLINE_COLOUR, thickness=2)
        role = roles.get(index, "")
        share = figures.share_in_words(by_index[index].tumor_probability)
        outlined = tr("with an outline") if outlines else tr("without an outline")
        alt = tr(
            "Slice {number} {outlined}, tumour probability {share}.", number=index + 1, outlined=outlined, share=share
        )
        tiles.append(StripTile(f"{index + 1} {role}".strip(), share, alt, picture))
    return tuple(tiles)


def _roles(analysis: Analysis) -> dict[int, str]:
    keys = analysis.key_slices
    if keys is None:
        return {analysis.key_slice: tr("key")}
    roles: dict[int, list[str]] = {}
    for index, role in (
        (keys.largest, tr("largest")) if keys.largest is not None else (analysis.key_slice, tr("key")),
        (keys.most_confident, tr("most certain")),
        (keys.most_uncertain, tr("least certain")),
    ):
        if index is not None:
            roles.setdefault(index, []).append(role)
    return {index: ", ".join(words) for index, words in roles.items()}


def _chosen(available: list[int], wanted: list[int]) -> list[int]:
    """`wanted` and as many others as there is room for, each time the one farthest from those chosen."""
    spread = np.linspace(0, len(available) - 1, min(MOST_TILES, len(available)))
    chosen = set(wanted)
    even = [available[round(float(place))] for place in spread]
    while len(chosen) < min(MOST_TILES, len(available)):
        rest = [index for index in even if index not in chosen] or [i for i in available if i not in chosen]
        chosen.add(max(rest, key=lambda index: min((abs(index - other) for other in chosen), default=0)))
    return sorted(chosen)
