"""Every language says every sentence, and its numbers and dates are those of the CLDR (read by Babel)."""

from __future__ import annotations

import re
import string
from datetime import date
from pathlib import Path

import pytest
import sentences
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from number_marks import numbers

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.phrases import phrase, phrase_of_count
from braintumor_desktop.language import available_languages, best_language, read_language

CODES = sorted(sentences.catalogues())
ALL = [*CODES, "en"]
VALUES = re.compile(r"{[^}]*}")


def fields(template: str) -> set[tuple[str, str | None]]:
    return {(name, spec) for _, name, spec, _ in string.Formatter().parse(template) if name is not None}


def test_there_are_six_languages_with_their_own_names() -> None:
    names = {"de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "hi": "हिन्दी", "pt": "Português"}
    assert available_languages() == names


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_is_translated_with_the_same_values_and_nothing_else_is_kept(code: str) -> None:
    wanted = sentences.sentences()
    catalogue = {
        m.id if isinstance(m.id, str) else m.id[0]: m
        for m in sentences.read_catalogue(sentences.FOLDER / f"{code}.po")
        if m.id
    }
    missing = [one for one in wanted if one not in catalogue or not all(sentences.forms(catalogue[one]))]
    assert not missing, "python tests/support/sentences.py brings the catalogues up to date; translate what it lists"
    assert sorted(set(catalogue) - set(wanted)) == []
    for one, message in catalogue.items():
        english = fields(one) | fields(wanted[one] or "")
        for form in sentences.forms(message):
            assert fields(form) == english or (wanted[one] and fields(form) <= english), form


@pytest.mark.parametrize("code", CODES)
def test_no_translation_says_another_number(code: str) -> None:
    english, language = (read_language(sentences.FOLDER / f"{each}.po") for each in ("en", code))
    for one, forms in language.sentences.items():
        wanted = numbers(VALUES.sub("", one), english)
        for form in forms:
            assert numbers(VALUES.sub("", form), language) == wanted, (one, form)


@pytest.mark.parametrize("code", CODES)
def test_the_program_reads_a_catalogue_as_babel_does(code: str) -> None:
    file = sentences.FOLDER / f"{code}.po"
    ours = read_language(file).sentences
    for message in sentences.read_catalogue(file):
        if message.id:
            assert ours[sentences.english(message)] == sentences.forms(message)


@pytest.mark.parametrize("code", CODES)
def test_the_research_use_statement_is_said_in_the_language(code: str) -> None:
    said = read_language(sentences.FOLDER / f"{code}.po").say(RESEARCH_USE)
    assert said != RESEARCH_USE
    assert len(said) > 40


@pytest.mark.parametrize("code", ALL)
def test_numbers_dates_and_plurals_are_those_of_the_cldr(code: str) -> None:
    language = read_language(sentences.FOLDER / f"{code}.po")
    locale = Locale.parse("en_GB" if code == "en" else code)
    for value in (0.5, 12.75, 123456.5, 1234567.25):
        assert language.number(f"{value:,}") == format_decimal(value, locale=locale), value
    for month in range(1, 13):
        day = date(2026, month, 21)
        assert language.long_date(day) == format_date(day, "long", locale=locale)
    for count in range(12):
        assert language.form(count) == (0 if locale.plural_form(count) == "one" else 1), count
    assert language.right_to_left == (locale.text_direction == "rtl")


def test_a_phrase_is_english_until_a_language_says_it() -> None:
    german = read_language(sentences.FOLDER / "de.po")
    inner = phrase("more than 99 %")
    template = "The model's finding is {finding} (probability {percent})."
    sentence = phrase(template, finding=phrase("glioma"), percent=inner)
    assert sentence == "The model's finding is glioma (probability more than 99 %)."
    assert german.say(sentence) == "Befund des Modells: Gliom (Wahrscheinlichkeit mehr als 99 %)."
    one, more = "{count} copy of a slice was left out.", "{count} copies of slices were left out."
    copies = [phrase_of_count(one, more, count) for count in (1, 2)]
    assert [german.say(each)[:7] for each in copies] == ["1 Kopie", "2 Kopie"]
    assert german.say("patient^name {1}") == "patient^name {1}"


def test_a_catalogue_that_a_translator_left_unfinished_gives_english_for_the_rest(tmp_path: Path) -> None:
    header = (sentences.FOLDER / "de.po").read_text(encoding="utf-8").split("\n\n")[0]
    entries = [
        'msgid ""\n"Pulled "\n"apart"\nmsgstr "Ausein"\n"ander"',
        '#, fuzzy\nmsgid "Doubtful"\nmsgstr "Zweifelhaft"',
        'msgid "Not yet"\nmsgstr ""',
        'msgid "A \\"quoted\\"\\nline"\nmsgstr "Eine \\"zitierte\\"\\nZeile"',
    ]
    file = tmp_path / "de.po"
    file.write_text("\n\n".join([header, *entries]) + "\n", encoding="utf-8")
    language = read_language(file)
    said = [language.say(words) for words in ("Pulled apart", "Doubtful", "Not yet", 'A "quoted"\nline')]
    assert said == ["Auseinander", "Doubtful", "Not yet", 'Eine "zitierte"\nZeile']


def test_the_first_wished_language_there_is_a_catalogue_for_is_taken() -> None:
    assert best_language(["sv-SE", "pt_BR", "de"]) == "pt"
    assert best_language(["de-AT"]) == "de"
    assert best_language(["sv", "C"]) == "en"
