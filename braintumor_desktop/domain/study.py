"""One picture or one series, loaded: the thing that is shown, analysed and reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class InputKind(StrEnum):
    """How the pixels came to us (the `input.kind` of the command-line contract)."""

    PICTURE = "picture"
    DICOM = "dicom"
    NIFTI = "nifti"


@dataclass(frozen=True)
class Source:
    """Where the pixels came from.

    path: the file, or a display name for pasted pictures (`pasted=True`);
    sha256: of the file's bytes (of the pixel bytes for pasted pictures), lower-case hex;
    format: the format found in the content, such as ``JPEG``; lossy: None where unknown;
    bits: bits a sample in the file; colour: the file's pixels were in colour and were reduced to luma.
    """

    path: Path
    sha256: str
    size_bytes: int
    kind: InputKind
    format: str
    bits: int
    lossy: bool | None
    colour: bool = False
    pasted: bool = False
    synthetic: bool = False


@dataclass(frozen=True)
class Geometry:
    """Geometry, only as far as it is known; nothing is ever assumed.

    pixel_spacing_mm: (between rows, between columns), as DICOM's PixelSpacing (PS3.3 10.7.1.1);
    slice_spacing_mm: between slice centres along the normal;
    orientation: patient direction towards the right edge and the bottom edge, such as ``("L", "P")``
    for an axial slice (DICOM PatientOrientation, PS3.3 C.7.6.1.1.1); None where unknown.
    """

    pixel_spacing_mm: tuple[float, float] | None = None
    slice_spacing_mm: float | None = None
    orientation: tuple[str, str] | None = None


@dataclass(frozen=True, eq=False)
class Study:
    """Pixels with their provenance and geometry.

    pixels: (slices, rows, columns), grey, in the file's own range: uint8, uint16, int16 or float32.
    A single picture has one slice. Never written to after loading.
    notes: plain sentences about the loading that the reader should see.
    """

    pixels: NDArray[Any]
    source: Source
    geometry: Geometry = field(default_factory=Geometry)
    sequence: str | None = None
    series_uid: str | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or 0 in self.pixels.shape:
            raise ValueError(f"pixels must be (slices, rows, columns), got {self.pixels.shape}")
        if self.pixels.dtype not in (np.uint8, np.uint16, np.int16, np.float32):
            raise ValueError(f"unsupported pixel type {self.pixels.dtype}")
        self.pixels.flags.writeable = False

    @property
    def slices(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def rows(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def columns(self) -> int:
        return int(self.pixels.shape[2])

    @property
    def name(self) -> str:
        """What a list calls it: the file's name, never a patient's."""
        return self.source.path.name
