"""Measurement report (PS3.16 TID 1500) as a Comprehensive SR: what the model says, in codes and numbers.

One group a class (TID 1501) with its probability, and two a lesion, with the same tracking UID: its outline, TID 1411
where it is a volume in the patient and TID 1410 where it is on one slice; and its two diameters with the lines they
were measured along (TID 1501, for the other two templates have no room for lines). Numbers are rounded as in every
other format, see `reporting.figures`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from braintumor_desktop import RESEARCH_USE, __version__
from braintumor_desktop.domain.findings import CLASS_TITLES, Analysis, TumorClass
from braintumor_desktop.domain.measurements import Diameter, Diameters
from braintumor_desktop.language import current_language, tr
from braintumor_desktop.reporting import figures
from braintumor_desktop.reporting.dicom import codes
from braintumor_desktop.reporting.dicom.equipment import DEVICE_UID, MANUFACTURER, OutputSeries, complete, made_by
from braintumor_desktop.reporting.dicom.identity import new_uid
from braintumor_desktop.reporting.dicom.segmentation import Segment, Segmentations
from braintumor_desktop.reporting.dicom.source import SourceSeries, SourceSlice
from braintumor_desktop.reporting.report import Report

Group = (
    sr.MeasurementsAndQualitativeEvaluations
    | sr.PlanarROIMeasurementsAndQualitativeEvaluations
    | sr.VolumetricROIMeasurementsAndQualitativeEvaluations
)


def structured_report(
    report: Report, analysis: Analysis, source: SourceSeries, segmentations: Segmentations
) -> Dataset:
    """segmentations: what the lesion groups point to."""
    content = sr.MeasurementReport(
        observation_context=_observers(report, analysis),
        procedure_reported=codes.MRI if source.modality == "MR" else codes.IMAGING_PROCEDURE,
        imaging_measurements=[*_classes(analysis, source), *_lesions(analysis, source, segmentations)],
        title=codes.IMAGING_MEASUREMENT_REPORT,
        language_of_content_item_and_descendants=_language(),
    )
    content[0].ContentSequence.append(_sentences(report))
    series = OutputSeries.make(source, 3, "AI measurements")
    made = sr.ComprehensiveSR(
        evidence=[*source.instances(), *segmentations.objects],
        content=content[0],
        series_instance_uid=series.uid,
        series_number=series.number,
        sop_instance_uid=new_uid(),
        instance_number=1,
        is_complete=analysis.complete,
        is_final=False,
        is_verified=False,
        series_description=series.description,
        **made_by(analysis.model),
    )
    complete(made, source)
    return made


def _language() -> sr.LanguageOfContentItemAndDescendants:
    """That of the report's sentences (TID 1204); the codes' meanings are English."""
    language = current_language()
    return sr.LanguageOfContentItemAndDescendants(sr.CodedConcept(language.code, "RFC5646", language.name))


def _observers(report: Report, analysis: Analysis) -> sr.ObservationContext:
    device = sr.ObserverContext(
        codes.concept(codes.DEVICE),
        sr.DeviceObserverIdentifyingAttributes(
            uid=DEVICE_UID,
            name=f"braintumor-desktop {__version__}",
            manufacturer_name=MANUFACTURER,
            model_name=f"model {analysis.model.id} {analysis.model.version}",
            serial_number=analysis.model.sha256[:16],
        ),
    )
    name = report.reader.name.strip()
    person = None
    if name:
        # The caret says that the whole is one component: which part is the family's is not known.
        person = sr.ObserverContext(
            codes.concept(codes.PERSON), sr.PersonObserverIdentifyingAttributes(name=f"{name.replace('^', ' ')}^")
        )
    return sr.ObservationContext(observer_person_context=person, observer_device_context=device)


def _algorithm(analysis: Analysis) -> sr.AlgorithmIdentification:
    model = analysis.model
    return sr.AlgorithmIdentification(
        name=f"braintumor-desktop {model.id}", version=model.version, parameters=[f"weights SHA-256 {model.sha256}"]
    )


def _classes(analysis: Analysis, source: SourceSeries) -> list[Group]:
    """The three kinds, then a tumour of any of them, then its absence; the last two add up to 100 %."""
    probabilities = analysis.finding.probabilities
    absent = probabilities[TumorClass.NO_TUMOR]
    groups = []
    for kind, (what, where) in codes.CLASS_CODES.items():
        if kind in probabilities:  # a model may know of a tumour and not which
            groups.append(_class(CLASS_TITLES[kind], what, where, probabilities[kind], None, analysis, source))
    for title, presence, share in (
        ("Any tumour", codes.PRESENT, figures.complement(absent)),
        ("No tumour", codes.ABSENT, absent),
    ):
        groups.append(_class(title, codes.NEOPLASM, codes.INTRACRANIAL, share, presence, analysis, source))
    return groups


def _class(
    title: str,
    what: Code,
    where: Code,
    probability: float | None,
    presence: Code | None,
    analysis: Analysis,
    source: SourceSeries,
) -> Group:
    at = source.slices[analysis.key_slice]
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=new_uid(), identifier=title),
        finding_type=what,
        finding_sites=[sr.FindingSite(where)],
        algorithm_id=_algorithm(analysis),
        measurements=_certainty(probability),
        qualitative_evaluations=None if presence is None else [sr.QualitativeEvaluation(codes.PRESENCE, presence)],
        source_images=[sr.SourceImageForMeasurementGroup(at.sop_class, at.sop_uid, _frames(at))],
    )


def _lesions(analysis: Analysis, source: SourceSeries, segmentations: Segmentations) -> list[Group]:
    found = analysis.segmentation
    if found is None:
        return []
    groups: list[Group] = []
    for lesion_index in dict.fromkeys(each.lesion for each in segmentations.segments):
        own = [each for each in segmentations.segments if each.lesion == lesion_index]
        if lesion_index is None:
            key, area_px, area_mm2, sizes = found.slice_index, found.area_px, found.area_mm2, found.diameters
            volume, probability = found.volume_ml, None
        else:
            lesion = found.lesions[lesion_index]
            key, area_px, area_mm2, sizes = lesion.key_slice, lesion.area_px, lesion.area_mm2, lesion.diameters
            volume, probability = lesion.volume_ml, lesion.tumor_probability
        at = source.slices[key]
        measurements = _area(area_px, area_mm2)
        if probability is not None:
            measurements += _certainty(probability)
        if source.located and len(source.slices) > 1:
            measurements = [*_number(codes.VOLUME, figures.millilitres(volume), codes.CUBIC_CENTIMETRE), *measurements]
            groups.append(_volume(own[0], measurements, analysis, source, segmentations))
        else:
            here = next(each for each in own if key in each.slices)
            groups.append(_outline(here, at, measurements, analysis, segmentations))
        if sizes is not None:
            groups.append(_diameters(own[0], sizes, at, analysis))
    return groups


def _volume(
    segment: Segment,
    measurements: Sequence[sr.Measurement],
    analysis: Analysis,
    source: SourceSeries,
    segmentations: Segmentations,
) -> Group:
    """TID 1411."""
    used: dict[tuple[str, str], list[int]] = {}
    for at in (source.slices[index] for index in segment.slices):
        used.setdefault((at.sop_class, at.sop_uid), []).extend(_frames(at) or ())
    segmentation = segmentations.objects[segment.object_index]
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(segment.tracking_uid, segment.tracking_id),
        referenced_segment=sr.ReferencedSegment(
            segmentation.SOPClassUID,
            segmentation.SOPInstanceUID,
            segment.number,
            source_images=[sr.SourceImageForSegmentation(*image, frames or None) for image, frames in used.items()],
        ),
        finding_type=codes.NEOPLASM,
        finding_sites=[sr.FindingSite(codes.INTRACRANIAL)],
        algorithm_id=_algorithm(analysis),
        measurements=measurements,
    )


def _outline(
    segment: Segment,
    at: SourceSlice,
    measurements: Sequence[sr.Measurement],
    analysis: Analysis,
    segmentations: Segmentations,
) -> Group:
    """TID 1410. The segmentation has one frame a segment here."""
    segmentation = segmentations.objects[segment.object_index]
    reference = sr.ReferencedSegmentationFrame(
        segmentation.SOPClassUID,
        segmentation.SOPInstanceUID,
        segment.number,
        segment.number,
        sr.SourceImageForSegmentation(at.sop_class, at.sop_uid, _frames(at)),
    )
    # PS3.3 table 10-3: a segment number only where there is no frame number; the library writes both.
    del reference[0].ReferencedSOPSequence[0].ReferencedSegmentNumber
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(segment.tracking_uid, segment.tracking_id),
        referenced_segment=reference,
        finding_type=codes.NEOPLASM,
        finding_sites=[sr.FindingSite(codes.INTRACRANIAL)],
        algorithm_id=_algorithm(analysis),
        measurements=measurements,
    )


def _area(area_px: int, area_mm2: float | None) -> list[sr.Measurement]:
    """On the slice where it is largest."""
    if area_mm2 is None:
        return _number(codes.AREA, area_px, codes.PIXELS)
    return _number(codes.AREA, figures.square_mm(area_mm2), codes.SQUARE_MILLIMETRE)


def _diameters(segment: Segment, sizes: Diameters, at: SourceSlice, analysis: Analysis) -> Group:
    """TID 1501, with the lesion's tracking identifiers."""
    axes = ((codes.LONG_AXIS, sizes.longest), (codes.PERPENDICULAR_AXIS, sizes.perpendicular))
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(segment.tracking_uid, segment.tracking_id),
        finding_type=codes.NEOPLASM,
        finding_sites=[sr.FindingSite(codes.INTRACRANIAL)],
        algorithm_id=_algorithm(analysis),
        measurements=[each for name, diameter in axes for each in _axis(name, diameter, at)],
        source_images=[sr.SourceImageForMeasurementGroup(at.sop_class, at.sop_uid, _frames(at))],
    )


def _axis(name: Code, diameter: Diameter, at: SourceSlice) -> list[sr.Measurement]:
    """With the line it was measured along, but on a tile of a mosaic, whose pixels are counted from its own corner.

    In SCOORD the first pixel's centre is (0.5, 0.5) (PS3.3 C.18.6).
    """
    ends = np.array([(column + 0.5, row + 0.5) for row, column in (diameter.start, diameter.end)])
    line = None
    if not at.tile:
        line = sr.CoordinatesForMeasurement(
            sr.GraphicTypeValues.POLYLINE, ends, sr.SourceImageForRegion(at.sop_class, at.sop_uid, _frames(at))
        )
    if diameter.length_mm is None:
        return _number(name, figures.length(diameter.length_px), codes.PIXELS, line)
    return _number(name, figures.length(diameter.length_mm), codes.MILLIMETRE, line)


def _certainty(probability: float | None) -> list[sr.Measurement]:
    share = figures.share(probability)
    return _number(codes.CERTAINTY_OF_FINDING, None if share is None else round(100 * share, 2), codes.PERCENT)


def _number(
    name: Code, value: float | None, unit: Code, line: sr.CoordinatesForMeasurement | None = None
) -> list[sr.Measurement]:
    """None at all where the value is unknown."""
    if value is None:
        return []
    return [sr.Measurement(name, value, unit, referenced_coordinates=None if line is None else [line])]


def _frames(at: SourceSlice) -> list[int] | None:
    return None if at.frame is None else [at.frame]


def _sentences(report: Report) -> sr.ContainerContentItem:
    """What has no code: the report's own sentences, each a text item."""
    reader = report.reader
    lines = [(codes.COMMENT, RESEARCH_USE), (codes.FINDING, report.finding)]
    if report.synthetic:
        lines.append((codes.COMMENT, tr("Synthetic data: there is no patient.")))
    lines += [(codes.COMMENT, sentence) for sentence in (report.prediction_set, *report.quality, *report.limits)]
    if reader.verdict == "agree":
        lines.append((codes.COMMENT, tr("The reader agrees with the model's finding.")))
    if reader.verdict == "disagree":
        lines.append((codes.COMMENT, tr("The reader disagrees with the model's finding.")))
    if reader.comment.strip():
        lines.append((codes.COMMENT, tr("The reader's comment: {words}", words=reader.comment.strip())))
    for row in report.reader_measurements:
        words = tr(
            "Measured by the reader: {name} {value} ({method})", name=row.name, value=row.value, method=row.method
        )
        lines.append((codes.COMMENT, words))
    container = sr.ContainerContentItem(
        name=codes.QUALITATIVE_EVALUATIONS, relationship_type=sr.RelationshipTypeValues.CONTAINS
    )
    container.ContentSequence = sr.ContentSequence(
        [
            sr.TextContentItem(name=name, value=words, relationship_type=sr.RelationshipTypeValues.CONTAINS)
            for name, words in lines
            if words
        ]
    )
    return container
