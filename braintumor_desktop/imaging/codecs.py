"""Which compressions of DICOM pixels can be decoded here: a frozen program easily loses a codec without a word."""

from __future__ import annotations

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.imaging import jpeg_decoder
from braintumor_desktop.imaging.dicom_library import library

SYNTAXES = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
    "1.2.840.10008.1.2.5",
)
"""Transfer syntax UIDs that the program promises to read (PS3.6, table A-1)."""


def missing_codecs() -> list[str]:
    """Names of promised transfer syntaxes whose decoder is not installed or doesn't load; empty where all is well."""
    library()
    try:
        jpeg_decoder.load_codecs()
    except ImportError:
        return [syntax_name(syntax) for syntax in jpeg_decoder.DECODER_DEPENDENCIES]
    return [syntax_name(syntax) for syntax in SYNTAXES if not is_decodable(syntax)]


def is_decodable(syntax: str) -> bool:
    """Whether pixels of this transfer syntax UID can be decoded here."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    try:
        return bool(get_decoder(UID(syntax)).is_available)
    except NotImplementedError:
        return False


def syntax_name(syntax: str) -> str:
    """In words, or its UID where it is a private one."""
    from pydicom.uid import UID

    name = UID(syntax).name
    return phrase("of the UID {syntax}", syntax=syntax) if name == syntax else name
