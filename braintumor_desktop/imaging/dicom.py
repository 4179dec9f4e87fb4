"""A stack of DICOM slices to a `Study`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.errors import BrainTumorError, Cancelled, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import InputKind, MrSequence, SlicePlace, Source, Study
from braintumor_desktop.imaging.dicom_header import SliceHeader, read_header
from braintumor_desktop.imaging.dicom_pixels import mirror, read_planes, value_range
from braintumor_desktop.imaging.dicom_series import Slice, Stack, geometry_of, make_stacks
from braintumor_desktop.imaging.files import FileRef, Files
from braintumor_desktop.imaging.limits import Limits
from braintumor_desktop.imaging.sequence import LOCALIZER_NOTE, recognise_sequence
from braintumor_desktop.imaging.volume_checks import (
    check_content,
    check_pixel_count,
    check_side,
    frame_of,
    within_memory,
)


def read_dicom_file(ref: FileRef, files: Files, limits: Limits) -> Study:
    """One DICOM file on its own: its slice, or the first stack of a multi-frame file or mosaic.

    Raises BrainTumorError and nothing else.
    """
    with files.open(ref) as stream:
        headers = read_header(stream, files.size(ref))
    stacks = make_stacks([Slice(ref, header) for header in headers])
    return read_stack(stacks[0], ref.path, files, limits)


def read_stack(
    stack: Stack,
    path: Path,
    files: Files,
    limits: Limits,
    *,
    frame: int = 0,
    cancelled: Callable[[], bool] | None = None,
) -> Study:
    """Decode a stack, file by file. path: what the study is called; frame: which of its volumes.

    Raises BrainTumorError, and Cancelled between two files.
    """
    with within_memory():
        return _read_stack(stack, path, files, limits, frame, cancelled or (lambda: False))


def _read_stack(
    stack: Stack, path: Path, files: Files, limits: Limits, frame: int, cancelled: Callable[[], bool]
) -> Study:
    slices = frame_of(stack.frames, frame)
    first = slices[0].header
    check_side(first.rows, first.columns)
    check_pixel_count(len(slices) * first.rows * first.columns, limits.max_volume_pixels)
    pixels = np.empty((len(slices), first.rows, first.columns), _pixel_type([each.header for each in slices]))
    graphics: NDArray[np.bool_] | None = None
    headers: list[Any] = [None] * len(slices)
    digests, size, colour, unreadable_graphics = hashlib.sha256(), 0, False, False
    order = sorted(range(len(slices)), key=lambda i: (str(slices[i].ref.path), i))
    in_files: dict[FileRef, list[int]] = {ref: list(each) for ref, each in groupby(order, lambda i: slices[i].ref)}
    single = len(in_files) == 1
    for ref in dict.fromkeys(each.ref for each in slices):
        if cancelled():
            raise Cancelled
        with _naming_slice(in_files[ref][0] + 1, len(in_files)):
            data = files.read(ref, limits.max_volume_bytes)
            planes = read_planes(data, [slices[i].header for i in in_files[ref]])
        size += len(data)
        digest = hashlib.sha256(data)
        digests = digest if single else _joined(digests, digest.digest())
        colour = colour or planes.colour
        unreadable_graphics = unreadable_graphics or planes.unreadable_graphics
        for index, plane, drawn in zip(in_files[ref], planes.pixels, planes.graphics, strict=True):
            if plane.shape != pixels.shape[1:]:
                raise BrainTumorError(
                    ErrorCode.DICOM_DAMAGED,
                    phrase("The DICOM file says one size and holds another."),
                    phrase("Export the series again."),
                )
            pixels[index] = plane
            headers[index] = planes.header
            if drawn is not None:
                graphics = np.zeros(pixels.shape, np.bool_) if graphics is None else graphics
                graphics[index] = drawn
    check_content(pixels, phrase("The series") if len(slices) > 1 else phrase("The picture"))
    geometry, odd = geometry_of(slices)
    if unreadable_graphics:
        odd = (*odd, phrase("Drawings of the device in the file are damaged; they were left out."))
    facts = first.file
    sequence = recognise_sequence(facts.sequence)
    lossy = {each.header.file.lossy for each in slices}
    source = Source(
        path=path,
        sha256=digests.hexdigest(),
        size_bytes=size,
        kind=InputKind.DICOM,
        format="DICOM",
        bits=facts.bits_stored,
        lossy=True if True in lossy else None if None in lossy else False,
        colour=colour,
        synthetic=facts.synthetic,
        lossy_method=next((s.header.file.lossy_method for s in slices if s.header.file.lossy_method), None),
        modality=facts.modality or None,
        body_part=facts.body_part or None,
    )
    return Study(
        pixels=pixels,
        source=source,
        geometry=geometry,
        sequence=None if sequence is None else sequence.value,
        series_uid=facts.series_uid or None,
        notes=stack_notes(stack, frame) + odd + _content_notes(slices, graphics, sequence),
        window=_window(slices[len(slices) // 2].header),
        graphics=graphics,
        headers=tuple(headers),
        places=tuple(_place(each.header) for each in slices),
    )


@contextmanager
def _naming_slice(number: int, count: int) -> Iterator[None]:
    """A series with a slice that can't be read is refused, for what it would have shown; which one is told."""
    try:
        yield
    except BrainTumorError as error:
        if count == 1:
            raise
        raise BrainTumorError(
            error.code,
            phrase("Slice {number} of {count}: {message}", number=number, count=count, message=error.message),
            error.hint,
        ) from error


def stack_notes(stack: Stack, frame: int = 0) -> tuple[str, ...]:
    """What is odd about a stack before it is loaded."""
    count = len(stack.frames)
    if count == 1:
        return stack.notes
    words = (
        phrase(
            "The series holds {count} volumes at the same place; number {number} is shown.",
            count=count,
            number=frame + 1,
        )
        if len(stack.slices) > 1
        else phrase(
            "The series holds {count} pictures at the same place; number {number} is shown.",
            count=count,
            number=frame + 1,
        )
    )
    return (*stack.notes, words)


def _content_notes(
    slices: Sequence[Slice], graphics: NDArray[np.bool_] | None, sequence: MrSequence | None
) -> tuple[str, ...]:
    facts = slices[0].header.file
    notes = []
    if sequence is MrSequence.LOCALIZER:
        notes.append(LOCALIZER_NOTE)
    if facts.modality and facts.modality != "MR":
        notes.append(phrase("This is no MRI: the file's modality is {modality}.", modality=facts.modality))
    if "MOSAIC" in facts.sequence.image_type and not facts.tiles:
        notes.append(phrase("A mosaic of slices that can't be taken apart: its private header was removed."))
    if facts.photometric == "MONOCHROME1":
        notes.append(phrase("The file stores bright as dark; it was turned round."))
    if graphics is not None:
        notes.append(
            phrase("The file carries drawings of the device; they lie over the picture and were not analysed.")
        )
    return tuple(notes)


def _pixel_type(headers: Sequence[SliceHeader]) -> type[np.generic]:
    """The smallest type of a Study that holds every value the files may have."""
    first = headers[0]
    if first.file.samples > 1 or first.file.photometric == "PALETTE COLOR":
        return np.uint8 if first.file.samples > 1 and first.file.bits_stored <= 8 else np.uint16
    ranges = [value_range(header) for header in headers]
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    if all(header.whole_numbers for header in headers):
        for kind in (np.uint8, np.uint16, np.int16):
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return kind
    return np.float32


def _place(header: SliceHeader) -> SlicePlace:
    frame = header.frame + 1 if header.file.frames > 1 and not header.file.tiles else None
    return SlicePlace(frame, header.position, header.orientation, header.thickness, header.file.tiles > 0)


def _window(header: SliceHeader) -> tuple[float, float] | None:
    """The file's window, turned round with the pixels of MONOCHROME1."""
    around = mirror(header)
    if header.window is None or around is None:
        return header.window
    return around - header.window[1], around - header.window[0]


def _joined(digests: Any, digest: bytes) -> Any:
    digests.update(digest)
    return digests
