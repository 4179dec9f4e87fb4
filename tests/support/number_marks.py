"""The numbers in a text of any language, for tests that compare them with the English ones."""

from __future__ import annotations

import re

from braintumor_desktop.language import Language


def numbers(text: str, language: Language) -> list[str]:
    """Sorted, with English marks and without groups of digits; not what belongs to a name, as in T1."""
    group, decimal = re.escape(language.group), re.escape(language.decimal)
    whole = re.sub(rf"(?<=\d){group}(?=(?:\d\d\d?{group})*\d\d\d(?!\d))", "", text)
    return sorted(re.findall(r"(?<![A-Za-z\d.])\d+(?:\.\d+)?", re.sub(rf"(?<=\d){decimal}(?=\d)", ".", whole)))
