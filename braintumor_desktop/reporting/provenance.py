"""Where a report's pixels come from: patient, study and series as far as the file names them, and the file itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import InputKind, Study
from braintumor_desktop.language import long_date, number, tr

NOT_KNOWN = phrase("not known")
LEFT_OUT = phrase("left out (de-identified)")


@dataclass(frozen=True)
class Fact:
    """A label and what is known."""

    label: str
    value: str


def identifiers(study: Study, *, deidentified: bool) -> tuple[str, tuple[Fact, ...]]:
    """One sentence on who this is, and the patient's and the study's identifiers as the file has them.

    The sentence is empty where the identifiers speak for themselves; there are none where the file has none, and
    none at all with `deidentified`.
    """
    if study.source.synthetic:
        return tr("Synthetic data: there is no patient."), ()
    if deidentified:
        return tr("De-identified: names, numbers, dates of the study and the file's name were left out."), ()
    if study.source.kind is InputKind.PICTURE:
        words = tr(
            "No patient identifiers in this file (a picture has no fields for them; text in the picture isn't read)."
        )
        return words, ()
    facts = () if not study.headers else _from_header(study.headers[0])
    if not facts:
        return tr("No patient identifiers in this file."), ()
    removed = str(study.headers[0].get("PatientIdentityRemoved", "")).upper() == "YES" if study.headers else False
    return tr("The file says that the patient's identity was removed from it.") if removed else "", facts


def _from_header(header: Any) -> tuple[Fact, ...]:
    """header: a pydicom dataset. Empty fields are left out."""
    fields: tuple[tuple[str, str, Callable[[str], str]], ...] = (
        (tr("Patient"), "PatientName", _person),
        (tr("Patient ID"), "PatientID", str),
        (tr("Birth date"), "PatientBirthDate", _day),
        (tr("Sex"), "PatientSex", lambda text: {"F": tr("female"), "M": tr("male"), "O": tr("other")}.get(text, text)),
        (tr("Study date"), "StudyDate", _day),
        (tr("Accession number"), "AccessionNumber", str),
        (tr("Study"), "StudyDescription", str),
        (tr("Study UID"), "StudyInstanceUID", str),
    )
    found = []
    for label, keyword, wording in fields:
        text = str(header.get(keyword) or "").strip().strip("\0")
        if text:
            found.append(Fact(label, wording(text)))
    # The study's UID alone says nothing of a patient, and nearly every file has one.
    return () if [fact.label for fact in found] == [tr("Study UID")] else tuple(found)


def _person(name: str) -> str:
    """DICOM's ``Family^Given^Middle^Prefix^Suffix=ideographic=phonetic`` (PS3.5 6.2.1) as ``Family, Given Middle``."""
    writings = [group for group in name.split("=") if group.strip("^ ")]
    family, *given = (writings[0] if writings else name).split("^")
    rest = " ".join(part.strip() for part in given if part.strip())
    first = ", ".join(part for part in (family.strip(), rest) if part)
    return " = ".join([first, *(" ".join(group.replace("^", " ").split()) for group in writings[1:])])


def _day(text: str) -> str:
    """DICOM's ``20260304`` in words; what is no such date stays as it is."""
    try:
        return long_date(date(int(text[:4]), int(text[4:6]), int(text[6:8]))) if len(text) == 8 else text
    except ValueError:
        return text


def provenance(study: Study, *, deidentified: bool) -> tuple[Fact, ...]:
    """The file, its pixels and what is known of their geometry; `deidentified` leaves out names and UIDs,
    and hash and size, by which who has the file could tell it.
    """
    source, geometry = study.source, study.geometry
    pixels = tr("{columns} × {rows} (width × height)", columns=study.columns, rows=study.rows)
    if study.slices > 1:
        pixels = tr("{pixels}, {slices} slices", pixels=pixels, slices=study.slices)
    orientation = geometry.orientation
    left_out = tr(LEFT_OUT) if deidentified else None
    facts = [
        Fact(tr("File"), _file(study, left_out or study.name)),
        Fact(tr("SHA-256 of the pixels") if source.pasted else tr("SHA-256 of the file"), left_out or source.sha256),
        Fact(tr("Format"), tr("{format}, {bits} bits a sample", format=source.format, bits=source.bits)),
        Fact(tr("File size"), left_out or tr("{size_bytes:,} bytes", size_bytes=source.size_bytes)),
        Fact(
            tr("Pixels"),
            pixels,
        ),
        Fact(tr("Pixel spacing"), _spacing(geometry.pixel_spacing_mm)),
        Fact(
            tr("Orientation"),
            tr(NOT_KNOWN)
            if orientation is None
            else tr("right edge {right}, bottom edge {bottom}", right=orientation[0], bottom=orientation[1]),
        ),
        Fact(tr("Compression"), _compression(study)),
        Fact(tr("Colour"), tr("in colour, reduced to grey (luma)") if source.colour else tr("grey")),
        Fact(tr("Sequence"), _sequence(study)),
    ]
    if geometry.slice_spacing_mm is not None:
        facts.append(Fact(tr("Slice spacing"), number(f"{geometry.slice_spacing_mm:g} mm")))
    if (series := _series(study)) and not deidentified:
        facts.append(Fact(tr("Series"), series))
    if study.series_uid is not None:
        facts.append(Fact(tr("Series UID"), tr(LEFT_OUT) if deidentified else study.series_uid))
    return tuple(facts)


def _spacing(spacing: tuple[float, float] | None) -> str:
    if spacing is None:
        return tr(NOT_KNOWN)
    return tr("{rows:g} × {columns:g} mm (rows × columns)", rows=spacing[0], columns=spacing[1])


def _sequence(study: Study) -> str:
    sequence = tr(study.sequence or NOT_KNOWN)
    return tr("{sequence} (as the reader says)", sequence=sequence) if study.sequence_corrected else sequence


def _file(study: Study, name: str) -> str:
    """Its name, and what kind of file it is not."""
    if study.source.synthetic:
        return f"{name} ({tr('synthetic, made by a program')})"
    return f"{name} ({tr('pasted')})" if study.source.pasted else name


def _compression(study: Study) -> str:
    if study.source.lossy is None:
        return tr("not known whether lossy")
    if not study.source.lossy:
        return tr("lossless")
    return (
        tr("lossy ({lossy_method})", lossy_method=study.source.lossy_method)
        if study.source.lossy_method
        else tr("lossy")
    )


def _series(study: Study) -> str:
    """Number and description of a DICOM series, empty where there are none."""
    if not study.headers:
        return ""
    number, description = (
        str(study.headers[0].get(key) or "").strip() for key in ("SeriesNumber", "SeriesDescription")
    )
    return ": ".join(part for part in (number, description) if part)
