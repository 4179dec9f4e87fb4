"""What a DICOM file says of its slices, read without its pixels.

A classic file holds one slice, an enhanced multi-frame file one a frame, a Siemens mosaic one a tile; all become the
same `SliceHeader`, so that grouping and ordering need not know the difference. No patient's name or number is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal

import numpy as np

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.imaging.codecs import is_decodable
from braintumor_desktop.imaging.dicom_library import library
from braintumor_desktop.imaging.dicom_values import (
    VENDOR_B_VALUES,
    b_value_of,
    length_of,
    lossy_of,
    lut_window,
    number_of,
    numbers_of,
    orientation_of,
    strings_of,
    whole_of,
    window_of,
)
from braintumor_desktop.imaging.sequence import SequenceFacts

Triple = tuple[float, float, float]

_TAGS = (
    *("SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"),
    *(
        "FrameOfReferenceUID",
        "Modality",
        "BodyPartExamined",
        "StudyDescription",
        "SeriesDescription",
        "ProtocolName",
        "SequenceName",
    ),
    *("PulseSequenceName", "SeriesNumber", "InstanceNumber", "AcquisitionNumber", "TemporalPositionIdentifier"),
    *("ImageType", "EchoTime", "EchoNumbers", "RepetitionTime", "InversionTime", "ScanningSequence"),
    *("ContrastBolusAgent", "AcquisitionContrast", "DiffusionBValue", "DerivationDescription"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated"),
    *("BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    *("LossyImageCompression", "LossyImageCompressionMethod", "LossyImageCompressionRatio"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
)
# Siemens' private header, which alone says how many tiles a mosaic has.
_SIEMENS = (0x00290010, 0x00290011, 0x00291010, 0x00291110)
# Private blocks usually are the first or second of their group: their creators, and the b-value in them.
_VENDOR_B = tuple(
    tag
    for (group, _), element in VENDOR_B_VALUES.items()
    for block in (0x10, 0x11)
    for tag in (group << 16 | block, group << 16 | block << 8 | element)
)

_UNDEFINED = 0xFFFFFFFF
_MOST_FRAMES = 100_000  # no scanner's; a wrong number of billions would fill the memory with headers


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What holds for all slices of one file.

    transfer_syntax: its UID; looked_up: pixels go through a table (PS3.3 C.11.1) or are fractions as stored;
    tiles: of a Siemens mosaic, else 0.
    """

    sop_class: str
    sop_uid: str
    study_uid: str
    series_uid: str
    frame_of_reference: str | None
    modality: str
    body_part: str
    study_description: str
    series_description: str
    series_number: int | None
    instance: int
    acquisition: int
    frames: int
    transfer_syntax: str
    bits_stored: int
    signed: bool
    photometric: str
    samples: int
    lossy: bool | None
    lossy_method: str | None
    synthetic: bool
    looked_up: bool
    tiles: int
    sequence: SequenceFacts


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """One slice.

    frame: which frame, or tile of a mosaic, of its file; position: of the centre of its first pixel and orientation:
    directions of its rows and columns, both in LPS mm (PS3.3 C.7.6.2); spacing: (between rows, between columns);
    thickness, between: millimetres; rescale: (slope, intercept); window: (low, high) of the rescaled values; stack:
    what tells apart the stacks that share one series UID, as do times, of echo and inversion in ms; temporal: order in
    time within a position.
    """

    file: FileFacts
    frame: int
    rows: int
    columns: int
    position: Triple | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, float] | None
    thickness: float | None
    between: float | None
    rescale: tuple[float, float]
    window: tuple[float, float] | None
    image_type: tuple[str, ...]
    stack: tuple[object, ...]
    times: tuple[float | None, float | None]
    temporal: int

    @property
    def whole_numbers(self) -> bool:
        """Whether rescaled pixels are whole numbers within the range that bits and rescale tell."""
        return not self.file.looked_up and all(number.is_integer() for number in self.rescale)


def read_header(stream: IO[bytes], size: int) -> tuple[SliceHeader, ...]:
    """The slices of one file. stream: at the start of the file; size: of the file in bytes.

    Raises BrainTumorError: dicom_damaged, dicom_not_an_image (reports, segmentations and the like), dicom_no_pixels,
    image_truncated.
    """
    pydicom = library()
    try:
        dataset = pydicom.dcmread(
            stream, stop_before_pixels=True, force=True, specific_tags=[*_TAGS, *_SIEMENS, *_VENDOR_B]
        )
        _check_is_image(dataset)
        _check_has_pixels(dataset, stream, size)
        return tuple(_slices(dataset))
    except BrainTumorError:
        raise
    except Exception as cause:  # pydicom raises nearly every type on damaged files
        raise damaged() from cause


def damaged() -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.DICOM_DAMAGED,
        phrase("The DICOM file is damaged and can't be read."),
        phrase("Copy it again from its source, or export the series again."),
    )


def _check_is_image(dataset: Any) -> None:
    from pydicom.uid import UID

    sop_class = UID(str(dataset.get("SOPClassUID", "")))
    name = sop_class.name.replace(" Storage", "")
    is_other = sop_class.is_private is False and "Image" not in name and sop_class.keyword != ""
    if "Segmentation" in name or (is_other and "Rows" not in dataset):
        what = name if not name.endswith("SR") else phrase("{kind} report (SR)", kind=name[:-3])
        raise BrainTumorError(
            ErrorCode.DICOM_NOT_AN_IMAGE,
            phrase("This is a DICOM {object} object, not a picture to analyse.", object=what),
            phrase("Open the image series it belongs to."),
        )
    if not sop_class and "Rows" not in dataset:
        raise damaged()


def _check_has_pixels(dataset: Any, stream: IO[bytes], size: int) -> None:
    """The stream stands where the pixels begin, if there are any: they must be whole, and be those of all frames."""
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    syntax = dataset.file_meta.get("TransferSyntaxUID")
    name = "" if syntax is None else syntax.name
    if _frames(dataset) > _MOST_FRAMES:
        raise truncated(name)
    if syntax == DeflatedExplicitVRLittleEndian:
        return  # pydicom reads a stream of its own then
    start = stream.read(8)
    order: Literal["little", "big"] = "big" if start[:2] == b"\x7f\xe0" else "little"
    if "Rows" not in dataset or start[:2] not in (b"\xe0\x7f", b"\x7f\xe0"):
        raise no_pixels()
    explicit = start[4:6] in (b"OB", b"OW", b"OF", b"OD", b"UN")
    length = int.from_bytes(stream.read(4) if explicit else start[4:8], order)
    if length != _UNDEFINED:
        whole = stream.tell() + length <= size and length >= native_bytes(dataset)
    else:
        fragments = _fragments(stream, size)
        # A film, which is not read anyway, is one fragment with all its frames.
        whole = fragments is not None and (fragments >= _frames(dataset) or not is_decodable(str(syntax)))
    if not whole:
        raise truncated(name)


def _frames(dataset: Any) -> int:
    return max(1, whole_of(dataset.get("NumberOfFrames")) or 1)


def native_bytes(dataset: Any) -> int:
    """What the pixels of all frames take uncompressed; in YBR_FULL_422 two samples a pixel (PS3.3 C.7.6.3.1.2)."""
    bits = _frames(dataset) * int(dataset.Rows) * int(dataset.Columns) * int(dataset.BitsAllocated)
    samples = int(dataset.get("SamplesPerPixel") or 1)
    if str(dataset.get("PhotometricInterpretation")).startswith("YBR_FULL_422"):
        samples = 2
    return -(-bits * samples // 8)


def _fragments(stream: IO[bytes], size: int) -> int | None:
    """Of compressed pixels (PS3.5 A.4), always little endian; None where their end mark is missing."""
    count = -1  # the first item is the table of offsets
    while stream.tell() + 8 <= size:
        item = stream.read(8)
        if item[:4] == b"\xfe\xff\xdd\xe0":
            return count
        if item[:4] != b"\xfe\xff\x00\xe0":
            return None
        stream.seek(int.from_bytes(item[4:], "little"), 1)
        count += 1
    return None


def truncated(syntax: str) -> BrainTumorError:
    """syntax: the transfer syntax in words."""
    return BrainTumorError(
        ErrorCode.IMAGE_TRUNCATED,
        phrase("The pixels of the DICOM file are cut short ({syntax}): a part of them is missing.", syntax=syntax)
        if syntax
        else phrase("The pixels of the DICOM file are cut short: a part of them is missing."),
        phrase("Copy the file again from its source, or export the series again."),
    )


def no_pixels() -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.DICOM_NO_PIXELS,
        phrase("The DICOM file holds no pixels: its picture was left out, or the file is cut short before it."),
        phrase("Copy or export the series again, with its pictures."),
    )


def _slices(dataset: Any) -> Iterator[SliceHeader]:
    facts = _facts(dataset)
    if facts.tiles:
        yield from _mosaic(dataset, facts)
        return
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [None])[0]
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or []
    for frame in range(facts.frames):
        groups = [g for g in (frames[frame] if frame < len(frames) else None, shared) if g is not None]
        yield _slice(dataset, facts, frame, groups)


def _slice(dataset: Any, facts: FileFacts, frame: int, groups: list[Any]) -> SliceHeader:
    """groups: functional groups of this frame, then those shared by all (PS3.3 C.7.6.16)."""

    def value(sequence: str, keyword: str) -> Any:
        for group in groups:
            for item in group.get(sequence) or ():
                if keyword in item:
                    return item.get(keyword)
        return dataset.get(keyword)

    position = numbers_of(value("PlanePositionSequence", "ImagePositionPatient"), 3)
    if facts.frames > 1 and not groups:
        position = None  # one position can't be that of every frame
    image_type = strings_of(value("MRImageFrameTypeSequence", "FrameType")) or facts.sequence.image_type
    spacing = numbers_of(value("PixelMeasuresSequence", "PixelSpacing"), 2)
    window = window_of(
        value("FrameVOILUTSequence", "WindowCenter"),
        value("FrameVOILUTSequence", "WindowWidth"),
        value("FrameVOILUTSequence", "VOILUTFunction"),
    )
    echo = number_of(value("MREchoSequence", "EffectiveEchoTime")) or facts.sequence.echo_ms
    b_value = number_of(value("MRDiffusionSequence", "DiffusionBValue"))
    b_value = facts.sequence.b_value if b_value is None else b_value
    slope = number_of(value("PixelValueTransformationSequence", "RescaleSlope"))
    intercept = number_of(value("PixelValueTransformationSequence", "RescaleIntercept"))
    temporal = whole_of(value("FrameContentSequence", "TemporalPositionIndex"))
    return SliceHeader(
        file=facts,
        frame=frame,
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        position=None if position is None else (position[0], position[1], position[2]),
        orientation=orientation_of(value("PlaneOrientationSequence", "ImageOrientationPatient")),
        spacing=(spacing[0], spacing[1]) if spacing and min(spacing) > 0 else None,
        thickness=length_of(value("PixelMeasuresSequence", "SliceThickness")),
        between=length_of(value("PixelMeasuresSequence", "SpacingBetweenSlices")),
        rescale=(1.0 if slope in (None, 0.0) else float(slope or 1.0), intercept or 0.0),
        window=window or lut_window(dataset),
        image_type=image_type,
        stack=(
            image_type,
            dataset.get("EchoNumbers") and str(dataset.EchoNumbers),
            b_value,
            str(value("FrameContentSequence", "StackID") or ""),
        ),
        times=(echo, facts.sequence.inversion_ms),
        temporal=temporal or whole_of(dataset.get("TemporalPositionIdentifier")) or 0,
    )


def _mosaic(dataset: Any, facts: FileFacts) -> Iterator[SliceHeader]:
    """The tiles of a Siemens mosaic, row by row.

    The header's position is that of a single picture as large as the mosaic around the first slice's centre (see
    nibabel, "Siemens mosaic format"), and slices go on along the normal of the private header.
    """
    side = math.ceil(math.sqrt(facts.tiles))
    whole = _slice(dataset, facts, 0, [])
    rows, columns = whole.rows // side, whole.columns // side
    normal = _mosaic_normal(dataset)
    step = whole.between or whole.thickness
    for tile in range(facts.tiles):
        position: Triple | None = None
        if whole.position and whole.orientation and whole.spacing and step and normal is not None:
            along_row, along_column = np.array(whole.orientation).reshape(2, 3)
            corner = (
                np.array(whole.position)
                + along_row * whole.spacing[1] * (whole.columns - columns) / 2
                + along_column * whole.spacing[0] * (whole.rows - rows) / 2
                + normal * step * tile
            )
            position = (float(corner[0]), float(corner[1]), float(corner[2]))
        yield SliceHeader(
            facts,
            tile,
            rows,
            columns,
            position,
            whole.orientation,
            whole.spacing,
            whole.thickness,
            whole.between,
            whole.rescale,
            whole.window,
            whole.image_type,
            whole.stack,
            whole.times,
            # Each mosaic of a series is a whole volume of its own moment.
            whole.temporal or facts.acquisition or facts.instance,
        )


def _siemens_header(dataset: Any) -> Any:
    from nibabel.nicom.csareader import get_csa_header

    return get_csa_header(dataset, "image")  # type: ignore[no-untyped-call]


def _mosaic_tiles(dataset: Any) -> int:
    """How many slices the mosaic holds; 0 where this is no mosaic, or its private header was removed."""
    if "MOSAIC" not in strings_of(dataset.get("ImageType")):
        return 0
    from nibabel.nicom.csareader import get_n_mosaic

    header = _siemens_header(dataset)
    count = int(get_n_mosaic(header) or 0) if header else 0  # type: ignore[no-untyped-call]
    side = math.ceil(math.sqrt(count))
    return count if count > 1 and dataset.Rows % side == 0 and dataset.Columns % side == 0 else 0


def _mosaic_normal(dataset: Any) -> Any:
    from nibabel.nicom.csareader import get_slice_normal

    return get_slice_normal(_siemens_header(dataset))  # type: ignore[no-untyped-call]


def _facts(dataset: Any) -> FileFacts:
    syntax = dataset.file_meta.get("TransferSyntaxUID") or ""
    lossy, method = lossy_of(dataset, syntax)
    names = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName")
    image_type = strings_of(dataset.get("ImageType"))
    return FileFacts(
        sop_class=str(dataset.get("SOPClassUID") or ""),
        sop_uid=str(dataset.get("SOPInstanceUID") or ""),
        study_uid=str(dataset.get("StudyInstanceUID") or ""),
        series_uid=str(dataset.get("SeriesInstanceUID") or ""),
        frame_of_reference=str(dataset.get("FrameOfReferenceUID") or "") or None,
        modality=str(dataset.get("Modality") or ""),
        body_part=str(dataset.get("BodyPartExamined") or "").strip().upper(),
        study_description=str(dataset.get("StudyDescription") or ""),
        series_description=str(dataset.get("SeriesDescription") or ""),
        series_number=whole_of(dataset.get("SeriesNumber")),
        instance=whole_of(dataset.get("InstanceNumber")) or 0,
        acquisition=whole_of(dataset.get("AcquisitionNumber")) or 0,
        frames=_frames(dataset),
        transfer_syntax=str(syntax),
        bits_stored=int(dataset.get("BitsStored") or dataset.get("BitsAllocated") or 16),
        signed=bool(dataset.get("PixelRepresentation")),
        photometric=str(dataset.get("PhotometricInterpretation") or "MONOCHROME2"),
        samples=int(dataset.get("SamplesPerPixel") or 1),
        lossy=lossy,
        lossy_method=method,
        synthetic="synthetic head phantom" in str(dataset.get("DerivationDescription") or ""),
        looked_up="ModalityLUTSequence" in dataset or "PixelRepresentation" not in dataset,
        tiles=_mosaic_tiles(dataset),
        sequence=SequenceFacts(
            modality=str(dataset.get("Modality") or ""),
            names=tuple(str(dataset.get(name) or "") for name in names),
            image_type=image_type,
            contrast_weighting=str(dataset.get("AcquisitionContrast") or ""),
            contrast_agent=str(dataset.get("ContrastBolusAgent") or ""),
            scanning_sequence=strings_of(dataset.get("ScanningSequence")),
            repetition_ms=number_of(dataset.get("RepetitionTime")),
            echo_ms=number_of(dataset.get("EchoTime")),
            inversion_ms=number_of(dataset.get("InversionTime")),
            b_value=b_value_of(dataset),
        ),
    )
