"""Every sentence of the program that a catalogue must have, found in the sources and data that hold them."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "resources" / "languages"
_TEMPLATES = {"tr": 1, "phrase": 1, "tr_count": 2, "phrase_of_count": 2}
"""Functions that say a sentence, and how many of their arguments are its templates."""


def catalogues() -> dict[str, Path]:
    """The files of all languages but English, whose sentences are the keys."""
    return {file.stem: file for file in sorted(FOLDER.glob("*.po")) if file.stem != "en"}


def read_catalogue(file: Path) -> Catalog:
    with file.open("rb") as stream:
        return read_po(stream, abort_invalid=True)


def sentences() -> dict[str, str | None]:
    """English sentence to its plural, None where it has none."""
    found: dict[str, str | None] = {}
    for file in sorted((ROOT / "braintumor_desktop").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _TEMPLATES:
                texts = [each.value for each in node.args[: _TEMPLATES[node.func.id]] if isinstance(each, ast.Constant)]
                if texts and texts[0]:
                    found[texts[0]] = texts[1] if len(texts) > 1 else found.get(texts[0])
    return {**found, **dict.fromkeys(_data())}


def _data() -> Iterator[str]:
    """Sentences of the general information on tumours, and of the models' rows that reports show."""
    reference = json.loads((ROOT / "resources" / "tumor_reference.json").read_text(encoding="utf-8"))
    yield reference["notice"]
    for entry in reference["entries"].values():
        yield entry["title"]
        yield from (section["text"] for section in entry["sections"].values())


def update(file: Path) -> list[str]:
    """Bring a catalogue up to date: keep what is translated, drop what is gone; returns what is still to translate."""
    known = {english(message): forms(message) for message in read_catalogue(file) if message.id}
    header = file.read_text(encoding="utf-8").split("\n\n", 1)[0].rstrip()
    wanted = sentences()
    entries = {one: known.get(one) or (("",) if other is None else ("", "")) for one, other in wanted.items()}
    blocks = [entry(one, wanted[one], forms) for one, forms in sorted(entries.items())]
    file.write_text("\n\n".join([header, *blocks]) + "\n", encoding="utf-8")
    return [one for one, forms in entries.items() if not all(forms)]


def entry(one: str, other: str | None, forms: tuple[str, ...]) -> str:
    """An entry as gettext writes it, each string on one line."""
    lines = [f"msgid {_quoted(one)}"]
    if other is None:
        lines.append(f"msgstr {_quoted(forms[0])}")
    else:
        lines.append(f"msgid_plural {_quoted(other)}")
        lines += [f"msgstr[{place}] {_quoted(form)}" for place, form in enumerate(forms)]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def english(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


if __name__ == "__main__":
    for code, catalogue in catalogues().items():
        missing = update(catalogue)
        sys.stdout.write("\n  ".join([f"{code}: {len(missing)} to translate", *missing, ""]))
