"""From a decoded picture of any mode to grey: luma, transparency over black, white-is-zero inverted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from braintumor_desktop.imaging.containers import png_pixel_chunks

# TIFF 6.0 tags.
_BITS, _PHOTOMETRIC, _PLANAR, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 258, 262, 284, 338, 339


@dataclass(frozen=True, eq=False)
class Grey:
    """pixels: (rows, columns) uint8, uint16, int16 or float32; colour, transparent: what was reduced to get them."""

    pixels: NDArray[Any]
    colour: bool = False
    transparent: bool = False


def to_grey(image: Image.Image, data: bytes, format_name: str, page: int, colour_tolerance: int) -> Grey:
    """image: decoded, of the file `data`; page: of a TIFF; colour_tolerance: channels this close are still grey."""
    deep = _deep_colour(image, data, format_name, page)
    if deep is not None:
        return deep
    if image.mode == "L" and int(tiff_tags(image).get(_SAMPLE_FORMAT, (1,))[0]) == 2:  # Pillow reads it as unsigned
        return Grey(np.asarray(image).view(np.int8).astype(np.int16))
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Grey(_deep_grey(image))
    return _shallow(image, colour_tolerance)


def tiff_tags(image: Image.Image) -> Any:
    """The tags of the current TIFF page; empty for other formats."""
    return getattr(image, "tag_v2", {})


def _shallow(image: Image.Image, colour_tolerance: int) -> Grey:
    """8-bit pixels of any mode."""
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
        return Grey(grey, colour)
    alpha = np.asarray(image.getchannel("A"))
    if alpha.min() == 255:
        return Grey(grey, colour)
    return Grey(((grey.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8), colour, transparent=True)


def _greatest_difference(first: Image.Image, second: Image.Image) -> float:
    return float(ImageChops.difference(first, second).getextrema()[1])  # type: ignore[arg-type]


def _deep_grey(image: Image.Image) -> NDArray[Any]:
    """Grey of more than 8 bits in the file's own range: uint16, int16 or float32."""
    pixels: NDArray[Any] = np.asarray(image)
    tags = tiff_tags(image)
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


def _deep_colour(image: Image.Image, data: bytes, format_name: str, page: int) -> Grey | None:
    """16-bit colour to 16-bit luma; None where it is not that.

    Pillow has no 16-bit colour and keeps the upper 8 bits, so OpenCV decodes these once Pillow found them sound.
    """
    extra: tuple[int, ...] = (2,)
    if format_name == "PNG":
        if data[24] != 16 or data[25] not in (2, 4, 6):
            return None
        data, page = png_pixel_chunks(data), 0
    elif format_name == "TIFF":
        tags = tiff_tags(image)
        if tags.get(_PHOTOMETRIC) != 2 or tags.get(_BITS, ())[:3] != (16, 16, 16):
            return None
        if tags.get(_PLANAR) == 2:  # OpenCV reads it as if the channels were interleaved
            raise ValueError("16-bit colour stored plane by plane is not supported")
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
        return Grey(luma.astype(np.uint16), colour)
    over_black = (luma * samples[..., 3].astype(np.uint32) + 32767) // 65535
    return Grey(over_black.astype(np.uint16), colour, transparent=True)
