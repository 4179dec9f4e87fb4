"""Numbered pictures put together: which belong together, in which order, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.imaging import list_inputs
from braintumor_desktop.imaging.picture_stack import joined_path, load_joined, numbered_like


def save(folder: Path, name: str, value: int, size: tuple[int, int] = (48, 40)) -> None:
    folder.mkdir(exist_ok=True)
    pixels = np.random.default_rng(value).integers(0, 255, size[::-1], dtype=np.uint8)
    Image.fromarray(pixels).save(folder / name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (1, 2, 9, 10, 11):
        save(tmp_path / "head", f"cut{number}_t1.png", number)
    for name in ("cut3_t2.png", "overview.png", "cut4_t1.bmp"):
        save(tmp_path / "head", name, 50)
    save(tmp_path / "other", "cut3_t1.png", 60)
    return tmp_path


def test_pictures_that_differ_in_a_number_come_in_its_order(folder: Path) -> None:
    entries = list_inputs([folder]).entries
    one = next(e for e in entries if e.path.name == "cut10_t1.png")
    together = numbered_like(one, entries)
    assert [e.path.name for e in together] == [f"cut{n}_t1.png" for n in (1, 2, 9, 10, 11)]
    study = load_joined(together)
    assert study.pixels.shape == (5, 40, 48)
    for plane, entry in zip(study.pixels, together, strict=True):
        assert np.array_equal(plane, np.asarray(Image.open(entry.path)))
    assert study.source.path == joined_path(together) == folder / "head" / "cut*_t1.png"
    assert study.geometry.slice_spacing_mm is None
    assert any("how far apart" in note for note in study.notes)


def test_a_picture_alone_belongs_to_no_stack(folder: Path) -> None:
    entries = list_inputs([folder]).entries
    for name in ("overview.png", "cut3_t2.png", "cut4_t1.bmp"):
        assert numbered_like(next(e for e in entries if e.path.name == name), entries) == ()


def test_pictures_of_different_size_are_refused_by_name(folder: Path) -> None:
    save(folder / "head", "cut9_t1.png", 3, size=(64, 40))
    entries = list_inputs([folder / "head"]).entries
    with pytest.raises(BrainTumorError) as caught:
        load_joined(numbered_like(entries[0], entries))
    assert caught.value.code == "stack_uneven"
    assert "cut9_t1.png has 64 × 40 pixels, the first picture 48 × 40" in caught.value.message
