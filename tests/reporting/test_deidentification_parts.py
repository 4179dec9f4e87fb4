"""Dates moved, words kept, compressed frames without room for text."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.inference.quality import body_part_flag, sequence_flags
from braintumor_desktop.reporting.deidentification.analyses import deidentified
from braintumor_desktop.reporting.deidentification.codestreams import NotUnderstoodError, without_comments
from braintumor_desktop.reporting.deidentification.dicom_files import clean_dicom
from braintumor_desktop.reporting.deidentification.pseudonyms import Pseudonyms
from braintumor_desktop.reporting.deidentification.shifting import shifted_date, shifted_date_time, shifted_time
from braintumor_desktop.reporting.deidentification.volumes import clean_nifti
from braintumor_desktop.reporting.deidentification.words import code_term, known_words

MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1))
SHIFTS = st.timedeltas(timedelta(days=-3650), timedelta(days=-90))


@given(MOMENTS, MOMENTS, SHIFTS)
def test_the_time_between_two_moments_stays(one: datetime, other: datetime, shift: timedelta) -> None:
    shift -= timedelta(microseconds=shift.microseconds)
    moved = []
    for moment in (one, other):
        text = shifted_date_time(moment.strftime("%Y%m%d%H%M%S.%f"), shift)
        assert text is not None
        moved.append(datetime.strptime(text, "%Y%m%d%H%M%S.%f"))
        date, time = moment.strftime("%Y%m%d"), moment.strftime("%H%M%S.%f")
        assert f"{shifted_date(date, time, shift)}{shifted_time(time, shift)}" == text
    assert moved[1] - moved[0] == other - one
    assert one - moved[0] == -shift


@pytest.mark.parametrize("text", ["", "Miller", "20261301", "2026-03-01", "19510203 Miller"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert shifted_date(text, "", timedelta(days=-100)) is None
    assert shifted_date_time(text, timedelta(days=-100)) is None


def test_a_moment_stays_as_exact_as_it_was() -> None:
    shift = timedelta(days=-365)
    assert shifted_date_time("2026", shift) == "2025"
    assert shifted_date_time("202603041530+0100", shift) == "202503041530+0100"
    assert shifted_time("1530", timedelta(hours=-16)) == "2330"


@given(st.text(max_size=40))
def test_words_that_are_not_known_never_come_through(text: str) -> None:
    kept = known_words(text)
    assert known_words(kept) == kept
    assert not any(len(run) > 4 for run in "".join(c if c.isdigit() else " " for c in kept).split())
    for word in ("Miller", "4711", "19510203", "Zoë"):
        assert word not in known_words(f"{word} {text}") or word in text


def test_terms_of_the_standard_are_kept_and_names_are_not() -> None:
    assert [code_term(each) for each in ("MONOCHROME2", "HFS", "LA", "HAS CONCEPT MOD", "")] == [
        "MONOCHROME2",
        "HFS",
        "LA",
        "HAS CONCEPT MOD",
        "",
    ]
    assert [code_term(each) for each in ("MILLER", "A4711", "ANNA M")] == ["OTHER"] * 3


def test_no_word_of_a_header_stands_in_what_is_said_of_a_study(make_analysis: Any) -> None:
    analysis = make_analysis()
    source = replace(analysis.study.source, modality="MILLER", body_part="KNEE OF MILLER")
    study = replace(analysis.study, source=source)
    flags = (*sequence_flags(study), *body_part_flag(study))
    told = replace(analysis, study=study, quality=replace(analysis.quality, flags=flags))
    cleaned, _ = deidentified(told, Pseudonyms(), "case-0001")
    assert [flag.sentence for flag in cleaned.quality.flags] == [
        "The model knows MRI only; this is OTHER.",
        "The model knows heads only; the file says OTHER.",
    ]
    assert "MILLER" not in f"{cleaned.study.source}"


@pytest.mark.parametrize(
    ("syntax", "bare"),
    [
        (ExplicitVRLittleEndian, False),
        (ImplicitVRLittleEndian, False),
        (ExplicitVRBigEndian, False),
        (DeflatedExplicitVRLittleEndian, False),
        (ImplicitVRLittleEndian, True),
        (RLELossless, False),
    ],
)
def test_every_encoding_keeps_its_pixels(tmp_path: Path, syntax: str, bare: bool) -> None:
    (path,) = write_dicom_series(make_volume(2, (1, 40, 48), (5.0, 4.0, 4.0)), tmp_path)
    dataset = pydicom.dcmread(path)
    pixels = dataset.pixel_array.copy()
    dataset.PatientName = "Miller^Anna"
    stream = io.BytesIO()
    if syntax == RLELossless:
        dataset.compress(RLELossless)
        dataset.save_as(stream)
    elif bare:
        del dataset.file_meta
        pydicom.dcmwrite(stream, dataset, implicit_vr=True, little_endian=True)
    else:
        order = "big" if syntax == ExplicitVRBigEndian else "little"
        dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(">" if order == "big" else "<")).tobytes()
        dataset.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(stream, dataset, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=order == "little")
    cleaned = pydicom.dcmread(io.BytesIO(clean_dicom(stream.getvalue(), Pseudonyms()).data))
    assert cleaned.file_meta.TransferSyntaxUID == syntax
    assert str(cleaned.PatientName).startswith("anon-")
    assert np.array_equal(cleaned.pixel_array, pixels)


@given(st.binary(max_size=200), st.sampled_from(["50", "70", "80", "90", "5"]))
def test_broken_streams_are_refused_in_one_way(data: bytes, kind: str) -> None:
    syntax = "1.2.840.10008.1.2.5" if kind == "5" else f"1.2.840.10008.1.2.4.{kind}"
    start = {"90": b"\xff\x4f\xff\x51", "5": b"\x01\0\0\0\x40\0\0\0"}.get(kind, b"\xff\xd8")
    try:
        cleaned = without_comments(start + data, syntax, 64)
    except NotUnderstoodError:
        return
    assert len(cleaned) <= len(start + data) + 1


def test_a_damaged_packed_volume_is_refused_as_damaged() -> None:
    data = bytearray(gzip.compress(nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4)).to_bytes()))
    data[10] = 0xFF  # behind gzip's header: a kind of block that there is none of
    with pytest.raises(BrainTumorError) as refused:
        clean_nifti(bytes(data), packed=True, most_bytes=2**30)
    assert refused.value.code == "nifti_damaged"
