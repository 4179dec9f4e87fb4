"""The report as PDF, and the drawing that the PNG shares.

How far it goes: the file declares PDF/A-2u (ISO 19005-2, level U). fpdf2 enforces it as far as it can: fonts embedded
as subsets, text mapped to Unicode, sRGB output intent, XMP metadata, no encryption, script or link. Title, language,
author, creator, date and bookmarks are set; key images carry alternative text in a structure tree. It isn't fully
tagged (headings, tables and reading order are not in the tree), so it is neither PDF/A-2a nor PDF/UA. The claim
of PDF/A-2u rests on fpdf2; no validator (such as veraPDF) has been run on the files yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from braintumor_desktop.language import long_date, tr
from braintumor_desktop.reporting.atomic import atomic_write
from braintumor_desktop.reporting.key_images import KeyImage
from braintumor_desktop.reporting.report import Fact, Report
from braintumor_desktop.reporting.sheet import ACCENT, BLACK, INK, MARGIN, MUTED, TRACK, WHITE, Sheet, line_height

Paper = Literal["A4", "Letter"]
PAPER_SIZES_MM: dict[Paper, tuple[float, float]] = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}

_GAP = 2.1  # mm between sections
_TALLEST_IMAGE, _LOWEST_IMAGE = 58.0, 38.0  # mm; lower ones are taken where that lets the report fit on one page
_LABEL_WIDTH = 30.0
_OTHER_BAR = (120, 144, 166)


def write_pdf(report: Report, path: Path, *, paper: Paper = "A4") -> None:
    """Write the report, whole or not at all. Raises BrainTumorError EXPORT_FAILED."""
    content = render_pdf(report, paper=paper)
    with atomic_write(path) as stream:
        stream.write(content)


def render_pdf(report: Report, *, paper: Paper = "A4") -> bytes:
    """The bytes of the PDF: one page where everything fits with images of a useful size.

    Else the answer is on the first page, and model, limits and the reader's block on the second; long comments may
    take more.
    """
    size = PAPER_SIZES_MM[paper]
    with compose(report, size, _LOWEST_IMAGE) as sheet:
        spare = sheet.bottom - sheet.y if sheet.pages_count == 1 else None
    height = _TALLEST_IMAGE if spare is None else min(_TALLEST_IMAGE, _LOWEST_IMAGE + max(0.0, spare - 0.1))
    with compose(report, size, height, answer_alone=spare is None) as sheet:
        return sheet.finish()


def compose(report: Report, size: tuple[float, float], image_height: float, *, answer_alone: bool = False) -> Sheet:
    """Draw the report on sheets of `size` (mm), key images at most `image_height` mm high. Use it in a ``with`` block.

    answer_alone: start a new page after the measurements.
    """
    sheet = Sheet(
        size,
        banner=tr("Synthetic data. {banner}", banner=report.banner) if report.synthetic else report.banner,
        footer=(report.file_name, f"  ·  SHA-256 {report.file_sha256[:12]}…  ·  {report.program}"),
    )
    sheet.describe(
        f"{report.title}: {report.file_name}", f"{report.banner} {report.finding}", report.program, report.created
    )
    sheet.add_page()
    _title(sheet, report)
    _provenance(sheet, report)
    _finding(sheet, report)
    _quality(sheet, report)
    _key_images(sheet, report, image_height)
    _measurements(sheet, report)
    _reader_measurements(sheet, report)
    if answer_alone:
        sheet.add_page()
    _model_and_limits(sheet, report)
    _reader(sheet, report)
    return sheet


def _title(sheet: Sheet, report: Report) -> None:
    top = sheet.y
    sheet.write_line(report.title, MARGIN, top - 0.6, 14.5, bold=True)
    time = report.created.isoformat("T", "minutes").partition("T")[2]
    created = tr("Created {day}, {time}", day=long_date(report.created), time=time)
    sheet.write_line(created, MARGIN, top, 8.0, colour=MUTED, width=sheet.content_width, align="R")
    sheet.write_line(report.program, MARGIN, top + 3.5, 7.0, colour=MUTED, width=sheet.content_width, align="R")
    sheet.set_y(top + 8.2)
    sheet.paragraph(report.identifiers, size=8.0)
    sheet.set_y(sheet.y + _GAP - 0.6)


def _provenance(sheet: Sheet, report: Report) -> None:
    sheet.heading(tr("Provenance"))
    _facts(sheet, report.provenance)
    sheet.set_y(sheet.y + _GAP)


def _facts(sheet: Sheet, facts: Sequence[Fact]) -> None:
    """Short facts two in a row, long ones over the whole width, in order."""
    half = sheet.content_width / 2
    value_width = half - _LABEL_WIDTH
    waiting: Fact | None = None
    for fact in facts:
        if sheet.line_width_of(fact.value) > value_width - 2.0:
            if waiting is not None:
                sheet.grid([(waiting.label, waiting.value)], (_LABEL_WIDTH, sheet.content_width - _LABEL_WIDTH))
                waiting = None
            sheet.grid([(fact.label, fact.value)], (_LABEL_WIDTH, sheet.content_width - _LABEL_WIDTH))
        elif waiting is None:
            waiting = fact
        else:
            widths = (_LABEL_WIDTH, value_width, _LABEL_WIDTH, value_width)
            sheet.grid([(waiting.label, waiting.value, fact.label, fact.value)], widths, labels=(0, 2))
            waiting = None
    if waiting is not None:
        sheet.grid([(waiting.label, waiting.value)], (_LABEL_WIDTH, sheet.content_width - _LABEL_WIDTH))


def _finding(sheet: Sheet, report: Report) -> None:
    sheet.heading(tr("Finding"), keep=34.0)
    top = sheet.y
    sheet.set_y(top + 0.8)
    sheet.paragraph(report.finding, x=MARGIN + 3.0, size=10.6, bold=True)
    sheet.set_fill_color(*ACCENT)
    sheet.rect(MARGIN, top + 0.6, 1.0, sheet.y - top, style="F")
    top = sheet.y + 1.6

    bars, pitch = 88.0, 4.7
    chosen = max(report.probabilities, key=lambda row: row.value)
    for number, row in enumerate(report.probabilities):
        y = top + number * pitch
        strong = row.in_set if row.in_set is not None else row is chosen
        sheet.write_line(row.title, MARGIN, y, bold=strong)
        sheet.set_fill_color(*TRACK)
        sheet.rect(MARGIN + _LABEL_WIDTH, y + 0.5, 38.0, 2.7, style="F")
        sheet.set_fill_color(*(ACCENT if strong else _OTHER_BAR))
        if row.value > 0:
            sheet.rect(MARGIN + _LABEL_WIDTH, y + 0.5, 38.0 * row.value, 2.7, style="F")
        sheet.write_line(row.words, MARGIN + _LABEL_WIDTH + 39.5, y, bold=strong)
    end = top + len(report.probabilities) * pitch

    beside = MARGIN + bars + 8.0
    sheet.set_y(top)
    sheet.paragraph(tr("Calibrated probabilities, 100 % together before rounding."), x=beside, colour=MUTED)
    sheet.paragraph(f"{report.tumor_probability}.", x=beside)
    sheet.paragraph(report.prediction_set, x=beside)
    sheet.set_y(max(end, sheet.y) + _GAP - 1.0)


def _quality(sheet: Sheet, report: Report) -> None:
    sheet.heading(tr("Quality"))
    for sentence in report.quality:
        sheet.paragraph(sentence, bullet=True)
    sheet.set_y(sheet.y + _GAP)


def _key_images(sheet: Sheet, report: Report, height: float) -> None:
    gap = 3.0
    width = (sheet.content_width - 2 * gap) / 3
    sizes = [_fit(image, width, height) for image in report.images]
    tallest = max(size[1] for size in sizes)
    sheet.heading(tr("Key images"), keep=tallest + 20.0)
    top = sheet.y + 3.6
    below = []
    for number, (image, (w, h)) in enumerate(zip(report.images, sizes, strict=True)):
        left = MARGIN + number * (width + gap)
        sheet.write_line(image.title, left, top - 3.6, bold=True)
        sheet.set_fill_color(*BLACK)
        sheet.rect(left, top, width, tallest, style="F")
        _image(sheet, image, left + (width - w) / 2, top + (tallest - h) / 2, w, h)
        sheet.set_y(top + tallest + 0.6)
        if image.colour_bar is not None:
            _colour_bar(sheet, image.colour_bar, left, sheet.y, width)
            sheet.set_y(sheet.y + 3.0)
        sheet.paragraph(image.caption, x=left, width=width, size=6.6, colour=MUTED)
        below.append(sheet.y)
    # The notes go below the first two captions, beside the third, that stands lower for its colour bar.
    sheet.set_y(max(below[:2]))
    sheet.paragraph(report.image_notes, width=2 * width + gap, size=6.6, colour=MUTED)
    sheet.set_y(max(sheet.y, *below) + _GAP - 0.6)


def _fit(image: KeyImage, width: float, height: float) -> tuple[float, float]:
    rows, columns = image.pixels.shape[:2]
    scale = min(width / columns, height / rows)
    return columns * scale, rows * scale


def _image(sheet: Sheet, image: KeyImage, x: float, y: float, w: float, h: float) -> None:
    """The picture with its scale bar, and its edge letters or that orientation is unknown."""
    grey = bool((image.pixels == image.pixels[:, :, :1]).all())  # a third of the bytes
    raster = Image.fromarray(np.ascontiguousarray(image.pixels[:, :, 0])) if grey else Image.fromarray(image.pixels)
    sheet.image(raster, x=x, y=y, w=w, h=h, alt_text=sheet.printable(image.alt_text))
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


def _colour_bar(sheet: Sheet, ramp: np.ndarray, x: float, y: float, width: float) -> None:
    sheet.write_line("0", x, y - 0.3, 6.6)
    sheet.image(
        Image.fromarray(ramp), x=x + 2.4, y=y + 0.2, w=width - 4.8, h=2.0, alt_text=tr("Colour bar from heat 0 to 1.")
    )
    sheet.write_line("1", x, y - 0.3, 6.6, width=width, align="R")


def _measurements(sheet: Sheet, report: Report) -> None:
    sheet.heading(tr("Measurements"))
    if not report.measurements:
        sheet.paragraph(tr("This model draws no outline, so nothing was measured."))
    else:
        rows = [(tr("Quantity"), tr("Value"), tr("Method"))]
        rows += [(each.name, each.value, each.method) for each in report.measurements]
        widths = (42.0, 52.0, sheet.content_width - 94.0)
        sheet.grid(rows, widths, bold=(1,), labels=(0, 2), top_row_is_head=True)
    sheet.set_y(sheet.y + _GAP)


def _reader_measurements(sheet: Sheet, report: Report) -> None:
    """Only where there are any."""
    if not report.reader_measurements:
        return
    sheet.heading(tr("Measured by the reader"), keep=12.0)
    rows = [(tr("Measurement"), tr("Value"), tr("How"))]
    rows += [(each.name, each.value, each.method) for each in report.reader_measurements]
    widths = (42.0, 52.0, sheet.content_width - 94.0)
    sheet.grid(rows, widths, bold=(1,), labels=(0, 2), top_row_is_head=True)
    sheet.set_y(sheet.y + _GAP)


def _model_and_limits(sheet: Sheet, report: Report) -> None:
    """Side by side where both fit on a page, else one below the other."""
    gap = 6.0
    width = (sheet.content_width - gap) / 2
    widths = (_LABEL_WIDTH - 2.0, width - _LABEL_WIDTH + 2.0)
    rows = [(fact.label, fact.value) for fact in report.model]
    beside = max(
        sheet.grid_height(rows, widths), sum(sheet.paragraph_height(each, width, bullet=True) for each in report.limits)
    )
    if beside > sheet.h / 2:
        sheet.heading(tr("Model"))
        sheet.grid(rows, (_LABEL_WIDTH, sheet.content_width - _LABEL_WIDTH))
        sheet.set_y(sheet.y + _GAP)
        sheet.heading(tr("Limits"))
        for sentence in report.limits:
            sheet.paragraph(sentence, bullet=True)
    else:
        sheet.room(beside + 6.0)
        top = sheet.y
        sheet.heading(tr("Model"), width=width, keep=beside)
        sheet.grid(rows, widths)
        below = sheet.y
        sheet.set_y(top)
        sheet.heading(tr("Limits"), x=MARGIN + width + gap, width=width, keep=beside)
        for sentence in report.limits:
            sheet.paragraph(sentence, x=MARGIN + width + gap, width=width, bullet=True)
        sheet.set_y(max(below, sheet.y))
    sheet.set_y(sheet.y + _GAP)


def _reader(sheet: Sheet, report: Report) -> None:
    note = report.reader
    sheet.heading(tr("Reader"), keep=15.0)
    top = sheet.y + 0.6
    x = MARGIN
    for verdict, text in (("agree", tr("Agree with the finding")), ("disagree", tr("Disagree with the finding"))):
        _tick_box(sheet, x, top, ticked=note.verdict == verdict)
        sheet.write_line(text, x + 4.4, top - 0.1, bold=note.verdict == verdict)
        x += 48.0
    sheet.set_y(top + 5.2)
    sheet.write_line(tr("Comment"), MARGIN, sheet.y, colour=MUTED)
    if note.comment.strip():
        sheet.paragraph(note.comment.strip(), x=MARGIN + 16.0)
    else:
        for _ in range(2):
            _empty_line(sheet, MARGIN + 16.0, sheet.y + 3.4, sheet.w - MARGIN)
            sheet.set_y(sheet.y + 4.6)
    sheet.room(6.8)
    y = sheet.y + 1.8
    lowest = y + 5.0
    column = sheet.content_width / 3
    day = long_date(note.date) if note.date is not None else ""
    for number, (label, value) in enumerate(
        ((tr("Name"), note.name.strip()), (tr("Date"), day), (tr("Signature"), ""))
    ):
        left = MARGIN + number * column
        sheet.write_line(label, left, y, colour=MUTED)
        if value:
            sheet.set_y(y)
            sheet.paragraph(value, x=left + 16.0, width=column - 20.0)
            lowest = max(lowest, sheet.y)
        else:
            _empty_line(sheet, left + 16.0, y + 3.4, left + column - 4.0)
    sheet.set_y(lowest)


def _tick_box(sheet: Sheet, x: float, y: float, *, ticked: bool) -> None:
    sheet.set_draw_color(*INK)
    sheet.set_line_width(0.25)
    sheet.rect(x, y, 3.2, 3.2)
    if ticked:
        sheet.set_line_width(0.5)
        sheet.line(x + 0.6, y + 1.7, x + 1.4, y + 2.5)
        sheet.line(x + 1.4, y + 2.5, x + 2.7, y + 0.7)


def _empty_line(sheet: Sheet, x1: float, y: float, x2: float) -> None:
    sheet.set_draw_color(*MUTED)
    sheet.set_line_width(0.15)
    sheet.line(x1, y, x2, y)
