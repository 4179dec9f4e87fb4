"""Secondary captures of the report's key images, with everything a reader needs to see drawn into the pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pypdfium2
from fpdf.enums import XPos, YPos
from highdicom.enum import CoordinateSystemNames
from highdicom.sc import SCImage
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.language import tr
from braintumor_desktop.locations import bundled
from braintumor_desktop.reporting.canvas import Rgb
from braintumor_desktop.reporting.dicom.equipment import OutputSeries, complete, made_by, patient_arguments
from braintumor_desktop.reporting.dicom.identity import new_uid
from braintumor_desktop.reporting.dicom.source import SourceSeries
from braintumor_desktop.reporting.key_images import KeyImage
from braintumor_desktop.reporting.report import Report
from braintumor_desktop.reporting.sheet import FAMILY, Colour, Lettering

_MARGIN, _SIZE, _LINE, _TALLEST = 10, 15, 21, 2000  # pixels
_INK, _PALE, _WARNING = (235, 235, 235), (175, 175, 175), (255, 214, 102)
_NARROWEST = 560  # so that the sentences fit beside a tall picture, too


def capture(report: Report, analysis: Analysis, source: SourceSeries) -> list[Dataset]:
    """One RGB secondary capture a key image of the report."""
    series = OutputSeries.make(source, 4, "key images")
    made: list[Dataset] = []
    for number, image in enumerate(report.images, 1):
        dataset = SCImage(
            pixel_array=draw(image, report),
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system=CoordinateSystemNames.PATIENT,
            patient_orientation=("L", "P"),  # asked for by the library; a drawing has none
            series_instance_uid=series.uid,
            series_number=series.number,
            sop_instance_uid=new_uid(),
            instance_number=number,
            series_description=series.description,
            **made_by(analysis.model),
            **patient_arguments(source),
        )
        dataset.PatientOrientation, dataset.Laterality = [], ""
        dataset.ConversionType = "WSD"
        dataset.ImageType = ["DERIVED", "SECONDARY"]
        dataset.DerivationDescription = f"{image.title}: {image.alt_text}"[:1024]
        dataset.ImageComments = f"{RESEARCH_USE} {report.finding}"
        dataset.SourceImageSequence = source.references([analysis.key_slice])
        source.compression.tell(dataset)
        complete(dataset, source)
        made.append(dataset)
    return made


def draw(image: KeyImage, report: Report) -> Rgb:
    """The key image with letters, scale and colour bar; below it what it is and is not."""
    rows, columns = image.pixels.shape[:2]
    width = max(columns, _NARROWEST)
    left = (width - columns) // 2
    words = [
        (image.title, True, _INK),
        (f"{image.caption} {report.image_notes}", False, _PALE),
        (report.finding, False, _INK),
        (report.banner, True, _WARNING),
    ]
    if report.synthetic:
        words.append((tr("Synthetic data: there is no patient."), True, _WARNING))
    below = _lettered(words, width)
    canvas = Image.new("RGB", (width, rows + below.height))
    canvas.paste(Image.fromarray(image.pixels), (left, 0))
    canvas.paste(below, (0, rows))
    pen = ImageDraw.Draw(canvas)
    _marks(pen, image, left, _font("Bold"))
    if image.colour_bar is not None:
        _colour_bar(canvas, pen, image.colour_bar, left + columns, rows, _font("Regular"))
    return np.asarray(canvas)


def _lettered(words: Sequence[tuple[str, bool, Colour]], width: int) -> Image.Image:
    """Sentences, whether bold, and their colours, below one another on black, `width` pixels wide.

    By way of a PDF, whose letters are shaped by what comes with the program: Pillow alone can't join Devanagari's.
    """
    with Lettering((width, _TALLEST), "pt") as page:
        page.set_margins(_MARGIN, _MARGIN)
        page.add_page()
        page.rect(0, 0, width, _TALLEST, style="F")
        for text, bold, colour in words:
            page.set_font(FAMILY, "B" if bold else "", _SIZE)
            page.set_text_color(*colour)
            page.multi_cell(0, _LINE, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        height = min(_TALLEST, math.ceil(page.y) + _MARGIN)
        document = pypdfium2.PdfDocument(bytes(page.output()))
    try:
        drawn: Image.Image = document[0].render(scale=1, crop=(0, _TALLEST - height, 0, 0)).to_pil()
        return drawn.convert("RGB")
    finally:
        document.close()


def _marks(pen: ImageDraw.ImageDraw, image: KeyImage, left: int, font: ImageFont.FreeTypeFont) -> None:
    """Letters of the patient's directions where they are known, and the scale bar."""
    rows, columns = image.pixels.shape[:2]

    def put(x: float, y: float, text: str, anchor: str) -> None:
        pen.text((left + x, y), text, font=font, fill=_INK, anchor=anchor, stroke_width=2, stroke_fill="black")

    if image.edge_letters is not None:
        at_left, at_right, at_top, at_bottom = image.edge_letters
        put(6, rows / 2, at_left, "lm")
        put(columns - 6, rows / 2, at_right, "rm")
        put(columns / 2, 4, at_top, "ma")
        put(columns / 2, rows - 6, at_bottom, "md")
    length = image.scale_bar.width * columns
    pen.rectangle((left + 8, rows - 13, left + 12 + length, rows - 7), fill="black")
    pen.rectangle((left + 10, rows - 11, left + 10 + length, rows - 9), fill=_INK)
    put(10, rows - 16, image.scale_bar.label, "ls")


def _colour_bar(
    canvas: Image.Image,
    pen: ImageDraw.ImageDraw,
    bar: NDArray[np.uint8],
    right: int,
    rows: int,
    font: ImageFont.FreeTypeFont,
) -> None:
    width, height = 120, 10
    x, y = right - width - 24, rows - height - 10
    canvas.paste(Image.fromarray(bar).resize((width, height), Image.Resampling.NEAREST), (x, y))
    pen.rectangle((x - 1, y - 1, x + width, y + height), outline=_INK)
    for text, at, anchor in (("0", x - 4, "rm"), ("1", x + width + 4, "lm")):
        pen.text((at, y + height / 2), text, font=font, fill=_INK, anchor=anchor, stroke_width=2, stroke_fill="black")


def _font(weight: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(bundled("resources", "fonts", f"{FAMILY}-{weight}.ttf"), _SIZE)
