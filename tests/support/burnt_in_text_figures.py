"""How often the search for burnt-in text errs: ``python tests/support/burnt_in_text_figures.py SHARED_DATA``.

False alarms on every ninth text-free picture of the shared data (those of ``web`` may hold text, and are told apart by
looking); finds on pictures that lines of text are drawn on, by font, height of the capitals and place.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from braintumor_desktop.imaging.burnt_in_text import find_text
from braintumor_desktop.imaging.phantom import make_volume

FONTS = Path(__file__).parents[2] / "resources" / "fonts"
LINES = (
    "MILLER^ANNA 1951",
    "ID 4711-0815",
    "Smith, John M",
    "St. Mary Hospital",
    "2026-03-14 12:31",
    "DOB 03.02.1951 F",
)
HEIGHTS = (6, 9, 12, 18, 26)
FOUND = 0.5
"""Share of the letters' pixels inside the places found, from which a line counts as found."""


def text_free(shared: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    for name in ("cheng", "web"):
        for path in sorted((shared / name / "images").glob("*.jpg"))[4::9]:
            yield name, np.asarray(Image.open(path).convert("L"))
    for path in sorted((shared / "volumes").rglob("*.nii.gz")):
        volume = np.asarray(nibabel.load(path).dataobj)
        for share in (0.25, 0.4, 0.55, 0.7):
            yield "volumes", np.rot90(volume[:, :, int(share * volume.shape[2])])
    for path in sorted((shared / "dicom" / "t1_series_implicit_le").glob("*.dcm"))[1::3]:
        yield "dicom", pydicom.dcmread(path).pixel_array


def with_text(picture: NDArray[Any], line: str, font: str, height: int, corner: bool) -> tuple[Any, NDArray[np.bool_]]:
    """The picture with white letters, and where they are. height: of the capitals."""
    ink = Image.new("L", picture.shape[::-1], 0)
    size = round(height / 0.714)  # Noto Sans: capitals are 714 of 1000 units
    place = (5, 4) if corner else (picture.shape[1] // 4, picture.shape[0] // 2)
    ImageDraw.Draw(ink).text(place, line, fill=255, font=ImageFont.truetype(str(FONTS / font), size))
    share = np.asarray(ink, np.float32) / 255
    grey = picture.astype(np.float32) / picture.max() * 255
    return grey * (1 - share) + 255 * share, share > 0.5


def is_found(picture: Any, letters: NDArray[np.bool_]) -> bool:
    places = np.zeros_like(letters)
    for box in find_text(picture):
        places[box.top : box.bottom, box.left : box.right] = True
    return bool((places & letters).sum() >= FOUND * letters.sum())


def main(shared: Path) -> None:
    alarms: dict[str, list[bool]] = {}
    bases: dict[str, list[NDArray[Any]]] = {"phantom": list(make_volume(9, (12, 256, 256), (10.0, 0.9, 0.9)).pixels)}
    for name, picture in text_free(shared):
        alarms.setdefault(name, []).append(bool(find_text(picture)))
        if len(bases.setdefault(name, [])) < 12:
            bases[name].append(picture)
    for name, told in alarms.items():
        print(f"{name}: {sum(told)} false alarms on {len(told)} pictures")  # noqa: T201
    for place in ("corner", "middle"):
        for font in ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"):
            for height in HEIGHTS:
                found = [
                    is_found(*with_text(picture, LINES[i % len(LINES)], font, height, place == "corner"))
                    for name in ("phantom", "cheng", "volumes", "dicom")
                    for i, picture in enumerate(bases[name])
                ]
                print(f"{place}, {font}, capitals of {height} px: found {sum(found)} of {len(found)}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
