"""Every code that the program itself writes into DICOM objects; `docs/DICOM.md` lists them with their sources.

Where the standard's context groups (PS3.16) have a code, that is the one. They have none for glioma and meningioma:
those are from the NCI Thesaurus, which is free to use and a coding scheme that PS3.16 lists (NCIt).
"""

from __future__ import annotations

from highdicom.sr import CodedConcept
from pydicom.sr.coding import Code

from braintumor_desktop.domain.findings import TumorClass

IMAGING_MEASUREMENT_REPORT = Code("126000", "DCM", "Imaging Measurement Report")
MRI = Code("25056-3", "LN", "MRI unspecified body region")
IMAGING_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")
QUALITATIVE_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")

NEOPLASM = Code("108369006", "SCT", "Neoplasm")
MORPHOLOGICALLY_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
INTRACRANIAL = Code("1101003", "SCT", "Intracranial")
PITUITARY = Code("56329008", "SCT", "Pituitary")
GLIOMA = Code("C3059", "NCIt", "Glioma")
MENINGIOMA = Code("C3230", "NCIt", "Meningioma")

PRESENCE = Code("121052", "DCM", "Presence of property")
PRESENT = Code("52101004", "SCT", "Present")
ABSENT = Code("272519000", "SCT", "Absent")

CERTAINTY_OF_FINDING = Code("111012", "DCM", "Certainty of Finding")
LONG_AXIS = Code("103339001", "SCT", "Long axis")
PERPENDICULAR_AXIS = Code("131189007", "SCT", "Perpendicular Axis")
AREA = Code("42798000", "SCT", "Area")
VOLUME = Code("118565006", "SCT", "Volume")
FINDING = Code("121071", "DCM", "Finding")
COMMENT = Code("121106", "DCM", "Comment")
DEVICE = Code("121007", "DCM", "Device")
PERSON = Code("121006", "DCM", "Person")
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")

PERCENT = Code("%", "UCUM", "Percent")
MILLIMETRE = Code("mm", "UCUM", "mm")
SQUARE_MILLIMETRE = Code("mm2", "UCUM", "square millimeter")
CUBIC_CENTIMETRE = Code("cm3", "UCUM", "cubic centimeter")
PIXELS = Code("{pixels}", "UCUM", "Pixels")

CLASS_CODES: dict[TumorClass, tuple[Code, Code]] = {
    TumorClass.GLIOMA: (GLIOMA, INTRACRANIAL),
    TumorClass.MENINGIOMA: (MENINGIOMA, INTRACRANIAL),
    TumorClass.PITUITARY: (NEOPLASM, PITUITARY),
}
"""What a tumour kind is, and where."""


def concept(code: Code) -> CodedConcept:
    return CodedConcept.from_code(code)
