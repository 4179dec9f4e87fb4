"""The training pictures: read once, framed as the network sees them, kept in memory as one pack.

Expects a data folder with ``cheng/index.csv`` and ``web/index.csv`` (file, label, mask, split and so on) and,
where present, ``volumes/`` with tumour-free NIfTI heads.
"""

from __future__ import annotations

import csv
import hashlib
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import CLASSES, TumorClass
from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging import head, windowing
from braintumor_desktop.inference import preprocess
from braintumor_desktop.inference.preprocess import find_frame, normalise, resample

PACK_SIZE = 256
"""Side in pixels of every packed picture."""

FOLDS = (1, 2, 3, 4, 5)
"""The official folds of the Cheng pictures, each of other patients."""

TUMOR_UNKNOWN = "tumor"
"""Label of a picture that shows a tumour of unknown type."""

HELD_OUT_VOLUMES = ("patient12", "patient19")
"""Subjects under volumes/ that no training run may see."""

TWINS = Path(__file__).parent / "twins.csv"
"""Groups that the indexes hold for pictures of their own, though train, or val once more, shows the same slice
(mirrored, cut out, turned or windowed anew) or one beside it of the same head. Of each group at least one pair was told
by eye among those that ``tests/benchmarks/picture_twins.py`` lists. A Cheng slice without a group is ``cheng`` and its
place in the index, from 0; of its patient all slices are listed."""


WEB_TYPES = Path(__file__).parent / "web_types.csv"
"""Types that the untyped tumours of web train may be of, told by eye by one of us, no radiologist: one, or two where
that was in doubt. None of the tumours that look like neither has a row."""


class Region(IntEnum):
    """What is known about where the tumour is."""

    UNKNOWN = 0
    MASK = 1
    BOX = 2
    EMPTY = 3


@dataclass(frozen=True)
class Row:
    """One picture of an index file."""

    path: Path
    label: str
    split: str
    source: str
    group: str
    patient: str
    fold: int | None
    mask: Path | None
    boxes: tuple[tuple[float, float, float, float], ...]
    types: tuple[str, ...] = ()


@dataclass(eq=False)
class Pack:
    """Pictures ready for training.

    images, regions: uint8 (n, 256, 256), regions 0 or 255; kinds: Region a picture;
    allowed: bool (n, 4), the classes its label admits; categories: label and origin, for balanced drawing.
    """

    images: NDArray[np.uint8]
    regions: NDArray[np.uint8]
    kinds: NDArray[np.uint8]
    allowed: NDArray[np.bool_]
    categories: NDArray[np.str_]
    groups: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.images)


def read_rows(data: Path) -> list[Row]:
    """All pictures of both indexes. Raises BrainTumorError (data_invalid) where an index is missing.

    Pictures that training sees in another copy have the split ``twin``: nothing is learned from them or judged by them.
    """
    rows: list[Row] = []
    learned, same = read_twins()
    types = read_types()
    for name in ("cheng", "web"):
        index = data / name / "index.csv"
        if not index.is_file():
            raise BrainTumorError(
                ErrorCode.DATA_INVALID,
                f"The data folder has no {name}/index.csv.",
                "Give --data the folder that holds cheng/ and web/.",
            )
        with index.open(newline="") as file:
            for number, entry in enumerate(csv.DictReader(file)):
                row = _row(index.parent, name, number, entry)
                if row.group in learned:
                    row = replace(row, split="twin")
                if row.label == TUMOR_UNKNOWN:
                    row = replace(row, types=types.get(row.group, ()))
                rows.append(replace(row, group=same.get(row.group, row.group)))
    return rows


def read_twins() -> tuple[set[str], dict[str, str]]:
    """Groups that have a twin in train, and of two that are twins within val the second to the first."""
    with TWINS.open(newline="") as file:
        twins = list(csv.DictReader(file))
    learned = {row["group"] for row in twins if row["split_of_twin"] == "train"}
    return learned, {row["twin"]: row["group"] for row in twins if row["split_of_twin"] == "val"}


def read_types() -> dict[str, tuple[str, ...]]:
    """Web groups of train without a type in the index to those that their tumour may be of."""
    with WEB_TYPES.open(newline="") as file:
        return {row["group"]: tuple(row["types"].split(";")) for row in csv.DictReader(file)}


def _row(folder: Path, name: str, number: int, entry: dict[str, str]) -> Row:
    boxes = tuple(tuple(float(v) for v in box.split()) for box in entry.get("boxes", "").split(";") if box.strip())
    return Row(
        path=folder / entry["file"],
        label=entry["label"],
        split=entry["split"],
        source=entry.get("source", name),
        group=entry.get("group") or f"{name}{number}",
        patient=entry.get("patient", ""),
        fold=int(entry["official_fold"]) if entry.get("official_fold") else None,
        mask=folder / entry["mask"] if entry.get("mask") else None,
        boxes=boxes,  # type: ignore[arg-type]
    )


def independent_group(row: Row) -> str:
    """Pictures of different groups are of different people, as far as is known: a patient or a near-duplicate group.

    Of Cheng's gliomas, ids that differ in a letter at the end are of one patient.
    """
    return re.sub(r"(?<=\d)[A-Z]$", "", row.patient) or row.group


def read_grey(path: Path) -> NDArray[np.uint8]:
    """A picture as grey (rows, columns); the same luma that the program computes."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise BrainTumorError(ErrorCode.DATA_INVALID, f"{path.name} can't be read.", "Check the data folder.")
    return np.asarray(pixels, dtype=np.uint8)


def array_study(
    pixels: NDArray[Any],
    name: str = "picture",
    kind: InputKind = InputKind.PICTURE,
    spacing_mm: tuple[float, float] | None = None,
) -> Study:
    """A study of one slice (rows, columns) that is in no file, for the Analyzer. spacing_mm: between rows, columns."""
    digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
    source = Source(Path(name), digest, 0, kind, "array", 8 * pixels.itemsize, None)
    return Study(pixels[None], source, Geometry(pixel_spacing_mm=spacing_mm))


def allowed_classes(label: str) -> NDArray[np.bool_]:
    """(4,) bool: the classes a label admits; ``tumor`` admits the three tumour types."""
    if label == TUMOR_UNKNOWN:
        return np.array([c is not TumorClass.NO_TUMOR for c in CLASSES])
    return np.array([c == label for c in CLASSES])


def load_pack(data: Path, cache: Path, *, split: str, folds: Iterable[int] | None = None) -> Pack:
    """The pack of one split, from the cache folder where it was made before.

    folds: for cross-validation, the official folds of cheng/ to keep; None keeps the split's own.
    """
    rows = [r for r in read_rows(data) if _wanted(r, split, None if folds is None else set(folds))]
    volumes = _volume_files(data) if split == "train" else []
    described = [asdict(r) for r in rows] + [(str(v.relative_to(data)), v.stat().st_size) for v in volumes]
    code = hashlib.sha256((how_framed() + json.dumps(described, default=str)).encode()).hexdigest()[:16]
    file = cache / f"pack-{split}-{code}.npz"
    if file.is_file():
        with np.load(file) as stored:
            return Pack(**{k: stored[k] for k in stored.files})
    items = [frame_row(r) for r in rows]
    items += [item for v in volumes for item in _volume_items(v)]
    pack = Pack(
        images=np.stack([i[0] for i in items]),
        regions=np.stack([i[1] for i in items]),
        kinds=np.array([i[2] for i in items], dtype=np.uint8),
        allowed=np.stack([i[3] for i in items]),
        categories=np.array([i[4] for i in items]),
        groups=np.array([i[5] for i in items]),
    )
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(file, **vars(pack))
    return pack


def how_framed(*more: Path) -> str:
    """The code that pictures pass on their way into a pack: where it changes, packs are made anew."""
    return "".join(
        [
            *map(inspect.getsource, (preprocess, head, windowing)),
            *(part.read_text() for part in (Path(__file__), *more)),
        ]
    )


def _wanted(row: Row, split: str, folds: set[int] | None) -> bool:
    if folds is not None and row.fold is not None and row.split != "twin":
        return row.fold in folds
    return row.split == split


Item = tuple[NDArray[np.uint8], NDArray[np.uint8], Region, NDArray[np.bool_], str, str]


def frame_row(row: Row) -> Item:
    """A picture as the network sees it, with its region, what is known of that, its classes, category and group."""
    pixels = read_grey(row.path)
    frame = find_frame(pixels)
    image = _to_bytes(normalise(resample(pixels, frame, PACK_SIZE)))
    region, kind = np.zeros(pixels.shape, np.uint8), Region.UNKNOWN
    if row.mask is not None:
        region, kind = (read_grey(row.mask) > 127).astype(np.uint8) * 255, Region.MASK
    elif row.boxes:
        kind = Region.BOX
        for x, y, w, h in row.boxes:
            top, bottom = round((y - h / 2) * frame.rows), round((y + h / 2) * frame.rows)
            left, right = round((x - w / 2) * frame.columns), round((x + w / 2) * frame.columns)
            centre, half = ((left + right) // 2, (top + bottom) // 2), ((right - left) // 2, (bottom - top) // 2)
            cv2.ellipse(region, centre, half, 0, 0, 360, 255, -1)
    elif row.label == TumorClass.NO_TUMOR:
        kind = Region.EMPTY
    framed = (resample(region, frame, PACK_SIZE) > 127).astype(np.uint8) * 255
    origin = row.source if row.label == TumorClass.NO_TUMOR else ("cheng" if row.source == "cheng" else "web")
    allowed = np.logical_or.reduce([allowed_classes(label) for label in row.types or (row.label,)])
    return image, framed, kind, allowed, f"{origin}/{row.label}", row.group


def _to_bytes(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(image * 255), dtype=np.uint8)


def _volume_files(data: Path) -> list[Path]:
    found = sorted((data / "volumes").rglob("*.nii.gz"))
    return [p for p in found if not p.name.startswith(HELD_OUT_VOLUMES)]


def volume_slices(path: Path, every: float = 6.0, least: float = 0.15) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Tumour-free slices of a NIfTI head in three planes, upright as the program shows them.

    Yields (plane, (rows, columns) float32), one every `every` mm. Empty ends of the head are left out: a slice
    counts where at least a share `least` of its pixels rises above a tenth of the volume's 99.5th percentile.
    """
    import nibabel

    image = nibabel.as_closest_canonical(nibabel.load(path))  # type: ignore[no-untyped-call]
    volume = np.asarray(image.dataobj, dtype=np.float32)
    zooms = [float(z) for z in image.header.get_zooms()[:3]]
    bright = np.percentile(volume, 99.5)
    for axis, plane in enumerate(("sagittal", "coronal", "axial")):
        step = max(1, round(every / zooms[axis]))
        height, width = (z for a, z in reversed(list(enumerate(zooms))) if a != axis)
        for index in range(step // 2, volume.shape[axis], step):
            pixels = np.rot90(np.take(volume, index, axis=axis))[:, ::-1]
            if (pixels > 0.1 * bright).mean() < least:
                continue
            fine = min(height, width)
            size = (round(pixels.shape[1] * width / fine), round(pixels.shape[0] * height / fine))
            yield plane, np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_LINEAR))


def _volume_items(path: Path) -> list[Item]:
    empty = np.zeros((PACK_SIZE, PACK_SIZE), np.uint8)
    items: list[Item] = []
    for plane, pixels in volume_slices(path, every=3.0, least=0.08):  # the neck too, and the crown
        image = _to_bytes(normalise(resample(pixels, find_frame(pixels), PACK_SIZE)))
        group = f"{path.name}/{plane}/{len(items)}"
        allowed = allowed_classes(TumorClass.NO_TUMOR)
        items.append((image, empty, Region.EMPTY, allowed, "volumes/no_tumor", group))
    return items


def draw_weights(pack: Pack, shares: dict[str, float]) -> NDArray[np.float64]:
    """(n,) drawing probabilities: each category its share, each near-duplicate group once within it.

    Raises BrainTumorError (data_invalid) where a category has no share.
    """
    weights = np.zeros(len(pack))
    for category in np.unique(pack.categories):
        if category not in shares:
            raise BrainTumorError(
                ErrorCode.DATA_INVALID,
                f"The configuration gives no share to {category}.",
                "Add it under [shares]; 0 leaves it out.",
            )
        members = np.flatnonzero(pack.categories == category)
        _, inverse, counts = np.unique(pack.groups[members], return_inverse=True, return_counts=True)
        one = 1.0 / counts[inverse]
        weights[members] = shares[category] * one / one.sum()
    return np.asarray(weights / weights.sum())


def describe(pack: Pack) -> dict[str, int]:
    """Pictures a category, for the log."""
    names, counts = np.unique(pack.categories, return_counts=True)
    return {str(n): int(c) for n, c in zip(names, counts, strict=True)}


def batches(indices: Sequence[Any] | NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Consecutive runs of `size` indices; a short tail is dropped, as batch normalisation dislikes it."""
    array = np.asarray(indices)
    for start in range(0, len(array) - size + 1, size):
        yield array[start : start + size]
