"""Secondary captures of the report's key images, with everything a reader needs to see drawn into the pixels."""

from __future__ import annotations

import numpy as np
from highdicom.enum import CoordinateSystemNames
from highdicom.sc import SCImage
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.language import current_language, tr
from braintumor_desktop.locations import bundled
from braintumor_desktop.reporting.dicom.equipment import OutputSeries, complete, made_by, patient_arguments
from braintumor_desktop.reporting.dicom.identity import new_uid
from braintumor_desktop.reporting.dicom.source import SourceSeries
from braintumor_desktop.reporting.key_images import KeyImage
from braintumor_desktop.reporting.report import Report

_MARGIN, _LINE = 10, 21  # pixels
_INK, _PALE, _WARNING = (235, 235, 235), (175, 175, 175), (255, 214, 102)
_SCRIPTS = {"hi": "Devanagari"}
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


def draw(image: KeyImage, report: Report) -> NDArray[np.uint8]:
    """(rows, columns, 3): the key image with letters, scale and colour bar; below it what it is and is not."""
    rows, columns = image.pixels.shape[:2]
    width = max(columns, _NARROWEST)
    left = (width - columns) // 2
    regular, bold = _font("Regular"), _font("Bold")
    words = [
        (image.title, bold, _INK),
        *((line, regular, _PALE) for line in _wrapped(image.caption, regular, width)),
        *((line, regular, _INK) for line in _wrapped(report.finding, regular, width)),
        *((line, bold, _WARNING) for line in _wrapped(report.banner, bold, width)),
    ]
    if report.synthetic:
        words.append((tr("Synthetic data: there is no patient."), bold, _WARNING))
    canvas = Image.new("RGB", (width, rows + 2 * _MARGIN + _LINE * len(words)))
    canvas.paste(Image.fromarray(image.pixels), (left, 0))
    pen = ImageDraw.Draw(canvas)
    _marks(pen, image, left, bold)
    if image.colour_bar is not None:
        _colour_bar(canvas, pen, image.colour_bar, left + columns, rows, regular)
    for line, (text, font, colour) in enumerate(words):
        pen.text((_MARGIN, rows + _MARGIN + line * _LINE), text, font=font, fill=colour)
    return np.asarray(canvas)


def _marks(pen: ImageDraw.ImageDraw, image: KeyImage, left: int, font: ImageFont.FreeTypeFont) -> None:
    """Letters of the patient's directions, or that they are unknown, and the scale bar."""
    rows, columns = image.pixels.shape[:2]

    def put(x: float, y: float, text: str, anchor: str) -> None:
        pen.text((left + x, y), text, font=font, fill=_INK, anchor=anchor, stroke_width=2, stroke_fill="black")

    if image.edge_letters is None:
        put(columns - 6, 4, tr("orientation unknown"), "ra")
    else:
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


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > width - 2 * _MARGIN and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _font(weight: str) -> ImageFont.FreeTypeFont:
    """The report's font, or that of the language's script where it has one of its own."""
    script = _SCRIPTS.get(current_language().code, "")
    file = bundled("resources", "fonts", f"NotoSans{script}-{weight}.ttf")
    return ImageFont.truetype(file if file.exists() else bundled("resources", "fonts", f"NotoSans-{weight}.ttf"), 15)
