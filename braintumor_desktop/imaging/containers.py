"""Facts that a picture file's own structure tells and its decoder does not: is it whole, is it lossy, how deep.

Decoders fill what is missing with grey and say nothing; a radiologist must never be shown half a picture.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

# TIFF 6.0 tags.
_BITS, _COMPRESSION, _STRIP_OFFSETS, _STRIP_COUNTS, _TILE_OFFSETS, _TILE_COUNTS = 258, 259, 273, 279, 324, 325


def is_cut(data: bytes, format_name: str) -> bool:
    """Whether the file ends before its own structure says so. True is certain, False is not.

    Raises ValueError where a PNG chunk that the pixels depend on fails its checksum.
    """
    if format_name == "PNG":
        return not any(kind == b"IEND" for kind, _ in _png_chunks(data))
    if format_name == "JPEG":
        return _jpeg_is_cut(data)
    if format_name == "WebP":
        # Compressed data does not end in zeros: an interrupted copy into reserved space does.
        return int.from_bytes(data[4:8], "little") + 8 > len(data) or not any(data[-64:])
    if format_name == "BMP":
        return _bmp_is_cut(data)
    if format_name == "GIF":
        return _gif_is_cut(data)
    return _tiff_is_cut(data)


def tiff_page_is_cut(tags: Any, size: int) -> bool:
    """Whether a strip or tile of this page reaches past the end of the file. tags: Pillow's `tag_v2`."""
    for offsets, counts in ((_STRIP_OFFSETS, _STRIP_COUNTS), (_TILE_OFFSETS, _TILE_COUNTS)):
        starts, lengths = tags.get(offsets, ()), tags.get(counts, ())
        if any(start + length > size for start, length in zip(starts, lengths, strict=False)):
            return True
    return False


def is_lossy(tags: Any, data: bytes, format_name: str) -> bool | None:
    """Whether the compression lost detail; None where the file doesn't tell. tags: of a TIFF."""
    if format_name == "JPEG":
        return True
    if format_name == "WebP":
        kinds = {kind for kind, _ in _riff_chunks(data)}
        return True if b"VP8 " in kinds else False if b"VP8L" in kinds else None
    if format_name == "TIFF":
        compression = tags.get(_COMPRESSION, 1)
        if compression in (6, 7):  # JPEG, old and new style
            return True
        # None, CCITT, LZW, Deflate (two numbers), PackBits, LZMA and Zstandard keep every bit.
        return False if compression in (1, 2, 3, 4, 5, 8, 32946, 32771, 32773, 34925, 50000) else None
    return False


def bits_per_sample(tags: Any, data: bytes, format_name: str) -> int:
    """Bits a sample in the file; a palette's entries count as 8."""
    if format_name == "PNG":
        return 8 if data[25] == 3 else data[24]
    return int(max(tags.get(_BITS, (1,)))) if format_name == "TIFF" else 8


def png_pixel_chunks(data: bytes) -> bytes:
    """The same PNG with nothing but what its pixels need."""
    kept = [data[:8]]
    for kind, chunk in _png_chunks(data):
        if kind in (b"IHDR", b"tRNS", b"IDAT", b"IEND"):
            kept.append(chunk)
    return b"".join(kept)


# Any but those without a length: stuffed zeros, fill bytes, TEM, RST0 to RST7 and SOI (ITU-T T.81, B.1.1).
_JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")


def _jpeg_is_cut(data: bytes) -> bool:
    """Walk the segments to the first picture's end marker; what follows it, such as a film, is no part of it."""
    position = 2
    while marker := _JPEG_MARKER.search(data, position):
        if marker[1] == b"\xd9":
            return False
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return True


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each whole chunk: its type and all its bytes; stops at the end chunk or where one is cut (PNG 3rd ed., 5.3)."""
    position = 8
    while position + 12 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if end > len(data):
            return
        kind = data[position + 4 : position + 8]
        # A capital first letter marks a critical chunk; Pillow doesn't check these sums for pixel data.
        if kind[:1].isupper() and zlib.crc32(data[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            raise ValueError("checksum of a critical chunk")
        yield kind, data[position:end]
        if kind == b"IEND":
            return
        position = end


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    position = 12
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        yield data[position : position + 4], size
        position += 8 + size + size % 2


def _bmp_is_cut(data: bytes) -> bool:
    """Uncompressed: rows padded to 4 bytes must fit; run-length coded: the image size in the header must."""
    if len(data) < 54 or int.from_bytes(data[14:18], "little") < 40:
        return len(data) < 26
    offset = int.from_bytes(data[10:14], "little")
    width, height, _, bits, compression, size = struct.unpack_from("<iiHHII", data, 18)
    if compression in (1, 2):
        return bool(offset + size > len(data))
    row_bytes = (abs(width) * bits + 31) // 32 * 4
    return bool(offset + row_bytes * abs(height) > len(data))


def _tiff_is_cut(data: bytes) -> bool:
    """Walk the directories; each, and what its baseline tags point at, must lie inside the file (TIFF 6.0, 2)."""
    if b"+" in data[2:4]:  # BigTIFF: only the strips of its pages are checked
        return False
    order = "<" if data[:1] == b"I" else ">"
    seen: set[int] = set()
    try:
        (position,) = struct.unpack_from(order + "I", data, 4)
        while position and position not in seen:
            seen.add(position)
            (count,) = struct.unpack_from(order + "H", data, position)
            for entry in range(count):
                tag, kind, number, value = struct.unpack_from(order + "HHII", data, position + 2 + 12 * entry)
                size = number * _TIFF_TYPE_BYTES.get(kind, 1)
                if tag < 32768 and size > 4 and value + size > len(data):
                    return True
            (position,) = struct.unpack_from(order + "I", data, position + 2 + 12 * count)
    except struct.error:
        return True
    return False


_TIFF_TYPE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


def _gif_is_cut(data: bytes) -> bool:
    """Walk the blocks to the first picture's last one (GIF89a specification, sections 15 to 26)."""

    def table(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    try:
        position = 13 + table(data[10])
        while data[position] == 0x21:  # extension
            position = _after_blocks(data, position + 2)
        if data[position] == 0x2C:  # picture
            _after_blocks(data, position + 11 + table(data[position + 9]))
    except IndexError:
        return True
    return False


def _after_blocks(data: bytes, position: int) -> int:
    while data[position]:
        position += 1 + data[position]
    return position + 1
