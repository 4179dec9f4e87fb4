"""The codes that are written: known to the standard's tables, and listed in the document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.coding import Code

from braintumor_desktop.reporting.dicom import codes

# In no context group that pydicom carries; docs/DICOM.md says where each is from.
ELSEWHERE = {"C0034375", "C3059", "C3230", "{pixels}"}
USED = {name: each for name, each in vars(codes).items() if isinstance(each, Code)}
DOCUMENT = (Path(__file__).parents[2] / "docs" / "DICOM.md").read_text("utf-8")
ROWS = [
    row for row in re.findall(r"^\| (\S+) \| (\w+) \| (.+?) \| (.+?) \|$", DOCUMENT, re.MULTILINE) if row[0] != "code"
]


def keyword_of(code: Code) -> str | None:
    """pydicom's name of a code whose meaning is the one we write."""
    for keyword, entries in concepts[code.scheme_designator].items():
        for value, (meaning, _) in entries.items():
            if value == code.value and meaning.casefold() == code.meaning.casefold():
                return keyword
    return None


@pytest.mark.parametrize("name", sorted(USED))
def test_each_code_means_in_the_standard_s_tables_what_it_means_here(name: str) -> None:
    assert (keyword_of(USED[name]) is None) == (USED[name].value in ELSEWHERE)


def test_the_document_lists_every_code_and_no_other() -> None:
    assert {(value, scheme, meaning) for value, scheme, meaning, _ in ROWS} == {
        (each.value, each.scheme_designator, each.meaning) for each in USED.values()
    }


def test_each_context_group_that_the_document_names_holds_the_code() -> None:
    by_value = {each.value: each for each in USED.values()}
    checked = 0
    for value, scheme, _, source in ROWS:
        for group in re.findall(r"CID (\d+)", source):
            assert keyword_of(by_value[value]) in cid_concepts[int(group)].get(scheme, []), (value, group)
            checked += 1
    assert checked > 20
