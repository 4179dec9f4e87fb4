"""The report as one picture: the PDF's own drawing on one page as tall as it needs, at 150 dots per inch."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pypdfium2

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.reporting.atomic import atomic_write
from braintumor_desktop.reporting.pdf import compose
from braintumor_desktop.reporting.report import Report

DOTS_PER_INCH = 150
_WIDTH_MM = 210.0
_IMAGE_HEIGHT_MM = 58.0
_BELOW_CONTENT_MM = 3.6
_ENOUGH_MM = 5000.0  # PDF allows 14,400 points (ISO 32000-1, Annex C), 5,080 mm


def write_png(report: Report, path: Path) -> None:
    """Write the report as an RGB PNG, 1240 pixels wide.

    Raises BrainTumorError EXPORT_FAILED, also where the report is too long for one picture.
    """
    content = render_png(report)
    with atomic_write(path) as stream:
        stream.write(content)


def render_png(report: Report) -> bytes:
    """The bytes of the PNG. Raises BrainTumorError EXPORT_FAILED where the report is too long for it."""
    with compose(report, (_WIDTH_MM, _ENOUGH_MM), _IMAGE_HEIGHT_MM) as sheet:
        if sheet.page > 1:
            raise BrainTumorError(
                ErrorCode.EXPORT_FAILED,
                phrase("The report is too long for one picture."),
                phrase("Save the report as PDF."),
            )
        needed = sheet.y + _BELOW_CONTENT_MM + sheet.h - sheet.bottom  # room for the footer
    with compose(report, (_WIDTH_MM, needed), _IMAGE_HEIGHT_MM) as sheet:
        assert sheet.page == 1, "what stands on a second page would be lost"
        document = pypdfium2.PdfDocument(sheet.finish())
    try:
        picture = document[0].render(scale=DOTS_PER_INCH / 72).to_pil().convert("RGB")
    finally:
        document.close()
    content = BytesIO()
    picture.save(content, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    return content.getvalue()
