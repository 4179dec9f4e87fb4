"""A decoder of JPEG, JPEG lossless and JPEG-LS for pydicom: libjpeg-turbo and CharLS, as imagecodecs brings them.

pydicom's own way to these needs a library under the GPL or one of 44 MB. Written to pydicom's interface of decoder
plugins (its guide "Creating your own decoder plugin"): `is_available`, `DECODER_DEPENDENCIES` and a decoding function.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

LABEL = "imagecodecs"

JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
_JPEG = (JPEG_EXTENDED, "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
_JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")

DECODER_DEPENDENCIES = dict.fromkeys((*_JPEG, *_JPEG_LS), ("imagecodecs",))
"""The transfer syntaxes it decodes, and what it needs. JPEG baseline is not among them: Pillow decodes it."""

_END_OF_IMAGE = b"\xff\xd9"
_FILLING = b"\xa5" * 32


def is_available(syntax: str) -> bool:
    """Whether this transfer syntax UID can be decoded; the library itself is only loaded for the first picture."""
    return syntax in DECODER_DEPENDENCIES and find_spec("imagecodecs") is not None


def load_codecs() -> None:
    """Load the compiled codecs. Raises ImportError where one is missing, as an incomplete bundle would have it."""
    for name in ("_jpeg8", "_jpegls"):
        import_module(f"imagecodecs.{name}")


def decode_frame(source: bytes, runner: Any) -> bytes:
    """One frame's stream to its samples, (rows, columns, samples) in native byte order.

    Colours are not converted: pydicom does that by the file's photometric interpretation. runner: pydicom's
    `DecodeRunner`, told how many bits a sample takes. Raises what the codec raises on a broken stream, and ValueError
    on one whose picture ends early.
    """
    if runner.transfer_syntax in _JPEG_LS:
        from imagecodecs._jpegls import jpegls_decode

        pixels = jpegls_decode(source)
    else:
        from imagecodecs._jpeg8 import jpeg8_decode

        # The same colour space on both sides means: as they are stored.
        colours = {"colorspace": "RGB", "outcolorspace": "RGB"} if runner.samples_per_pixel == 3 else {}
        pixels = jpeg8_decode(source, **colours)
        if not np.array_equal(pixels, jpeg8_decode(_filled(source), **colours)):
            raise ValueError("the coded picture ends before all of its rows")
    runner.set_option("bits_allocated", 8 * pixels.itemsize)
    if runner.samples_per_pixel > 1:
        runner.set_option("planar_configuration", 0)
    return bytes(pixels.tobytes())


def _filled(source: bytes) -> bytes:
    """The stream with meaningless bits before its end marker.

    libjpeg makes up the rest of a picture that ends early, and merely warns, which imagecodecs does not tell. Bits
    after a whole picture are skipped; where bits are missing, these take their place and change the pixels. They begin
    with a one, because libjpeg fills up with zeros.
    """
    end = source.rfind(_END_OF_IMAGE)
    end = end if end >= 0 else len(source)
    end = len(source[:end].rstrip(b"\xff"))  # a marker may be led by any number of these
    return source[:end] + _FILLING + source[end:]
