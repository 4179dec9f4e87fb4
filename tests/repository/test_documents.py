"""The documents tell the truth about the tree."""

import json
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
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    rooms = dict(re.findall(r"^\| `(braintumor_desktop/[a-z]+)` \| (.*?) \|", text, re.M))
    named = [f"{room}/{module}.py" for room, words in rooms.items() for module in re.findall(r"`([a-z_]+)`", words)]
    assert len(rooms) > 5
    assert len(named) > 40
    assert [module for module in named if not (ROOT / module).exists()] == []


def test_the_figures_the_program_shows_of_a_model_are_those_of_the_card_to_the_last_digit() -> None:
    models = {row["id"]: row for row in json.loads((ROOT / "weights/manifest.json").read_text())["models"]}
    judged = json.loads((ROOT / "docs/evaluation/comparison.json").read_text())
    assert models.keys() == judged.keys()
    for name, row in models.items():
        figures = judged[name]["figures"]
        cheng, web = figures["cheng"], figures["web"]
        pairs = [
            (row["metrics"], "Cheng val macro-F1 (3 types)", cheng["macro_f1_3"]),
            (row["metrics"], "Cheng val mean Dice", cheng["dice"]),
            (row["metrics"], "Web val AUROC tumour/none", web["auroc_tumor"]),
            (row["figures"], "Macro-F1 of three types, Cheng val", cheng["macro_f1_3"]),
            (row["figures"], "AUROC of tumour against none, web val", web["auroc_tumor"]),
        ]
        for shown, title, true in pairs:
            if true["value"] is None:
                assert title not in shown
            elif isinstance(shown[title], dict):
                assert {end: f"{shown[title][end]:.3f}" for end in shown[title]} == {
                    end: f"{true[end]:.3f}" for end in shown[title]
                }
            else:
                assert f"{shown[title]:.3f}" == f"{true['value']:.3f}"


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


DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_no_document_links_to_a_file_or_a_heading_that_is_not_there(file: Path) -> None:
    for name, heading in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", file.read_text()):
        target = file.parent / name if name else file
        assert target.exists(), name
        if heading:
            words = re.findall(r"^#+ (.*)$", target.read_text(), re.M)
            assert heading in [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in words], heading


def test_links_are_found() -> None:
    assert sum("](" in file.read_text() for file in DOCUMENTS) > 5
