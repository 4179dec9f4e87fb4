"""What a volume must be to be shown and analysed, the same for DICOM and NIfTI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase

MIN_SIDE = 32
T = TypeVar("T")


@contextmanager
def within_memory() -> Iterator[None]:
    """A volume that finds no room is refused in words: out_of_memory."""
    try:
        yield
    except MemoryError as cause:
        raise BrainTumorError(
            ErrorCode.OUT_OF_MEMORY,
            phrase("The series needs more memory than the computer has free."),
            phrase("Close other programs, or open a smaller series."),
        ) from cause


def check_side(rows: int, columns: int) -> None:
    if min(rows, columns) < MIN_SIDE:
        raise BrainTumorError(
            ErrorCode.IMAGE_TOO_SMALL,
            phrase("The slices are only {columns} × {rows} pixels.", columns=columns, rows=rows),
            phrase("Open the original series: at least {min_side} pixels on each side are needed.", min_side=MIN_SIDE),
        )


def check_pixel_count(count: int, limit: int) -> None:
    if count > limit:
        raise BrainTumorError(
            ErrorCode.IMAGE_TOO_MANY_PIXELS,
            phrase(
                "The series has {count:.0f} million pixels, more than the limit of {limit:g} million.",
                count=count / 1e6,
                limit=limit / 1e6,
            ),
            phrase("Open a part of the series, or one of lower resolution."),
        )


def check_content(pixels: NDArray[Any], what: str) -> None:
    """Raises volume_not_finite or image_blank. what: series, volume or picture."""
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise BrainTumorError(
            ErrorCode.VOLUME_NOT_FINITE,
            phrase("{what} holds values that are not numbers (NaN or infinite).", what=what),
            phrase("Export it again with every voxel filled, for example with 0 outside the head."),
        )
    if pixels.min() == pixels.max():
        raise BrainTumorError(
            ErrorCode.IMAGE_BLANK,
            phrase("{what} is blank: all its pixels are the same.", what=what),
            phrase("Check that the right series was exported, and export it again."),
        )


def frame_of(frames: Sequence[T], number: int) -> T:
    """Raises frame_unknown."""
    if not 0 <= number < len(frames):
        raise BrainTumorError(
            ErrorCode.FRAME_UNKNOWN,
            phrase("There is no volume number {number}; the series has {count}.", number=number + 1, count=len(frames)),
            phrase("Choose a number from 1 to {count}.", count=len(frames)),
        )
    return frames[number]
