"""What a reader drew and said comes back as it was, under a name that tells nothing, whatever became of the file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from braintumor_desktop.domain.reader_measurements import MeasurementKind, ReaderMeasurement
from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.storage.readings import Reading, ReadingStore, joined, reading_key

LINE = ReaderMeasurement(MeasurementKind.LENGTH, 3, ((1.25, 2.5), (30.0, 4.75)))
REGION = ReaderMeasurement(MeasurementKind.FREEHAND, 0, ((1.0, 1.0), (1.0, 9.0), (9.0, 5.0)), "Coronal")
READING = Reading((LINE, REGION), {"ab" * 32: "disagree"}, "Rather a cyst – Zyste?", "FLAIR", True)


def study(name: str = "DOE^JANE.dcm", sha256: str = "12" * 32, geometry: Geometry | None = None) -> Study:
    source = Source(Path("/disc") / name, sha256, 100, InputKind.DICOM, "DICOM", 16, None)
    return Study(np.zeros((4, 8, 8), np.uint16), source, geometry or Geometry(), series_uid="1.2.3.4")


def test_a_reading_comes_back_as_it_was(tmp_path: Path) -> None:
    store = ReadingStore(tmp_path / "readings")
    key = reading_key(study())
    assert store.load(key) == (Reading(), True)
    store.save(key, READING)
    assert ReadingStore(tmp_path / "readings").load(key) == (READING, True)
    assert store.load(reading_key(study(sha256="34" * 32))) == (Reading(), True)
    store.save(key, Reading())
    assert len(store) == 0


def test_what_was_kept_from_elsewhere_is_joined_once_and_what_the_reader_took_back_stays_away() -> None:
    kept = Reading((LINE,), {"ab": "agree"}, "cyst")
    elsewhere = Reading((LINE, REGION), {"ab": "agree", "cd": "disagree"}, "no change", "FLAIR", True)
    both = joined(Reading((), {}, "cyst?"), kept, elsewhere)
    assert both == Reading((REGION,), {"cd": "disagree"}, "cyst?\nno change", "FLAIR", True)
    assert joined(Reading((), {}, "cyst? Follow up."), Reading((), {}, "cyst?"), both).comment == (
        "cyst? Follow up.\nno change"
    )
    assert joined(kept, kept, elsewhere).comment == "no change"
    assert joined(kept, kept, Reading()) == kept  # all was deleted in the settings


def test_what_was_corrected_or_moved_on_either_row_of_a_series_does_not_come_back_as_it_was() -> None:
    assert joined(Reading((), {}, "right"), Reading((), {}, "left"), Reading((), {}, "see A\nleft")).comment == (
        "right\nsee A"
    )
    moved = ReaderMeasurement(MeasurementKind.LENGTH, 3, ((2.0, 2.5), (30.0, 5.0)))
    assert joined(Reading((LINE, REGION)), Reading((LINE,)), Reading((moved,))).measurements == (REGION, moved)


def test_names_and_contents_tell_no_patient_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    store = ReadingStore(tmp_path / "readings")
    store.save(reading_key(study()), READING)
    (file,) = (tmp_path / "readings").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    told = file.name + file.read_text(encoding="utf-8")
    for secret in ("DOE", "JANE", "disc", "1.2.3.4", "12" * 32):
        assert secret not in told


def test_a_series_is_known_wherever_it_lies_and_its_volumes_and_planes_are_told_apart() -> None:
    assert reading_key(study("a.dcm")) == reading_key(study("b.dcm"))
    affine = np.diag([1.0, 1.0, 3.0, 1.0])
    keys = {
        reading_key(study()),
        reading_key(study(), volume=1),
        reading_key(study(geometry=Geometry(affine=affine))),
        reading_key(study(geometry=Geometry(affine=affine[[1, 0, 2, 3]]))),
    }
    assert len(keys) == 4


def test_what_is_damaged_in_a_file_is_dropped_and_the_rest_is_kept(tmp_path: Path) -> None:
    store = ReadingStore(tmp_path)
    store.save("k", READING)
    raw = json.loads((tmp_path / "k.json").read_text())
    raw["measurements"][0]["points"] = [[1.0, float("nan")], [2.0, 3.0]]
    raw["measurements"].append({"kind": "sphere", "points": []})
    for plane in ("", "Oblique", None, ["Axial"]):  # a view that the program doesn't have
        raw["measurements"].append(raw["measurements"][1] | {"plane": plane})
    raw["verdicts"]["cd"] = "perhaps"
    raw["comment"] = 7
    (tmp_path / "k.json").write_text(json.dumps(raw))
    reading, whole = store.load("k")
    assert not whole
    assert reading == Reading((REGION,), READING.verdicts, "", "FLAIR", True)


@pytest.mark.parametrize("plane", ["", "Oblique", "axial"])
def test_a_measurement_on_a_view_that_there_is_not_is_damaged(tmp_path: Path, plane: str) -> None:
    store = ReadingStore(tmp_path)
    store.save("k", Reading((LINE, dataclasses.replace(LINE, plane=plane))))
    assert store.load("k") == (Reading((LINE,)), False)


def test_a_comment_comes_back_however_long_it_is(tmp_path: Path) -> None:
    store = ReadingStore(tmp_path)
    long = Reading(comment="x" * 100_001)
    store.save("k", long)
    assert store.load("k") == (long, True)
    both = joined(Reading(comment="y" * 60_000), Reading(), Reading(comment="x" * 60_000))
    store.save("k", both)
    assert store.load("k") == (both, True)
    assert len(both.comment) == 120_001


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x00", b"[1, 2]", b'{"version": 99}', b'{"version": 1, "measur'])
def test_a_file_that_is_no_reading_is_kept_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "k.json").write_bytes(content)
    store = ReadingStore(tmp_path)
    assert store.load("k") == (Reading(), False)
    assert (tmp_path / "k.json.broken").read_bytes() == content
    store.save("k", READING)
    assert store.load("k") == (READING, True)
    store.clear()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "readings").write_text("a file where the folder should be")
    with pytest.raises(FileExistsError):
        ReadingStore(tmp_path / "readings").save("k", READING)
    assert [path.name for path in tmp_path.iterdir()] == ["readings"]


def test_a_verdict_and_a_sequence_changed_or_withdrawn_elsewhere_stay_so_unless_changed_here_as_well() -> None:
    before = Reading((), {"ab": "agree", "cd": "agree"}, "", "T1", True)
    drawn = Reading((LINE,), before.verdicts, "", "T1", True)
    elsewhere = Reading((), {"ab": "disagree"}, "", "FLAIR", True)
    assert joined(drawn, before, elsewhere) == Reading((LINE,), {"ab": "disagree"}, "", "FLAIR", True)
    changed = Reading((), {"cd": "disagree"}, "", "T2", True)
    assert joined(changed, before, elsewhere) == changed
    assert joined(drawn, before, Reading()) == drawn  # all was deleted in the settings


def test_a_file_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "k.json").mkdir()
    with pytest.raises(OSError, match=r"k\.json"):
        ReadingStore(tmp_path).load("k")
