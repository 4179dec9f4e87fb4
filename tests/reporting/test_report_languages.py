"""A report says the same numbers in every language."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pypdfium2
import pytest
import sentences
from number_marks import numbers

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.language import current_language, tr, use_language
from braintumor_desktop.reporting import ReaderNote, build_report
from braintumor_desktop.reporting.pdf import render_pdf

CREATED = datetime(2026, 3, 4, 15, 6, tzinfo=UTC)
KNOWN = Geometry(pixel_spacing_mm=(0.5, 0.75), slice_spacing_mm=5.5, orientation=("L", "P"))
FACTS = {"Held-out figures": phrase("macro-F1 {value:.3f}", value=0.912)}


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    use_language("en")


def report_of(make_analysis: Callable[..., Any]) -> Any:
    analysis = make_analysis(geometry=KNOWN, sequence="T1", slices=2, notes=("The first of 2 pages.",))
    note = ReaderNote("agree", "12.5 mm", "Dr. A. Núñez", date(2026, 3, 5))
    return build_report(analysis, reader=note, created=CREATED, model_facts=FACTS)


def texts(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    if isinstance(part, tuple | list):
        return [text for item in part for text in texts(item)]
    if dataclasses.is_dataclass(part):
        return [text for field in dataclasses.fields(part) for text in texts(getattr(part, field.name))]
    return []


@pytest.mark.parametrize("code", sorted(sentences.catalogues()))
def test_every_text_of_the_report_holds_the_same_numbers_as_in_english(make_analysis: Any, code: str) -> None:
    use_language("en")
    english = texts(report_of(make_analysis))
    expected = [numbers(text, current_language()) for text in english]
    use_language(code)
    said = texts(report_of(make_analysis))
    assert len(said) == len(english) > 60
    for before, after, wanted in zip(english, said, expected, strict=True):
        assert numbers(after, current_language()) == wanted, (before, after)
    assert sum(before != after for before, after in zip(english, said, strict=True)) > 50


@pytest.mark.parametrize("code", ["fr", "hi"])
def test_the_pdf_prints_every_number_and_names_its_language(make_analysis: Any, code: str) -> None:
    """Hindi goes through another font and the joining of letters; digits must come out as they are."""
    use_language(code)
    report = report_of(make_analysis)
    content = render_pdf(report)
    document = pypdfium2.PdfDocument(content)
    try:
        printed = "".join(page.get_textpage().get_text_range() for page in document)
        assert f"/Lang ({code})".encode() in content
    finally:
        document.close()
    bare = re.sub(r"\s+", "", printed)
    values = [row.words for row in report.probabilities] + [each.value for each in report.measurements]
    for value in values:
        for found in re.findall(r"[\d][\d.,\u202f]*\s?(?:%|px|mm²|mm|ml)", value):
            assert re.sub(r"\s+", "", found) in bare, found
    assert "<U+" not in printed


@pytest.mark.parametrize("code", ["de", "en", "es", "fr", "pt"])
@pytest.mark.parametrize("comment", ["XQZ", ""])
def test_what_the_reader_says_stands_beside_its_label(make_analysis: Any, code: str, comment: str) -> None:
    """In French the label is wider than in English; without a comment there are lines to write on."""
    use_language(code)
    report = build_report(make_analysis(), reader=ReaderNote(comment=comment, name="XQZ"), created=CREATED)
    document = pypdfium2.PdfDocument(render_pdf(report))
    try:
        page = document[len(document) - 1]
        text = page.get_textpage()
        for label, value in ((tr("Comment"), comment), (tr("Name"), "XQZ"), (tr("Signature"), "")):
            found, begins = text.search(label), text.get_text_range().index(tr("Agree with the finding"))
            first, count = next(place for place in iter(found.get_next, None) if place[0] > begins)
            boxes = [text.get_charbox(place) for place in range(first, first + count)]
            end, low, high = boxes[-1][2], min(box[1] for box in boxes), max(box[3] for box in boxes)
            if value:
                left, below, *_ = text.get_charbox(text.get_text_range().index(value, first))
                assert below == pytest.approx(low, abs=3)
                assert end + 1 < left < end + 40
            else:
                lines = [each.get_bounds() for each in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_PATH])]
                beside = [line for line in lines if low - 6 < line[1] and line[3] < high and line[2] > end]
                assert beside
                assert all(end + 1 < line[0] for line in beside)
    finally:
        document.close()
