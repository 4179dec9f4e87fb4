"""Pictures without identity: their grey pixels as the program sees them, in a fresh file."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.burnt_in_text import Box, blanked, find_text


def clean_picture(study: Study, *, blank_text: bool = False) -> tuple[bytes, str, tuple[Box, ...]]:
    """The file's bytes, its ending, and places that may hold text on any page.

    A PNG of 8 or 16 bits where it is one page of such, else a TIFF. No EXIF, comments, profiles, thumbnails or names;
    the pixels are those that are shown and analysed: grey, upright. blank_text: make the places black.
    """
    texts = tuple(dict.fromkeys(box for page in study.pixels for box in find_text(page)))
    pages = study.pixels.copy() if texts and blank_text else study.pixels
    if texts and blank_text:
        for page in pages:
            blanked(page, texts, pages.min())
    as_png = len(pages) == 1 and pages.dtype in (np.uint8, np.uint16)
    return _encoded(pages, "PNG" if as_png else "TIFF"), ".png" if as_png else ".tif", texts


def _encoded(pages: NDArray[Any], form: str) -> bytes:
    first, *others = (Image.fromarray(page) for page in pages)
    stream = io.BytesIO()
    if form == "PNG":
        first.save(stream, form)
    else:
        first.save(stream, form, save_all=True, append_images=others, compression="tiff_deflate")
    return stream.getvalue()
