"""The paper a report is drawn on: banner and footer on every page, headings, paragraphs, grids and labels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any, Literal, Self

from fpdf import FPDF
from fpdf.enums import MethodReturnValue
from fpdf.fonts import TTFFont
from fpdf.output import OutputProducer, PDFXmpMetadata
from fpdf.prefs import ViewerPreferences

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.language import current_language, tr
from braintumor_desktop.locations import bundled

Colour = tuple[int, int, int]
INK: Colour = (28, 34, 42)
MUTED: Colour = (84, 94, 106)
ACCENT: Colour = (0, 74, 128)
RULE: Colour = (206, 212, 220)
TRACK: Colour = (231, 235, 240)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
_BANNER_FILL: Colour = (255, 243, 211)
_BANNER_EDGE: Colour = (196, 138, 20)

MARGIN = 14.0
"""Millimetres, as all lengths here; font sizes are points."""
BODY = 7.6
_LEADING = 1.3
_POINT = 25.4 / 72
_BANNER_HEIGHT = 6.6
_FOOTER_HEIGHT = 7.4
_FOOTNOTE, _MOST_FOOTNOTES = 6.6, 8  # points, lines
FAMILY = "NotoSans"
_LANGUAGE_TAGS = {"en": "en-GB"}
# fpdf2 puts the number of pages in its place. printable() keeps it out of every other text.
_ALL_PAGES = "\x00"


class _Producer(OutputProducer):
    """Writes the document information too, that fpdf2 leaves out of every PDF/A although part 2 allows it.

    Most programs look there for title, author and date, and not in the XMP metadata. Nor does the moment of writing
    stand in the latter: a report is the same file whenever it is drawn, and one without its day keeps it to itself.
    """

    def _add_xmp_metadata(self) -> PDFXmpMetadata | None:
        metadata = super()._add_xmp_metadata()
        self.fpdf._compliance = None  # all that is left for it to decide is whether the information is left out
        return metadata

    def _build_xmp_from_info(self) -> str:
        told = super()._build_xmp_from_info()
        created = re.search(r'xmp:CreateDate="([^"]*)"', told)
        assert created is not None
        return re.sub(r'(xmp:(?:Modify|Metadata)Date)="[^"]*"', rf'\1="{created[1]}"', told)


class Lettering(FPDF):
    """A PDF with the report's fonts, to be used in a ``with`` block; letters of the language's script are joined."""

    def __init__(self, size: tuple[float, float], unit: Literal["mm", "pt"], **options: Any) -> None:
        """size: width and height in that unit. Raises BrainTumorError EXPORT_FAILED where the fonts are missing."""
        super().__init__(unit=unit, format=size, **options)
        self._families = [family for family in (FAMILY, current_language().font) if family]
        try:
            for family in self._families:
                for style, weight in (("", "Regular"), ("B", "Bold")):
                    self.add_font(family, style, bundled("resources", "fonts", f"{family}-{weight}.ttf"))
        except OSError as missing:
            raise BrainTumorError(
                ErrorCode.EXPORT_FAILED,
                phrase("The fonts that come with the program are missing."),
                phrase("Install the program again."),
            ) from missing
        if self._families[1:]:
            self.set_fallback_fonts(self._families[1:])
            self.set_text_shaping(True)  # joins letters to syllables
        self.set_auto_page_break(False)
        self.c_margin = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the font files, that fpdf2 keeps open until then."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.close()


class Sheet(Lettering):
    """A PDF/A-2u document with the report's banner above and its footer below every page."""

    def __init__(self, size: tuple[float, float], *, banner: str, footer: tuple[str, str], footnote: str = "") -> None:
        """size: width and height in mm; banner: one line; footer: a name, shortened to fit, and what follows it.

        footnote: above the footer of every page; what goes beyond eight lines is cut off, with … in its place.
        """
        super().__init__(size, "mm", enforce_compliance="PDF/A-2U")
        fonts = [self.fonts[family.lower()] for family in self._families]
        self._glyphs = frozenset().union(*(font.cmap for font in fonts if isinstance(font, TTFFont)))
        self._banner, self._footer = banner, footer
        self.alias_nb_pages(_ALL_PAGES)
        self.set_margins(MARGIN, MARGIN)
        self._tags = 0  # how deep in tagged content
        self._footnote_text = footnote.strip()
        self._footnote: list[str] = []

    def describe(self, title: str, subject: str, author: str, created: datetime) -> None:
        self.set_title(self.printable(title))
        self.set_subject(self.printable(subject))
        self.set_author(self.printable(author))
        self.set_creator(self.printable(author))
        self.set_lang(_LANGUAGE_TAGS.get(current_language().code, current_language().code))
        self.set_creation_date(created)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)

    def finish(self) -> bytes:
        """The document's bytes. Nothing can be drawn afterwards."""
        return bytes(self.output(output_producer_class=_Producer))

    def printable(self, text: str) -> str:
        """`text` with every character that the font can't show, or that controls direction or layout, spelt out.

        Such as ``⟨U+202E⟩``, in plain angle brackets. So a file name prints as what it is, whatever it holds.
        Line ends stay.
        """
        return "".join(
            character
            if character in ("\n", "\N{NARROW NO-BREAK SPACE}")
            or (ord(character) in self._glyphs and unicodedata.category(character)[0] not in "CZ")
            else " "
            if character == " "
            else f"<U+{ord(character):04X}>"
            for character in text.replace("\r\n", "\n").replace("\t", " ").replace("\N{NO-BREAK SPACE}", " ")
        )

    @property
    def content_width(self) -> float:
        return float(self.w - 2 * MARGIN)

    @property
    def bottom(self) -> float:
        """Where content must end."""
        return float(self.h - MARGIN / 2 - _FOOTER_HEIGHT) - len(self._footnote) * line_height(_FOOTNOTE)

    @contextmanager
    def tagged(self, kind: str) -> Iterator[None]:
        """What is drawn inside is one element of the structure tree, in reading order, on one page.

        kind: ``H1``, ``H2``, ``P`` … of ISO 32000-1 14.8.4. Inside another element nothing changes.
        """
        if self._tags == 0:
            number = self.struct_builder.next_mcid_for_page(self.page)
            self._add_marked_content(struct_type=f"/{kind}", mcid=number)
            self._out(f"/{kind} <</MCID {number}>> BDC")
        yield from self._inside()

    @contextmanager
    def decoration(self) -> Iterator[None]:
        """What is drawn inside says nothing of its own: a screen reader passes it over (ISO 32000-1 14.8.2.2)."""
        if self._tags == 0:
            self._out("/Artifact BMC")
        yield from self._inside()

    def _inside(self) -> Iterator[None]:
        self._tags += 1
        yield
        self._tags -= 1
        if self._tags == 0:
            self._out("EMC")

    def rect(self, *args: Any, **kwargs: Any) -> None:
        with self.decoration():
            super().rect(*args, **kwargs)

    def line(self, *args: Any, **kwargs: Any) -> None:
        with self.decoration():
            super().line(*args, **kwargs)

    def polyline(self, *args: Any, **kwargs: Any) -> None:
        with self.decoration():
            super().polyline(*args, **kwargs)

    def header(self) -> None:
        """The banner; fpdf2 calls it for every page."""
        if self.page == 1 and self._footnote_text:  # text can't be measured before there is a page
            lines = self.lines(self._footnote_text, self.content_width, _FOOTNOTE)
            cut = len(lines) > _MOST_FOOTNOTES
            self._footnote = [*lines[: _MOST_FOOTNOTES - 1], f"{lines[_MOST_FOOTNOTES - 1]} …"] if cut else lines
        with self.decoration() if self.page > 1 else nullcontext():
            self._draw_banner()

    def _draw_banner(self) -> None:
        self.set_fill_color(*_BANNER_FILL)
        self.set_draw_color(*_BANNER_EDGE)
        self.set_line_width(0.3)
        self.rect(MARGIN, MARGIN / 2, self.content_width, _BANNER_HEIGHT, style="DF")
        self.write_line(self._banner, MARGIN, MARGIN / 2 + 1.35, 9.0, bold=True, width=self.content_width, align="C")
        self.set_xy(MARGIN, MARGIN / 2 + _BANNER_HEIGHT + 3.0)

    def footer(self) -> None:
        """File and page, below the footnote; fpdf2 calls it for every page."""
        if self._footnote:
            with self.decoration() if self.page > 1 else self.tagged("P"):
                self._draw_footnote()
        with self.decoration():
            self._draw_footer()

    def _draw_footnote(self) -> None:
        top = self.bottom + 2.2
        for number, line in enumerate(self._footnote):
            self.write_line(line, MARGIN, top + number * line_height(_FOOTNOTE), _FOOTNOTE, colour=MUTED)

    def _draw_footer(self) -> None:
        top = self.h - MARGIN / 2 - _FOOTER_HEIGHT + 3.0
        self.rule(top)
        name, rest = self._footer
        name = self.shortened(name, self.content_width - 24.0 - self.line_width_of(rest, 6.6), 6.6)
        self.write_line(name + rest, MARGIN, top + 1.2, 6.6, colour=MUTED)
        self._style(6.6, False, MUTED)
        self.set_xy(self.w - MARGIN - 20, top + 1.2)
        self.cell(
            20, 6.6 * _POINT * _LEADING, tr("Page {page} of {pages}", page=self.page_no(), pages=_ALL_PAGES), align="R"
        )

    def room(self, height: float) -> None:
        """Go to a new page where less than `height` is left on this one."""
        if self.y + height > self.bottom:
            self.add_page()

    def heading(self, text: str, *, keep: float = 12.0, x: float = MARGIN, width: float | None = None) -> None:
        """A section's title, its rule and its bookmark, on the same page as the next `keep` mm."""
        self.room(keep + 5.0)
        self.start_section(self.printable(text))
        top = self.y
        with self.tagged("H2"):
            self.write_line(text.upper(), x, top, 7.4, bold=True, colour=ACCENT)
        self.set_draw_color(*ACCENT)
        self.set_line_width(0.25)
        self.line(x, top + 4.1, x + (self.content_width if width is None else width), top + 4.1)
        self.set_y(top + 5.1)

    def rule(self, y: float) -> None:
        self.set_draw_color(*RULE)
        self.set_line_width(0.15)
        self.line(MARGIN, y, self.w - MARGIN, y)

    def write_line(
        self,
        text: str,
        x: float,
        y: float,
        size: float = BODY,
        *,
        bold: bool = False,
        colour: Colour = INK,
        width: float | None = None,
        align: str = "L",
    ) -> None:
        """One line of text with its top at `y`; `align` within `width`. The cursor stays where it was."""
        before = self.x, self.y
        self._style(size, bold, colour)
        self.set_xy(x, y)
        text = self.printable(text)
        width = self.get_string_width(text) if width is None else width
        with self.tagged("P"):
            # The space parts the lines of a paragraph for who reads the text without its places.
            self.cell(width, size * _POINT * _LEADING, text + " " * (align == "L"), align=align)
        self.set_xy(*before)

    def line_width_of(self, text: str, size: float = BODY, *, bold: bool = False) -> float:
        self._style(size, bold, INK)
        return float(self.get_string_width(self.printable(text)))

    def shortened(self, text: str, width: float, size: float = BODY) -> str:
        """`text`, or its beginning and its end with … between, so that it fits `width`."""
        keep = len(text)
        short = text
        while keep > 2 and self.line_width_of(short, size) > width:
            keep -= 1
            short = f"{text[: keep - keep // 3]}…{text[len(text) - keep // 3 :]}"
        return short

    def lines(self, text: str, width: float, size: float = BODY, *, bold: bool = False) -> list[str]:
        """`text` broken into lines that fit `width`; words that don't fit are broken within."""
        self._style(size, bold, INK)
        broken = self.multi_cell(
            width, size * _POINT, self.printable(text), align="L", dry_run=True, output=MethodReturnValue.LINES
        )
        return list(broken) if isinstance(broken, list) and broken else [""]

    def paragraph(
        self,
        text: str,
        *,
        x: float = MARGIN,
        width: float | None = None,
        size: float = BODY,
        bold: bool = False,
        colour: Colour = INK,
        bullet: bool = False,
    ) -> None:
        """Text at the cursor, over pages where it must; the cursor goes below it."""
        width = self.w - MARGIN - x if width is None else width
        indent = 2.6 if bullet else 0.0
        rest, first = self.lines(text, width - indent, size, bold=bold), True
        while rest:
            self.room(line_height(size))
            fitting = max(1, int((self.bottom - self.y) / line_height(size) + 1e-6))
            with self.tagged("P"):
                for line in rest[:fitting]:
                    if bullet and first:
                        self.write_line("•", x, self.y, size, colour=ACCENT, bold=True)
                    first = False
                    self.write_line(line, x + indent, self.y, size, bold=bold, colour=colour)
                    self.set_y(self.y + line_height(size))
            rest = rest[fitting:]

    def paragraph_height(self, text: str, width: float, size: float = BODY, *, bullet: bool = False) -> float:
        return len(self.lines(text, width - (2.6 if bullet else 0.0), size)) * line_height(size)

    def grid(
        self,
        rows: Sequence[Sequence[str]],
        widths: Sequence[float],
        *,
        x: float = MARGIN,
        labels: Sequence[int] = (0,),
        bold: Sequence[int] = (),
        top_row_is_head: bool = False,
    ) -> None:
        """Rows of cells divided by thin rules; a row never breaks over pages unless it is taller than one.

        labels: columns in muted ink; bold: columns in bold; the cursor goes below the last row.
        """
        for number, row in enumerate(rows):
            head = top_row_is_head and number == 0
            cells = [
                self.lines(cell, width - 2.0, bold=head or column in bold)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            height = max(map(len, cells)) * line_height(BODY) + 0.7
            self.room(height)
            left = x
            with self.tagged("P"):
                for column, (lines, width) in enumerate(zip(cells, widths, strict=True)):
                    for place, line in enumerate(lines):
                        self.write_line(
                            line,
                            left,
                            self.y + place * line_height(BODY) + 0.2,
                            bold=head or column in bold,
                            colour=MUTED if head or column in labels else INK,
                        )
                    left += width
            self.set_y(self.y + height)
            self.set_draw_color(*RULE)
            self.set_line_width(0.12)
            self.line(x, self.y, x + sum(widths), self.y)

    def grid_height(self, rows: Sequence[Sequence[str]], widths: Sequence[float]) -> float:
        return sum(
            max(len(self.lines(cell, width - 2.0, bold=True)) for cell, width in zip(row, widths, strict=True))
            * line_height(BODY)
            + 0.7
            for row in rows
        )

    def plate(self, text: str, x: float, y: float, size: float = 6.2, *, align: str = "L") -> None:
        """A small white label on black, readable on any picture; (x, y) is its top left, centre or right by `align`."""
        width = self.line_width_of(text, size, bold=True) + 1.2
        left = x - {"L": 0.0, "C": width / 2, "R": width}[align]
        self.set_fill_color(*BLACK)
        self.rect(left, y, width, line_height(size), style="F")
        self.write_line(text, left + 0.6, y + 0.05, size, bold=True, colour=WHITE)

    def _style(self, size: float, bold: bool, colour: Colour) -> None:
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(*colour)
        if self.page and self.current_font is not None and not self.current_font_is_set_on_page:
            # fpdf2 2.8.9 forgets to where a line begins in a fallback font: the next one then has that font's glyphs.
            self._out(self._set_font_for_page(self.current_font, self.font_size_pt))


def line_height(size: float) -> float:
    """Millimetres from line to line at `size` points."""
    return size * _POINT * _LEADING
