"""Whose work the program is made of: name, version, licence and its text, for Help → Licences.

A frozen program carries a list that its build made from the files that went in. In a checkout or an installed wheel the
same is read from the metadata of the installed packages.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from braintumor_desktop.locations import bundled

PROGRAM = "braintumor-desktop"
_TEXTS = re.compile(r"licen|copying|notice|authors", re.IGNORECASE)


@dataclass(frozen=True)
class Notice:
    """One work. licence: an SPDX expression or a name, as its authors state it; text: in full, or empty; purl: its
    package URL, where it is known what it came from.
    """

    name: str
    version: str
    licence: str
    text: str
    purl: str = ""


def notices() -> list[Notice]:
    """Every work the program brings or runs on, by name; the bundled fonts and weights among them."""
    made = bundled("licences", "licences.json")
    if made.exists():
        return [Notice(**entry) for entry in json.loads(made.read_text(encoding="utf-8"))]
    found = [_notice(distribution) for distribution in _required(PROGRAM)]
    return sorted([*found, *own_parts()], key=lambda notice: notice.name.lower())


def own_parts() -> list[Notice]:
    """What lies in the project's own folders but is others' work."""
    fonts = bundled("resources", "fonts", "OFL.txt").read_text(encoding="utf-8")
    weights = bundled("resources", "licences", "EfficientNet-Lite2.txt").read_text(encoding="utf-8")
    return [
        Notice("EfficientNet-Lite2, weights learned on ImageNet", "", "Apache-2.0", weights),
        Notice("Noto Sans", "", "OFL-1.1", fonts),
    ]


def stated_licence(package: Distribution) -> str:
    """The licence as the metadata of a package states it: an expression, a name, or a classifier."""
    told = package.metadata.json
    stated = str(told.get("license_expression") or told.get("license") or "").strip()
    if stated and "\n" not in stated:
        return stated
    classifiers = [c for c in told.get("classifier", []) if c.startswith("License ::")]
    return classifiers[0].split(" :: ")[-1] if classifiers else "see its text"


def licence_text(package: Distribution) -> str:
    """The licence texts that came with a package, one after the other."""
    files = [f for f in package.files or [] if ".dist-info" in f.parts[0] and _TEXTS.search("/".join(f.parts[1:]))]
    return "\n\n".join(f"{'/'.join(file.parts[1:])}\n\n{_decoded(file.read_binary())}" for file in files)


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:  # old licences were written in Latin-1
        return text.decode("latin-1")


def _notice(package: Distribution) -> Notice:
    return Notice(package.metadata["Name"], package.version, stated_licence(package), licence_text(package))


def _required(name: str) -> list[Distribution]:
    """The installed packages that this one needs, directly or not, without its extras."""
    found: dict[str, Distribution] = {}
    open_names = [name]
    while open_names:
        key = re.sub(r"[-_.]+", "-", open_names.pop()).lower()
        if key in found:
            continue
        try:
            found[key] = distribution(key)
        except PackageNotFoundError:  # needed on another system only
            continue
        wanted = [line for line in found[key].requires or [] if "extra ==" not in line]
        open_names += [match[0] for match in (re.match(r"[\w.-]+", line) for line in wanted) if match]
    found.pop(name, None)
    return list(found.values())
