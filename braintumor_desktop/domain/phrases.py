"""English text that remembers how it was made, so that it can be said in another language where it is shown.

Where the program composes a sentence it says it in English: that is what JSON, logs and the command line hold. A window
or report finds the sentence again in its catalogue (`braintumor_desktop.language`) by its template.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Phrase(str):
    """A str, the English text.

    template: as in the catalogues, with ``{name}`` where a value goes, ``{name:.1f}`` for a number's format;
    values: what goes there; a value may be a `Phrase` itself; plural: the template for other counts than one, and
    then ``count`` is among the values.
    """

    template: str
    plural: str | None
    values: Mapping[str, Any]


def phrase(template: str, **values: Any) -> Phrase:
    """`template` with its values in English."""
    return _made(template, None, template, values)


def phrase_of_count(one: str, other: str, count: int, **values: Any) -> Phrase:
    """One template or the other by `count`, which is one of the values too."""
    return _made(one, other, one if count == 1 else other, {"count": count, **values})


def _made(template: str, plural: str | None, english: str, values: Mapping[str, Any]) -> Phrase:
    made = Phrase(english.format(**values) if values else english)
    made.template, made.plural, made.values = template, plural, values
    return made
