"""NIfTI-1 and NIfTI-2 volumes, plain or gzipped, to a `Study` whose slices stand upright.

Slices are those of the acquisition plane: across the axis that the header names, else across the axis of the widest
spacing, else (isotropic) axial ones. Turning swaps and reverses axes only; no voxel is ever interpolated.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import Phrase, phrase
from braintumor_desktop.domain.study import Geometry, InputKind, Source, StoredGrid, Study
from braintumor_desktop.imaging.files import FileRef, Files, check_size
from braintumor_desktop.imaging.limits import Limits
from braintumor_desktop.imaging.orientation import (
    edge_directions,
    shear_degrees,
    turned_affine,
    upright,
    voxel_sizes,
)
from braintumor_desktop.imaging.sequence import SequenceFacts, from_name_note, recognise_sequence
from braintumor_desktop.imaging.volume_checks import (
    check_content,
    check_pixel_count,
    check_side,
    frame_of,
    within_memory,
)

THICK_SHARE = 1.05
"""The slice axis is the one whose spacing is this much wider than the next; rounding of isotropic volumes is less."""
SHEAR_DEGREES = 0.6
"""Axes further from right angles than this are sheared: scanners write rounded right angles, registrations shears."""

_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # NIFTI_UNITS_UNKNOWN, METER, MM, MICRON
_PLAIN_TYPES = ("uint8", "uint16", "int16", "float32")

_TEMPLATES = (3, 4)
"""Codes of a place in Talairach's or the MNI's standard head."""
_FARTHEST = 2**40
"""Bytes into the file beyond which no volume begins; the field is a float in NIfTI-1 and may say anything."""
_LONGEST_REST = 64 * 2**20
"""Bytes after the last voxel that are still read, to reach gzip's checksum."""

_SIZES_CONTRADICT = phrase(
    "The file gives the size of its voxels in two ways that contradict each other: "
    "millimetres, left and right are unknown."
)
_SIDES_CONTRADICT = phrase(
    "The file gives the patient's sides in two ways that contradict each other: left and right are unknown."
)


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """shape: of one volume, file order (i, j, k); volumes: how many; slice_axis: across the slices;
    affine: (4, 4) from file indices to RAS mm, None where the file gives none or contradicts itself, in the words of
    `contradiction`; zooms: mm a voxel along i, j, k, 0 where unknown.
    """

    shape: tuple[int, int, int]
    volumes: int
    slice_axis: int
    affine: NDArray[np.float64] | None
    zooms: tuple[float, float, float]
    sort: np.dtype[Any]
    slope: float
    intercept: float
    offset: int
    contradiction: Phrase | None = None

    @property
    def grid_shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns) as the study has them."""
        axes, _, _ = _turning(self)
        lengths = dict(zip(axes, self.shape, strict=True))
        return lengths[0], lengths[1], lengths[2]


def read_nifti_header(stream: IO[bytes]) -> NiftiHeader:
    """stream: at the start of the file.

    Raises BrainTumorError: nifti_damaged, unsupported_format, affine_invalid, affine_sheared, image_truncated.
    """
    with _unpacked(stream) as plain:
        return _header(plain)


def read_nifti(ref: FileRef, files: Files, limits: Limits, *, frame: int = 0) -> Study:
    """One volume of a NIfTI file. frame: which one of a file of several. Raises BrainTumorError and nothing else."""
    size = files.size(ref)
    check_size(size, limits.max_volume_bytes)
    with files.open(ref) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    with within_memory(), files.open(ref) as stream, _unpacked(stream) as plain:
        header = _header(plain)
        frame_of(range(header.volumes), frame)
        check_pixel_count(math.prod(header.shape), limits.max_volume_pixels)
        stored = _voxels(plain, header, frame)
        check_content(stored, phrase("The volume"))
        pixels, geometry, grid = _upright(stored, header)
    check_side(*pixels.shape[1:])
    notes = _notes(header, frame)
    sequence = recognise_sequence(SequenceFacts(names=(ref.path.name,)))
    if sequence is not None:
        notes.append(from_name_note(sequence))
    source = Source(
        path=ref.path,
        sha256=digest,
        size_bytes=size,
        kind=InputKind.NIFTI,
        format="NIfTI",
        bits=8 * header.sort.itemsize,
        lossy=None,
    )
    return Study(
        pixels=pixels,
        source=source,
        geometry=geometry,
        sequence=None if sequence is None else sequence.value,
        notes=tuple(notes),
        stored_grid=grid,
    )


def nifti_stem(path: Path) -> str:
    """The file's name without .nii or .nii.gz."""
    name = path.name
    for ending in (".nii.gz", ".nii"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return path.stem


@contextmanager
def _unpacked(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The stream itself, or what is in it where it is gzipped; damage inside ends in typed errors."""
    start = stream.read(2)
    stream.seek(0)
    try:
        if start == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=stream, mode="rb") as plain:
                yield plain  # type: ignore[misc]
        else:
            yield stream
    except EOFError as cause:
        raise _truncated() from cause
    except (zlib.error, gzip.BadGzipFile) as cause:
        raise _damaged() from cause


def _header(plain: IO[bytes]) -> NiftiHeader:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header
    from nibabel.spatialimages import HeaderDataError

    start = plain.read(540)
    second = start[4:7] in (b"n+2", b"ni2")
    kind: Any = Nifti2Header if second else Nifti1Header
    if start[4:8] == b"ni2\0" or (not second and start[344:348] == b"ni1\0"):
        raise BrainTumorError(
            ErrorCode.UNSUPPORTED_FORMAT,
            phrase("This is one half of a NIfTI pair (.hdr and .img), which is not read."),
            phrase("Save the volume as a single .nii or .nii.gz file."),
        )
    if len(start) < kind.sizeof_hdr + (0 if second else 4):
        raise _truncated()
    try:
        header = kind(start[: kind.sizeof_hdr], check=False)
        sort = header.get_data_dtype()
        slope, intercept = header.get_slope_inter()
        offset = int(header.get_data_offset())
        dims = [int(n) for n in header["dim"]]
        _, _, named = header.get_dim_info()
        unit_code = int(header["xyzt_units"]) % 8
        shape = tuple(dims[1 : dims[0] + 1])
    except (HeaderDataError, ValueError, KeyError, OverflowError) as cause:
        raise _damaged() from cause
    if not 2 <= dims[0] <= 7 or min(shape, default=0) < 1 or not kind.sizeof_hdr <= offset < _FARTHEST:
        raise _damaged()
    if sort.kind not in "iuf":
        raise BrainTumorError(
            ErrorCode.UNSUPPORTED_FORMAT,
            phrase("The NIfTI file holds colours, vectors or complex numbers, not grey values."),
            phrase("Save a grey-value volume, such as the magnitude, and open that."),
        )
    volume = (*shape, 1)[:3]
    unit = _MILLIMETRES.get(unit_code, 1.0)
    header["pixdim"][0] = -1 if header["pixdim"][0] < 0 else 1  # qfac: whatever is not negative means 1
    pixdim = np.abs(header["pixdim"][1:4].astype(np.float64)) * unit
    pixdim[~np.isfinite(pixdim)] = 0.0
    affine, contradiction = _place(header, unit, pixdim, volume)
    zooms = voxel_sizes(affine) if affine is not None else pixdim
    slice_axis = _slice_axis((volume[0], volume[1], volume[2]), named, zooms, affine)
    unplaced = affine is None and contradiction is None
    silent = unplaced and unit_code == 0 and (zooms == 1).all()  # what stands there where nobody wrote anything
    if silent or contradiction is _SIZES_CONTRADICT:
        zooms = np.zeros(3)
    return NiftiHeader(
        shape=(volume[0], volume[1], volume[2]),
        volumes=math.prod(shape[3:]),
        slice_axis=slice_axis,
        affine=affine,
        zooms=(float(zooms[0]), float(zooms[1]), float(zooms[2])),
        sort=sort,
        slope=1.0 if slope is None else float(slope),
        intercept=0.0 if intercept is None else float(intercept),
        offset=offset,
        contradiction=contradiction,
    )


def _place(
    header: Any, unit: float, pixdim: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[NDArray[np.float64] | None, Phrase | None]:
    """The affine, None where it isn't told or not believed, and what it contradicts; pixdim as for `_contradiction`.

    A template's head that is scaled or sheared gives way to the patient's: the scanner's place, of qform.
    """
    of_template = int(header["sform_code"]) in _TEMPLATES and int(header["qform_code"]) > 0
    try:
        affine = _affine(header, unit)
    except BrainTumorError as refusal:
        if not of_template or refusal.code is not ErrorCode.AFFINE_SHEARED:
            raise
        contradiction: Phrase | None = _SIZES_CONTRADICT
    else:
        contradiction = None if affine is None else _contradiction(header, affine, pixdim, shape)
    if contradiction is _SIZES_CONTRADICT and of_template:
        header["sform_code"] = 0
        return _affine(header, unit), None
    return (affine if contradiction is None else None), contradiction


def _contradiction(
    header: Any, affine: NDArray[np.float64], pixdim: NDArray[np.float64], shape: tuple[int, ...]
) -> Phrase | None:
    """What sform says against pixdim and qform. pixdim: in mm, 0 where unknown."""
    placed = int(header["qform_code"]) > 0
    told = (np.array(shape) > 1) & (pixdim > 0)
    if not placed and (header["pixdim"][1:4] == 1).all():  # left as they were by those who write an sform only
        told[:] = False
    if (np.abs(voxel_sizes(affine) - pixdim) > 0.01 * pixdim)[told].any():
        return _SIZES_CONTRADICT
    if placed and (np.linalg.det(affine[:3, :3]) < 0) != (header["pixdim"][0] < 0):
        return _SIDES_CONTRADICT
    return None


def _affine(header: Any, unit: float) -> NDArray[np.float64] | None:
    """sform, else qform, as the standard prefers; None where both codes say "unknown"."""
    if not int(header["sform_code"]) > 0 and not int(header["qform_code"]) > 0:
        return None
    try:
        affine = np.array(header.get_best_affine(), np.float64)
    except Exception as cause:  # a quaternion that is none
        raise _bad_affine() from cause
    affine[:3] *= unit
    if not np.isfinite(affine).all() or voxel_sizes(affine).min() < 1e-4:
        raise _bad_affine()
    shear = shear_degrees(affine)
    if shear > SHEAR_DEGREES:
        raise BrainTumorError(
            ErrorCode.AFFINE_SHEARED,
            phrase(
                "The volume's axes are not at right angles ({shear:.1f} degrees off): a registration sheared it.",
                shear=shear,
            ),
            phrase("Resample it onto a grid with right angles and open that."),
        )
    return affine


def _slice_axis(
    shape: tuple[int, int, int], named: int | None, zooms: NDArray[np.float64], affine: NDArray[np.float64] | None
) -> int:
    if shape.count(1) == 1:
        return shape.index(1)
    if named is not None:
        return int(named)
    widest = int(np.argmax(zooms))
    if zooms[widest] > THICK_SHARE * np.delete(zooms, widest).max():
        return widest
    if affine is None:
        return 2
    from braintumor_desktop.imaging.orientation import nearest_axes

    return nearest_axes(affine).index(2)


def _voxels(plain: IO[bytes], header: NiftiHeader, frame: int) -> NDArray[Any]:
    """One volume in file order, in the units the header means, as a type that a Study takes."""
    length = math.prod(header.shape) * header.sort.itemsize
    plain.seek(header.offset + frame * length)
    data = plain.read(length)
    if len(data) < length:
        raise _truncated()
    if frame == header.volumes - 1:
        rest = 0
        while more := len(plain.read(2**20)):  # to the end, where gzip keeps its checksum
            rest += more
            if rest > _LONGEST_REST:
                raise _damaged()
    values: NDArray[Any] = np.frombuffer(data, header.sort).reshape(header.shape, order="F")
    native = values.dtype.newbyteorder("=")
    if (header.slope, header.intercept) != (1.0, 0.0):
        return np.asarray(values.astype(native) * np.float64(header.slope) + header.intercept).astype(np.float32)
    if native.name in _PLAIN_TYPES:
        return values.astype(native)
    if native.kind in "iu":
        low, high = values.min(), values.max()
        for kind in (np.int16, np.uint16):
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return values.astype(kind)
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _turning(header: NiftiHeader) -> tuple[tuple[int, int, int], tuple[bool, bool, bool], NDArray[np.float64] | None]:
    """As `orientation.upright`; where the orientation is unknown the file's own axes, the second one upwards."""
    if header.affine is not None:
        return upright(header.affine, header.slice_axis)
    across, up = (axis for axis in range(3) if axis != header.slice_axis)
    axes = tuple({across: 2, up: 1}.get(axis, 0) for axis in range(3))
    return (axes[0], axes[1], axes[2]), (up == 0, up == 1, up == 2), None


def _upright(stored: NDArray[Any], header: NiftiHeader) -> tuple[NDArray[Any], Geometry, StoredGrid]:
    axes, reversed_axes, matrix = _turning(header)
    grid = StoredGrid(axes, reversed_axes, header.affine)
    pixels = np.ascontiguousarray(grid.to_study(stored))
    if header.affine is None or matrix is None:
        size = dict(zip(axes, header.zooms, strict=True))
        geometry = Geometry(
            pixel_spacing_mm=(size[1], size[2]) if min(size[1], size[2]) > 0 else None,
            slice_spacing_mm=size[0] if size[0] > 0 and len(pixels) > 1 else None,
        )
        return pixels, geometry, grid
    affine = turned_affine(header.affine, matrix, header.shape)
    column_mm, row_mm, slice_mm = (float(size) for size in voxel_sizes(affine))
    normal = np.cross(affine[:3, 0] / column_mm, affine[:3, 1] / row_mm)
    origin = float(normal @ affine[:3, 3])
    step = float(normal @ affine[:3, 2])
    geometry = Geometry(
        pixel_spacing_mm=(row_mm, column_mm),
        slice_spacing_mm=slice_mm if len(pixels) > 1 else None,
        orientation=edge_directions(affine),
        affine=affine,
        slice_positions_mm=tuple(round(origin + step * index, 4) for index in range(len(pixels))),
    )
    return pixels, geometry, grid


def _notes(header: NiftiHeader, frame: int) -> list[str]:
    notes: list[str] = []
    if header.volumes > 1:
        notes.append(
            phrase(
                "The file holds {volumes} volumes; number {frame} is shown.", volumes=header.volumes, frame=frame + 1
            )
        )
    if header.affine is None:
        unsaid = phrase("The file does not say how the volume lies in the patient: left and right are unknown.")
        notes.append(header.contradiction or unsaid)
    return notes


def _damaged() -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.NIFTI_DAMAGED,
        phrase("The NIfTI file is damaged and can't be read."),
        phrase("Copy it again from its source, or export the volume again."),
    )


def _bad_affine() -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.AFFINE_INVALID,
        phrase("The NIfTI file's matrix of positions is zero or not a number: nobody can say where its voxels lie."),
        phrase("Export the volume again with a valid sform or qform."),
    )


def _truncated() -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.IMAGE_TRUNCATED,
        phrase("The NIfTI file is cut short: a part of the volume is missing."),
        phrase("Copy it again from its source, or export the volume again."),
    )
