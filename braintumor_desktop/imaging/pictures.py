"""Decode one picture into grey pixels.

What comes out, in the file's own range and never rescaled:

- grey of up to 8 bits: uint8 (1, 2 and 4 bits spread over 0..255, palettes looked up); 12 and 16 bits: uint16;
  signed 8 and 16 bits: int16; 32-bit integers and floats: float32;
- colour: luma after ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B), 16-bit colour in 16 bits;
- transparency: over black; TIFF stored white-is-zero: inverted, so that a large value is always bright;
- turned as the EXIF orientation tag says; colour profiles and gamma are not applied;
- pages of a TIFF: a stack of slices where all have one size and type, else the first page with a note. Pages
  flagged as thumbnails or masks (NewSubfileType, TIFF 6.0 section 8) are left out.

The resolution tags of a picture (dpi) describe paper, not a patient, so pixel spacing stays unknown.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import InputKind, Source, Study
from braintumor_desktop.imaging.containers import bits_per_sample, is_cut, is_lossy, tiff_page_is_cut
from braintumor_desktop.imaging.grey import tiff_tags, to_grey

MIN_SIDE = 32

# Pillow logs tag values, which may hold names: they stay out of every log and off stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())
logging.getLogger("PIL").propagate = False

_AGAIN = phrase("Copy or export the picture again from its source.")
_CONVERT = phrase("Save it as an 8-bit or 16-bit grey PNG and open that.")

# JPEG compression adds colour noise to grey pictures; below this difference of channels it is no colour.
_LOSSY_COLOUR_TOLERANCE = 16

# TIFF 6.0 tags.
_SUBFILE, _BITS, _COMPRESSION, _ORIENTATION = 254, 258, 259, 274


@dataclass(frozen=True, eq=False)
class _Plane:
    """One page: grey pixels (rows, columns) and what was done to get them."""

    pixels: NDArray[Any]
    colour: bool
    transparent: bool
    turned: bool


def read_picture(data: bytes, format_name: str, path: Path, max_pixels: int, *, pasted: bool = False) -> Study:
    """Decode the bytes of a JPEG, PNG, BMP, TIFF, WebP or GIF file; see the module's text for the pixels.

    format_name: as `signatures.recognise` names it. Raises `BrainTumorError` and nothing else.
    """
    try:
        return _read(data, format_name, path, max_pixels, pasted)
    except BrainTumorError:
        raise
    except MemoryError as cause:
        raise BrainTumorError(
            ErrorCode.OUT_OF_MEMORY,
            phrase("The picture needs more memory than the computer has free."),
            phrase("Close other programs, or export a smaller picture."),
        ) from cause
    except Image.DecompressionBombError as cause:
        raise _too_many_pixels(max_pixels) from cause
    except Exception as cause:  # decoders raise nearly every type on broken files
        raise _decoding_error(cause, data, format_name) from cause


def _read(data: bytes, format_name: str, path: Path, max_pixels: int, pasted: bool) -> Study:
    image = _open(data, format_name)
    pages, notes = _choose_pages(image, format_name, max_pixels)
    if is_cut(data, format_name):
        raise _truncated(format_name)
    tags = tiff_tags(image)
    bits, lossy = bits_per_sample(tags, data, format_name), is_lossy(tags, data, format_name)
    planes = []
    for page in pages:
        if format_name == "TIFF":
            image.seek(page)
            if tiff_page_is_cut(tiff_tags(image), len(data)):
                raise _truncated(format_name)
        planes.append(_decode_page(image, data, format_name, page, _LOSSY_COLOUR_TOLERANCE if lossy else 0))
    pixels = planes[0].pixels[None] if len(planes) == 1 else np.stack([plane.pixels for plane in planes])
    _check_content(pixels, format_name)
    if any(plane.turned for plane in planes):
        notes.append(phrase("The picture was turned as the orientation tag in the file says."))
    if any(plane.transparent for plane in planes):
        notes.append(phrase("Transparent parts of the picture are shown over black."))
    return Study(
        pixels=pixels,
        source=Source(
            path=path,
            sha256=hashlib.sha256(pixels.tobytes() if pasted else data).hexdigest(),
            size_bytes=len(data),
            kind=InputKind.PICTURE,
            format=format_name,
            bits=bits,
            lossy=lossy,
            colour=any(plane.colour for plane in planes),
            pasted=pasted,
            synthetic=format_name == "PNG" and "synthetic" in image.text,  # type: ignore[attr-defined]
        ),
        notes=tuple(notes),
    )


def _open(data: bytes, format_name: str) -> ImageFile.ImageFile:
    """Parse the header with the one decoder that fits.

    `Image.open` would import five plugins and swallow the reason of a failure.
    """
    file = io.BytesIO(data)
    if format_name == "JPEG":
        from PIL.JpegImagePlugin import JpegImageFile

        return JpegImageFile(file)
    if format_name == "PNG":
        from PIL.PngImagePlugin import PngImageFile

        return PngImageFile(file)
    if format_name == "BMP":
        from PIL.BmpImagePlugin import BmpImageFile

        return BmpImageFile(file)
    if format_name == "TIFF":
        from PIL.TiffImagePlugin import TiffImageFile

        return TiffImageFile(file)
    if format_name == "WebP":
        from PIL.WebPImagePlugin import WebPImageFile

        return WebPImageFile(file)
    from PIL.GifImagePlugin import GifImageFile

    return GifImageFile(file)


def _choose_pages(image: ImageFile.ImageFile, format_name: str, max_pixels: int) -> tuple[list[int], list[str]]:
    """The pages to decode, checked against the limits by their headers alone, and notes about the choice."""
    if format_name != "TIFF":
        _check_header(image, max_pixels)
        # A JPEG may carry further pictures (previews, the other eye): its first is the picture.
        if format_name != "JPEG" and getattr(image, "is_animated", False):
            raise BrainTumorError(
                ErrorCode.IMAGE_ANIMATED,
                phrase("The {format_name} file is an animation of several frames.", format_name=format_name),
                phrase("Save the frame you mean as a single picture and open that."),
            )
        return [0], []
    kinds: dict[int, tuple[Any, ...]] = {}
    total = 0
    for page in _tiff_pages(image):
        _check_header(image, max_pixels)
        total += image.width * image.height
        if total > max_pixels:
            raise _too_many_pixels(max_pixels)
        kinds[page] = (image.size, image.mode, tiff_tags(image).get(_BITS))
    pages = list(kinds)
    if len(set(kinds.values())) > 1:
        return pages[:1], [
            phrase("The file holds {count} pages of different size or type; only the first is shown.", count=len(pages))
        ]
    return pages, []


def _tiff_pages(image: Any) -> Iterator[int]:
    """Seek to each full-resolution page in turn and give its number; the first page where none is."""
    chosen = 0
    for page in range(image.n_frames):
        image.seek(page)
        if int(image.tag_v2.get(_SUBFILE, 0)) & 0b101 == 0:  # neither a reduced copy nor a transparency mask
            chosen += 1
            yield page
    if not chosen:
        image.seek(0)
        yield 0


def _check_header(image: ImageFile.ImageFile, max_pixels: int) -> None:
    if min(image.size) < MIN_SIDE:
        raise BrainTumorError(
            ErrorCode.IMAGE_TOO_SMALL,
            phrase("The picture is only {width} × {height} pixels.", width=image.width, height=image.height),
            phrase(
                "Open the original picture, not its thumbnail: at least {min_side} pixels on each side are needed.",
                min_side=MIN_SIDE,
            ),
        )
    if image.width * image.height > max_pixels:
        raise _too_many_pixels(max_pixels)


def _check_content(pixels: NDArray[Any], format_name: str) -> None:
    if pixels.dtype == np.float32 and not np.isfinite(pixels).all():
        raise BrainTumorError(
            ErrorCode.IMAGE_CORRUPT,
            phrase("The {format_name} picture holds values that are not numbers.", format_name=format_name),
            phrase("Export it again with every pixel filled."),
        )
    if pixels.min() == pixels.max():
        raise BrainTumorError(
            ErrorCode.IMAGE_BLANK,
            phrase("The picture is blank: all its pixels are the same."),
            phrase("Check that the right picture was exported, and export it again."),
        )


def _decode_page(image: ImageFile.ImageFile, data: bytes, format_name: str, page: int, colour_tolerance: int) -> _Plane:
    tiff_turn = tiff_tags(image).get(_ORIENTATION, 1)
    packed = tiff_tags(image).get(_COMPRESSION, 1) != 1
    with _silenced_stderr() if packed else contextlib.nullcontext():  # libtiff writes to it on damaged files
        image.load()
        grey = to_grey(image, data, format_name, page, colour_tolerance)
    # Pillow turns TIFF pages by itself and drops the tag then.
    turn = 1 if format_name == "TIFF" else _exif_orientation(image)
    turned = turn in range(2, 9) or tiff_turn in range(2, 9)
    return _Plane(_turned(grey.pixels, turn), grey.colour, grey.transparent, turned)


def _exif_orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - unreadable EXIF says nothing about the pixels
        return 1


def _turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """EXIF 2.32 tag 274: 1 to 8 is where the stored first row and column lie in the picture."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


@contextlib.contextmanager
def _silenced_stderr() -> Iterator[None]:
    """Send what C code writes to the error stream nowhere, for the time of one decoding."""
    with _stderr_lock, contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a windowed program on Windows has no error stream
            kept = os.dup(2)
            stack.callback(os.close, kept)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, nowhere)
            os.dup2(nowhere, 2)
            stack.callback(os.dup2, kept, 2)
        yield


_stderr_lock = threading.Lock()


def _too_many_pixels(max_pixels: int) -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.IMAGE_TOO_MANY_PIXELS,
        phrase("The picture has more than {max_pixels:g} megapixels, the limit.", max_pixels=max_pixels / 1e6),
        phrase("Export a smaller picture, or raise the limit in the settings."),
    )


def _truncated(format_name: str) -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.IMAGE_TRUNCATED,
        phrase("The {format_name} picture is cut short: a part of the file is missing.", format_name=format_name),
        _AGAIN,
    )


_UNSUPPORTED_WORDS = ("not supported", "unsupported", "unknown pixel mode", "cannot handle", "unknown data org")


def _decoding_error(cause: Exception, data: bytes, format_name: str) -> BrainTumorError:
    """Give a decoder's exception its code: cut, of a kind that is not read, or else damaged."""
    words = str(cause).lower()
    if "truncated" in words or _seems_cut(data, format_name):
        return _truncated(format_name)
    if any(text in words for text in _UNSUPPORTED_WORDS):
        return BrainTumorError(
            ErrorCode.UNSUPPORTED_FORMAT,
            phrase("This variant of the {format_name} format is not read.", format_name=format_name),
            _CONVERT,
        )
    return BrainTumorError(
        ErrorCode.IMAGE_CORRUPT,
        phrase("The {format_name} picture is damaged and can't be decoded.", format_name=format_name),
        _AGAIN,
    )


def _seems_cut(data: bytes, format_name: str) -> bool:
    try:
        return is_cut(data, format_name)
    except ValueError:
        return False
