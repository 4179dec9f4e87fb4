"""An analysis in the words of the results panel."""

from __future__ import annotations

from braintumor_desktop.domain.findings import CLASS_NAMES, DISTRUST, Analysis, Finding, Segmentation
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.reader_measurements import ACQUIRED
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.reformat import Plane
from braintumor_desktop.inference.quality import sequence_flags
from braintumor_desktop.language import tr
from braintumor_desktop.reporting.figures import diameter_in_words, in_words, share_in_words
from braintumor_desktop.reporting.reader_rows import REFORMATS, reader_rows
from braintumor_desktop.ui.case import Case

NOT_KNOWN = phrase("not known")


def finding(analysis: Analysis) -> str:
    """The answer in a sentence, marked where it is on something that the model doesn't know.

    Its number and the percent sign stay on one line.
    """
    sentence = tr(analysis.finding.sentence()).replace(" %", "\u00a0%")
    return f"⚠ {sentence}" if analysis.quality.in_distribution is False else sentence


def prediction_set(finding: Finding) -> str:
    """What the model can't exclude; empty where it gives no such set."""
    if finding.prediction_set is None:
        return ""
    coverage = "" if finding.coverage is None else tr(" at {coverage:g} % coverage", coverage=100 * finding.coverage)
    names = ", ".join(tr(CLASS_NAMES[c]) for c in finding.prediction_set) or tr("none of the classes")
    return tr("Can't be excluded (✓){coverage}: {names}.", coverage=coverage, names=names)


def sizes(study: Study, found: Segmentation | None) -> list[tuple[str, str]]:
    """Rows of quantity and value; empty where the model draws no outline."""
    if found is None or not found.present:
        return []
    area = tr("{area_px:,} px", area_px=found.area_px)
    rows = [(tr("Area"), area if found.area_mm2 is None else f"{in_words(found.area_mm2, 1, 'mm²')} ({area})")]
    rows.append((tr("Of the picture"), in_words(found.area_percent_of_image, 2, "%")))
    head = found.area_percent_of_head
    rows.append((tr("Of the head"), tr(NOT_KNOWN) if head is None else in_words(head, 2, "%")))
    if found.diameters is not None:
        rows.append((tr("Longest diameter"), diameter_in_words(found.diameters.longest, pixels_too=True)))
        rows.append((tr("Perpendicular"), diameter_in_words(found.diameters.perpendicular, pixels_too=True)))
    if found.volume_ml is not None:
        rows.append((tr("Volume"), in_words(found.volume_ml, 2, "ml")))
    if found.expected_dice is not None:
        rows.append((tr("Expected Dice"), in_words(found.expected_dice, 2, "").strip()))
    if study.slices > 1:
        rows.append(
            (
                tr("Measured on"),
                tr("slice {number} of {slices}", number=found.slice_index + 1, slices=study.slices),
            )
        )
    return rows


def size_note(study: Study, found: Segmentation | None) -> str:
    """Why something is missing from the sizes."""
    if found is None:
        return tr("This model draws no outlines, so nothing is measured.")
    if not found.present:
        return tr("The model outlines no tumour.")
    if study.geometry.pixel_spacing_mm is None:
        return tr("This file has no pixel spacing, so sizes are in pixels.")
    return ""


def quality(analysis: Analysis) -> list[tuple[bool, str]]:
    """Sentences on the input and the answer, each with whether it is a warning."""
    lines = []
    if analysis.quality.in_distribution is False:
        lines.append((True, tr(DISTRUST)))
    flags = [tr(flag.sentence) for flag in analysis.quality.flags]
    lines += [(True, sentence) for sentence in flags]
    lines += [(False, note) for note in map(tr, analysis.study.notes) if note not in flags]
    if not any(warning for warning, _ in lines):
        lines.insert(0, (False, tr("No automatic check objected to this picture.")))
    return lines


def explanation(analysis: Analysis) -> str:
    """What the heat map is, and how much of it lies in the outline."""
    shown = analysis.explanation
    if shown is None:
        return tr("This model gives no heat map.")
    inside = (
        ""
        if shown.energy_in_mask is None
        else " " + tr("{share} of it lies in the outline.", share=share_in_words(shown.energy_in_mask))
    )
    return tr(
        "{method}.{inside} It shows where the model looked, which is a question about the model, not a finding.",
        method=tr(shown.method),
        inside=inside,
    )


def model(analysis: Analysis) -> list[tuple[str, str]]:
    identity, timing = analysis.model, analysis.timing
    return [
        (tr("Model"), f"{identity.id} {identity.version}"),
        (tr("Weights"), f"SHA-256 {identity.sha256[:12]}…"),
        (tr("Device"), analysis.device),
        (tr("Time in all"), tr("{ms:,.0f} ms", ms=timing.total)),
        (tr("Loading"), tr("{ms:,.0f} ms", ms=timing.load)),
        (tr("Inference"), tr("{ms:,.0f} ms", ms=timing.infer)),
        (tr("Heat map"), tr("{ms:,.0f} ms", ms=timing.explain)),
    ]


def sequence_warning(study: Study) -> str:
    """Where the series is none the model was made for, one sentence; empty where it is, or where that is not known."""
    return " ".join(tr(flag.sentence) for flag in sequence_flags(study)).removesuffix(".")


def reader_measurements(case: Case) -> list[tuple[str, str]]:
    """Rows of name and value of what the reader measured."""
    if case.study is None:
        return []
    rows = reader_rows(case.study, case.measured.current)
    places = [
        ("" if case.study.slices == 1 else tr(" · slice {number}", number=m.slice_index + 1))
        + ("" if m.plane == ACQUIRED else "\n" + tr(REFORMATS[Plane(m.plane)]))
        for m in case.measured.current
    ]
    lines = [value.replace(", ", "\n") for _, value, _ in rows]
    return [(f"{row[0]}{place}", value) for row, place, value in zip(rows, places, lines, strict=True)]
