"""What made the objects, and the one series each kind of object forms."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from braintumor_desktop import RESEARCH_USE, __version__
from braintumor_desktop.domain.findings import ModelIdentity
from braintumor_desktop.domain.study import Study
from braintumor_desktop.reporting.dicom.identity import new_uid, uid_from
from braintumor_desktop.reporting.dicom.source import SourceSeries

MANUFACTURER = "braintumor-desktop"
DEVICE_UID = uid_from("device braintumor-desktop")
SHORT_NOTICE = "Research use only, not for diagnosis"
"""For the 64 characters of a series description; the whole sentence stands where there is room."""

# The library's messages quote names of patients.
logging.getLogger("highdicom").addHandler(logging.NullHandler())
logging.getLogger("highdicom").propagate = False


@dataclass(frozen=True)
class OutputSeries:
    """A new series in the source's study. number: follows from the source's, so that they stand together in a list."""

    uid: str
    number: int
    description: str

    @classmethod
    def make(cls, source: SourceSeries, place: int, what: str) -> OutputSeries:
        """place: 1..9, which kind of object; what: in words."""
        first = source.number if source.number is not None and 0 < source.number < 10_000_000 else 90
        return cls(new_uid(), 100 * first + place, f"Derived: {what}. {SHORT_NOTICE}")


def made_by(model: ModelIdentity) -> dict[str, Any]:
    """Arguments of the (Enhanced) General Equipment module for highdicom. Serial number: of the weights."""
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": f"braintumor-desktop, model {model.id}"[:64],
        "software_versions": (__version__, f"{model.id} {model.version}"[:64]),
        "device_serial_number": model.sha256[:16],
    }


def patient_arguments(source: SourceSeries) -> dict[str, Any]:
    """Arguments for highdicom's objects that have no source image to copy them from."""
    known = source.patient_and_study
    return {
        "study_instance_uid": source.study_uid,
        "patient_id": str(known.PatientID),
        "patient_name": str(known.PatientName),
        "patient_birth_date": known.PatientBirthDate or None,
        "patient_sex": known.PatientSex or None,
        "study_id": known.StudyID,
        "accession_number": known.AccessionNumber,
        "study_date": known.StudyDate or None,
        "study_time": known.StudyTime or None,
        "referring_physician_name": str(known.ReferringPhysicianName),
        "specific_character_set": "ISO_IR 192",
    }


def patient_orientation(study: Study) -> list[str]:
    """Patient Orientation (PS3.3 C.7.6.1.1.1), which has H and F for S and I; no value where it is unknown."""
    letters = {"S": "H", "I": "F"}
    return ["".join(letters.get(each, each) for each in edge) for edge in study.geometry.orientation or ()]


def complete(dataset: Dataset, source: SourceSeries) -> None:
    """What highdicom leaves out: the rest of patient and study, and the research-use statement."""
    for element in source.patient_and_study:
        if element.tag not in dataset:
            dataset.add(element)
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"):
        if dataset.get(keyword) is None:
            setattr(dataset, keyword, "")
    dataset.SpecificCharacterSet = "ISO_IR 192"
    if "ImageComments" not in dataset and "PixelData" in dataset:
        dataset.ImageComments = RESEARCH_USE
