"""pydicom, loaded when the first DICOM file comes; kept quiet, for its warnings quote values, maybe a patient's."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any


@cache
def library() -> Any:
    """The pydicom module."""
    import pydicom
    from pydicom import config

    for name in ("pydicom", "pylibjpeg", "libjpeg", "openjpeg"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    # Values that break a rule of the standard are taken as they are; what matters is checked where it is used.
    config.settings.reading_validation_mode = config.IGNORE
    return pydicom
