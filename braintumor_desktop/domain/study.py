"""One picture or one series, loaded: the thing that is shown, analysed and reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.phrases import phrase


class InputKind(StrEnum):
    """How the pixels came to us (the `input.kind` of the command-line contract)."""

    PICTURE = "picture"
    DICOM = "dicom"
    NIFTI = "nifti"


class MrSequence(StrEnum):
    """What weighting a series has, as far as its header tells; the reader may correct it."""

    T1 = "T1"
    T1_POST_CONTRAST = phrase("T1 post-contrast")
    T2 = "T2"
    FLAIR = "FLAIR"
    DWI = "DWI"
    LOCALIZER = phrase("localizer")


HEAD_LOOKS = ("T1", "T2", "FLAIR", "CT")
"""What a model may tell slices of heads apart into by their grey values; T1 with and without contrast are one."""


@dataclass(frozen=True)
class Source:
    """Where the pixels came from.

    path: the file, the folder of a series, or a display name for pasted pictures (`pasted=True`);
    sha256: of the file's bytes (of the pixel bytes for pasted pictures; of the hashes of a series' files, in the order
    of its slices), lower-case hex;
    format: the format found in the content, such as ``JPEG``; lossy: None where unknown;
    bits: bits a sample in the file; colour: the file's pixels were in colour and were reduced to luma;
    lossy_method: the compression that lost detail, in words, such as ``JPEG 2000``;
    modality, body_part: DICOM's, such as ``MR`` and ``HEAD``.
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
    lossy_method: str | None = None
    modality: str | None = None
    body_part: str | None = None


@dataclass(frozen=True, eq=False)
class StoredGrid:
    """How a volume's own file lays its voxels out, where that is not the order of `Study.pixels`.

    A mask written back through it lies on the file voxel by voxel.
    axes: for each axis of the file, the axis of `Study.pixels` it became (0 slices, 1 rows, 2 columns);
    reversed_axes: whether it was turned round on the way; affine: (4, 4), from the file's indices to RAS millimetres,
    None where unknown.
    """

    axes: tuple[int, int, int]
    reversed_axes: tuple[bool, bool, bool]
    affine: NDArray[np.float64] | None

    def to_file(self, volume: NDArray[Any]) -> NDArray[Any]:
        """(slices, rows, columns) to the file's own axes."""
        stored = volume.transpose(self.axes)
        return stored[tuple(slice(None, None, -1 if turned else 1) for turned in self.reversed_axes)]

    def to_study(self, stored: NDArray[Any]) -> NDArray[Any]:
        """The file's own axes to (slices, rows, columns)."""
        turned = stored[tuple(slice(None, None, -1 if turned else 1) for turned in self.reversed_axes)]
        return turned.transpose(np.argsort(self.axes))


@dataclass(frozen=True, eq=False)
class Geometry:
    """Geometry, only as far as it is known; nothing is ever assumed.

    pixel_spacing_mm: (between rows, between columns), as DICOM's PixelSpacing (PS3.3 10.7.1.1);
    slice_spacing_mm: between slice centres along the normal, None where they are not evenly spaced;
    orientation: patient direction towards the right edge and the bottom edge, such as ``("L", "P")``
    for an axial slice (DICOM PatientOrientation, PS3.3 C.7.6.1.1.1); None where unknown;
    affine: (4, 4) float64, from (column, row, slice) indices, pixel centres at whole numbers, to the patient's RAS
    millimetres (x to the right, y anterior, z superior), always right-handed in DICOM's sense: slices go on along
    row direction × column direction. None where unknown or where the slices are not evenly spaced. For a single
    slice the third column holds its thickness, or 1 mm where that is unknown;
    slice_positions_mm: of each slice along the normal, from the patient's origin;
    frame_of_reference_uid: series that share it share patient coordinates.
    """

    pixel_spacing_mm: tuple[float, float] | None = None
    slice_spacing_mm: float | None = None
    orientation: tuple[str, str] | None = None
    affine: NDArray[np.float64] | None = None
    slice_positions_mm: tuple[float, ...] | None = None
    frame_of_reference_uid: str | None = None

    def __post_init__(self) -> None:
        if self.affine is not None:
            self.affine.flags.writeable = False


@dataclass(frozen=True)
class SlicePlace:
    """Which frame of its DICOM file a slice is, and where the file says it lies.

    frame: counted from 1, of a multi-frame file; None where the file holds one picture (a mosaic of slices is one);
    tile: whether it is a part of such a mosaic;
    position: of the centre of its first pixel and orientation: directions of its rows and columns, both in LPS mm
    (PS3.3 C.7.6.2), None where the file doesn't tell; thickness_mm: of the slice.
    """

    frame: int | None
    position: tuple[float, float, float] | None
    orientation: tuple[float, ...] | None
    thickness_mm: float | None
    tile: bool = False


@dataclass(frozen=True, eq=False)
class Study:
    """Pixels with their provenance and geometry.

    pixels: (slices, rows, columns), grey, in the file's own range: uint8, uint16, int16 or float32.
    A single picture has one slice. Never written to after loading.
    sequence: an `MrSequence` in words, None where unknown; sequence_corrected: the reader said so; notes: plain
    sentences about the loading that the reader should see; window: (low, high) grey values that the file wants to be
    shown first with, see `imaging.windowing`;
    graphics: bool, same shape as pixels, drawn over them by the device that made them (DICOM overlays);
    stored_grid: for volumes whose file has another axis order;
    headers: of a DICOM series, one pydicom dataset a slice without pixels, for exports that must name their source.
    They hold patient data, so nothing prints or logs them; places: of a DICOM series, one a slice.
    """

    pixels: NDArray[Any]
    source: Source
    geometry: Geometry = field(default_factory=Geometry)
    sequence: str | None = None
    series_uid: str | None = None
    notes: tuple[str, ...] = ()
    window: tuple[float, float] | None = None
    graphics: NDArray[np.bool_] | None = field(default=None, repr=False)
    stored_grid: StoredGrid | None = field(default=None, repr=False)
    headers: tuple[Any, ...] | None = field(default=None, repr=False)
    places: tuple[SlicePlace, ...] | None = field(default=None, repr=False)
    sequence_corrected: bool = False

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
