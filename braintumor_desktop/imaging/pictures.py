"""Decode one picture into grey pixels.

What comes out, in the file's own range and never rescaled:

- grey of up to 8 bits: uint8 (1, 2 and 4 bits spread over 0..255, palettes looked up); 12 and 16 bits: uint16;
  signed 16 bits: int16; 32-bit integers and floats: float32;
- colour: luma after ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B), 16-bit colour in 16 bits;
- transparency: over black; TIFF stored white-is-zero: inverted, so that a large value is always bright;
- turned as the EXIF orientation tag says; colour profiles and gamma are not applied;
- pages of a TIFF: a stack of slices where all have one size and type, else the first page with a note. Pages
  flagged as thumbnails or masks (NewSubfileType, TIFF 6.0 section 8) are left out.

The resolution tags of a picture (dpi) describe paper, not a patient, so pixel spacing stays unknown.
"""

from __future__ import annotations

import hashlib
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFile

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.study import InputKind, Source, Study
from braintumor_desktop.imaging.containers import bits_per_sample, is_cut, is_lossy, png_pixel_chunks, tiff_page_is_cut

MIN_SIDE = 32

# Pillow logs tag values, which may hold names: they stay out of every log and off stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())
logging.getLogger("PIL").propagate = False

_AGAIN = "Copy or export the picture again from its source."
_CONVERT = "Save it as an 8-bit or 16-bit grey PNG and open that."

# JPEG compression adds colour noise to grey pictures; below this difference of channels it is no colour.
_LOSSY_COLOUR_TOLERANCE = 16

# TIFF 6.0 tags.
_SUBFILE, _BITS, _PHOTOMETRIC, _ORIENTATION, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 254, 258, 262, 274, 338, 339


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a decoder's opinions are no use to a reader; faults are raised
        try:
            return _read(data, format_name, path, max_pixels, pasted)
        except BrainTumorError:
            raise
        except MemoryError as cause:
            raise BrainTumorError(
                ErrorCode.OUT_OF_MEMORY,
                "The picture needs more memory than the computer has free.",
                "Close other programs, or export a smaller picture.",
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
    tags = _tags(image)
    bits, lossy = bits_per_sample(tags, data, format_name), is_lossy(tags, data, format_name)
    planes = []
    for page in pages:
        if format_name == "TIFF":
            image.seek(page)
            if tiff_page_is_cut(_tags(image), len(data)):
                raise _truncated(format_name)
        planes.append(_decode_page(image, data, format_name, page, _LOSSY_COLOUR_TOLERANCE if lossy else 0))
    pixels = planes[0].pixels[None] if len(planes) == 1 else np.stack([plane.pixels for plane in planes])
    _check_content(pixels, format_name)
    if any(plane.turned for plane in planes):
        notes.append("The picture was turned as the orientation tag in the file says.")
    if any(plane.transparent for plane in planes):
        notes.append("Transparent parts of the picture are shown over black.")
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
                f"The {format_name} file is an animation of several frames.",
                "Save the frame you mean as a single picture and open that.",
            )
        return [0], []
    kinds: dict[int, tuple[Any, ...]] = {}
    total = 0
    for page in _tiff_pages(image):
        _check_header(image, max_pixels)
        total += image.width * image.height
        if total > max_pixels:
            raise _too_many_pixels(max_pixels)
        kinds[page] = (image.size, image.mode, _tags(image).get(_BITS))
    pages = list(kinds)
    if len(set(kinds.values())) > 1:
        return pages[:1], [f"The file holds {len(pages)} pages of different size or type; only the first is shown."]
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
            f"The picture is only {image.width} × {image.height} pixels.",
            f"Open the original picture, not its thumbnail: at least {MIN_SIDE} pixels on each side are needed.",
        )
    if image.width * image.height > max_pixels:
        raise _too_many_pixels(max_pixels)


def _check_content(pixels: NDArray[Any], format_name: str) -> None:
    if pixels.dtype == np.float32 and not np.isfinite(pixels).all():
        raise BrainTumorError(
            ErrorCode.IMAGE_CORRUPT,
            f"The {format_name} picture holds values that are not numbers.",
            "Export it again with every pixel filled.",
        )
    if pixels.min() == pixels.max():
        raise BrainTumorError(
            ErrorCode.IMAGE_BLANK,
            "The picture is blank: all its pixels are the same.",
            "Check that the right picture was exported, and export it again.",
        )


def _decode_page(image: ImageFile.ImageFile, data: bytes, format_name: str, page: int, colour_tolerance: int) -> _Plane:
    tiff_turn = _tags(image).get(_ORIENTATION, 1)
    image.load()
    grey: NDArray[Any]
    deep = _deep_colour(image, data, format_name, page)
    if deep is not None:
        grey, colour, transparent = deep
    elif image.mode in ("I", "F") or image.mode.startswith("I;16"):
        grey, colour, transparent = _deep_grey(image), False, False
    else:
        grey, colour, transparent = _shallow(image, colour_tolerance)
    # Pillow turns TIFF pages by itself and drops the tag then.
    turn = 1 if format_name == "TIFF" else _exif_orientation(image)
    return _Plane(_turned(grey, turn), colour, transparent, turned=turn != 1 or tiff_turn not in (0, 1))


def _shallow(image: Image.Image, colour_tolerance: int) -> tuple[NDArray[np.uint8], bool, bool]:
    """8-bit pixels of any mode → (luma over black, in colour, partly transparent)."""
    keyed = "transparency" in image.info  # PNG and GIF name a colour that stands for transparency
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if keyed or image.mode == "PA" else "RGB")
    elif image.mode in ("1", "L") and keyed:
        image = image.convert("L").convert("LA")
    elif image.mode == "RGB" and keyed:
        image = image.convert("RGBA")
    elif image.mode == "La":
        image = image.convert("LA")
    elif image.mode in ("CMYK", "YCbCr", "RGBX"):
        image = image.convert("RGB")
    if image.mode not in ("1", "L", "LA", "RGB", "RGBA"):
        raise ValueError(f"pixels of mode {image.mode} are not supported")
    colour = False
    if image.mode in ("RGB", "RGBA"):
        red, green, blue = (image.getchannel(name) for name in "RGB")
        colour = any(_greatest_difference(red, other) > colour_tolerance for other in (green, blue))
    grey: NDArray[np.uint8] = np.asarray(image.convert("L"))
    if image.mode not in ("LA", "RGBA"):
        return grey, colour, False
    alpha = np.asarray(image.getchannel("A"))
    if alpha.min() == 255:
        return grey, colour, False
    return ((grey.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8), colour, True


def _greatest_difference(first: Image.Image, second: Image.Image) -> float:
    return float(ImageChops.difference(first, second).getextrema()[1])  # type: ignore[arg-type]


def _deep_grey(image: Image.Image) -> NDArray[Any]:
    """Grey of more than 8 bits in the file's own range: uint16, int16 or float32."""
    pixels: NDArray[Any] = np.asarray(image)
    tags = _tags(image)
    bits = int(tags.get(_BITS, (16,))[0])
    if image.mode == "F":
        pixels = pixels.astype(np.float32)
    elif image.mode == "I" and bits <= 16:
        pixels = pixels.astype(np.int16)
    elif image.mode == "I":
        unsigned = int(tags.get(_SAMPLE_FORMAT, (1,))[0]) == 1  # Pillow reads either as signed
        pixels = (pixels.view(np.uint32) if unsigned else pixels).astype(np.float32)
    else:
        pixels = pixels.astype(np.uint16)
        if image.info.get("transparency") is not None:
            pixels = np.where(pixels == image.info["transparency"], 0, pixels).astype(np.uint16)
    if tags.get(_PHOTOMETRIC) == 0:  # white is zero; Pillow inverts only up to 8 bits
        highest = (1 << bits) - 1 if pixels.dtype == np.uint16 else pixels.max() + pixels.min()
        pixels = (highest - pixels).astype(pixels.dtype)
    return pixels


def _deep_colour(
    image: Image.Image, data: bytes, format_name: str, page: int
) -> tuple[NDArray[np.uint16], bool, bool] | None:
    """16-bit colour → (16-bit luma over black, in colour, partly transparent); None where it is not that.

    Pillow has no 16-bit colour and keeps the upper 8 bits, so OpenCV decodes these once Pillow found them sound.
    """
    extra: tuple[int, ...] = (2,)
    if format_name == "PNG":
        if data[24] != 16 or data[25] not in (2, 4, 6):
            return None
        data, page = png_pixel_chunks(data), 0
    elif format_name == "TIFF":
        tags = _tags(image)
        if tags.get(_PHOTOMETRIC) != 2 or tags.get(_BITS, ())[:3] != (16, 16, 16):
            return None
        extra = tags.get(_EXTRA_SAMPLES, (2,))
    else:
        return None
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    _, frames = cv2.imdecodemulti(np.frombuffer(data, np.uint8), flags, range=(page, page + 1))
    samples = frames[0] if frames else None
    if samples is None or samples.dtype != np.uint16 or samples.ndim != 3 or samples.shape[2] not in (3, 4):
        return None
    blue, green, red = (samples[..., i].astype(np.uint32) for i in range(3))
    colour = not (np.array_equal(red, green) and np.array_equal(red, blue))
    # The integer weights of Pillow's 8-bit luma; the sum stays below 2³².
    luma = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    # ExtraSamples: 0 is no transparency, 1 is colour already multiplied by it, which is what black behind it means.
    if samples.shape[2] == 3 or extra[0] in (0, 1) or samples[..., 3].min() == 65535:
        return luma.astype(np.uint16), colour, False
    return ((luma * samples[..., 3].astype(np.uint32) + 32767) // 65535).astype(np.uint16), colour, True


def _tags(image: Image.Image) -> Any:
    """The tags of the current TIFF page; empty for other formats."""
    return getattr(image, "tag_v2", {})


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


def _too_many_pixels(max_pixels: int) -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.IMAGE_TOO_MANY_PIXELS,
        f"The picture has more than {max_pixels / 1e6:g} megapixels, the limit.",
        "Export a smaller picture, or raise the limit in the settings.",
    )


def _truncated(format_name: str) -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.IMAGE_TRUNCATED, f"The {format_name} picture is cut short: a part of the file is missing.", _AGAIN
    )


_UNSUPPORTED_WORDS = ("not supported", "unsupported", "unknown pixel mode", "cannot handle", "unknown data org")


def _decoding_error(cause: Exception, data: bytes, format_name: str) -> BrainTumorError:
    """Give a decoder's exception its code: cut, of a kind that is not read, or else damaged."""
    words = str(cause).lower()
    if "truncated" in words or _seems_cut(data, format_name):
        return _truncated(format_name)
    if any(text in words for text in _UNSUPPORTED_WORDS):
        return BrainTumorError(
            ErrorCode.UNSUPPORTED_FORMAT, f"This variant of the {format_name} format is not read.", _CONVERT
        )
    return BrainTumorError(
        ErrorCode.IMAGE_CORRUPT, f"The {format_name} picture is damaged and can't be decoded.", _AGAIN
    )


def _seems_cut(data: bytes, format_name: str) -> bool:
    try:
        return is_cut(data, format_name)
    except ValueError:
        return False
