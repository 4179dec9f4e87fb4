"""Values of DICOM elements as Python has them; what breaks the standard becomes None instead of an error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_METHODS = {
    "ISO_10918_1": "JPEG",
    "ISO_14495_1": "JPEG-LS near-lossless",
    "ISO_15444_1": "JPEG 2000",
    "ISO_15444_2": "JPEG 2000",
    "ISO_13818_2": "MPEG-2",
    "ISO_14496_10": "MPEG-4",
}
_GE, _GE_ADDED, _LARGEST_B = 0x0043, 100_000, 50_000
VENDOR_B_VALUES = {
    (0x0019, "SIEMENS MR HEADER"): 0x0C,
    (0x2001, "Philips Imaging DD 001"): 0x03,
    (0x0029, "MMCPrivate"): 0x30,  # Hitachi
    (_GE, "GEMS_PARM_01"): 0x39,
}
"""Private elements with the b-value: (group, creator) and the element within its block."""

_LOSSY_SYNTAXES = {
    "1.2.840.10008.1.2.4.50": "JPEG",
    "1.2.840.10008.1.2.4.51": "JPEG",
    "1.2.840.10008.1.2.4.81": "JPEG-LS near-lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
    "1.2.840.10008.1.2.4.203": "JPEG 2000",
}


def lossy_of(dataset: Any, syntax: str) -> tuple[bool | None, str | None]:
    """Whether detail was lost at any time (PS3.3 C.7.6.1.1.5), and by which method; None where nothing tells."""
    told = str(dataset.get("LossyImageCompression") or "")
    if told == "00":
        return False, None
    methods = strings_of(dataset.get("LossyImageCompressionMethod"))
    method = _METHODS.get(methods[-1]) if methods else None
    if told == "01" or syntax in _LOSSY_SYNTAXES:
        return True, method or _LOSSY_SYNTAXES.get(syntax)
    return None, None


def window_of(center: Any, width: Any, function: Any) -> tuple[float, float] | None:
    """The first window of the file as (low, high) grey values (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    centers, widths = floats_of(center), floats_of(width)
    if not centers or not widths:
        return None
    level, span = centers[0], widths[0]
    if str(function or "LINEAR") == "LINEAR":
        level, span = level - 0.5, span - 1
    return (level - span / 2, level + span / 2) if span > 0 else None


def lut_window(dataset: Any) -> tuple[float, float] | None:
    """Where there is a VOI look-up table instead of a window: the grey values that it spans (PS3.3 C.11.2.1.1)."""
    for item in dataset.get("VOILUTSequence") or ():
        descriptor = floats_of(item.get("LUTDescriptor"))
        if len(descriptor) == 3:
            return descriptor[1], descriptor[1] + (descriptor[0] or 65536) - 1
    return None


def b_value_of(dataset: Any) -> float | None:
    """Diffusion weighting in s/mm²: the standard's element, else that of a vendor from before there was one.

    GE (DICOM conformance statements of its MR scanners) keeps it in the first of four numbers, newer ones with 1e9
    added, and fills the element for other sequences with other things: there it counts for echo planar ones alone.
    """
    standard = number_of(dataset.get("DiffusionBValue"))
    if standard is not None:
        return standard
    for (group, creator), element in VENDOR_B_VALUES.items():
        try:
            number = number_of(_text(dataset.private_block(group, creator)[element].value))
        except (KeyError, ValueError):
            continue
        if group == _GE and "EP" not in strings_of(dataset.get("ScanningSequence")):
            continue
        number = None if number is None else number % _GE_ADDED
        if number is not None and 0 <= number <= _LARGEST_B:
            return number
    return None


def _text(value: Any) -> Any:
    """Private elements of explicit files may come as bytes (VR UN); several numbers are parted by backslashes."""
    return value.decode("ascii", "replace").strip(" \0").split("\\") if isinstance(value, bytes) else value


def orientation_of(value: Any) -> tuple[float, ...] | None:
    """Six direction cosines, made exact unit vectors; None where they are no plane."""
    numbers = numbers_of(value, 6)
    if numbers is None:
        return None
    row, column = np.array(numbers[:3]), np.array(numbers[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if not all(0.9 < length < 1.1 for length in lengths):
        return None
    row, column = row / lengths[0], column / lengths[1]
    if abs(float(row @ column)) > 0.01:
        return None
    return (*map(float, row), *map(float, column))


def floats_of(value: Any) -> tuple[float, ...]:
    """All numbers of an element, none where one is not a number."""
    if value in (None, ""):
        return ()
    try:
        items = [value] if isinstance(value, (str, int, float)) else list(value)
        return tuple(float(item) for item in items)
    except (TypeError, ValueError):
        return ()


def numbers_of(value: Any, count: int) -> tuple[float, ...] | None:
    """Exactly `count` finite numbers, else None."""
    numbers = floats_of(value)
    return numbers if len(numbers) == count and all(math.isfinite(n) for n in numbers) else None


def number_of(value: Any) -> float | None:
    """The first number, None where there is none that is finite."""
    numbers = floats_of(value)
    return numbers[0] if numbers and math.isfinite(numbers[0]) else None


def length_of(value: Any) -> float | None:
    """The first number, None where it is no length: scanners write 0 for what they don't know."""
    number = number_of(value)
    return number if number is not None and number > 0 else None


def whole_of(value: Any) -> int | None:
    """The first number, cut to a whole one."""
    number = number_of(value)
    return None if number is None else int(number)


def strings_of(value: Any) -> tuple[str, ...]:
    """All strings of an element."""
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(item) for item in value)
