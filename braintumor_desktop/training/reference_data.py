"""The training pictures as the reference models see them: whole, resized, kept in memory as one pack of grey bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import TumorClass
from braintumor_desktop.inference.preprocess import resize_whole
from braintumor_desktop.models.architectures import Architecture
from braintumor_desktop.training.data import TUMOR_UNKNOWN, Row, allowed_classes, how_framed, read_grey, read_rows

STOPPING_FOLD = 5
"""Cheng's fifth fold, by patient, and every fifth web group are held back where a recipe watches its progress."""


@dataclass(eq=False)
class WholePack:
    """images: uint8 (n, s, s), grey; masks: uint8 (n, s, s) 0 or 1, (n, 0, 0) for a network without outlines;
    outlined: bool (n,), the mask is known, an empty one too; allowed: bool (n, 4), the classes its label admits;
    watched: bool (n,), in the fold that is held back.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    outlined: NDArray[np.bool_]
    allowed: NDArray[np.bool_]
    watched: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.images)


def load_whole_pack(data: Path, cache: Path, architecture: Architecture) -> WholePack:
    """The train pictures that `architecture` can learn from, from the cache folder where they were packed before.

    A tumour of unknown type teaches only a network that knows no types. Raises BrainTumorError (data_invalid).
    """
    rows = [r for r in read_rows(data) if r.split == "train" and (r.label != TUMOR_UNKNOWN or not architecture.types)]
    described = [asdict(r) for r in rows]
    code = how_framed(Path(__file__))
    what = f"{code}{architecture.feeding}{architecture.outlines}{json.dumps(described, default=str)}"
    file = cache / f"whole-{hashlib.sha256(what.encode()).hexdigest()[:16]}.npz"
    if file.is_file():
        with np.load(file) as stored:
            return WholePack(**{k: stored[k] for k in stored.files})
    pack = _pack(rows, architecture)
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(file, **vars(pack))
    return pack


def _pack(rows: list[Row], architecture: Architecture) -> WholePack:
    assert architecture.feeding is not None
    size = architecture.feeding.size
    side = size if architecture.outlines else 0
    pack = WholePack(
        images=np.empty((len(rows), size, size), np.uint8),
        masks=np.zeros((len(rows), side, side), np.uint8),
        outlined=np.array([r.mask is not None or r.label == TumorClass.NO_TUMOR for r in rows]),
        allowed=np.stack([allowed_classes(r.label) for r in rows]),
        watched=np.array([_watched(r) for r in rows]),
    )
    for index, row in enumerate(rows):
        pack.images[index] = resize_whole(read_grey(row.path), architecture.feeding)
        if side and row.mask is not None:
            mask = (read_grey(row.mask) > 127).astype(np.float32)
            pack.masks[index] = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA) > 0.5
    return pack


def _watched(row: Row) -> bool:
    """By patient or group, so that no picture learnt from has a twin among those held back."""
    if row.fold is not None:
        return row.fold == STOPPING_FOLD
    return hashlib.sha256(row.group.encode()).digest()[0] % 5 == 0
