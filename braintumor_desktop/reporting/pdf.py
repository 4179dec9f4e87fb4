"""The report as PDF, and the drawing that the PNG shares.

How far it goes as PDF/A and for screen readers stands in docs/REPORT.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image

from braintumor_desktop.language import long_date, tr
from braintumor_desktop.reporting.atomic import atomic_write
from braintumor_desktop.reporting.pdf_images import draw_key_images
from braintumor_desktop.reporting.provenance import Fact
from braintumor_desktop.reporting.report import Report
from braintumor_desktop.reporting.sheet import ACCENT, INK, MARGIN, MUTED, TRACK, Sheet

Paper = Literal["A4", "Letter"]
PAPER_SIZES_MM: dict[Paper, tuple[float, float]] = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}

_GAP = 2.1  # mm between sections
_TALLEST_IMAGE, _LOWEST_IMAGE = 58.0, 38.0  # mm; lower ones are taken where that lets the report fit on one page
_LABEL_WIDTH = 30.0
_LOGO_MM = (42.0, 15.0)  # at most
_OTHER_BAR = (120, 144, 166)


def paper_of(name: str) -> Paper:
    """The paper of that name; A4 where there is none."""
    return "Letter" if name == "Letter" else "A4"


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
        footer=(report.file_name, f"{_hash_start(report)}  ·  {report.program}"),
        footnote=report.letterhead.footer,
    )
    sheet.describe(
        f"{report.title}: {report.file_name}", f"{report.banner} {report.finding}", report.program, report.created
    )
    sheet.add_page()
    _letterhead(sheet, report)
    _title(sheet, report)
    _provenance(sheet, report)
    _finding(sheet, report)
    _quality(sheet, report)
    draw_key_images(sheet, report, image_height)
    sheet.set_y(sheet.y + _GAP - 0.6)
    _measurements(sheet, report)
    _reader_measurements(sheet, report)
    if answer_alone and sheet.page == 1:
        sheet.add_page()
    _model_and_limits(sheet, report)
    _reader(sheet, report)
    return sheet


def _letterhead(sheet: Sheet, report: Report) -> None:
    """The clinic's logo at the left, its name and address beside it."""
    head = report.letterhead
    if not head.has_head:
        return
    top, x = sheet.y, MARGIN
    lowest = top
    if head.logo:
        with Image.open(BytesIO(head.logo)) as logo:
            scale = min(_LOGO_MM[0] / logo.width, _LOGO_MM[1] / logo.height)
            width, height = logo.width * scale, logo.height * scale
            sheet.image(logo, x=x, y=top, w=width, h=height, alt_text=tr("The clinic's logo."))
        x, lowest = x + width + 4.0, top + height
    if head.name.strip():
        sheet.paragraph(head.name.strip(), x=x, size=11.0, bold=True)
    if head.address.strip():
        sheet.paragraph(head.address.strip(), x=x, size=8.0, colour=MUTED)
    sheet.set_y(max(sheet.y, lowest) + 1.2)
    sheet.rule(sheet.y)
    sheet.set_y(sheet.y + 2.4)


def _hash_start(report: Report) -> str:
    return f"  ·  SHA-256 {report.file_sha256[:12]}…" if report.file_sha256 else ""


def _title(sheet: Sheet, report: Report) -> None:
    top = sheet.y
    with sheet.tagged("H1"):
        sheet.write_line(report.title, MARGIN, top - 0.6, 14.5, bold=True)
    time = report.created.isoformat("T", "minutes").partition("T")[2]
    created = tr("Created {day}, {time}", day=long_date(report.created), time=time)
    if report.deidentified:
        created = tr("Created in {year}", year=f"{report.created:%Y}")
    sheet.write_line(created, MARGIN, top, 8.0, colour=MUTED, width=sheet.content_width, align="R")
    sheet.write_line(report.program, MARGIN, top + 3.5, 7.0, colour=MUTED, width=sheet.content_width, align="R")
    sheet.set_y(top + 8.2)
    if report.identity:
        sheet.paragraph(report.identity, size=8.0)
    sheet.set_y(sheet.y + _GAP - 0.6)
    if report.identifiers:
        sheet.heading(tr("Patient and study"))
        _facts(sheet, report.identifiers)
        sheet.set_y(sheet.y + _GAP)


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
    how = tr("Calibrated probabilities, 100 % together before rounding.")
    sheet.paragraph(how if report.calibrated else tr("Probabilities as the model gives them."), x=beside, colour=MUTED)
    sheet.paragraph(f"{report.tumor_probability}.", x=beside)
    sheet.paragraph(report.prediction_set, x=beside)
    sheet.set_y(max(end, sheet.y) + _GAP - 1.0)


def _quality(sheet: Sheet, report: Report) -> None:
    sheet.heading(tr("Quality"))
    for sentence in report.quality:
        sheet.paragraph(sentence, bullet=True)
    sheet.set_y(sheet.y + _GAP)


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
    x = MARGIN + _beside(sheet, tr("Comment"))
    if note.comment.strip():
        sheet.paragraph(note.comment.strip(), x=x)
    else:
        for _ in range(2):
            _empty_line(sheet, x, sheet.y + 3.4, sheet.w - MARGIN)
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
        indent = _beside(sheet, label)
        if value:
            sheet.set_y(y)
            sheet.paragraph(value, x=left + indent, width=column - indent - 4.0)
            lowest = max(lowest, sheet.y)
        else:
            _empty_line(sheet, left + indent, y + 3.4, left + column - 4.0)
    sheet.set_y(lowest)


def _beside(sheet: Sheet, label: str) -> float:
    """How far right of a label's start begins what stands beside it."""
    return max(16.0, sheet.line_width_of(label) + 1.5)


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
