"""Which DICOM objects there are to choose from; no DICOM library is imported for that."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class DicomKind(StrEnum):
    """One kind of object; the value is its name on the command line."""

    SEGMENTATION = "seg"
    PROBABILITY = "prob"
    REPORT = "sr"
    CAPTURE = "sc"
    PDF = "pdf"


USUAL_KINDS = (DicomKind.SEGMENTATION, DicomKind.REPORT, DicomKind.CAPTURE, DicomKind.PDF)
"""What is written unless the reader chooses otherwise: everything but the probability map, which is large."""


def kinds_of(words: str) -> tuple[DicomKind, ...]:
    """Kinds from comma-separated names such as ``seg,sr``. Raises ValueError for an unknown name or none at all."""
    kinds = tuple(DicomKind(word.strip()) for word in words.split(",") if word.strip())
    if not kinds:
        raise ValueError("no kind is named")
    return in_order(kinds)


def in_order(kinds: Iterable[DicomKind]) -> tuple[DicomKind, ...]:
    """Without doubles; a measurement report brings the segmentation along that it points to."""
    chosen = set(kinds)
    if DicomKind.REPORT in chosen:
        chosen.add(DicomKind.SEGMENTATION)
    return tuple(kind for kind in DicomKind if kind in chosen)
