"""pydicom, loaded when the first DICOM file comes; kept quiet, for its warnings quote values, maybe a patient's."""

from __future__ import annotations

import logging
import threading
import zlib
from functools import cache
from types import SimpleNamespace
from typing import Any

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.imaging import jpeg_decoder
from braintumor_desktop.imaging.archive import BOMB_BYTES, BOMB_RATIO
from braintumor_desktop.imaging.limits import DEFAULT_LIMITS

_LOCK = threading.Lock()  # files are read on several threads, and pydicom's list of decoders may be changed by one only
_MOST_INFLATED = 4 * DEFAULT_LIMITS.max_volume_pixels
"""Bytes of a deflated file: pixels have no more than 32 bits."""


def library() -> Any:
    """The pydicom module, with the decoders this program uses: the same ones whatever else is installed."""
    with _LOCK:
        return _prepared()


@cache
def _prepared() -> Any:
    import pydicom
    from pydicom import config, filereader

    for name in ("pydicom", "pylibjpeg", "openjpeg"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    # Values that break a rule of the standard are taken as they are; what matters is checked where it is used.
    config.settings.reading_validation_mode = config.IGNORE
    # It unpacks deflated files whole, however large they become.
    vars(filereader)["zlib"] = SimpleNamespace(MAX_WBITS=zlib.MAX_WBITS, decompress=_inflated)
    _choose_decoders()
    return pydicom


def _inflated(packed: bytes, wbits: int) -> bytes:
    """As `zlib.decompress`; BrainTumorError file_too_large where a bomb of ZIP archives would be refused, too."""
    most = max(BOMB_BYTES, min(BOMB_RATIO * len(packed), _MOST_INFLATED))
    unpacker = zlib.decompressobj(wbits)
    plain = unpacker.decompress(packed, most + 1)
    if len(plain) > most:
        raise BrainTumorError(
            ErrorCode.FILE_TOO_LARGE,
            phrase("The DICOM file unpacks to more than a study can be; it was not opened."),
            phrase("Ask the archive for the series uncompressed, as JPEG Lossless or as JPEG 2000."),
        )
    if not unpacker.eof:
        raise zlib.error("incomplete stream")
    return plain


def _choose_decoders() -> None:
    """Decoders of lossy JPEG differ by a grey level; one and the same makes the answer the same everywhere."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID, JPEGBaseline8Bit

    for syntax in jpeg_decoder.DECODER_DEPENDENCIES:
        decoder = get_decoder(UID(syntax))
        for other in decoder.available_plugins:
            decoder.remove_plugin(other)
        decoder.add_plugin(jpeg_decoder.LABEL, (jpeg_decoder.__name__, jpeg_decoder.decode_frame.__name__))
    baseline = get_decoder(JPEGBaseline8Bit)
    for other in set(baseline.available_plugins) - {"pillow"}:
        baseline.remove_plugin(other)
