"""The images that exported objects refer to: those of the file, or captures made for inputs without DICOM headers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.dicom_values import whole_of
from braintumor_desktop.imaging.orientation import LPS_TO_RAS
from braintumor_desktop.reporting.dicom.identity import Identity, is_uid, new_uid, patient_and_study, uid_from

Triple = tuple[float, float, float]

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SAME_PLACE_MM = 0.001


@dataclass(frozen=True)
class SourceSlice:
    """The image that a slice is in.

    frame: counted from 1 in a multi-frame image; position: LPS mm, None if unknown; tile: it is only a part
    of the image.
    """

    sop_class: str
    sop_uid: str
    frame: int | None
    position: Triple | None
    tile: bool = False


@dataclass(frozen=True)
class Compression:
    """What the pixels went through before they came here (PS3.3 C.7.6.1.1.5)."""

    lossy: bool | None
    ratio: str | None
    method: str | None

    def tell(self, dataset: Dataset) -> None:
        """Loss in the source is loss in what is derived from it."""
        if not self.lossy:
            return
        dataset.LossyImageCompression = "01"
        if self.ratio:
            dataset.LossyImageCompressionRatio = self.ratio
        if self.method:
            dataset.LossyImageCompressionMethod = self.method


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """One series with what is known of its place.

    patient_and_study: attributes of those modules, for every object; number: of the series; orientation: six direction
    cosines, LPS; spacing: (between rows, between columns), mm; thickness_mm: of a slice, where the file doesn't tell it
    the distance between slices; own: made here, see `source_images`.
    `frame_of_reference` is set only where every slice has a place of its own, see `located`.
    """

    patient_and_study: Dataset
    series_uid: str
    number: int | None
    slices: tuple[SourceSlice, ...]
    frame_of_reference: str | None
    position_reference: str
    orientation: tuple[float, ...] | None
    spacing: tuple[float, float] | None
    thickness_mm: float | None
    compression: Compression
    modality: str
    own: bool

    @property
    def study_uid(self) -> str:
        return str(self.patient_and_study.StudyInstanceUID)

    @property
    def located(self) -> bool:
        """Whether all slices lie at known, different places of one frame of reference."""
        return self.frame_of_reference is not None

    def instances(self, indices: Sequence[int] | None = None) -> list[Dataset]:
        """One dataset an image (not a slice), with the UIDs that a reference needs and the patient and study.

        indices: of the slices; all if None.
        """
        wanted = self.slices if indices is None else [self.slices[index] for index in indices]
        made = []
        for sop_uid, sop_class in {each.sop_uid: each.sop_class for each in wanted}.items():
            dataset = Dataset()
            dataset.update(self.patient_and_study)
            dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, sop_uid
            dataset.SeriesInstanceUID = self.series_uid
            made.append(dataset)
        return made

    def references(self, indices: Sequence[int] | None = None) -> list[Dataset]:
        """Items of a sequence that refers to those images (PS3.3 table 10-3), and to those frames of them."""
        made = []
        wanted = [self.slices[index] for index in indices or ()]
        for instance in self.instances(indices):
            item = Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = instance.SOPClassUID, instance.SOPInstanceUID
            frames = [at.frame for at in wanted if at.sop_uid == instance.SOPInstanceUID and at.frame is not None]
            if frames:
                item.ReferencedFrameNumber = frames
            made.append(item)
        return made


def source_of(study: Study, identity: Identity) -> SourceSeries:
    """The series of the file where it has UIDs to refer to; else one of captures, still to be made.

    Such a series stands in a study of its own, whose UID is the same each time for the same file, so that the exports
    of one file lie together.
    """
    rename = identity.renaming()
    header = study.headers[0] if study.headers else None
    orientation, positions = _places(study)
    spacing, frame_of_reference = study.geometry.pixel_spacing_mm, study.geometry.frame_of_reference_uid
    filed = header is not None and _has_uids(study.headers or ())
    located = positions is not None and spacing is not None and (not filed or is_uid(frame_of_reference))
    thickness = study.places[0].thickness_mm if study.places else None
    if header is not None and filed:
        study_uid, series_uid = rename(str(header.StudyInstanceUID)), rename(str(header.SeriesInstanceUID))
        reference = rename(str(frame_of_reference)) if located else None
    else:
        study_uid, series_uid = rename(uid_from(f"study {study.source.sha256}")), new_uid()
        reference = new_uid() if located else None
    described = patient_and_study(header, study_uid, identity)
    if not filed and "StudyDescription" not in described:
        what = "synthetic data" if study.source.synthetic else f"a {study.source.format} file"
        described.StudyDescription = f"Made from {what} without DICOM identifiers"
    return SourceSeries(
        patient_and_study=described,
        series_uid=series_uid,
        number=None if header is None else whole_of(header.get("SeriesNumber")),
        slices=_slices(study, positions, rename if filed else None),
        frame_of_reference=reference,
        position_reference=str(header.get("PositionReferenceIndicator") or "")
        if header is not None and located
        else "",
        orientation=orientation,
        spacing=spacing,
        thickness_mm=thickness or study.geometry.slice_spacing_mm,
        compression=_compression(study, header),
        modality=study.source.modality or "OT",
        own=not filed,
    )


def _slices(
    study: Study, positions: Sequence[Triple] | None, rename: Callable[[str], str] | None
) -> tuple[SourceSlice, ...]:
    """rename: gives the UIDs of images in files; None where there are none to refer to."""
    made = []
    for index in range(study.slices):
        position = None if positions is None else positions[index]
        if rename is None or study.headers is None:
            made.append(SourceSlice(SECONDARY_CAPTURE, new_uid(), None, position))
            continue
        header, place = study.headers[index], study.places[index] if study.places else None
        frame, tile = (None, False) if place is None else (place.frame, place.tile)
        made.append(SourceSlice(str(header.SOPClassUID), rename(str(header.SOPInstanceUID)), frame, position, tile))
    return tuple(made)


def _compression(study: Study, header: Any | None) -> Compression:
    """As the header tells; for pictures the ratio of pixels to file."""
    if not study.source.lossy:
        return Compression(study.source.lossy, None, None)
    if header is not None:
        ratio, method = (_joined(header.get(f"LossyImageCompression{what}")) for what in ("Ratio", "Method"))
        return Compression(True, ratio, method)
    plain, packed = study.pixels.nbytes * (3 if study.source.colour else 1), study.source.size_bytes
    ratio = f"{max(1.0, plain / packed):.2f}" if packed else None  # a pasted picture has no file
    return Compression(True, ratio, "ISO_10918_1" if study.source.format == "JPEG" else None)


def _joined(value: Any) -> str | None:
    """All values of an element as DICOM writes them."""
    several = value if isinstance(value, MultiValue) else (value,)
    return "\\".join(str(each) for each in several if each not in (None, "")) or None


def _places(study: Study) -> tuple[tuple[float, ...] | None, list[Triple] | None]:
    """Orientation and positions, LPS mm; None and None where not every slice has a place of its own.

    Those of the files where they tell them, to the last digit; else from the affine.
    """
    orientation: tuple[float, ...] | None = None
    positions: list[Triple] | None = None
    if study.places and study.places[0].orientation and all(each.position for each in study.places):
        orientation = study.places[0].orientation
        positions = [each.position for each in study.places if each.position]
    elif study.geometry.affine is not None:
        affine = np.asarray(LPS_TO_RAS @ study.geometry.affine)  # its own inverse
        row, column = (affine[:3, axis] / np.linalg.norm(affine[:3, axis]) for axis in (0, 1))
        orientation = (*map(float, row), *map(float, column))
        points = [affine @ (0.0, 0.0, index, 1.0) for index in range(study.slices)]
        positions = [(float(point[0]), float(point[1]), float(point[2])) for point in points]
    if orientation is None or positions is None:
        return None, None
    row, column = np.array(orientation).reshape(2, 3)
    along = np.sort(np.array(positions) @ np.cross(row, column))
    if len(along) > 1 and float(np.diff(along).min()) < SAME_PLACE_MM:
        return None, None
    return orientation, positions


def _has_uids(headers: Sequence[Any]) -> bool:
    """Some anonymisers remove them, or give all files the same."""
    wanted = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
    files = {id(header): str(header.get("SOPInstanceUID")) for header in headers}  # slices of one file share its header
    return len(set(files.values())) == len(files) and all(
        is_uid(header.get(keyword)) for header in headers for keyword in wanted
    )
