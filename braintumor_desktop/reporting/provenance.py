"""Where a report's pixels come from: patient, study and series as far as the file names them, and the file itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from braintumor_desktop.domain.study import InputKind, Study

NOT_KNOWN = "not known"
LEFT_OUT = "left out (de-identified)"


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
        return "Synthetic data: there is no patient.", ()
    if deidentified:
        return "De-identified: names, numbers, dates of the study and the file's name were left out.", ()
    if study.source.kind is InputKind.PICTURE:
        words = (
            "No patient identifiers in this file (a picture has no fields for them; text in the picture isn't read)."
        )
        return words, ()
    facts = () if not study.headers else _from_header(study.headers[0])
    if not facts:
        return "No patient identifiers in this file.", ()
    removed = str(study.headers[0].get("PatientIdentityRemoved", "")).upper() == "YES" if study.headers else False
    return "The file says that the patient's identity was removed from it." if removed else "", facts


def _from_header(header: Any) -> tuple[Fact, ...]:
    """header: a pydicom dataset. Empty fields are left out."""
    fields: tuple[tuple[str, str, Callable[[str], str]], ...] = (
        ("Patient", "PatientName", _person),
        ("Patient ID", "PatientID", str),
        ("Birth date", "PatientBirthDate", _day),
        ("Sex", "PatientSex", lambda text: {"F": "female", "M": "male", "O": "other"}.get(text, text)),
        ("Study date", "StudyDate", _day),
        ("Accession number", "AccessionNumber", str),
        ("Study", "StudyDescription", str),
        ("Study UID", "StudyInstanceUID", str),
    )
    found = []
    for label, keyword, wording in fields:
        text = str(header.get(keyword) or "").strip().strip("\0")
        if text:
            found.append(Fact(label, wording(text)))
    # A UID alone says nothing of a patient, and every file has one.
    return tuple(found) if len(found) > 1 else ()


def _person(name: str) -> str:
    """DICOM's ``Family^Given^Middle^Prefix^Suffix=ideographic=phonetic`` (PS3.5 6.2.1) as ``Family, Given Middle``."""
    writings = [group for group in name.split("=") if group.strip("^ ")]
    family, *given = (writings[0] if writings else name).split("^")
    rest = " ".join(part.strip() for part in given if part.strip())
    first = ", ".join(part for part in (family.strip(), rest) if part)
    return " = ".join([first, *(" ".join(group.replace("^", " ").split()) for group in writings[1:])])


def _day(text: str) -> str:
    """DICOM's ``20260304`` as ``2026-03-04``; what is no such date stays as it is."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def provenance(study: Study, *, deidentified: bool) -> tuple[Fact, ...]:
    """The file, its pixels and what is known of their geometry; `deidentified` leaves out names and UIDs,
    and hash and size, by which who has the file could tell it.
    """
    source, geometry = study.source, study.geometry
    pixels = f"{study.columns} × {study.rows} (width × height)"
    spacing, orientation = geometry.pixel_spacing_mm, geometry.orientation
    name, digest = (LEFT_OUT, LEFT_OUT) if deidentified else (study.name, source.sha256)
    facts = [
        Fact("File", name + " (pasted)" * source.pasted + " (synthetic, made by a program)" * source.synthetic),
        Fact("SHA-256 of the pixels" if source.pasted else "SHA-256 of the file", digest),
        Fact("Format", f"{source.format}, {source.bits} bits a sample"),
        Fact("File size", LEFT_OUT if deidentified else f"{source.size_bytes:,} bytes"),
        Fact("Pixels", pixels if study.slices == 1 else f"{pixels}, {study.slices} slices"),
        Fact("Pixel spacing", NOT_KNOWN if spacing is None else f"{spacing[0]:g} × {spacing[1]:g} mm (rows × columns)"),
        Fact(
            "Orientation",
            NOT_KNOWN if orientation is None else f"right edge {orientation[0]}, bottom edge {orientation[1]}",
        ),
        Fact("Compression", _compression(study)),
        Fact("Colour", "in colour, reduced to grey (luma)" if source.colour else "grey"),
        Fact("Sequence", study.sequence or NOT_KNOWN),
    ]
    if geometry.slice_spacing_mm is not None:
        facts.append(Fact("Slice spacing", f"{geometry.slice_spacing_mm:g} mm"))
    if (series := _series(study)) and not deidentified:
        facts.append(Fact("Series", series))
    if study.series_uid is not None:
        facts.append(Fact("Series UID", LEFT_OUT if deidentified else study.series_uid))
    return tuple(facts)


def _compression(study: Study) -> str:
    if study.source.lossy is None:
        return "not known whether lossy"
    if not study.source.lossy:
        return "lossless"
    return f"lossy ({study.source.lossy_method})" if study.source.lossy_method else "lossy"


def _series(study: Study) -> str:
    """Number and description of a DICOM series, empty where there are none."""
    if not study.headers:
        return ""
    number, description = (
        str(study.headers[0].get(key) or "").strip() for key in ("SeriesNumber", "SeriesDescription")
    )
    return ": ".join(part for part in (number, description) if part)
