"""What a file is, judged by its first bytes. A name's ending is never believed."""

from __future__ import annotations

import codecs
import zlib
from dataclasses import dataclass
from enum import Enum

from braintumor_desktop.domain.phrases import phrase


class Family(Enum):
    """How the program deals with a kind of content."""

    PICTURE = "a picture format that is read"
    DICOM = "a DICOM file"
    NIFTI = "a NIfTI volume"
    OTHER_IMAGE = "an image format that is not read"
    NOT_IMAGE = "no image at all"


@dataclass(frozen=True)
class Signature:
    """family: what to do with it; name: its format's name, or what it is in words (``a PDF document``)."""

    family: Family
    name: str


# Endings that promise a picture. They never decide how a file is read, only how a refusal is worded.
PICTURE_ENDINGS = frozenset(
    f".{ending}"
    for ending in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "apng", "bmp", "dib", "tif", "tiff", "webp", "gif"),
        *("heic", "heif", "avif", "jp2", "j2k", "jxl"),
    )
)

_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)
_OTHER_IMAGES: tuple[tuple[bytes, str], ...] = (
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"8BPS", "Photoshop"),
    (b"gimp xcf", "GIMP"),
    (b"\0\0\1\0", "Windows icon"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"SIMPLE  =", "FITS"),
    (b"NRRD000", "NRRD"),
    (b"ObjectType = Image", "MetaImage"),
    (b"AT&TFORM", "DjVu"),
    (b"%!PS", "PostScript"),
    (b"P5\n", "PGM"),
    (b"P6\n", "PPM"),
)
_NOT_IMAGES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", phrase("a PDF document")),
    (b"PK\x03\x04", phrase("a ZIP archive or an Office document")),
    (b"PK\x05\x06", phrase("an empty ZIP archive")),
    (b"\x1f\x8b", phrase("a gzip archive")),
    (b"7z\xbc\xaf\x27\x1c", phrase("a 7-Zip archive")),
    (b"Rar!\x1a\x07", phrase("a RAR archive")),
    (b"\xfd7zXZ\0", phrase("an XZ archive")),
    (b"BZh", phrase("a bzip2 archive")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", phrase("an old Office document")),
    (b"{\\rtf", phrase("a rich text document")),
    (b"\x7fELF", phrase("a program")),
    (b"MZ", phrase("a program")),
    (b"\x89HDF\r\n\x1a\n", phrase("an HDF5 data file")),
    (b"ID3", phrase("a sound recording")),
    (b"OggS", phrase("a sound or video recording")),
    (b"\x1aE\xdf\xa3", phrase("a video")),
    (b"SQLite format 3\0", phrase("a database")),
)
_HEIF_BRANDS: dict[bytes, str] = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "HEIC"
)


def recognise(data: bytes) -> Signature | None:
    """What these bytes are, or None where nothing known fits. data: the whole file (its start decides)."""
    head = data[:4096]
    if head[128:132] == b"DICM" or _is_bare_dicom(head):
        return Signature(Family.DICOM, "DICOM")
    if _is_nifti(head[:352]) or (head[:2] == b"\x1f\x8b" and _is_nifti(_unzipped_start(head))):
        return Signature(Family.NIFTI, "NIfTI")
    tables = ((Family.PICTURE, _PICTURES), (Family.OTHER_IMAGE, _OTHER_IMAGES), (Family.NOT_IMAGE, _NOT_IMAGES))
    for family, table in tables:
        for magic, name in table:
            if head.startswith(magic):
                return Signature(family, name)
    return _container(head) or _text(data, head)


def _container(head: bytes) -> Signature | None:
    """Formats whose mark is not their first bytes."""
    if head[:4] == b"RIFF":
        if head[8:12] == b"WEBP":
            return Signature(Family.PICTURE, "WebP")
        return Signature(Family.NOT_IMAGE, phrase("a sound or video recording"))
    # "BM" alone begins many texts; the next header's size (Windows BITMAPINFOHEADER family) settles it.
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return Signature(Family.PICTURE, "BMP")
    if head[4:8] == b"ftyp":
        brand = _HEIF_BRANDS.get(head[8:12])
        return Signature(Family.OTHER_IMAGE, brand) if brand else Signature(Family.NOT_IMAGE, phrase("a video"))
    return None


def _text(data: bytes, head: bytes) -> Signature | None:
    if not any(data):
        return Signature(Family.NOT_IMAGE, phrase("a file of zero bytes only, as an interrupted copy leaves it"))
    if b"\0" in head:
        return None
    try:
        # Incremental, because the head may end inside a character.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=len(data) == len(head))
    except UnicodeDecodeError:
        return None
    lower = text.lstrip().lower()
    if lower.startswith("<svg") or (lower.startswith(("<?xml", "<!--")) and "<svg" in lower):
        return Signature(Family.OTHER_IMAGE, "SVG")
    if lower.startswith(("<!doctype html", "<html")):
        return Signature(Family.NOT_IMAGE, phrase("a web page"))
    if all(c.isprintable() or c.isspace() for c in text):
        return Signature(Family.NOT_IMAGE, phrase("a text file"))
    return None


def _is_bare_dicom(head: bytes) -> bool:
    """DICOM from before Part 10, without preamble: it begins with a short element of group 8 (PS3.5 7.1), explicit or
    implicit, little or big endian."""
    for order in ("little", "big"):
        group, element = (int.from_bytes(head[at : at + 2], order) for at in (0, 2))
        if group != 8 or element not in (0x0000, 0x0001, 0x0005, 0x0008, 0x0012, 0x0016, 0x0018):
            continue
        if head[4:6] in (b"UL", b"CS", b"DA", b"UI") or (
            order == "little" and 0 < int.from_bytes(head[4:8], order) < 256
        ):
            return True
    return False


def _is_nifti(head: bytes) -> bool:
    """NIfTI-1 carries its mark at byte 344, NIfTI-2 at byte 4 (the magic field of either header)."""
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


def _unzipped_start(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 352)
    except zlib.error:
        return b""
