"""Whose object it is: patient and study from the source, emptied, or unknown; and UIDs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID, generate_uid

from braintumor_desktop.domain.study import Study

ANONYMIZED = "ANONYMIZED"
_NAMES = ("PatientName", "ReferringPhysicianName")
_SHORT = {"PatientID": 64, "IssuerOfPatientID": 64, "StudyID": 16, "AccessionNumber": 16, "StudyDescription": 64}
_EMPTY_ALLOWED = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID")
_TYPE_2 = (*_EMPTY_ALLOWED, "AccessionNumber", "ReferringPhysicianName")
_SIXTIETHS = r"[0-5]\d"
_FORMATS = {
    "PatientAge": r"\d{3}[DWMY]",
    "PatientSex": r"[MFO]",
    "StudyTime": rf"([01]\d|2[0-3])({_SIXTIETHS}({_SIXTIETHS}(\.\d{{1,6}})?)?)?",
}
_BIRTH_AND_STUDY = ("PatientBirthDate", "StudyDate")


class FreshUids:
    """Gives each UID a new one, the same one each time it is asked: references stay whole within one export."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, uid: str) -> str:
        return self._known.setdefault(uid, new_uid())


@dataclass(frozen=True)
class Identity:
    """How patient and study are named in what is written.

    deidentified: patient and study are not named, and every UID of the source is replaced; renamed_uid: gives the new
    UID of one of the source, the same each time; share it between exports and the images' own de-identification, and
    references hold. A mapping of its own for each export where it is None; patient: what stands in the place of name
    and number.
    """

    deidentified: bool = False
    renamed_uid: Callable[[str], str] | None = None
    patient: str = ANONYMIZED

    @classmethod
    def of_deidentified(cls, study: Study) -> Identity:
        """Of a study of `deidentification.analyses.deidentified`: its headers are clean and have new UIDs already.

        The patient has the headers' pseudonym, without headers that of the file.
        """
        patient = str(study.headers[0].PatientID) if study.headers else study.source.sha256
        return cls(deidentified=True, renamed_uid=str, patient=patient)

    def renaming(self) -> Callable[[str], str]:
        """What every UID of the source goes through, for one export."""
        if not self.deidentified:
            return lambda uid: uid
        return self.renamed_uid if self.renamed_uid is not None else FreshUids()


def new_uid() -> str:
    """A random UUID-derived UID (PS3.5 B.2): no root of an organisation is needed for it."""
    return str(generate_uid(prefix=None))


def uid_from(words: str) -> str:
    """A UUID-derived UID that is the same for the same words."""
    number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:16])
    # The version and variant bits of a name-based UUID (RFC 9562, version 8: a hash of one's own choice).
    number = number & ~(0xF << 76) | (8 << 76)
    number = number & ~(0x3 << 62) | (2 << 62)
    return f"2.25.{number}"


def is_uid(value: Any) -> bool:
    return bool(value) and UID(str(value)).is_valid


def patient_and_study(header: Any | None, study_uid: str, identity: Identity) -> Dataset:
    """Attributes of the Patient and General Study modules (PS3.3 C.7.1.1, C.7.2.1), in UTF-8.

    header: the source's dataset; None where there is none: then every value is empty, for nothing is known.
    Values that break their format (a date that is none, a number that is too long) are left out; a patient's name and
    number stay as they are, and a description is cut.
    """
    known = Dataset()
    known.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _TYPE_2:
        setattr(known, keyword, "")
    known.StudyInstanceUID = study_uid
    if identity.deidentified:
        known.PatientName = known.PatientID = identity.patient
        known.PatientIdentityRemoved = "YES"
        known.DeidentificationMethod = "Identifiers left out of derived objects"
    elif header is not None:
        for keyword, value in _values(header):
            setattr(known, keyword, value)
    return known


def _values(header: Any) -> list[tuple[str, str]]:
    found = []
    for keyword in (*_NAMES, *_SHORT, *_BIRTH_AND_STUDY, *_FORMATS):
        value = str(header.get(keyword) or "").strip().replace("\0", "")
        if keyword in _BIRTH_AND_STUDY:
            value = _date(value)
        elif keyword in _FORMATS:
            value = value.replace(":", "") if keyword == "StudyTime" else value
            value = value if re.fullmatch(_FORMATS[keyword], value) else ""
        elif keyword in _SHORT and keyword != "PatientID":
            fits = len(value) <= _SHORT[keyword] or keyword == "StudyDescription"
            value = value[: _SHORT[keyword]].replace("\\", " ") if fits else ""
        if value:
            found.append((keyword, value))
    return found


def _date(value: str) -> str:
    """A DICOM date; that of ACR-NEMA, ``1999.12.31``, too. Empty where it is no date."""
    plain = value.replace(".", "")
    try:
        # Years before 1000 would lose their zeros in strftime.
        return datetime.strptime(plain, "%Y%m%d").date().isoformat().replace("-", "") if len(plain) == 8 else ""
    except ValueError:
        return ""
