"""The general information on the kinds of tumour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import CLASS_TITLES, CLASSES, INDETERMINATE
from braintumor_desktop.reporting import reference_text, tumor_reference


@pytest.mark.parametrize("label", [*CLASSES, INDETERMINATE])
def test_every_label_has_the_four_sections_and_the_notice(label: str) -> None:
    reference = reference_text(label)
    assert reference.title == CLASS_TITLES[label]
    assert [section.heading for section in reference.sections] == [
        "What it is", "Usual imaging", "Usual approaches", "Course",
    ]  # fmt: skip
    assert "Not advice" in reference.notice
    for section in reference.sections:
        assert 1 <= len(re.findall(r"[.!?](?:\s|$)", section.text)) <= 4


@pytest.mark.parametrize("label", ["glioma", "meningioma", "pituitary"])
def test_every_section_on_a_tumour_names_a_source_with_authors_journal_and_year(label: str) -> None:
    reference = reference_text(label)
    for section in reference.sections:
        assert section.sources
        for source in section.sources:
            assert re.search(r"^[A-Z][\w-]+ [A-Z]+[,.]", source)
            assert re.search(r"(19|20)\d\d;\d+", source)
    assert len(set(reference.sources)) == len(reference.sources)


def test_an_unknown_label_has_no_text() -> None:
    with pytest.raises(KeyError):
        reference_text("lymphoma")


def test_a_damaged_file_is_one_typed_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "tumor_reference.json"
    damaged.write_text('{"entries": {"glioma": {}}}')
    monkeypatch.setattr(tumor_reference, "bundled", lambda *_: damaged)
    tumor_reference._references.cache_clear()
    with pytest.raises(BrainTumorError) as refused:
        reference_text("glioma")
    assert refused.value.code is ErrorCode.DATA_INVALID
    tumor_reference._references.cache_clear()
