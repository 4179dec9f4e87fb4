"""The language of the window and of reports: catalogues of sentences, and how numbers and dates are written.

English sentences are the keys. A language is one file, ``resources/languages/CODE.po`` in gettext's format, that any
translation program edits; it is read as it is. Its header also says what the Unicode CLDR says of the language:

- ``X-Name``: what it calls itself; ``X-Direction``: ``ltr`` or ``rtl``
- ``X-Decimal``, ``X-Group``: the marks of numbers, ``space`` for a narrow no-break one; ``X-Groups``: ``3``, or ``3;2``
- ``X-Date``: a long date from ``{day}``, ``{month}`` and ``{year}``; ``X-Months``: the twelve names in it
- ``X-Font``: a font of ``resources/fonts`` for letters that Noto Sans lacks; empty where it has all

The digits of a number are those Python wrote in English, only the marks differ, so that no language rounds otherwise.
There is one language at a time, chosen at the start; without a choice it is English, and so the command line is.
"""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from numbers import Real
from pathlib import Path
from string import Formatter
from typing import Any

from braintumor_desktop.domain.phrases import Phrase, phrase, phrase_of_count
from braintumor_desktop.locations import bundled

ENGLISH = "en"
_SPACE = "\N{NARROW NO-BREAK SPACE}"
_NUMBER = re.compile(r"(\d[\d,]*)(\.\d+)?")
_ENTRY = re.compile(r'^msgid "(.*)"\n(?:msgstr "(.*)"|msgid_plural ".*"\n((?:msgstr\[\d\] ".*"\n?)+))', re.MULTILINE)
_FORM = re.compile(r'^msgstr\[\d\] "(.*)"', re.MULTILINE)


@dataclass(frozen=True)
class Language:
    """A language and its catalogue.

    code: as in BCP 47, ``pt``; name: in itself; font: see above;
    groups: digits in the last group and in each before it;
    sentences: translations by English template, several where the sentence goes by a count; form: which of them.
    """

    code: str
    name: str
    right_to_left: bool
    decimal: str
    group: str
    groups: tuple[int, int]
    date_pattern: str
    months: tuple[str, ...]
    font: str
    sentences: Mapping[str, tuple[str, ...]] = field(repr=False)
    form: Callable[[int], int] = field(repr=False)

    def number(self, english: str) -> str:
        """A number as Python writes it, ``1,234.5``, with this language's marks; other text stays."""
        if (self.decimal, self.group, self.groups) == (".", ",", (3, 3)):
            return english
        return _NUMBER.sub(lambda found: self._marked(found[1], found[2] or ""), english)

    def _marked(self, whole: str, fraction: str) -> str:
        if "," in whole:
            digits, last, before = whole.replace(",", ""), *self.groups
            parts = [digits[-last:]]
            digits = digits[:-last]
            while digits:
                parts.insert(0, digits[-before:])
                digits = digits[:-before]
            whole = self.group.join(parts)
        return whole + fraction.replace(".", self.decimal)

    def long_date(self, day: date) -> str:
        """A date with the month's name, that nobody can read the wrong way round."""
        return self.date_pattern.format(day=day.day, month=self.months[day.month - 1], year=day.year)

    def say(self, text: str) -> str:
        """A `Phrase`, or text that stands in the catalogue as it is; what is not in it stays English."""
        if not isinstance(text, Phrase):
            return self.sentences.get(text, (text,))[0]
        template = text.template
        forms = self.sentences.get(template)
        if forms is not None:
            template = forms[self.form(text.values["count"])] if text.plural is not None else forms[0]
        elif text.plural is not None and text.values["count"] != 1:
            template = text.plural
        return _InLanguage(self).format(template, **text.values) if text.values else template


class _InLanguage(Formatter):
    """Formats numbers and phrases in a language, everything else as Python does."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Phrase):
            value = self._language.say(value)
        written = format(value, format_spec)
        return self._language.number(written) if isinstance(value, Real) else written


def read_language(file: Path) -> Language:
    """Read a catalogue. Raises OSError, and ValueError where it is not one."""
    sentences = dict(_entries(file.read_text(encoding="utf-8")))
    header = {}
    for line in sentences.pop("", ("",))[0].splitlines():
        name, _, value = line.partition(":")
        header[name] = value.strip()
    try:
        plural = header["Plural-Forms"].partition("plural=")[2].rstrip(";")
        last, _, before = header["X-Groups"].partition(";")
        return Language(
            code=file.stem,
            name=header["X-Name"],
            right_to_left=header["X-Direction"] == "rtl",
            decimal=header["X-Decimal"],
            group=header["X-Group"].replace("space", _SPACE),
            groups=(int(last), int(before or last)),
            date_pattern=header["X-Date"],
            months=tuple(header["X-Months"].split()),
            font=header["X-Font"],
            sentences=sentences,
            form=gettext.c2py(plural),
        )
    except KeyError as missing:
        raise ValueError(f"{file.name} has no {missing} in its header") from missing


def _entries(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """English and translations of each entry that is translated and not marked as doubtful (fuzzy)."""
    if ", fuzzy" in text:
        text = "\n\n".join(block for block in text.split("\n\n") if "#, fuzzy" not in block)
    for found in _ENTRY.finditer(text.replace('"\n"', "")):  # long strings go over several lines
        english, translated = _unquoted(found[1]), found[2]
        forms = (_unquoted(translated),) if translated is not None else tuple(map(_unquoted, _FORM.findall(found[3])))
        if all(forms):
            yield english, forms


def _unquoted(text: str) -> str:
    return json.loads(f'"{text}"') if "\\" in text else text


def available_languages(folder: Path | None = None) -> dict[str, str]:
    """Code and own name of every language there is a file for, by code."""
    names = {}
    for file in sorted((folder or bundled("resources", "languages")).glob("*.po")):
        with file.open(encoding="utf-8") as stream:
            for line in stream:
                if line.startswith('"X-Name:'):
                    names[file.stem] = line.removeprefix('"X-Name:').removesuffix('\\n"\n').strip()
                    break
    return names


def best_language(wished: list[str], folder: Path | None = None) -> str:
    """The first of `wished` (BCP 47, such as ``de-AT``) that there is a catalogue for, else English."""
    there = available_languages(folder)
    codes = (wish.replace("_", "-").partition("-")[0].lower() for wish in wished)
    return next((code for code in codes if code in there), ENGLISH)


_language: Language | None = None


def use_language(code: str, folder: Path | None = None) -> Language:
    """Choose the language of everything said from now on; one that can't be read gives English."""
    global _language
    try:
        _language = read_language((folder or bundled("resources", "languages")) / f"{code}.po")
    except (OSError, ValueError):
        _language = _plain_english()
    return _language


def current_language() -> Language:
    """The one in use."""
    return _language if _language is not None else use_language(ENGLISH)


def _plain_english() -> Language:
    months = "January February March April May June July August September October November December"
    parts = ("English", False, ".", ",", (3, 3), "{day} {month} {year}", tuple(months.split()), "")
    return Language(ENGLISH, *parts, sentences={}, form=lambda count: int(count != 1))


def tr(text: str, **values: Any) -> str:
    """`text` in the language in use: a template with its values, or a `Phrase` made elsewhere."""
    return current_language().say(phrase(text, **values) if values else text)


def tr_count(one: str, other: str, count: int, **values: Any) -> str:
    """The template for this `count`, in the language in use."""
    return current_language().say(phrase_of_count(one, other, count, **values))


def number(english: str) -> str:
    """A number as Python writes it, with the marks of the language in use."""
    return current_language().number(english)


def long_date(day: date) -> str:
    """A date in the language in use."""
    return current_language().long_date(day)
