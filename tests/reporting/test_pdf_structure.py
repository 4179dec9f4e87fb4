"""What PDF/A-2u and tagged PDF ask of a file's structure, looked at with qpdf's library and fontTools.

No PDF/A validator is among the tools, so this is no proof of conformance: docs/REPORT.md says what is not looked at.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from braintumor_desktop.domain.findings import KeySlices, SliceFinding
from braintumor_desktop.domain.reader_measurements import MeasurementKind, ReaderMeasurement
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.reporting import Letterhead, ReaderNote, build_report
from braintumor_desktop.reporting.pdf import render_pdf

SHOWS_TEXT = {"Tj", "TJ", "'", '"'}
PAINTS = {*SHOWS_TEXT, "f", "F", "f*", "B", "B*", "b", "b*", "s", "S", "Do"}


@pytest.fixture(scope="module")
def content(make_analysis: Any) -> bytes:
    """A report with all there can be in it."""
    logo = BytesIO()
    Image.new("RGB", (60, 20), (0, 128, 128)).save(logo, "PNG")
    analysis = make_analysis(slices=4, geometry=Geometry(pixel_spacing_mm=(0.5, 0.75), orientation=("L", "P")))
    slices = tuple(SliceFinding(i, None, i / 4, "glioma", 10) for i in range(4))
    report = build_report(
        dataclasses.replace(analysis, slices=slices, key_slices=KeySlices(3, 2, 1)),
        reader=ReaderNote("agree", "A comment.", "Dr. A. Núñez", date(2026, 3, 5)),
        created=datetime(2026, 3, 4, 15, 6, tzinfo=UTC),
        letterhead=Letterhead("Clinic", "Street", "Footer", logo.getvalue()),
        measurements=[ReaderMeasurement(MeasurementKind.ELLIPSE, 1, ((10.0, 10.0), (40.0, 50.0)))],
    )
    return render_pdf(report)


@pytest.fixture
def pdf(content: bytes) -> Any:
    with pikepdf.open(BytesIO(content)) as opened:
        yield opened


def test_the_file_is_sound_and_begins_and_ends_as_pdf_a_wants(content: bytes, pdf: Any) -> None:
    assert pdf.check_pdf_syntax() == []
    first, second = content.split(b"\n", 2)[:2]
    assert first.startswith(b"%PDF-1.")
    assert second.startswith(b"%")
    assert len([byte for byte in second[1:] if byte > 127]) >= 4
    assert "/ID" in pdf.trailer
    assert "/Encrypt" not in pdf.trailer
    assert content.rstrip(b"\r\n").endswith(b"%%EOF")


def test_colours_have_an_output_intent_and_nothing_is_forbidden(pdf: Any) -> None:
    (intent,) = pdf.Root.OutputIntents
    assert intent.S == "/GTS_PDFA1"
    assert intent.DestOutputProfile.N == 3
    assert intent.DestOutputProfile.read_bytes()[36:40] == b"acsp"  # an ICC profile
    spaces = set()
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Stream | pikepdf.Dictionary):
            assert not {"/JS", "/JavaScript", "/AA", "/F", "/Launch"} & set(thing.keys())
            assert thing.get("/Filter") not in ("/LZWDecode", "/Crypt")
            if thing.get("/Subtype") == "/Image":
                assert thing.get("/Interpolate", False) is False
                spaces.add(str(thing.ColorSpace))
    assert spaces <= {"/DeviceGray", "/DeviceRGB"}


def test_metadata_say_the_same_in_both_places(pdf: Any) -> None:
    with pdf.open_metadata() as xmp:
        assert xmp.pdfa_status == "2U"
        assert xmp["dc:title"] == str(pdf.docinfo["/Title"])
        assert xmp["dc:creator"] == [str(pdf.docinfo["/Author"])]
        assert xmp["xmp:CreateDate"].startswith("2026-03-04T15:06:00")
    assert str(pdf.docinfo["/CreationDate"]).startswith("D:20260304150600")
    assert "/Filter" not in pdf.Root.Metadata  # readable without a PDF program
    assert str(pdf.Root.Lang) == "en-GB"
    assert pdf.Root.ViewerPreferences.DisplayDocTitle


def drawn_glyphs(pdf: Any) -> dict[Any, set[int]]:
    """Codes of the glyphs on the pages, by font."""
    found: dict[Any, set[int]] = {}
    for page in pdf.pages:
        font = None
        for operands, operator in pikepdf.parse_content_stream(page):
            if str(operator) == "Tf":
                font = page.Resources.Font[str(operands[0])].objgen
            elif str(operator) in SHOWS_TEXT:
                texts = operands[0] if str(operator) == "TJ" else [operands[0]]
                for text in (bytes(each) for each in texts if isinstance(each, pikepdf.String)):
                    found.setdefault(font, set()).update(text[i] << 8 | text[i + 1] for i in range(0, len(text), 2))
    return found


def test_no_date_but_the_report_s_own_stands_in_the_metadata(pdf: Any) -> None:
    told = pdf.Root.Metadata.read_bytes().decode()
    assert set(re.findall(r'xmp:\w+Date="([^"]*)"', told)) == {"2026-03-04T15:06:00+00:00"}
    assert "/ModDate" not in pdf.docinfo


def test_fonts_are_inside_with_their_own_widths_and_their_letters(pdf: Any) -> None:
    fonts = {font.objgen: font for page in pdf.pages for font in page.Resources.Font.values()}
    glyphs = drawn_glyphs(pdf)
    assert len(glyphs) >= 2
    for number, codes in glyphs.items():
        font = fonts[number]
        assert (font.Subtype, font.Encoding) == ("/Type0", "/Identity-H")
        assert b"beginbf" in font.ToUnicode.read_bytes()
        (inner,) = font.DescendantFonts
        program = TTFont(BytesIO(inner.FontDescriptor.FontFile2.read_bytes()))
        table = None if inner.CIDToGIDMap == "/Identity" else inner.CIDToGIDMap.read_bytes()
        widths, told = {}, list(inner.W)
        while told:
            first = int(told[0])  # ``first [width …]`` or ``first last width`` (ISO 32000-1 9.7.4.3)
            if isinstance(told[1], pikepdf.Array):
                widths |= {code: float(width) for code, width in enumerate(told[1], first)}
                told = told[2:]
            else:
                widths |= dict.fromkeys(range(first, int(told[1]) + 1), float(told[2]))
                told = told[3:]
        order, scale = program.getGlyphOrder(), 1000 / program["head"].unitsPerEm
        assert len(codes) > 20
        for code in codes:
            glyph = code if table is None else table[2 * code] << 8 | table[2 * code + 1]
            assert glyph > 0  # 0 is the sign for letters that the font lacks
            assert abs(widths[code] - program["hmtx"][order[glyph]][0] * scale) <= 1, (code, order[glyph])


def test_whatever_is_drawn_is_tagged_or_marked_as_decoration(pdf: Any) -> None:
    for page in pdf.pages:
        stack: list[str] = []
        for operands, operator in pikepdf.parse_content_stream(page):
            name = str(operator)
            if name in ("BDC", "BMC"):
                stack.append(str(operands[0]))
            elif name == "EMC":
                stack.pop()
            elif name in PAINTS:
                assert stack, f"{name} {list(operands)[:1]}"
        assert stack == []


def test_the_structure_tree_and_the_pages_name_each_other(pdf: Any) -> None:
    root = pdf.Root.StructTreeRoot
    assert pdf.Root.MarkInfo.Marked
    document = root.K[0]
    elements = list(document.K)
    kinds = [str(element.S) for element in elements]
    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") >= 8
    assert set(kinds) <= {"/H1", "/H2", "/P", "/Figure"}
    for element in elements:
        assert element.P.objgen == document.objgen
        if element.S == "/Figure":
            assert str(element.Alt).strip()
    numbers = list(root.ParentTree.Nums)
    by_page = {int(numbers[i]): list(numbers[i + 1]) for i in range(0, len(numbers), 2)}
    for page in pdf.pages:
        ids = [
            int(operands[1].MCID)
            for operands, operator in pikepdf.parse_content_stream(page)
            if str(operator) == "BDC" and "/MCID" in operands[1]
        ]
        assert ids == list(range(len(ids)))
        listed = by_page[int(page.StructParents)]
        assert [[int(kid) for kid in element.K] for element in listed] == [[number] for number in ids]
    assert sum(map(len, by_page.values())) == len(elements)
