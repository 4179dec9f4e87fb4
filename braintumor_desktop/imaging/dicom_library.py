"""pydicom, loaded when the first DICOM file comes; kept quiet, for its warnings quote values, maybe a patient's."""

from __future__ import annotations

import logging
import threading
from functools import cache
from typing import Any

from braintumor_desktop.imaging import jpeg_decoder

_LOCK = threading.Lock()  # files are read on several threads, and pydicom's list of decoders may be changed by one only


def library() -> Any:
    """The pydicom module, with the decoders this program uses: the same ones whatever else is installed."""
    with _LOCK:
        return _prepared()


@cache
def _prepared() -> Any:
    import pydicom
    from pydicom import config

    for name in ("pydicom", "pylibjpeg", "openjpeg"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    # Values that break a rule of the standard are taken as they are; what matters is checked where it is used.
    config.settings.reading_validation_mode = config.IGNORE
    _choose_decoders()
    return pydicom


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
