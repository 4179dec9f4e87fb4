"""DICOM files with a marker in every place that can hold text, and where such a marker still is."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence

MARKER = "ZQXMARK"
TEXT = ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT")
# Without these the file can't be read at all; what they hold is compared with what the standard knows.
_NEEDED = ("SpecificCharacterSet", "PhotometricInterpretation", "Modality", "NumberOfFrames", "SegmentationType")


def marked_dicom(path: Path) -> bytes:
    """The file with the marker in every text element at any depth, in private and unknown ones, in UIDs, in bytes,
    graphics, the file meta information, the preamble, behind the pixels and in comments of compressed frames."""
    dataset = pydicom.dcmread(path)
    _mark(dataset)
    _add(dataset)
    _mark_pixels(dataset)
    dataset.preamble = (MARKER * 20)[:128].encode()
    meta = dataset.file_meta
    meta.SourceApplicationEntityTitle = meta.ImplementationVersionName = MARKER
    meta.PrivateInformationCreatorUID = "1.2.3"
    meta.PrivateInformation = MARKER.encode() + b" "
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    data = bytearray(stream.getvalue())
    data[:128] = dataset.preamble  # type: ignore[assignment]
    return bytes(data)


def _mark(dataset: Dataset) -> None:
    for tag in list(dataset.keys()):
        element = dataset[tag]
        if element.VR == "SQ":
            for item in element.value:
                _mark(item)
            _add_private(element.value[0] if element.value else dataset)
        elif element.VR in TEXT and element.keyword not in _NEEDED and tag.element != 0x10:
            dataset[tag] = _raw(tag, element.VR, MARKER)
        elif element.VR == "UN":
            dataset[tag] = DataElement(tag, "UN", MARKER.encode() + b" ")


def _raw(tag: Any, representation: str, text: str) -> DataElement:
    """An element whose text breaks the rules of its representation, as faulty and careless files do."""
    element = DataElement(tag, "PN" if representation == "PN" else "LO", text)
    element.VR = representation
    return element


def _add(dataset: Dataset) -> None:
    _add_private(dataset)
    dataset.add(_raw(0x00104000, "LT", MARKER))  # Patient Comments
    dataset.add(_raw(0x00204000, "LT", MARKER))  # Image Comments
    dataset.add(_raw(0x00080201, "SH", MARKER))  # Timezone Offset From UTC
    dataset.add(_raw(0x00101000, "LO", MARKER))  # Other Patient IDs
    dataset.add(_raw(0x00181400, "LO", MARKER))  # Acquisition Device Processing Description: in no table
    dataset.add(_raw(0x0008FFF0, "LO", MARKER))  # in no dictionary
    dataset.add(_raw(0x00081155, "UI", f"1.2.{MARKER}"))
    dataset.add(DataElement(0xFFFCFFFC, "OB", MARKER.encode() + b" "))
    dataset.add(DataElement(0x00420011, "OB", MARKER.encode() + b" "))  # Encapsulated Document
    dataset.add(DataElement(0x00282000, "OB", MARKER.encode() + b" "))  # ICC Profile
    dataset.add(_raw(0x50002500, "LO", MARKER))  # Curve Label
    dataset.add(_raw(0x60221500, "LO", MARKER))  # Overlay Label
    dataset.add(DataElement(0x60223000, "OW", MARKER.encode() + b" "))  # Overlay Data
    person = Dataset()
    person.add(_raw(0x0040A123, "PN", MARKER))
    icon = Dataset()
    icon.add(DataElement(0x7FE00010, "OW", MARKER.encode() + b" "))
    nested = Dataset()
    nested.add(DataElement(0x0040A730, "SQ", Sequence([person])))
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = MARKER, MARKER, MARKER
    known = Dataset()
    known.CodeValue, known.CodingSchemeDesignator, known.CodeMeaning = "113100", "DCM", MARKER
    dataset.add(DataElement(0x00880200, "SQ", Sequence([icon])))
    dataset.add(DataElement(0x00081110, "SQ", Sequence([nested])))
    dataset.add(DataElement(0x00082218, "SQ", Sequence([code, known])))
    dataset.add(DataElement(0x0040A730, "SQ", Sequence([*(dataset.get("ContentSequence") or []), person])))


def _add_private(dataset: Dataset) -> None:
    block = dataset.private_block(0x0099, f"{MARKER} CREATOR", create=True)
    block.add_new(0x01, "LO", MARKER)
    block.add_new(0x02, "OB", MARKER.encode() + b" ")
    inner = Dataset()
    inner.add(_raw(0x00100010, "PN", MARKER))
    block.add_new(0x03, "SQ", Sequence([inner]))


def _mark_pixels(dataset: Dataset) -> None:
    if "PixelData" not in dataset:
        return
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        dataset["PixelData"].value += MARKER.encode() + b" "
        return
    frames = [
        _commented(frame, syntax.name) + MARKER.encode() + b" "
        for frame in generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames") or 1))
    ]
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].is_undefined_length = True


def _commented(frame: bytes, syntax: str) -> bytes:
    """A comment right behind the first marker segments that must come first; nothing where the format has none."""
    text = MARKER.encode() + b"\0"
    if "2000" in syntax:
        first = 4 + int.from_bytes(frame[4:6])  # SOC, then SIZ
        return frame[:first] + b"\xff\x64" + (len(text) + 4).to_bytes(2) + b"\0\1" + text + frame[first:]
    if "JPEG" in syntax:
        comment, application = b"\xff\xfe", b"\xff\xe5"
        size = (len(text) + 2).to_bytes(2)
        return frame[:2] + application + size + text + comment + size + text + frame[2:]
    return frame
