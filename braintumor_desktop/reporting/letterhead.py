"""The clinic's name, address, logo and footer on a report, as the settings hold them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase

_LOGO_SIZE = (600, 220)  # 360 dpi at its greatest size on paper, and pure noise still makes less than 0.4 MB
_MOST_BYTES = 20 * 2**20


@dataclass(frozen=True)
class Letterhead:
    """Empty where there is nothing to print. address: lines; footer: below every page; logo: a PNG's bytes."""

    name: str = ""
    address: str = ""
    footer: str = ""
    logo: bytes = b""

    @classmethod
    def from_settings(cls, name: str, address: str, footer: str, logo: str) -> Letterhead:
        """logo: base64 as the settings hold it; one that can't be read is left out."""
        return cls(name, address, footer, read_logo(logo))

    @property
    def has_head(self) -> bool:
        return bool(self.name.strip() or self.address.strip() or self.logo)


NO_LETTERHEAD = Letterhead()


def read_logo(logo: str) -> bytes:
    """The PNG that the settings hold as base64; empty where there is none, or one that can't be read to its end."""
    try:
        content = base64.b64decode(logo, validate=True)
        if content:
            with Image.open(BytesIO(content), formats=["PNG"]) as picture:
                picture.load()
    except Exception:  # noqa: BLE001 - decoders raise nearly every type on broken files
        return b""
    return content


def prepare_logo(path: Path) -> bytes:
    """A picture file as a small PNG on white, ready for the settings. Raises BrainTumorError for what is no picture."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BrainTumorError(
                ErrorCode.FILE_TOO_LARGE,
                phrase("The logo's file is larger than 20 MB."),
                phrase("Save it smaller in a picture program, as PNG or JPEG."),
            )
        with Image.open(path) as picture:
            picture.draft("RGB", _LOGO_SIZE)
            picture.thumbnail(_LOGO_SIZE)
            layered = picture.convert("RGBA")
    except FileNotFoundError as missing:
        raise BrainTumorError(
            ErrorCode.FILE_NOT_FOUND, phrase("The logo's file doesn't exist."), phrase("Choose another file.")
        ) from missing
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as unreadable:
        raise BrainTumorError(
            ErrorCode.NOT_AN_IMAGE,
            phrase("The logo's file can't be read as a picture."),
            phrase("Choose a PNG or JPEG file."),
        ) from unreadable
    flat = Image.new("RGB", layered.size, "white")
    flat.paste(layered, mask=layered)
    content = BytesIO()
    flat.save(content, "PNG", optimize=True)
    return content.getvalue()
