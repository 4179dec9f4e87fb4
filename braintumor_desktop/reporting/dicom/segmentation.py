"""DICOM Segmentation (PS3.3 A.51): what the model outlines, one segment a lesion, or its probability map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from highdicom.color import CIELabColor
from highdicom.content import AlgorithmIdentificationSequence
from highdicom.seg import Segmentation, SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from braintumor_desktop.domain import findings
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.reporting.canvas import OUTLINE_COLOUR
from braintumor_desktop.reporting.dicom import codes
from braintumor_desktop.reporting.dicom.equipment import OutputSeries, complete, made_by, patient_orientation
from braintumor_desktop.reporting.dicom.identity import new_uid
from braintumor_desktop.reporting.dicom.source import SECONDARY_CAPTURE, SourceSeries

_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
_STAND_IN = "1.2.3."  # UIDs that never leave this module


@dataclass(frozen=True)
class Segment:
    """Where a lesion is found. object_index: which segmentation; lesion: index in the analysis, None for the outline
    of a picture, which is not divided into lesions; slices: that its segmentation has of it.
    """

    object_index: int
    number: int
    tracking_id: str
    tracking_uid: str
    lesion: int | None
    slices: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Segmentations:
    """objects: one for a series whose slices have places in the patient; else one an outlined slice."""

    objects: tuple[Segmentation, ...] = ()
    segments: tuple[Segment, ...] = ()


def lesion_labels(found: findings.Segmentation) -> NDArray[np.uint8]:
    """(slices, rows, columns): 0 outside, and which lesion, from 1; all 1 where the mask isn't divided into lesions."""
    labels = found.mask.astype(np.uint8)
    if not any(lesion.pieces for lesion in found.lesions):
        return labels
    pieces: dict[int, list[tuple[int, int, int]]] = {}
    for number, lesion in enumerate(found.lesions, 1):
        for index, row, column in lesion.pieces:
            pieces.setdefault(index, []).append((row, column, number))
    for index, seeds in pieces.items():
        _, components = cv2.connectedComponents(found.mask[index].view(np.uint8))
        for row, column, number in seeds:
            labels[index][components == components[row, column]] = number
    return labels


def segment(analysis: Analysis, source: SourceSeries) -> Segmentations:
    """The outlines, binary. Empty without any."""
    found = analysis.segmentation
    if found is None or not found.present:
        return Segmentations()
    labels = lesion_labels(found)
    numbers = [int(number) for number in np.unique(labels) if number]
    divided = any(lesion.pieces for lesion in found.lesions)
    doubted = analysis.finding.doubted
    tracking = {number: (_name(number, divided, doubted), new_uid()) for number in numbers}
    series = OutputSeries.make(source, 1, "AI outline")
    objects: list[Segmentation] = []
    segments: list[Segment] = []
    for indices in _parts(np.asarray(labels.any(axis=(1, 2))), source):
        part = labels[indices]
        here = [number for number in numbers if (part == number).any()]
        described = [_described(k, *tracking[number], analysis) for k, number in enumerate(here, 1)]
        for k, number in enumerate(here, 1):
            slices = tuple(indices[int(at)] for at in np.flatnonzero((part == number).any(axis=(1, 2))))
            lesion = number - 1 if divided else None
            segments.append(Segment(len(objects), k, *tracking[number], lesion, slices))
        renumbered = np.zeros(256, np.uint8)
        renumbered[here] = range(1, len(here) + 1)
        objects.append(
            _make(renumbered[part], "BINARY", described, indices, len(objects) + 1, series, analysis, source)
        )
    return Segmentations(tuple(objects), tuple(segments))


def probability_map(analysis: Analysis, source: SourceSeries) -> tuple[Segmentation, ...]:
    """The tumour probability of each pixel as a fractional segmentation, in steps of 1/255. Empty without a map."""
    found = analysis.segmentation
    if found is None:
        return ()
    series = OutputSeries.make(source, 2, "AI probability")
    values = np.stack([np.clip(np.nan_to_num(found.probability[i]), 0.0, 1.0) for i in range(analysis.study.slices)])
    values = np.rint(values * np.float32(255)) / np.float32(255)
    parts = _parts(np.asarray(values.any(axis=(1, 2))), source)
    if not parts:
        return ()
    described = [_described(1, "Tumour probability", new_uid(), analysis)]
    return tuple(
        _make(values[indices], "FRACTIONAL", described, indices, number, series, analysis, source)
        for number, indices in enumerate(parts, 1)
    )


def _parts(used: NDArray[np.bool_], source: SourceSeries) -> list[list[int]]:
    """The slices of each object: from the first to the last used one where they have places, else one by one."""
    indices = [int(index) for index in np.flatnonzero(used)]
    if not source.located or not indices:
        return [[index] for index in indices]
    return [list(range(indices[0], indices[-1] + 1))]


def _name(number: int, divided: bool, doubted: bool) -> str:
    if doubted:
        return f"Doubted outline {number}"
    return f"Lesion {number}" if divided else "Tumour outline"


def _described(number: int, tracking_id: str, tracking_uid: str, analysis: Analysis) -> SegmentDescription:
    model = analysis.model
    return SegmentDescription(
        segment_number=number,
        segment_label=tracking_id,
        segmented_property_category=codes.MORPHOLOGICALLY_ABNORMAL,
        segmented_property_type=codes.NEOPLASM,
        algorithm_type="AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            name=f"braintumor-desktop {model.id}",
            family=codes.ARTIFICIAL_INTELLIGENCE,
            version=model.version,
            source="braintumor-desktop",
            parameters={"weights SHA-256": model.sha256},
        ),
        tracking_uid=tracking_uid,
        tracking_id=tracking_id,
        anatomic_regions=[codes.INTRACRANIAL],
        display_color=CIELabColor.from_rgb(*OUTLINE_COLOUR),
    )


def _make(
    pixels: NDArray[Any],
    sort: str,
    described: Sequence[SegmentDescription],
    indices: Sequence[int],
    instance: int,
    series: OutputSeries,
    analysis: Analysis,
    source: SourceSeries,
) -> Segmentation:
    """pixels: of the slices `indices`: labels, or probabilities 0..1 (float32)."""
    made = Segmentation(
        source_images=[_stand_in(index, analysis, source) for index in indices],
        pixel_array=pixels,
        segmentation_type=sort,
        segment_descriptions=described,
        series_instance_uid=series.uid,
        series_number=series.number,
        sop_instance_uid=new_uid(),
        instance_number=instance,
        content_label="TUMOUR_OUTLINE" if sort == "BINARY" else "TUMOUR_PROB",
        content_description=series.description,
        content_creator_name=None,
        series_description=series.description,
        # Without gaps, readers that only count frames place them right, too; they can't tell several segments apart.
        omit_empty_frames=len(described) > 1,
        **made_by(analysis.model),
    )
    _refer(made, source, framed=False)
    measures = made.SharedFunctionalGroupsSequence[0].get("PixelMeasuresSequence")
    if measures and source.thickness_mm is None and "SliceThickness" in measures[0]:
        del measures[0].SliceThickness
    if not source.located:
        made.PatientOrientation = patient_orientation(analysis.study)
    complete(made, source)
    return made


def _stand_in(index: int, analysis: Analysis, source: SourceSeries) -> Dataset:
    """A slice as a single image, whatever file it is in: highdicom then treats all kinds of files alike."""
    image = Dataset()
    image.update(source.patient_and_study)
    image.SOPClassUID = _MR_IMAGE if source.located else SECONDARY_CAPTURE
    image.SOPInstanceUID = f"{_STAND_IN}{index + 1}"
    image.SeriesInstanceUID = source.series_uid
    image.Modality = source.modality
    image.Rows, image.Columns = analysis.study.rows, analysis.study.columns
    image.LossyImageCompression = "00"
    source.compression.tell(image)
    if source.spacing is not None:
        image.PixelSpacing = list(source.spacing)
        # The library wants one; `_make` takes it away again where it is unknown.
        image.SliceThickness = source.thickness_mm if source.thickness_mm is not None else 1.0
    if source.located:
        image.FrameOfReferenceUID = source.frame_of_reference
        image.PositionReferenceIndicator = source.position_reference
        image.ImagePositionPatient = list(source.slices[index].position or ())
        image.ImageOrientationPatient = list(source.orientation or ())
    return image


def _refer(dataset: Dataset, source: SourceSeries, *, framed: bool) -> None:
    """Put the real images in place of the stand-ins, each once in a list, with the frame where a list is a frame's."""
    for element in dataset:
        if element.VR != "SQ":
            continue
        kept, seen = [], set()
        inside = framed or element.keyword == "DerivationImageSequence"
        for item in element.value:
            uid = str(item.get("ReferencedSOPInstanceUID", ""))
            if uid.startswith(_STAND_IN):
                real = source.slices[int(uid[len(_STAND_IN) :]) - 1]
                item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = real.sop_class, real.sop_uid
                if real.sop_uid in seen:
                    continue
                seen.add(real.sop_uid)
                if inside and real.frame is not None:
                    item.ReferencedFrameNumber = real.frame
            else:
                _refer(item, source, framed=inside)
            kept.append(item)
        element.value = kept
