"""A DICOM header without what could tell who the patient is: every element at every depth is judged anew.

The Basic Profile with the options Clean Descriptors, Clean Structured Content and, if asked for, Longitudinal Temporal
Information With Modified Dates (PS3.15 E.2, E.3.5, E.3.6, E.3.9). Stricter than the profile: text that its table
doesn't name is rebuilt from known words too, so nothing that a person typed goes through.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from braintumor_desktop.imaging.dicom_library import library
from braintumor_desktop.reporting.deidentification.profile import (
    BIRTH,
    BULK,
    DESCRIPTORS,
    IDENTIFIERS,
    STRUCTURED,
    Action,
    Tag,
    basic_profile,
    code_meanings,
    is_graphics,
)
from braintumor_desktop.reporting.deidentification.pseudonyms import Pseudonyms
from braintumor_desktop.reporting.deidentification.shifting import shifted_date, shifted_date_time, shifted_time
from braintumor_desktop.reporting.deidentification.words import DUMMY, code_term, known_words


class Dates(StrEnum):
    """What becomes of dates and times."""

    REMOVE = "remove"
    SHIFT = "shift"


_TEXT = ("LO", "SH", "ST", "LT", "UT", "UC")
_NUMBERS = ("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT", "US or SS")
_BYTES = ("OB", "OW", "OF", "OD", "OL", "OV", "OB or OW", "US or OW", "US or SS or OW")
_MOMENTS = ("DA", "TM", "DT")
_DUMMIES = {
    **dict.fromkeys(_TEXT, DUMMY),
    "AE": DUMMY,
    "AS": "000Y",
    "PN": DUMMY,
    "UR": "http://anonymized.invalid",
    "DA": "19000101",
    "TM": "000000",
    "DT": "19000101000000",
    "DS": "0",
    "IS": "0",
}
_THREE_NUMBERS = 6
_WHOLE = re.compile(r"[+-]?\d{1,12}")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class _Run:
    """What holds for all elements of one file."""

    pseudonyms: Pseudonyms
    patient: str
    shift: timedelta | None


def patient_identity(dataset: Any) -> str:
    """What tells patients apart: the id, else name and birth date, else the study. It is never to be written."""
    for keywords in (("PatientID", "IssuerOfPatientID"), ("PatientName", "PatientBirthDate")):
        if str(_value(dataset, keywords[0])).strip():
            return "\0".join(str(_value(dataset, keyword)).strip() for keyword in keywords)
    return str(_value(dataset, "StudyInstanceUID"))


def clean_header(dataset: Any, pseudonyms: Pseudonyms, dates: Dates = Dates.REMOVE) -> Any:
    """A new pydicom dataset with what may be kept of `dataset`, which stays as it is; pixels are kept as they are.

    Without file meta information; marked as de-identified (0012,0062 to 0064; 0028,0303).
    """
    pydicom = library()
    identity = patient_identity(dataset)
    shift = pseudonyms.shift(identity) if dates is Dates.SHIFT else None
    cleaned = _cleaned(dataset, _Run(pseudonyms, pseudonyms.patient(identity), shift), item=False)
    for keyword in ("PatientName", "PatientID"):
        setattr(cleaned, keyword, pseudonyms.patient(identity))
    cleaned.PatientIdentityRemoved = "YES"
    cleaned.DeidentificationMethod = ["PS3.15 Basic Profile 2026c", "Text rebuilt from known words"]
    cleaned.LongitudinalTemporalInformationModified = "MODIFIED" if shift else "REMOVED"
    codes = ["113100", "113105", "113104", *(["113107"] if shift else [])]
    cleaned.DeidentificationMethodCodeSequence = pydicom.Sequence([method_code(code) for code in codes])
    return cleaned


def method_code(value: str) -> Any:
    """An item of the De-identification Method Code Sequence (PS3.16 CID 7050)."""
    item = library().Dataset()
    item.CodeValue, item.CodingSchemeDesignator = value, "DCM"
    item.CodeMeaning = code_meanings()["DCM", value]
    return item


def _cleaned(dataset: Any, run: _Run, *, item: bool = True) -> Any:
    pydicom = library()
    if item and ("CodeValue" in dataset or "LongCodeValue" in dataset or "URNCodeValue" in dataset):
        return _code(dataset)
    cleaned = pydicom.Dataset()
    for tag in sorted(dataset.keys()):
        if tag.is_private or tag.element == 0 or tag.group < 8 or is_graphics(tag.group):
            continue
        with contextlib.suppress(Exception):  # what can't be read can't be judged, so it isn't kept
            element = dataset[tag]
            value = _kept(element, dataset, run)
            if value is not None:
                cleaned.add(_element(element, value))
    return cleaned


def _element(element: Any, value: Any) -> Any:
    pydicom = library()
    made = pydicom.DataElement(element.tag, element.VR, value)
    if element.VR != "SQ":
        made.is_undefined_length = element.is_undefined_length  # encapsulated pixels
    return made


def _code(dataset: Any) -> Any:
    """A coded concept: as it is where the standard knows it, with the standard's own meaning; else a dummy."""
    pydicom = library()
    scheme = str(_value(dataset, "CodingSchemeDesignator")).strip()
    value = str(_value(dataset, "CodeValue") or _value(dataset, "LongCodeValue") or "").strip()
    meaning = code_meanings().get((scheme, value))
    item = pydicom.Dataset()
    item.CodeValue = value if meaning else "0"
    item.CodingSchemeDesignator = scheme if meaning else "99ANON"
    item.CodeMeaning = _ascii(meaning or DUMMY)[:64]
    return item


def _kept(element: Any, dataset: Any, run: _Run) -> Any:
    """The value to keep, None for no element at all."""
    tag = (element.tag.group, element.tag.element)
    if not element.keyword or tag == (0x0008, 0x0005):  # not of the standard; all that is kept is plain ASCII
        return None
    if tag in IDENTIFIERS:
        return run.patient
    action = basic_profile().get(tag)
    if element.VR == "SQ":
        return _sequence(element, action, tag, run)
    if element.VR in _MOMENTS and run.shift is not None and tag not in BIRTH:
        return _values(element, lambda each, number: _shifted(element, each, number, dataset, run.shift))
    if tag in DESCRIPTORS:
        words = _values(element, lambda each, _number: known_words(each))
        if not any(words) and action is Action.DUMMY:  # that there is a contrast agent remains
            return DUMMY if any(_values(element, lambda each, _number: each)) else ""
        return words if any(words) else None
    match action:
        case Action.REMOVE:
            return None
        case Action.EMPTY:
            return ""
        case Action.DUMMY if element.VR in _DUMMIES:
            return _values(element, lambda each, _number: _DUMMIES[element.VR] if each else "")
    return _by_representation(element, tag, run)


def _by_representation(element: Any, tag: Tag, run: _Run) -> Any:
    representation = element.VR
    if representation in _NUMBERS:  # of unresolved representation they come as bytes
        return element.value if not isinstance(element.value, bytes) or len(element.value) <= _THREE_NUMBERS else None
    if representation in _BYTES:
        return element.value if element.keyword in BULK else None
    if representation == "UI":
        return _values(element, lambda each, _number: _uid(each, run))
    if representation == "CS":
        return _values(element, lambda each, _number: code_term(each))
    if representation in _TEXT:
        return _values(element, lambda each, _number: (known_words(each)[:64] or DUMMY) if each.strip() else "")
    if representation in ("DS", "IS"):
        form = _DECIMAL if representation == "DS" else _WHOLE
        return _values(element, lambda each, _number: each if not each or form.fullmatch(each) else "0")
    if representation in _DUMMIES:  # what is left names people, places, machines or moments
        return _values(element, lambda each, _number: _DUMMIES[representation] if each.strip() else "")
    return None  # UN and what pydicom doesn't know


def _sequence(element: Any, action: Action | None, tag: Tag, run: _Run) -> Any:
    if tag not in STRUCTURED and action is Action.REMOVE:
        return None
    if tag not in STRUCTURED and action is Action.EMPTY:
        return []
    return library().Sequence([_cleaned(item, run) for item in element.value or ()])


def _values(element: Any, change: Any) -> Any:
    """One value or several, as text, each changed; change takes the value and its number."""
    value = element.value
    if value is None or value == "":
        return ""
    several = not isinstance(value, str | bytes) and isinstance(value, Iterable) and element.VR != "PN"
    changed = [change(_text(each), number) for number, each in enumerate(value if several else [value])]
    return changed if several else changed[0]


def _text(value: Any) -> str:
    return str(getattr(value, "original_string", value)).strip()


def _uid(value: str, run: _Run) -> str:
    """UIDs that the standard defines name kinds of things; all others name a thing."""
    from pydicom._uid_dict import UID_dictionary

    return value if not value or value in UID_dictionary else run.pseudonyms.uid(value)


def _shifted(element: Any, value: str, number: int, dataset: Any, shift: timedelta | None) -> str:
    assert shift is not None
    if not value:
        return ""
    if element.VR == "DT":
        moved = shifted_date_time(value, shift)
    elif element.VR == "DA":
        moved = shifted_date(value, _beside(dataset, element.keyword, number), shift)
    else:
        moved = shifted_time(value, shift)
    return moved if moved is not None else _DUMMIES[element.VR]


def _beside(dataset: Any, keyword: str, number: int) -> str:
    """The time of day that belongs to a date: ``StudyTime`` to ``StudyDate``."""
    times = _value(dataset, keyword.replace("Date", "Time")) if "Date" in keyword else ""
    several = [times] if isinstance(times, str) else list(times)
    return _text(several[number]) if number < len(several) else ""


def _value(dataset: Any, keyword: str) -> Any:
    try:
        value = dataset.get(keyword, "")
    except Exception:  # noqa: BLE001 - a value that can't be read counts as none
        return ""
    return "" if value is None else value


def _ascii(text: str) -> str:
    return text.encode("ascii", "ignore").decode()
