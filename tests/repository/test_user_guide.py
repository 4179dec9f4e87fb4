"""The user guide explains every error code, quality flag and setting, and its pictures are there."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from PIL import Image

from braintumor_desktop.domain.errors import ErrorCode
from braintumor_desktop.language import available_languages
from braintumor_desktop.storage.settings import Settings

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "USER_GUIDE.md").read_text(encoding="utf-8")
PICTURES = ROOT / "docs" / "guide"


def rows(heading: str) -> dict[str, list[str]]:
    """The table below a heading: the code in the first column to the other columns."""
    section = re.split(rf"^#+ {heading}$", GUIDE, flags=re.M)[1]
    section = re.split(r"^#+ ", section, flags=re.M)[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    codes = [cells[0].strip("`") for cells in lines]
    assert len(codes) == len(set(codes))
    return {code: cells[1:] for code, cells in zip(codes, lines, strict=True)}


def test_every_error_code_is_explained_with_a_next_step_and_no_other() -> None:
    told = rows("Error codes")
    assert set(told) == set(ErrorCode)
    assert all(len(cells) == 2 and all(cells) for cells in told.values())


def test_every_quality_flag_is_explained_and_no_other() -> None:
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "braintumor_desktop" / "inference").glob("*.py")]
    made = "\n".join(sources)
    codes = re.findall(r'\bQualityFlag\(\s*"([a-z_]+)"', made)
    assert len(codes) == made.count("QualityFlag("), "a flag's code is to be found without running the program"
    assert len(set(codes)) > 10
    assert set(rows("Quality flags")) == set(codes)


def test_every_setting_is_explained_with_its_default() -> None:
    defaults = {f.name: [] if f.default is MISSING else f.default for f in fields(Settings)}
    told = {name: json.loads(cells[0].strip("`")) for name, cells in rows("Settings file").items()}
    assert told == defaults
    languages = rows("Settings file")["language"][1]
    assert [code for code in available_languages() if f"`{code}`" not in languages] == []


def test_every_picture_the_guide_names_is_there_and_every_one_there_is_named_with_words_for_it() -> None:
    named = re.findall(r"!\[([^\]]+)\]\(guide/([^)]+)\)", GUIDE)
    assert {name for _, name in named} == {file.name for file in PICTURES.iterdir()}
    assert len({words for words, _ in named}) == len(named)


@pytest.mark.parametrize("file", sorted(PICTURES.glob("*.png")), ids=lambda file: file.stem)
def test_a_picture_is_a_small_file_that_fits_a_small_screen(file: Path) -> None:
    assert file.stat().st_size < 150_000
    with Image.open(file) as picture:
        assert picture.format == "PNG"
        assert picture.width <= 1366


def test_all_pictures_together_are_small() -> None:
    assert sum(file.stat().st_size for file in PICTURES.iterdir()) < 2_000_000
