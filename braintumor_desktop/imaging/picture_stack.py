"""Slices that were saved one picture each, put together by the numbers in their names, where the reader wants it.

Never by itself: collections of pictures of many patients are numbered too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from braintumor_desktop.domain.errors import BrainTumorError, Cancelled, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Geometry, InputKind, Study
from braintumor_desktop.imaging.catalog import Entry
from braintumor_desktop.imaging.limits import DEFAULT_LIMITS, Limits
from braintumor_desktop.imaging.volume_checks import check_pixel_count, within_memory

_NUMBERS = re.compile(r"([0-9]+)")
_NOTE = phrase("Single pictures, put together by the numbers in their names: how far apart they lie is not known.")


def is_numbered(entry: Entry) -> bool:
    """Whether it could be a slice of a stack."""
    return entry.kind is InputKind.PICTURE and _NUMBERS.search(entry.path.stem) is not None


def numbered_like(entry: Entry, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Pictures of the same folder whose names differ from this one's in one number only, in its order.

    This one is among them; empty where there is no other. Where a name holds several numbers it is the one in which
    most pictures differ.
    """
    best: dict[int, Entry] = {}
    parts = _NUMBERS.split(entry.path.stem)
    for place in range(1, len(parts), 2) if is_numbered(entry) else ():
        alike: dict[int, Entry] = {}
        for other in entries:
            theirs = _NUMBERS.split(other.path.stem)
            if len(theirs) == len(parts) and _key(other, place) == _key(entry, place):
                alike.setdefault(int(theirs[place]), other)
        best = alike if len(alike) > len(best) else best
    return tuple(best[number] for number in sorted(best)) if len(best) > 1 else ()


def joined_path(entries: Sequence[Entry]) -> Path:
    """What the stack is called: ``slice*.png`` in the folder of its pictures."""
    first, second = (_NUMBERS.split(entry.path.stem) for entry in entries[:2])
    stem = "".join(one if one == other else "*" for one, other in zip(first, second, strict=True))
    return entries[0].path.with_name(stem + entries[0].path.suffix)


def load_joined(
    entries: Sequence[Entry], limits: Limits = DEFAULT_LIMITS, *, cancelled: Callable[[], bool] | None = None
) -> Study:
    """One study with a slice a picture. Raises BrainTumorError (stack_uneven where they differ in size), Cancelled."""
    stopped = cancelled or (lambda: False)
    studies: list[Study] = []
    with within_memory():
        for entry in entries:
            if stopped():
                raise Cancelled
            study = entry.load(limits)
            first = studies[0] if studies else study
            if study.pixels.shape != (1, *first.pixels.shape[1:]) or study.pixels.dtype != first.pixels.dtype:
                raise _uneven(entry, first, study)
            check_pixel_count(len(entries) * first.rows * first.columns, limits.max_volume_pixels)
            studies.append(study)
        pixels = np.concatenate([study.pixels for study in studies])
    source = first.source
    spacings = {study.geometry.pixel_spacing_mm for study in studies}
    return Study(
        pixels=pixels,
        source=replace(
            source,
            path=joined_path(entries),
            sha256=hashlib.sha256(b"".join(bytes.fromhex(s.source.sha256) for s in studies)).hexdigest(),
            size_bytes=sum(study.source.size_bytes for study in studies),
            lossy=True if any(study.source.lossy for study in studies) else source.lossy,
            colour=any(study.source.colour for study in studies),
        ),
        geometry=Geometry(pixel_spacing_mm=spacings.pop() if len(spacings) == 1 else None),
        notes=(_NOTE, *dict.fromkeys(note for study in studies for note in study.notes)),
    )


def _key(entry: Entry, place: int) -> tuple[object, ...]:
    """What pictures share that differ in the number at this place of their names."""
    parts = _NUMBERS.split(entry.path.stem)
    return entry.kind, entry.path.parent, entry.path.suffix.lower(), *parts[:place], *parts[place + 1 :]


def _uneven(entry: Entry, first: Study, other: Study) -> BrainTumorError:
    words = (
        phrase("{name} holds several pages.", name=entry.path.name)
        if other.slices > 1
        else phrase(
            "{name} has {columns} × {rows} pixels, the first picture {first_columns} × {first_rows}, or another depth.",
            name=entry.path.name,
            columns=other.columns,
            rows=other.rows,
            first_columns=first.columns,
            first_rows=first.rows,
        )
    )
    return BrainTumorError(
        ErrorCode.STACK_UNEVEN, words, phrase("Open the pictures one by one, or export the series as DICOM.")
    )
