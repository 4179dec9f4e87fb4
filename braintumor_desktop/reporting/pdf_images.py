"""The pictures of the report on paper: key images, the strip of a series, and what the reader measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from braintumor_desktop.language import tr
from braintumor_desktop.reporting.canvas import OUTLINE_COLOUR, Rgb
from braintumor_desktop.reporting.key_images import KeyImage, Mark
from braintumor_desktop.reporting.report import Report
from braintumor_desktop.reporting.sheet import BLACK, MARGIN, MUTED, WHITE, Sheet, line_height

_GAP = 3.0  # mm between pictures
_COLUMNS = 3
_SMALL = 6.6


def draw_key_images(sheet: Sheet, report: Report, height: float) -> None:
    """The key images in a row, at most `height` mm high; below them the strip and the reader's own, where there are."""
    width = (sheet.content_width - (_COLUMNS - 1) * _GAP) / _COLUMNS
    tallest = max(_fit(image.pixels, width, height)[1] for image in report.images)
    sheet.heading(tr("Key images"), keep=tallest + 20.0)
    below = _row(sheet, report.images, width, height)
    # The notes go below the first two captions, beside the third, that stands lower for its colour bar.
    sheet.set_y(max(below[:2]))
    sheet.paragraph(report.image_notes, width=2 * width + _GAP, size=_SMALL, colour=MUTED)
    sheet.set_y(max(sheet.y, *below))
    _strip(sheet, report)
    for first in range(0, len(report.reader_images), _COLUMNS):
        row = report.reader_images[first : first + _COLUMNS]
        sheet.room(max(_fit(image.pixels, width, height)[1] for image in row) + 14.0)
        sheet.set_y(sheet.y + 1.2)
        sheet.set_y(max(_row(sheet, row, width, height)))


def _row(sheet: Sheet, images: Sequence[KeyImage], width: float, height: float) -> list[float]:
    """Pictures beside each other on black, all as tall as the tallest; where each one's caption ends."""
    sizes = [_fit(image.pixels, width, height) for image in images]
    tallest = max(size[1] for size in sizes)
    top = sheet.y + 3.6
    below = []
    for number, (image, (w, h)) in enumerate(zip(images, sizes, strict=True)):
        left = MARGIN + number * (width + _GAP)
        sheet.write_line(sheet.shortened(image.title, width), left, top - 3.6, bold=True)
        sheet.set_fill_color(*BLACK)
        sheet.rect(left, top, width, tallest, style="F")
        _image(sheet, image, left + (width - w) / 2, top + (tallest - h) / 2, w, h)
        sheet.set_y(top + tallest + 0.6)
        if image.colour_bar is not None:
            _colour_bar(sheet, image.colour_bar, left, sheet.y, width)
            sheet.set_y(sheet.y + 3.0)
        sheet.paragraph(image.caption, x=left, width=width, size=_SMALL, colour=MUTED)
        below.append(sheet.y)
    return below


def _fit(pixels: Rgb, width: float, height: float) -> tuple[float, float]:
    rows, columns = pixels.shape[:2]
    scale = min(width / columns, height / rows)
    return columns * scale, rows * scale


def _picture(pixels: Rgb) -> Image.Image:
    grey = bool((pixels == pixels[:, :, :1]).all())  # a third of the bytes
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, 0])) if grey else Image.fromarray(pixels)


def _image(sheet: Sheet, image: KeyImage, x: float, y: float, w: float, h: float) -> None:
    """The picture with its marks, its scale bar, and its edge letters or that orientation is unknown."""
    sheet.image(_picture(image.pixels), x=x, y=y, w=w, h=h, alt_text=sheet.printable(image.alt_text))
    for mark in image.marks:
        _mark(sheet, mark, x, y, w, h)
    bar = image.scale_bar.width * w
    foot = y + h - 1.6
    sheet.set_fill_color(*BLACK)
    sheet.rect(x + 1.3, foot - 1.0, bar + 0.4, 1.2, style="F")
    sheet.set_fill_color(*WHITE)
    sheet.rect(x + 1.5, foot - 0.8, bar, 0.8, style="F")
    sheet.plate(image.scale_bar.label, x + 1.3, foot - 1.2 - line_height(6.2))
    if image.edge_letters is None:
        sheet.plate(tr("orientation unknown"), x + w - 0.8, y + 0.8, 5.4, align="R")
        return
    left, right, top, bottom = image.edge_letters
    middle = y + h / 2 - line_height(7.0) / 2
    sheet.plate(left, x + 0.8, middle, 7.0)
    sheet.plate(right, x + w - 0.8, middle, 7.0, align="R")
    sheet.plate(top, x + w / 2, y + 0.8, 7.0, align="C")
    sheet.plate(bottom, x + w / 2, y + h - 0.8 - line_height(7.0), 7.0, align="C")


def _mark(sheet: Sheet, mark: Mark, x: float, y: float, w: float, h: float) -> None:
    """Lines with a dark seam, kept inside the picture, and their number beside the rightmost point."""
    lines: list[NDArray[np.float64]] = [np.clip(line, 0.0, 1.0) * (w, h) + (x, y) for line in mark.lines]
    for colour, thickness in ((BLACK, 0.75), (OUTLINE_COLOUR, 0.35)):
        sheet.set_draw_color(*colour)
        sheet.set_line_width(thickness)
        for line in lines:
            sheet.polyline([(float(px), float(py)) for px, py in line], polygon=mark.closed)
    points = np.concatenate(lines)
    px, py = points[points[:, 0].argmax()]
    room = sheet.line_width_of(mark.label, 6.2, bold=True) + 3.0
    left = px + 0.8 if px + room < x + w else points[:, 0].min() - room
    sheet.plate(mark.label, max(float(left), x + 0.2), float(py) - line_height(6.2) / 2)


def _colour_bar(sheet: Sheet, ramp: Rgb, x: float, y: float, width: float) -> None:
    sheet.write_line("0", x, y - 0.3, _SMALL)
    sheet.image(
        Image.fromarray(ramp), x=x + 2.4, y=y + 0.2, w=width - 4.8, h=2.0, alt_text=tr("Colour bar from heat 0 to 1.")
    )
    sheet.write_line("1", x, y - 0.3, _SMALL, width=width, align="R")


def _strip(sheet: Sheet, report: Report) -> None:
    if not report.strip:
        return
    gap = 1.2
    width = (sheet.content_width - (len(report.strip) - 1) * gap) / max(len(report.strip), 6)
    sizes = [_fit(tile.pixels, width, 30.0) for tile in report.strip]
    tallest = max(size[1] for size in sizes)
    sheet.room(tallest + 15.0)
    top = sheet.y + 1.0
    sheet.write_line(tr("Slices: number, tumour probability"), MARGIN, top, bold=True)
    top += 3.8
    lowest = top
    for number, (tile, (w, h)) in enumerate(zip(report.strip, sizes, strict=True)):
        left = MARGIN + number * (width + gap)
        sheet.set_fill_color(*BLACK)
        sheet.rect(left, top, width, tallest, style="F")
        alt = sheet.printable(tile.alt_text)
        sheet.image(_picture(tile.pixels), x=left + (width - w) / 2, y=top + (tallest - h) / 2, w=w, h=h, alt_text=alt)
        sheet.set_y(top + tallest + 0.4)
        sheet.paragraph(tile.title, x=left, width=width, size=_SMALL, bold=True)
        sheet.paragraph(tile.words, x=left, width=width, size=_SMALL, colour=MUTED)
        lowest = max(lowest, sheet.y)
    sheet.set_y(lowest + 0.6)
