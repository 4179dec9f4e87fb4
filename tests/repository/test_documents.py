"""The documents tell the truth about the tree."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "braintumor_desktop"
NAMED = re.compile(r"`([a-z_]+/[a-z_/]+(?:\.py)?|braintumor_desktop/[a-z_/]+(?:\.py)?)`")


def test_every_place_the_architecture_names_exists() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    named = {m for m in NAMED.findall(text) if not m.startswith("demo")}
    assert len(named) > 15
    missing = [n for n in named if not any((base / n).exists() for base in (ROOT, PACKAGE))]
    assert not missing


def test_every_room_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    rooms = {p.name for p in PACKAGE.iterdir() if (p / "__init__.py").exists()}
    assert rooms
    assert [room for room in rooms if f"`braintumor_desktop/{room}`" not in text] == []


def test_every_module_the_architecture_lists_for_a_room_exists() -> None:
    for line in (ROOT / "docs" / "ARCHITECTURE.md").read_text().splitlines():
        room = re.match(r"\| `(braintumor_desktop/[a-z]+)` \| (.*?) \|", line)
        if room:
            for module in re.findall(r"`([a-z_]+)`", room[2]):
                assert (ROOT / room[1] / f"{module}.py").exists(), f"{room[1]}/{module}"


def test_every_dependency_has_its_reason_and_an_exact_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    reasons = (ROOT / "docs" / "DEPENDENCIES.md").read_text().lower()
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    asked = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.split(r"[=<>\[ ]", d)[0].lower() for d in asked} - {"braintumor-desktop"}
    assert [name for name in names if name not in reasons] == []
    assert [name for name in names if name.replace("_", "-") not in pinned] == []


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CHANGELOG.md",
        "docs/USER_GUIDE.md",
        "docs/DEPENDENCIES.md",
        "docs/DEIDENTIFICATION.md",
        "docs/evaluation/neuro.md",
    ],
)
def test_no_document_links_to_a_file_that_is_not_there(name: str) -> None:
    file = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)\)", file.read_text()):
        assert (file.parent / target).exists(), target
