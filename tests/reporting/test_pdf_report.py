"""The PDF, read back by another library."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import INDETERMINATE, Analysis, Finding, TumorClass
from braintumor_desktop.domain.study import Geometry, InputKind
from braintumor_desktop.reporting import ReaderNote, build_report, json_line, write_pdf
from braintumor_desktop.reporting.pdf import render_pdf

CREATED = datetime(2026, 3, 4, 15, 6, tzinfo=UTC)
MODEL_FACTS = {"Training data": "1,234 slices of 56 patients", "Held-out figures": "macro-F1 0.912, mean Dice 0.734"}
KNOWN = Geometry(pixel_spacing_mm=(0.5, 0.75), slice_spacing_mm=5.5, orientation=("L", "P"))


def pages(content: bytes) -> list[str]:
    """Text of every page."""
    document = pypdfium2.PdfDocument(content)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


def squeezed(text: str) -> str:
    """Without white space: a line break may stand anywhere."""
    return re.sub(r"\s+", "", text)


def said(report: Any) -> list[str]:
    """Every text of the report model, in its order."""
    if isinstance(report, str):
        return [report]
    if isinstance(report, tuple | list):
        return [text for item in report for text in said(item)]
    if dataclasses.is_dataclass(report):
        return [
            text
            for field in dataclasses.fields(report)
            if field.name
            not in ("label", "alt_text", "edge_letters")  # codes; not printed as text; printed on pictures
            for text in said(getattr(report, field.name))
        ]
    return []


@pytest.mark.parametrize("geometry", [Geometry(), KNOWN], ids=["nothing known", "spacing and orientation known"])
def test_every_text_and_number_of_the_report_model_is_in_the_pdf(make_analysis: Any, geometry: Geometry) -> None:
    analysis = make_analysis(geometry=geometry, colour=True, notes=("The first of 2 pages.",), sequence="T1", slices=2)
    note = ReaderNote("agree", "Seen with ünïcode & <marks>.", "Dr. A. Núñez", date(2026, 3, 5))
    report = build_report(analysis, reader=note, created=CREATED, model_facts=MODEL_FACTS)
    text = squeezed("".join(pages(render_pdf(report))))
    texts = said(report)
    assert len(texts) > 60
    for each in texts:
        assert squeezed(each) in text, each
    assert "4March2026,15:06" in text
    assert "5March2026" in text


def test_the_pdf_shows_the_numbers_of_the_json_line(make_analysis: Any) -> None:
    analysis = make_analysis(geometry=KNOWN)
    line = json_line(analysis)
    text = squeezed("".join(pages(render_pdf(build_report(analysis)))))
    segmentation = line["segmentation"]
    expected = [
        f"{segmentation['area_px']:,}px",
        f"{segmentation['area_mm2']:.1f}mm²",
        f"{segmentation['area_percent_of_image']:.2f}%",
        f"{segmentation['area_percent_of_head']:.2f}%",
        f"{segmentation['longest_diameter_mm']:.1f}mm({segmentation['longest_diameter_px']:.1f}px)",
        f"{segmentation['perpendicular_diameter_mm']:.1f}mm({segmentation['perpendicular_diameter_px']:.1f}px)",
        *(f"{100 * p:.1f}%" for p in line["finding"]["probabilities"].values()),
        f"{100 * line['finding']['tumor_probability']:.1f}%",
        f"{100 * line['explanation']['energy_in_mask']:.1f}%",
        line["model"]["sha256"],
    ]
    assert [each for each in expected if each not in text] == []


@pytest.mark.parametrize(("paper", "width_mm", "height_mm"), [("A4", 210.0, 297.0), ("Letter", 215.9, 279.4)])
def test_pages_have_the_size_of_the_paper_asked_for(
    make_analysis: Any, tmp_path: Path, paper: Any, width_mm: float, height_mm: float
) -> None:
    path = tmp_path / "report.pdf"
    write_pdf(build_report(make_analysis()), path, paper=paper)
    document = pypdfium2.PdfDocument(path)
    sizes = [page.get_size() for page in document]
    document.close()
    assert 1 <= len(sizes) <= 2
    for width, height in sizes:
        assert width == pytest.approx(width_mm * 72 / 25.4, abs=0.1)
        assert height == pytest.approx(height_mm * 72 / 25.4, abs=0.1)


def test_a_picture_s_report_fits_one_a4_page(make_analysis: Any) -> None:
    assert len(pages(render_pdf(build_report(make_analysis(), model_facts=MODEL_FACTS)))) == 1


def test_every_page_carries_the_banner_and_its_number(make_analysis: Any) -> None:
    note = ReaderNote("disagree", "A long comment with many words. " * 400, "Dr. A", date(2026, 3, 5))
    texts = pages(render_pdf(build_report(make_analysis(), reader=note)))
    assert len(texts) >= 3
    for number, text in enumerate(texts, 1):
        assert RESEARCH_USE in text
        assert f"Page {number} of {len(texts)}" in text
    assert squeezed(note.comment) in squeezed(
        "".join(re.sub(r"(?s)scan one\.png.*?Page \d+ of \d+|Research.*?nosis\.", "", t) for t in texts)
    )


def test_synthetic_data_is_named_so_in_the_banner(make_analysis: Any) -> None:
    assert f"Synthetic data. {RESEARCH_USE}" in pages(render_pdf(build_report(make_analysis(synthetic=True))))[0]
    assert "Synthetic" not in pages(render_pdf(build_report(make_analysis())))[0]


def test_fonts_are_embedded_subsets_and_nothing_acts_or_links(make_analysis: Any) -> None:
    content = render_pdf(build_report(make_analysis()))
    names = set(re.findall(rb"/BaseFont /(\S+)", content))
    assert len(names) == 2
    assert all(re.fullmatch(rb"[A-Z]{6}\+NotoSans\w*", name) for name in names)
    assert content.count(b"/FontFile2") == 2
    assert not re.search(
        rb"/JavaScript|/JS |/URI|/Link|/OpenAction|/Launch|/EmbeddedFile", content.replace(b"/OpenAction [", b"")
    )


def test_the_document_names_itself_its_language_its_sections_and_its_pictures(make_analysis: Any) -> None:
    content = render_pdf(build_report(make_analysis(path=Path("a & b <c>.png")), created=CREATED))
    document = pypdfium2.PdfDocument(content)
    metadata = document.get_metadata_dict()
    bookmarks = [bookmark.get_title() for bookmark in document.get_toc()]
    document.close()
    assert metadata["Title"] == "Brain tumour MRI: analysis report: a & b <c>.png"
    assert "braintumor-desktop" in metadata["Author"]
    assert "braintumor-desktop" in metadata["Creator"]
    assert metadata["CreationDate"].startswith("D:20260304150600")
    assert bookmarks == [
        "Provenance", "Finding", "Quality", "Key images", "Measurements", "Model", "Limits", "Reader",
    ]  # fmt: skip
    assert b"/Lang (en-GB)" in content
    assert b"<pdfaid:part>2</pdfaid:part>" in content
    assert b"<pdfaid:conformance>U</pdfaid:conformance>" in content
    assert b"a &amp; b &lt;c&gt;.png" in content
    assert content.count(b"/Alt (") == 4  # three key images and the colour bar


def test_lengths_are_millimetres_only_where_spacing_is_known(make_analysis: Any) -> None:
    unknown = pages(render_pdf(build_report(make_analysis())))[0]
    known = pages(render_pdf(build_report(make_analysis(geometry=KNOWN, kind=InputKind.DICOM))))[0]
    assert not re.search(r"\d\s*mm", unknown)
    assert "50 px" in unknown
    assert "50 mm" in known
    assert unknown.count("orientation unknown") == 3
    assert "orientation unknown" not in known


def test_a_model_without_outline_or_heat_map_gives_a_report_that_says_so(make_analysis: Any) -> None:
    text = pages(render_pdf(build_report(make_analysis(outlined=False, heated=False))))[0]
    assert "This model draws no outline" in text
    assert "Heat map" not in text


@pytest.mark.parametrize(
    ("chosen", "coverage", "sentence"),
    [
        (None, None, "this model isn't calibrated for sets"),
        ((), 0.9, "at 90 % coverage: empty"),
        ((TumorClass.NO_TUMOR, TumorClass.PITUITARY), 0.975, "at 97.5 % coverage: no tumour, pituitary tumour"),
    ],
)
def test_the_prediction_set_is_told_in_words(make_analysis: Any, chosen: Any, coverage: Any, sentence: str) -> None:
    analysis: Analysis = make_analysis()
    finding = Finding(INDETERMINATE, analysis.finding.probabilities, chosen, coverage)
    report = build_report(dataclasses.replace(analysis, finding=finding))
    text = " ".join(pages(render_pdf(report))[0].split())
    assert sentence in text
    assert "Indeterminate" in text


def test_a_noisy_picture_s_report_stays_below_two_megabytes(make_analysis: Any) -> None:
    analysis: Analysis = make_analysis()
    noise = np.random.default_rng(1).integers(0, 256, (1, 1500, 1500), dtype=np.uint8)
    study = dataclasses.replace(analysis.study, pixels=noise)
    mask = np.zeros(noise.shape, bool)
    mask[:, 300:700, 300:700] = True
    segmentation = dataclasses.replace(analysis.segmentation, mask=mask)  # type: ignore[type-var]
    heat = np.random.default_rng(2).random(noise.shape, dtype=np.float32)
    explanation = dataclasses.replace(analysis.explanation, heatmap=heat)  # type: ignore[type-var]
    noisy = dataclasses.replace(analysis, study=study, segmentation=segmentation, explanation=explanation)
    assert len(render_pdf(build_report(noisy))) < 2 * 2**20


def test_very_long_model_facts_and_flags_flow_over_pages_without_loss(make_analysis: Any) -> None:
    facts = {f"Fact {number}": f"value-{number} " + "word " * 120 for number in range(20)}
    texts = pages(render_pdf(build_report(make_analysis(), model_facts=facts)))
    assert len(texts) >= 3
    together = "".join(texts)
    assert [number for number in range(20) if f"value-{number} " not in together] == []


def test_writing_over_a_folder_is_refused_with_a_next_step(make_analysis: Any, tmp_path: Path) -> None:
    with pytest.raises(BrainTumorError) as refused:
        write_pdf(build_report(make_analysis()), tmp_path)
    assert refused.value.code is ErrorCode.EXPORT_FAILED
    assert refused.value.hint
    assert list(tmp_path.iterdir()) == []


_NAMES = st.one_of(
    st.text(st.characters(exclude_characters="/\x00"), min_size=1, max_size=255),
    st.sampled_from(
        [
            "x" * 255, "漢字" * 60, "שלום.png", "تصوير \u202egnp.exe", "a\x01b", "new\nline\r.png",
            "\udcff\udcfe.png", "{nb} of {nb}.png", "**bold** __it__ --x--.png", "%s %d \\( \\) ((.png", "e\u0301" * 50,
            "\N{SOFT HYPHEN}" * 10 + ".png", "🧠.png", " ", "\t", "\u2028.png", "<script>&amp;]]>.png",
        ]
    ),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(name=_NAMES, comment=st.text(max_size=300))
def test_no_file_name_and_no_comment_breaks_the_pdf(make_analysis: Any, name: str, comment: str) -> None:
    analysis = make_analysis(path=Path("folder") / name, heated=False, outlined=False)
    report = build_report(analysis, reader=ReaderNote("agree", comment, name))
    texts = pages(render_pdf(report))
    for number, text in enumerate(texts, 1):
        assert RESEARCH_USE in text
        assert f"Page {number} of {len(texts)}" in text
    assert analysis.study.source.sha256 in squeezed(texts[0])


def test_characters_the_font_lacks_and_direction_marks_are_spelt_out(make_analysis: Any) -> None:
    text = squeezed(pages(render_pdf(build_report(make_analysis(path=Path("a\u202e漢.png")))))[0])
    assert "a<U+202E><U+6F22>.png" in text


def test_a_page_count_placeholder_in_a_name_is_printed_as_it_is(make_analysis: Any) -> None:
    assert "{nb}.png" in pages(render_pdf(build_report(make_analysis(path=Path("{nb}.png")))))[0]
