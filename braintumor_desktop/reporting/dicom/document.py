"""The report's PDF inside a DICOM object (PS3.3 A.45.1, Encapsulated PDF)."""

from __future__ import annotations

from highdicom.base import SOPClass
from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.reporting.dicom import codes
from braintumor_desktop.reporting.dicom.equipment import OutputSeries, complete, made_by, patient_arguments
from braintumor_desktop.reporting.dicom.identity import new_uid
from braintumor_desktop.reporting.dicom.source import SourceSeries
from braintumor_desktop.reporting.report import Report


def encapsulate(pdf: bytes, report: Report, analysis: Analysis, source: SourceSeries) -> Dataset:
    """pdf: the file as it would be written to disk."""
    series = OutputSeries.make(source, 5, "report")
    made = SOPClass(
        sop_class_uid=EncapsulatedPDFStorage,
        sop_instance_uid=new_uid(),
        series_instance_uid=series.uid,
        series_number=series.number,
        instance_number=1,
        modality="DOC",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        series_description=series.description,
        **made_by(analysis.model),
        **patient_arguments(source),
    )
    made.ConversionType = "WSD"
    made.AcquisitionDateTime = ""
    made.BurnedInAnnotation = "YES" if report.identifiers else "NO"
    made.DocumentTitle = report.title
    made.VerificationFlag = "UNVERIFIED"
    made.ConceptNameCodeSequence = [codes.concept(codes.IMAGING_MEASUREMENT_REPORT)]
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.SourceInstanceSequence = source.references()
    made.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    made.EncapsulatedDocumentLength = len(pdf)
    complete(made, source)
    return made
