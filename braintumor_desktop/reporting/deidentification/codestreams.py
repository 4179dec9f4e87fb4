"""Compressed frames of DICOM without room for text: comments are blanked, what follows the picture is cut off.

Comment and application segments keep their length and become zeros, so that no offset inside a stream moves.
JPEG: ITU-T T.81 annex B; JPEG-LS: T.87 annex C; JPEG 2000: T.800 annex A; RLE: PS3.5 annex G.
"""

from __future__ import annotations

_JPEG = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in ("50", "51", "57", "70", "80", "81"))
_JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in ("90", "91", "92", "93", "201", "202", "203"))
_RLE = "1.2.840.10008.1.2.5"

_SOI, _EOI, _SOS, _COM = b"\xff\xd8", 0xD9, 0xDA, 0xFE
_KEPT_APPLICATION = {0xE0: (b"JFIF\0", 14), 0xE8: (b"mrfx", 5), 0xEE: (b"Adobe", 12)}
"""Application segments that say how to decode, and how many of their bytes do."""
_SOC, _SOT, _SOD, _EOC = b"\xff\x4f", 0x90, 0x93, b"\xff\xd9"
_J2K_COMMENT = 0x64


class NotUnderstoodError(ValueError):
    """The stream doesn't follow its standard, so what it holds besides the picture can't be told."""


def can_be_cleaned(syntax: str) -> bool:
    """Whether `without_comments` knows this transfer syntax."""
    return syntax in _JPEG or syntax in _JPEG_2000 or syntax == _RLE


def without_comments(frame: bytes, syntax: str, segment_bytes: int) -> bytes:
    """One frame. segment_bytes: rows × columns, what each segment of RLE unpacks to. Raises NotUnderstoodError."""
    try:
        if syntax in _JPEG:
            return _clean_jpeg(bytearray(frame))
        if syntax in _JPEG_2000:
            return _clean_jpeg_2000(bytearray(frame))
        return _clean_rle(bytearray(frame), segment_bytes)
    except IndexError as cause:
        raise NotUnderstoodError("the stream ends too early") from cause


def _clean_jpeg(data: bytearray) -> bytes:
    if data[:2] != _SOI:
        raise NotUnderstoodError("no start of image")
    at = 2
    while True:
        at = _marker(data, at)
        marker = data[at + 1]
        if marker == _EOI:
            return bytes(data[: at + 2])
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:  # TEM and RSTn stand alone
            at += 2
            continue
        end = at + 2 + _length(data, at + 2)
        if marker == _COM or 0xE0 <= marker <= 0xEF:
            sign, kept = _KEPT_APPLICATION.get(marker, (b"", 0))
            kept = kept if sign and data[at + 4 : at + 4 + len(sign)] == sign else 0
            _blank(data, at + 4 + kept, end)
        at = end if marker != _SOS else _after_scan(data, end)


def _marker(data: bytearray, at: int) -> int:
    """Where the marker at `at` begins, fill bytes passed over."""
    if data[at] != 0xFF:
        raise NotUnderstoodError("no marker where one must be")
    while data[at + 1] == 0xFF:
        at += 1
    return at


def _after_scan(data: bytearray, at: int) -> int:
    """The marker that ends the entropy-coded data: no stuffing (below 80 hex covers that of JPEG-LS) and no RSTn."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0:
            raise NotUnderstoodError("no end of image")
        follower = data[at + 1]
        if follower >= 0x80 and follower != 0xFF and not 0xD0 <= follower <= 0xD7:
            return at
        at += 1 if follower == 0xFF else 2


def _clean_jpeg_2000(data: bytearray) -> bytes:
    if data[:2] != _SOC:
        raise NotUnderstoodError("no start of codestream")  # a JP2 file has boxes for any text, and DICOM allows none
    at = 2
    while data[at + 1] != _SOT:
        at = _clean_j2k_segment(data, at)
    while data[at : at + 2] != _EOC:
        if data[at] != 0xFF or data[at + 1] != _SOT:
            raise NotUnderstoodError("no tile where one must be")
        length = int.from_bytes(data[at + 6 : at + 10])
        end = at + length if length else data.rfind(_EOC)
        inner = at + 2 + _length(data, at + 2)
        while data[inner + 1] != _SOD:
            inner = _clean_j2k_segment(data, inner)
        if end <= inner or end + 2 > len(data):
            raise NotUnderstoodError("a tile ends beyond the stream")
        at = end
    return bytes(data[: at + 2])


def _clean_j2k_segment(data: bytearray, at: int) -> int:
    if data[at] != 0xFF:
        raise NotUnderstoodError("no marker where one must be")
    end = at + 2 + _length(data, at + 2)
    if data[at + 1] == _J2K_COMMENT:
        _blank(data, at + 6, end)  # behind the length and the kind of comment
    return end


def _length(data: bytearray, at: int) -> int:
    if at + 2 > len(data):
        raise NotUnderstoodError("the stream ends inside a segment")
    return int.from_bytes(data[at : at + 2])


def _blank(data: bytearray, start: int, end: int) -> None:
    if end > len(data):
        raise NotUnderstoodError("a segment ends beyond the stream")
    data[start:end] = bytes(max(0, end - start))


def _clean_rle(data: bytearray, segment_bytes: int) -> bytes:
    """Each segment up to the byte that fills it; between them, and in unused places of the header, zeros."""
    count = int.from_bytes(data[:4], "little")
    if not 1 <= count <= 15:
        raise NotUnderstoodError("no RLE header")
    starts = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "little") for i in range(count)]
    _blank(data, 4 + 4 * count, 64)
    end = 64
    for start, following in zip(starts, [*starts[1:], len(data)], strict=True):
        end = _rle_end(data, start, segment_bytes)
        if end > following:
            raise NotUnderstoodError("RLE segments overlap")
        _blank(data, end, following)
    return bytes(data[: end + end % 2])


def _rle_end(data: bytearray, at: int, unpacked: int) -> int:
    while unpacked > 0:
        code = data[at]
        if code < 128:
            at, unpacked = at + 2 + code, unpacked - code - 1
        elif code > 128:
            at, unpacked = at + 2, unpacked - 257 + code
        else:
            at += 1
    return at
