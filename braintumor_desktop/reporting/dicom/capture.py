"""Secondary captures of the report's key images, with everything a reader needs to see drawn into the pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from highdicom.enum import CoordinateSystemNames
from highdicom.sc import SCImage
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.language import tr
from braintumor_desktop.locations import bundled
from braintumor_desktop.reporting.dicom.equipment import OutputSeries, complete, made_by, patient_arguments
from braintumor_desktop.reporting.dicom.identity import new_uid
from braintumor_desktop.reporting.dicom.source import SourceSeries
from braintumor_desktop.reporting.key_images import KeyImage
from braintumor_desktop.reporting.report import Report

_MARGIN, _LINE, _ASCENT = 10, 21, 16  # pixels
_INK, _PALE, _WARNING = (235, 235, 235), (175, 175, 175), (255, 214, 102)
_SCRIPT = re.compile("[\u0900-\u097f\u200c\u200d]+")  # Devanagari, which has a font of its own
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
    regular, bold = _Type("Regular"), _Type("Bold")
    words = [
        (image.title, bold, _INK),
        *((line, regular, _PALE) for line in _wrapped(f"{image.caption} {report.image_notes}", regular, width)),
        *((line, regular, _INK) for line in _wrapped(report.finding, regular, width)),
        *((line, bold, _WARNING) for line in _wrapped(report.banner, bold, width)),
    ]
    if report.synthetic:
        words.append((tr("Synthetic data: there is no patient."), bold, _WARNING))
    canvas = Image.new("RGB", (width, rows + 2 * _MARGIN + _LINE * len(words)))
    canvas.paste(Image.fromarray(image.pixels), (left, 0))
    pen = ImageDraw.Draw(canvas)
    _marks(pen, image, left, bold.latin)
    if image.colour_bar is not None:
        _colour_bar(canvas, pen, image.colour_bar, left + columns, rows, regular.latin)
    for line, (text, weight, colour) in enumerate(words):
        weight.write(pen, _MARGIN, rows + _MARGIN + line * _LINE + _ASCENT, text, colour)
    return np.asarray(canvas)


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


def _wrapped(text: str, weight: _Type, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if weight.width(longer) > width - 2 * _MARGIN and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


class _Type:
    """One weight of the report's fonts: draws text whose parts are in different scripts, each in its own font."""

    def __init__(self, weight: str) -> None:
        self.latin = _font(f"NotoSans-{weight}.ttf")
        self._other = _font(f"NotoSansDevanagari-{weight}.ttf")

    def width(self, text: str) -> float:
        return sum(font.getlength(part) for part, font in self._parts(text))

    def write(self, pen: ImageDraw.ImageDraw, x: float, y: float, text: str, colour: tuple[int, int, int]) -> None:
        """x, y: of the start of the base line."""
        for part, font in self._parts(text):
            pen.text((x, y), part, font=font, fill=colour, anchor="ls")
            x += font.getlength(part)

    def _parts(self, text: str) -> Iterator[tuple[str, ImageFont.FreeTypeFont]]:
        at = 0
        for found in _SCRIPT.finditer(text):
            yield text[at : found.start()], self.latin
            yield found[0], self._other
            at = found.end()
        yield text[at:], self.latin


def _font(file: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(bundled("resources", "fonts", file), 15)
