"""General, sourced information on the kinds of tumour, read from ``resources/tumor_reference.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.locations import bundled

HEADINGS = {
    "what_it_is": phrase("What it is"),
    "usual_imaging": phrase("Usual imaging"),
    "usual_approaches": phrase("Usual approaches"),
    "course": phrase("Course"),
}


@dataclass(frozen=True)
class ReferenceSection:
    """heading: for the reader; text: plain sentences; sources: full citations, empty where the text is our own."""

    heading: str
    text: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class TumorReference:
    """What is generally known of one label.

    notice: says that this is information and not advice, show it with the text;
    sections: what it is, usual imaging, usual approaches, course, in this order.
    """

    label: str
    title: str
    notice: str
    sections: tuple[ReferenceSection, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Every citation once, in the order of first use."""
        return tuple(dict.fromkeys(source for section in self.sections for source in section.sources))


def reference_text(label: str) -> TumorReference:
    """The text for a finding's label: one of the four classes, or ``indeterminate``.

    Raises KeyError for another label, BrainTumorError DATA_INVALID where the bundled file is missing or damaged.
    """
    return _references()[str(label)]


@cache
def _references() -> dict[str, TumorReference]:
    try:
        content = json.loads(bundled("resources", "tumor_reference.json").read_text(encoding="utf-8"))
        return {
            label: TumorReference(
                label=label,
                title=entry["title"],
                notice=content["notice"],
                sections=tuple(
                    ReferenceSection(
                        heading=heading,
                        text=entry["sections"][key]["text"],
                        sources=tuple(content["sources"][name] for name in entry["sections"][key]["sources"]),
                    )
                    for key, heading in HEADINGS.items()
                ),
            )
            for label, entry in content["entries"].items()
        }
    except (OSError, ValueError, KeyError, TypeError) as damage:
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            phrase("The reference text that comes with the program is missing or damaged."),
            phrase("Install the program again."),
        ) from damage
