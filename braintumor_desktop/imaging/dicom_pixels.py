"""The pixels of one DICOM file: decoded, in the units the file means, grey, large values bright."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.imaging.codecs import is_decodable, syntax_name
from braintumor_desktop.imaging.dicom_header import SliceHeader, damaged, native_bytes, no_pixels, truncated
from braintumor_desktop.imaging.dicom_library import library

_END_OF_IMAGE = b"\xff\xd9"  # of JPEG, JPEG-LS and JPEG 2000 alike


@dataclass(frozen=True, eq=False)
class Planes:
    """pixels: one (rows, columns) array a slice asked for; graphics: overlays drawn over it, bool, or None;
    header: the dataset without its pixels; colour: whether the file was in colour; unreadable_graphics: whether an
    overlay was left out.
    """

    pixels: list[NDArray[Any]]
    graphics: list[NDArray[np.bool_] | None]
    header: Any
    colour: bool
    unreadable_graphics: bool


def read_planes(data: bytes, slices: Sequence[SliceHeader]) -> Planes:
    """Decode slices of one file. data: the file's bytes; slices: headers of that file.

    Rescaled as the modality means (slope and intercept, or its look-up table); palettes and colours become luma (ITU-R
    BT.601); MONOCHROME1, where a large value is dark, is turned round within its range, see `mirror`; padding becomes
    as dark as the darkest pixel.
    Raises BrainTumorError: dicom_unsupported_syntax, image_truncated, dicom_no_pixels, dicom_damaged.
    """
    pydicom = library()
    try:
        dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        _complete_meta(dataset)
        _check(dataset)
        return _planes(dataset, slices)
    except (BrainTumorError, MemoryError):
        raise
    except Exception as cause:  # decoders raise nearly every type on broken files
        raise damaged() from cause


def value_range(header: SliceHeader) -> tuple[float, float]:
    """Least and greatest value that the slice's pixels may have after rescaling."""
    bits = header.file.bits_stored
    if not 1 <= bits <= 64:
        raise damaged()
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if header.file.signed else (0, 2**bits - 1)
    slope, intercept = header.rescale
    ends = (slope * low + intercept, slope * high + intercept)
    return min(ends), max(ends)


def mirror(header: SliceHeader) -> float | None:
    """For MONOCHROME1 the sum of a rescaled value and what it is turned into; None for other files.

    Values of more than 16 bits are turned round 0: in the middle of their range 32-bit floats would lose small steps.
    """
    if header.file.photometric != "MONOCHROME1":
        return None
    return sum(value_range(header)) if header.file.bits_stored <= 16 else 0.0


def _planes(dataset: Any, slices: Sequence[SliceHeader]) -> Planes:
    facts = slices[0].file
    wanted = [0] if facts.tiles else [header.frame for header in slices]
    frames = _decoded(dataset, wanted)
    graphics, unreadable = zip(*(_graphics(dataset, header) for header in slices), strict=True)
    pixels = []
    colour = facts.samples > 1 or facts.photometric == "PALETTE COLOR"
    for index, header in enumerate(slices):
        frame = frames[0 if facts.tiles else index]
        if facts.tiles:
            across = dataset.Columns // header.columns
            top, left = (header.frame // across) * header.rows, (header.frame % across) * header.columns
            frame = frame[top : top + header.rows, left : left + header.columns]
        pixels.append(_luma(frame) if colour else _without_padding(_meant(frame, dataset, header), frame, dataset))
    for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"):
        if keyword in dataset:
            del dataset[keyword]
    return Planes(pixels, list(graphics), dataset, colour, any(unreadable))


def _decoded(dataset: Any, wanted: list[int]) -> list[NDArray[Any]]:
    """Frames as stored; colour as RGB."""
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import iter_pixels
    from pydicom.uid import RLELossless

    # A generator decodes frame by frame: a large multi-frame file is never held decoded as a whole.
    # Its own correction of unused bits takes the lowest for the pixel's, whatever the high bit is.
    frames = [np.asarray(frame) for frame in iter_pixels(dataset, indices=wanted, correct_unused_bits=False)]
    if frames[0].dtype.kind in "iu":
        stored, syntax = int(dataset.BitsStored), dataset.file_meta.TransferSyntaxUID
        # Codecs give values without unused bits below them; run lengths are of the bits as they lay.
        as_they_lay = not syntax.is_encapsulated or syntax == RLELossless
        given = dataset.get("HighBit") if as_they_lay else None
        high = stored - 1 if given is None else int(given)
        if not stored <= high + 1 <= 8 * frames[0].dtype.itemsize:  # no such bits: the lowest, as codecs have it
            high = stored - 1
        frames = [frame if (own := own_bits(frame, stored, high)) is None else own for frame in frames]
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return [apply_color_lut(frame, dataset) for frame in frames]
    return frames


def own_bits(values: NDArray[Any], stored: int, high: int) -> NDArray[Any] | None:
    """The numbers in `stored` bits up to bit `high`: files put overlays or nothing in particular into the others.

    None where there are no other bits, or no such bits.
    """
    allocated = values.dtype.itemsize * 8
    if stored == allocated or not stored <= high + 1 <= allocated:
        return None
    # Up to the top and down again: drops what is above, and a signed value keeps its sign.
    return np.asarray((values << (allocated - 1 - high)) >> (allocated - stored))


def _meant(frame: NDArray[Any], dataset: Any, header: SliceHeader) -> NDArray[Any]:
    """Stored values to those the modality means."""
    slope, intercept = header.rescale
    values: NDArray[Any] = frame
    if "ModalityLUTSequence" in dataset:
        from pydicom.pixels.processing import apply_modality_lut

        values = np.asarray(apply_modality_lut(frame, dataset))
    elif (slope, intercept) != (1.0, 0.0):
        values = frame * slope + intercept
    around = mirror(header)
    return values if around is None else around - values.astype(np.float64)


def _without_padding(values: NDArray[Any], frame: NDArray[Any], dataset: Any) -> NDArray[Any]:
    """Padding, which fills an image to a rectangle (PS3.3 C.7.5.1.1.2), becomes as dark as the darkest pixel.

    values: what the modality means, large ones bright; frame: as stored, as Pixel Padding Value and Range Limit are.
    """
    ends = _padding(dataset, frame.dtype)
    if ends is None:
        return values
    padded = (frame >= ends[0]) & (frame <= ends[1])
    if not padded.any() or padded.all():
        return values
    return np.where(padded, values[~padded].min(), values)


def _padding(dataset: Any, kind: np.dtype[Any]) -> tuple[int, int] | None:
    """Least and greatest stored value that is padding; None where there is none that such pixels can hold."""
    try:
        first, last = dataset.get("PixelPaddingValue"), dataset.get("PixelPaddingRangeLimit")
        if first is None or kind.kind not in "iu":
            return None
        ends = [int(first), int(first if last is None else last)]
    except Exception:  # noqa: BLE001 - nearly every type, and the picture is sound without it
        return None
    if kind.itemsize == 2:  # as are the tags, which may have been written with the other sign: the bits are the same
        ends = [int(np.array(end % 2**16, np.uint16).astype(kind)) if -(2**15) <= end < 2**16 else end for end in ends]
    held = np.iinfo(kind)
    return (min(ends), max(ends)) if all(held.min <= end <= held.max for end in ends) else None


def _luma(frame: NDArray[Any]) -> NDArray[Any]:
    """(rows, columns, 3) to (rows, columns); palettes of 16 bits stay 16 bits."""
    weighted = frame.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return np.asarray(np.rint(weighted), frame.dtype)


def _graphics(dataset: Any, header: SliceHeader) -> tuple[NDArray[np.bool_] | None, bool]:
    """Overlay planes (PS3.3 C.9.2) laid over the slice, None where there are none; and whether one can't be read."""
    drawn: NDArray[np.bool_] | None = None
    unreadable = False
    for group in () if header.file.tiles else range(0x6000, 0x6020, 2):
        try:
            plane = _overlay(dataset, group, header)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - nearly every type, and the picture is sound
            unreadable = True
            continue
        if plane is not None and plane.any():
            drawn = plane if drawn is None else drawn | plane
    return drawn, unreadable


def _overlay(dataset: Any, group: int, header: SliceHeader) -> NDArray[np.bool_] | None:
    if (group, 0x3000) not in dataset:
        return _in_unused_bits(dataset, group, header)
    plane = dataset.overlay_array(group)
    if plane.ndim == 3:
        first = int(dataset[group, 0x0051].value) - 1 if (group, 0x0051) in dataset else 0
        if not 0 <= header.frame - first < len(plane):
            return None
        plane = plane[header.frame - first]
    row, column = (int(v) - 1 for v in dataset[group, 0x0050].value)
    drawn = np.zeros((header.rows, header.columns), np.bool_)
    last_row, last_column = max(0, header.rows - row), max(0, header.columns - column)
    inside = plane[max(0, -row) : last_row, max(0, -column) : last_column]
    top, left = max(0, row), max(0, column)
    drawn[top : top + inside.shape[0], left : left + inside.shape[1]] = inside.astype(np.bool_)
    return drawn


def _in_unused_bits(dataset: Any, group: int, header: SliceHeader) -> NDArray[np.bool_] | None:
    """An overlay in a bit of the pixels that they don't use themselves (PS3.3 C.9.2.1, retired in 2004), else None."""
    bits, bit = (dataset.get((group, element)) for element in (0x0100, 0x0102))
    syntax = dataset.file_meta.TransferSyntaxUID
    if bits is None or bit is None or syntax.is_encapsulated or header.file.samples != 1 or "PixelData" not in dataset:
        return None
    place, high, allocated = int(bit.value or 0), int(dataset.HighBit), int(dataset.BitsAllocated)
    own = range(high + 1 - int(dataset.BitsStored), high + 1)
    if int(bits.value or 0) != allocated or allocated not in (8, 16) or place in own or place >= allocated:
        return None
    sort = np.dtype(np.uint8 if allocated == 8 else np.uint16).newbyteorder("<" if syntax.is_little_endian else ">")
    count = header.rows * header.columns
    stored = np.frombuffer(dataset.PixelData, sort, count, header.frame * count * sort.itemsize)
    return np.asarray(stored.reshape(header.rows, header.columns) >> place & 1, np.bool_)


def _complete_meta(dataset: Any) -> None:
    """Files from before DICOM's Part 10 have no file meta information: their syntax is what they were parsed with."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit


def _check(dataset: Any) -> None:
    syntax = dataset.file_meta.TransferSyntaxUID
    keyword = next((k for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if k in dataset), None)
    if keyword is None:
        raise no_pixels()
    if not is_decodable(syntax):
        raise BrainTumorError(
            ErrorCode.DICOM_UNSUPPORTED_SYNTAX,
            phrase(
                "The DICOM file is compressed in a way that is not read: {syntax_name}.",
                syntax_name=syntax_name(syntax),
            ),
            phrase("Ask the archive for the series uncompressed, as JPEG Lossless or as JPEG 2000."),
        )
    pixels = dataset[keyword].value
    frames = max(1, int(dataset.get("NumberOfFrames") or 1))
    if not syntax.is_encapsulated:
        if len(pixels) < native_bytes(dataset):
            raise truncated(syntax.name)
        return
    from pydicom.encaps import generate_frames

    if "JPEG" in syntax.name:
        count = 0
        for frame in generate_frames(pixels, number_of_frames=frames):
            count += 1
            if _END_OF_IMAGE not in frame[-16:]:
                raise truncated(syntax.name)
        if count < frames:
            raise truncated(syntax.name)
