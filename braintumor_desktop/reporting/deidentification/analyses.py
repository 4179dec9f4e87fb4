"""An analysis whose study says nothing of the patient: every export made of it is de-identified by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.domain.phrases import Phrase, phrase
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.burnt_in_text import Box, blanked, find_text
from braintumor_desktop.reporting.deidentification.pseudonyms import Pseudonyms
from braintumor_desktop.reporting.deidentification.words import code_term
from braintumor_desktop.reporting.report import ReaderNote

_NAME = "name"
"""What sentences call the name of a file or folder among their values."""
_MOST_LOOKED_AT = 24
"""Slices of a series that are searched for text: what a device burns in stands on all of them."""


def deidentified(
    analysis: Analysis,
    pseudonyms: Pseudonyms,
    label: str,
    *,
    headers: bool = False,
    blank_text: bool = False,
) -> tuple[Analysis, tuple[Box, ...]]:
    """The same analysis of a study without names, UIDs and hash; and places in the picture that may hold text.

    label: what the study is called instead of its file; headers: keep the DICOM headers, cleaned, for exports that must
    refer to their images (costs some milliseconds a slice); blank_text: make the places black.
    """
    study = analysis.study
    quoted = {word: code_term(word) for word in (study.source.modality, study.source.body_part) if word}

    def clean(sentence: str) -> str:
        """Modality and part of the body are the only words of a header that notes and flags quote."""
        if isinstance(sentence, Phrase):
            values = {name: quoted.get(value, value) for name, value in sentence.values.items()}
            return sentence if sentence.plural else phrase(sentence.template, **values)
        for word, term in quoted.items():
            sentence = sentence.replace(word, term)
        return sentence

    texts = texts_in(study)
    pixels = study.pixels
    if texts and blank_text:
        pixels = study.pixels.copy()
        for plane in pixels:
            blanked(plane, texts, pixels.min())
    digest = pseudonyms.label("file", study.source.sha256)  # objects made of one file still share a study
    source = replace(
        study.source,
        path=Path(label),
        sha256=digest,
        size_bytes=0,
        modality=quoted.get(study.source.modality or ""),
        body_part=quoted.get(study.source.body_part or ""),
    )
    frame = study.geometry.frame_of_reference_uid
    clean_study = replace(
        study,
        pixels=pixels,
        source=source,
        geometry=replace(study.geometry, frame_of_reference_uid=None if not frame else pseudonyms.uid(frame)),
        series_uid=None if not study.series_uid else pseudonyms.uid(study.series_uid),
        notes=tuple(clean(note) for note in study.notes),
        graphics=None,
        headers=_headers(study.headers, pseudonyms) if headers and study.headers else None,
    )
    flags = tuple(replace(flag, sentence=clean(flag.sentence)) for flag in analysis.quality.flags)
    return replace(analysis, study=clean_study, quality=replace(analysis.quality, flags=flags)), texts


def without_names(error: BrainTumorError, label: str) -> BrainTumorError:
    """The error as it may stand in an export: what was read or written, a file or a folder, is called `label`."""

    def clean(sentence: str) -> str:
        if not isinstance(sentence, Phrase) or sentence.plural:
            return sentence
        values = {
            name: label if name == _NAME else clean(value) if isinstance(value, Phrase) else value
            for name, value in sentence.values.items()
        }
        return phrase(sentence.template, **values)

    if error.code is ErrorCode.INTERNAL:  # its name is that of an exception's type
        return error
    return BrainTumorError(error.code, clean(error.message), clean(error.hint))


def verdict_alone(note: ReaderNote) -> ReaderNote:
    """What a reader typed may name anyone, and names and days lead to a patient: only agree or disagree stays."""
    return ReaderNote(verdict=note.verdict)


def texts_in(study: Study) -> tuple[Box, ...]:
    """Places on any of the slices looked at (all, or evenly spaced ones) that may hold text."""
    chosen = np.unique(np.linspace(0, study.slices - 1, _MOST_LOOKED_AT).round().astype(int))
    return tuple(dict.fromkeys(box for index in chosen for box in find_text(study.pixels[index])))


def _headers(headers: Sequence[Any], pseudonyms: Pseudonyms) -> tuple[Any, ...]:
    """Slices of one file share its header."""
    from braintumor_desktop.reporting.deidentification.dicom_headers import clean_header

    cleaned = {id(header): clean_header(header, pseudonyms) for header in {id(each): each for each in headers}.values()}
    return tuple(cleaned[id(header)] for header in headers)
