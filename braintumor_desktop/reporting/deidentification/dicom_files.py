"""A whole DICOM file without identity: file meta, header and what hides beside the pixels."""

from __future__ import annotations

import copy
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging.burnt_in_text import Box, blanked, find_text
from braintumor_desktop.imaging.dicom_header import damaged, native_bytes, read_header
from braintumor_desktop.imaging.dicom_library import library
from braintumor_desktop.imaging.dicom_pixels import own_bits, read_planes
from braintumor_desktop.reporting.deidentification.codestreams import (
    NotUnderstoodError,
    can_be_cleaned,
    without_comments,
)
from braintumor_desktop.reporting.deidentification.dicom_headers import (
    Dates,
    clean_header,
    method_code,
    patient_identity,
)
from braintumor_desktop.reporting.deidentification.pseudonyms import Pseudonyms

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_UNCHECKABLE = tuple(_STORAGE + kind for kind in ("104.", "9.", "66", "77.1.1.1", "77.1.2.1", "77.1.4.1"))
"""Documents, waveforms, raw data, videos: what is in them can't be judged by elements. 66: but for its own children,
which are segmentations and registrations."""
_JUDGED = tuple(f"{_STORAGE}66.{number}" for number in (1, 2, 3, 4, 5, 6, 7))
_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True)
class CleanDicom:
    """data: the new file; place: patient, study and series (all pseudonyms) it belongs to; texts: places that may hold
    text, over all frames; blanked: whether they were made black; checked: whether there were pixels to look at.
    """

    data: bytes
    place: tuple[str, str, str]
    texts: tuple[Box, ...]
    blanked: bool
    checked: bool


def clean_dicom(
    data: bytes, pseudonyms: Pseudonyms, *, dates: Dates = Dates.REMOVE, blank_text: bool = False
) -> CleanDicom:
    """De-identify one file. blank_text: make places that may hold text black; the file is then stored uncompressed.

    Raises BrainTumorError: dicom_damaged, image_truncated, dicom_unsupported_syntax; not_deidentifiable for kinds of
    objects and compressions that can't be judged.
    """
    pydicom = library()
    try:
        original = pydicom.dcmread(io.BytesIO(data), force=True)
        _check_kind(original)
        dataset = clean_header(original, pseudonyms, dates)
        if not dataset.get("SOPInstanceUID"):
            dataset.SOPInstanceUID = pseudonyms.uid(hashlib.sha256(data).hexdigest())
        dataset.file_meta = _meta(original, dataset)
        _clean_pixels(dataset)
        written = _written(dataset)
        texts, checked = _texts(written)
        if texts and blank_text:
            written = _blanked(dataset, texts)
    except (BrainTumorError, MemoryError):
        raise
    except Exception as cause:  # pydicom and decoders raise nearly every type on broken files
        raise damaged() from cause
    place = (
        pseudonyms.patient(patient_identity(original)),
        str(dataset.get("StudyInstanceUID", "")),
        str(dataset.get("SeriesInstanceUID", "")),
    )
    return CleanDicom(written, place, texts, bool(texts) and blank_text, checked)


def _check_kind(dataset: Any) -> None:
    from pydicom._uid_dict import UID_dictionary

    kind = str(dataset.get("SOPClassUID", ""))
    if not kind:
        raise damaged()
    if kind not in UID_dictionary or (kind.startswith(_UNCHECKABLE) and not kind.startswith(_JUDGED)):
        raise not_deidentifiable("This kind of DICOM object holds what can't be judged element by element")


def not_deidentifiable(what: str) -> BrainTumorError:
    """what: begins a sentence."""
    return BrainTumorError(
        ErrorCode.NOT_DEIDENTIFIABLE,
        f"{what}; it was left out.",
        "Look at it in another program, and remove what it says of the patient by hand.",
    )


def _meta(original: Any, dataset: Any) -> Any:
    """Made anew: no application entities, no private information. pydicom adds its own implementation UID."""
    pydicom = library()
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    syntax = getattr(original, "file_meta", {}).get("TransferSyntaxUID")
    if not syntax:
        implicit, little = original.original_encoding
        syntax = _NATIVE[0] if implicit else _NATIVE[1] if little else _NATIVE[3]
    if syntax not in _NATIVE and not can_be_cleaned(str(syntax)):
        raise not_deidentifiable("It is compressed in a way that can't be searched for text")
    meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    return meta


def _written(dataset: Any) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _clean_pixels(dataset: Any) -> None:
    """Nothing behind the last pixel, nothing in bits that are no pixel's, no comments in compressed frames."""
    keyword = next((each for each in _PIXELS if each in dataset), None)
    if keyword is None:
        return
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    frames = max(1, int(dataset.get("NumberOfFrames") or 1))
    if syntax not in _NATIVE:
        _clean_frames(dataset, syntax, frames)
        return
    raw = dataset[keyword].value[: native_bytes(dataset)]
    if keyword == "PixelData":
        raw = _own_bits(raw, dataset)
    dataset[keyword].value = raw + b"\0" * (len(raw) % 2)


def _clean_frames(dataset: Any, syntax: str, frames: int) -> None:
    from pydicom.encaps import encapsulate, generate_frames

    size = int(dataset.Rows) * int(dataset.Columns)
    extended = None
    if "ExtendedOffsetTable" in dataset:
        extended = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
    try:
        cleaned = [
            without_comments(frame, syntax, size)
            for frame in generate_frames(dataset.PixelData, number_of_frames=frames, extended_offsets=extended)
        ]
    except NotUnderstoodError as cause:
        raise damaged() from cause
    dataset.PixelData = encapsulate(cleaned)
    dataset["PixelData"].is_undefined_length = True
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in dataset:
            del dataset[keyword]
    if syntax == "1.2.840.10008.1.2.5" and int(dataset.BitsStored) < int(dataset.BitsAllocated):
        plain = copy.deepcopy(dataset)
        plain.decompress()
        if _own_bits(plain.PixelData, plain) != plain.PixelData:  # RLE packs all bits, drawings in unused ones too
            dataset.decompress()
            _clean_pixels(dataset)


def _own_bits(raw: bytes, dataset: Any) -> bytes:
    """The bits above and below a pixel's own made zero (above a signed one: its sign); drawings hid there once."""
    stored, high, allocated = int(dataset.BitsStored), int(dataset.HighBit), int(dataset.BitsAllocated)
    if allocated not in (8, 16, 32):
        return raw
    big = str(dataset.file_meta.TransferSyntaxUID) == _NATIVE[3] and allocated > 8 and dataset["PixelData"].VR != "OB"
    kind = np.dtype(f"{'>' if big else '<'}{'i' if dataset.PixelRepresentation else 'u'}{allocated // 8}")
    whole = len(raw) // kind.itemsize * kind.itemsize
    values = np.frombuffer(raw[:whole], kind).astype(kind.newbyteorder("="))
    own = own_bits(values, stored, high)
    if own is None:
        return raw
    own <<= high + 1 - stored
    return own.astype(kind).tobytes() if not np.array_equal(own, values) else raw


def _texts(data: bytes) -> tuple[tuple[Box, ...], bool]:
    """Places on any frame of a written file that may hold text; and whether it is a picture at all."""
    try:
        headers = read_header(io.BytesIO(data), len(data))
    except BrainTumorError as error:
        if error.code is ErrorCode.DICOM_NOT_AN_IMAGE:
            return (), False
        raise
    found = (box for plane in read_planes(data, headers).pixels for box in find_text(plane))
    return tuple(dict.fromkeys(found)), True


def _blanked(dataset: Any, boxes: Sequence[Box]) -> bytes:
    """Black on every frame, stored uncompressed, and said so (Clean Pixel Data Option, PS3.15 E.3.1)."""
    if str(dataset.file_meta.TransferSyntaxUID) not in _NATIVE:
        dataset.decompress()
    big = str(dataset.file_meta.TransferSyntaxUID) == _NATIVE[3]
    kind = np.dtype(
        f"{'>' if big else '<'}{'i' if dataset.get('PixelRepresentation') else 'u'}{dataset.BitsAllocated // 8}"
    )
    frames, samples = max(1, int(dataset.get("NumberOfFrames") or 1)), int(dataset.get("SamplesPerPixel", 1))
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    stored = np.frombuffer(dataset.PixelData, kind)[: frames * rows * columns * samples]
    shape = (
        (frames, samples, rows, columns)
        if samples > 1 and dataset.get("PlanarConfiguration") == 1
        else (frames, rows, columns, samples)
    )
    pixels: NDArray[Any] = stored.reshape(shape).copy()
    planes = pixels if shape[1] == rows else pixels.transpose(0, 2, 3, 1)
    dark = planes.max() if dataset.PhotometricInterpretation == "MONOCHROME1" else planes.min()
    for frame in planes:
        blanked(frame, boxes, dark)
    raw = pixels.tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset.BurnedInAnnotation = "NO"
    dataset.DeidentificationMethodCodeSequence.append(method_code("113101"))
    return _written(dataset)
