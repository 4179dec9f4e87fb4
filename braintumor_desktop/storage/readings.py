"""What a reader drew, said and corrected, kept on disk: one small file a series, found again by the series' content.

A file's name is a hash of hashes, so neither names nor contents tell a patient, beyond what the reader wrote into the
comment. A damaged file never stops the program: items that can't be used are dropped one by one, and a file that can't
be read at all is kept aside as ``….json.broken``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import platformdirs

from braintumor_desktop.domain.reader_measurements import MeasurementKind, ReaderMeasurement
from braintumor_desktop.domain.study import MrSequence, Study
from braintumor_desktop.imaging.reformat import Plane
from braintumor_desktop.storage.settings import CONFIG_DIR_VARIABLE

VERSION = 1
"""Raise it when planes are cut on other grids: points drawn on them would come to lie elsewhere."""

Verdict = Literal["agree", "disagree"]
VERDICTS: tuple[Verdict, ...] = ("agree", "disagree")
_ENDING = ".json"
_POINTS = {
    MeasurementKind.LENGTH: 2,
    MeasurementKind.BIDIMENSIONAL: 4,
    MeasurementKind.ANGLE: 3,
    MeasurementKind.ELLIPSE: 2,
    MeasurementKind.FREEHAND: None,  # three or more
}


@dataclass(frozen=True)
class Reading:
    """The reader's part of a case.

    verdicts: on the answers of models, by the SHA-256 of their weights, because another model gives another answer,
    with ``+not_mirrored`` or ``+<slices>`` behind it where the answer is one without the mirror image or to part of a
    series;
    sequence: what the reader says it is, in words, None for "not known"; only meant where `sequence_corrected`.
    """

    measurements: tuple[ReaderMeasurement, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    comment: str = ""
    sequence: str | None = None
    sequence_corrected: bool = False

    @property
    def empty(self) -> bool:
        return self == Reading()


def joined(reading: Reading, before: Reading, stored: Reading) -> Reading:
    """A reading with what was stored from elsewhere since `before`, what was last kept of it.

    Where it changed itself since then, its own part wins; all else is as it is stored, unless all of that was deleted.
    """
    taken_back = [] if stored.empty else [m for m in before.measurements if m not in stored.measurements]
    own = [m for m in reading.measurements if m not in taken_back]
    others = [m for m in stored.measurements if m not in before.measurements and m not in own]
    other = reading if stored.empty else stored
    verdicts: dict[str, Verdict] = {}
    for answer in {**stored.verdicts, **reading.verdicts}:
        changed = reading.verdicts.get(answer) != before.verdicts.get(answer)
        if (said := (reading if changed else other).verdicts.get(answer)) is not None:
            verdicts[answer] = said
    comment = reading.comment
    if comment == before.comment:
        comment = stored.comment or comment
    else:
        known = {*before.comment.splitlines(), *comment.splitlines()}
        comment = "\n".join([comment, *(line for line in stored.comment.splitlines() if line not in known)]).strip()
    was, now = ((each.sequence, each.sequence_corrected) for each in (before, reading))
    corrected = reading if now != was else other
    return Reading(
        (*own, *others),
        verdicts,
        comment,
        corrected.sequence,
        corrected.sequence_corrected,
    )


def readings_folder(settings_file: Path | None = None) -> Path:
    """Beside a settings file of an isolated run, else the user's own data folder."""
    if settings_file is not None:
        return settings_file.parent / "readings"
    isolated = os.environ.get(CONFIG_DIR_VARIABLE)
    return Path(isolated or platformdirs.user_data_dir("braintumor-desktop", appauthor=False)) / "readings"


def reading_key(study: Study, volume: int = 0) -> str:
    """What a series is known by, wherever its files lie: 32 hexadecimal digits. volume: which of several in its files.

    Shape and place are in it, because one file can hold stacks of several planes.
    """
    affine = study.geometry.affine
    place = "" if affine is None else " ".join(f"{value:.3f}" for value in affine.ravel())
    words = f"{study.source.sha256} {volume} {study.pixels.shape} {place}"
    return hashlib.sha256(words.encode()).hexdigest()[:32]


class ReadingStore:
    """The kept readings of one folder, which is made when there is something to keep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, key: str) -> tuple[Reading, bool]:
        """What is kept under a key, and whether all of it could be used; nothing kept is an empty one.

        Raises OSError where the file can't be read.
        """
        path = self._path(key)
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(raw, dict) or raw.get("version") != VERSION:
                raise ValueError("not a reading of this version")
        except FileNotFoundError:
            return Reading(), True
        except (ValueError, RecursionError):
            with contextlib.suppress(OSError):
                path.replace(path.with_name(path.name + ".broken"))
            return Reading(), False
        return _reading(raw)

    def save(self, key: str, reading: Reading) -> None:
        """Keep a reading in one step; an empty one takes its file away. Raises OSError, and the old file stands."""
        path = self._path(key)
        if reading.empty:
            path.unlink(missing_ok=True)
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # a comment may name a patient
        fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as to:
                json.dump(_as_json(reading), to)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)

    def clear(self) -> None:
        """Take all readings off the disk, damaged ones too. Raises OSError."""
        for path in self._files():
            path.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._files())

    def _files(self) -> list[Path]:
        return list(self._folder.glob(f"*{_ENDING}*"))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_ENDING}"


def _as_json(reading: Reading) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "version": VERSION,
        "measurements": [
            {"kind": m.kind.name.lower(), "slice": m.slice_index, "plane": m.plane, "points": m.points}
            for m in reading.measurements
        ],
        "verdicts": dict(reading.verdicts),
        "comment": reading.comment,
    }
    if reading.sequence_corrected:
        kept["sequence"] = reading.sequence
    return kept


def _reading(raw: dict[str, Any]) -> tuple[Reading, bool]:
    items, verdicts = raw.get("measurements", []), raw.get("verdicts", {})
    items = items if isinstance(items, list) else [None]
    measurements = [_measurement(item) for item in items]
    usable = isinstance(verdicts, dict)
    given = verdicts if isinstance(verdicts, dict) else {}
    known = {str(model): cast(Verdict, verdict) for model, verdict in given.items() if verdict in VERDICTS}
    comment, sequence = raw.get("comment", ""), raw.get("sequence")
    has_comment = isinstance(comment, str)
    has_sequence = "sequence" in raw and (sequence is None or sequence in [s.value for s in MrSequence])
    reading = Reading(
        measurements=tuple(m for m in measurements if m is not None),
        verdicts=known,
        comment=comment if has_comment else "",
        sequence=sequence if has_sequence else None,
        sequence_corrected=has_sequence,
    )
    whole = usable and len(known) == len(given) and has_comment and has_sequence == ("sequence" in raw)
    return reading, whole and None not in measurements


def _measurement(item: Any) -> ReaderMeasurement | None:
    """One item of the list; None where it can't be used."""
    try:
        kind = MeasurementKind[item["kind"].upper()]
        points = tuple((float(row), float(column)) for row, column in item["points"])
        index, plane = item["slice"], item["plane"]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    wanted = _POINTS[kind]
    enough = len(points) >= 3 if wanted is None else len(points) == wanted
    finite = all(math.isfinite(value) for point in points for value in point)
    placed = isinstance(index, int) and not isinstance(index, bool) and index >= 0 and plane in tuple(Plane)
    return ReaderMeasurement(kind, index, points, plane) if enough and finite and placed else None
