"""The one model of a report. Every format is a view of it and says the same words and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from braintumor_desktop import RESEARCH_USE, __version__
from braintumor_desktop.domain.findings import (
    CLASS_NAMES,
    CLASS_TITLES,
    CLASSES,
    DISTRUST,
    Analysis,
    Finding,
    Segmentation,
    TumorClass,
)
from braintumor_desktop.domain.measurements import Diameter
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.reader_measurements import ReaderMeasurement
from braintumor_desktop.imaging.overlay import COLORMAPS
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.language import tr
from braintumor_desktop.reporting import figures
from braintumor_desktop.reporting.key_images import KeyImage, render_key_images
from braintumor_desktop.reporting.letterhead import NO_LETTERHEAD, Letterhead
from braintumor_desktop.reporting.provenance import Fact, identifiers, provenance
from braintumor_desktop.reporting.reader_images import render_reader_images
from braintumor_desktop.reporting.reader_rows import reader_rows
from braintumor_desktop.reporting.strip import StripTile, render_strip

TITLE = phrase("Brain tumour MRI: analysis report")
DEIDENTIFIED_NAME = phrase("de-identified")
MOST_LESIONS = 4
"""Of a series, in the report; the outlines show all of them."""


@dataclass(frozen=True)
class ReaderNote:
    """What the reader says of the answer. An empty note prints as empty lines to fill in by hand."""

    verdict: Literal["agree", "disagree"] | None = None
    comment: str = ""
    name: str = ""
    date: date | None = None


@dataclass(frozen=True)
class ProbabilityRow:
    """value: 0..1, rounded; words: the same as a percentage; in_set: None where the model gives no prediction set,
    and for a model that can't tell types whether this is its answer.
    """

    label: str
    title: str
    value: float
    words: str
    in_set: bool | None


@dataclass(frozen=True)
class Measurement:
    """A size of the lesion and how it was measured."""

    name: str
    value: str
    method: str


@dataclass(frozen=True, eq=False)
class Report:
    """What a report says, in the order in which it says it.

    letterhead: the clinic's; identity: one sentence on the patient, or empty; identifiers: the file's own;
    created: when, with its time zone; quality, limits: plain sentences; strip: of a series;
    measurements: empty where the model draws no outline; reader_measurements: the reader's own, by hand,
    drawn on reader_images.
    """

    title: str
    banner: str
    synthetic: bool
    identity: str
    identifiers: tuple[Fact, ...]
    provenance: tuple[Fact, ...]
    finding: str
    probabilities: tuple[ProbabilityRow, ...]
    calibrated: bool
    tumor_probability: str
    prediction_set: str
    quality: tuple[str, ...]
    images: tuple[KeyImage, ...]
    image_notes: str
    measurements: tuple[Measurement, ...]
    model: tuple[Fact, ...]
    limits: tuple[str, ...]
    reader: ReaderNote
    created: datetime
    file_name: str
    file_sha256: str
    program: str
    reader_measurements: tuple[Measurement, ...] = ()
    strip: tuple[StripTile, ...] = ()
    reader_images: tuple[KeyImage, ...] = ()
    letterhead: Letterhead = NO_LETTERHEAD
    deidentified: bool = False


def build_report(
    analysis: Analysis,
    *,
    reader: ReaderNote | None = None,
    window: Window | None = None,
    created: datetime | None = None,
    model_facts: Mapping[str, str] | None = None,
    colormap: str = COLORMAPS[0],
    measurements: Sequence[ReaderMeasurement] = (),
    letterhead: Letterhead | None = None,
    deidentified: bool = False,
) -> Report:
    """The report of one analysis.

    reader: an unsigned note if None; window: grey values of the key images as the reader set them, those of the first
    view if None; created: now if None, local time where it has no zone; model_facts: more to say of the model, such as
    training data and held-out figures from its manifest row (label → sentence); measurements: the reader's, by hand;
    letterhead: the clinic's; deidentified: without the names, numbers, dates and UIDs of patient and study, without
    the file's name and the clinic. What the reader wrote stays.
    """
    created = created if created is not None else datetime.now()
    created = created if created.tzinfo is not None else created.astimezone()
    study = analysis.study
    identity, known = identifiers(study, deidentified=deidentified)
    return Report(
        title=tr(TITLE),
        banner=tr(RESEARCH_USE),
        synthetic=study.source.synthetic,
        identity=identity,
        identifiers=known,
        provenance=provenance(study, deidentified=deidentified),
        finding=tr(analysis.finding.sentence()),
        probabilities=_probabilities(analysis.finding),
        calibrated=analysis.finding.coverage is not None,
        tumor_probability=tr(
            "Any of the three tumour kinds: {tumor_probability}", tumor_probability=_tumor_probability(analysis.finding)
        ),
        prediction_set=_prediction_set(analysis.finding),
        quality=_quality(analysis),
        images=render_key_images(analysis, window=window, colormap=colormap),
        image_notes=_image_notes(analysis),
        measurements=_measurements(analysis),
        model=_model(analysis, model_facts or {}),
        limits=_limits(analysis),
        reader=reader if reader is not None else ReaderNote(),
        created=_year_alone(created) if deidentified else created,
        file_name=tr(DEIDENTIFIED_NAME) if deidentified else study.name,
        file_sha256="" if deidentified else study.source.sha256,
        program=f"braintumor-desktop {__version__}",
        reader_measurements=tuple(Measurement(*row) for row in reader_rows(study, measurements)),
        strip=render_strip(analysis, window=window),
        reader_images=render_reader_images(study, measurements, window=window),
        letterhead=NO_LETTERHEAD if deidentified or letterhead is None else letterhead,
        deidentified=deidentified,
    )


def _year_alone(moment: datetime) -> datetime:
    """The day of a report is near that of the study."""
    return moment.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)


def _probabilities(finding: Finding) -> tuple[ProbabilityRow, ...]:
    chosen = finding.prediction_set
    return tuple(
        ProbabilityRow(
            label=each.value,
            title=tr(CLASS_TITLES[each]),
            value=figures.share(finding.probabilities.get(each)) or 0.0,
            words=figures.share_in_words(finding.probabilities[each])
            if each in finding.probabilities
            else tr("not told"),
            in_set=(finding.top_class is each if not finding.types_known else None)
            if chosen is None
            else each in chosen,
        )
        for each in CLASSES
    )


def _tumor_probability(finding: Finding) -> str:
    return figures.share_in_words(figures.complement(finding.probabilities[TumorClass.NO_TUMOR]))


def _prediction_set(finding: Finding) -> str:
    if finding.prediction_set is None:
        return tr("No prediction set: this model isn't calibrated for sets.")
    coverage = "" if finding.coverage is None else tr(" at {coverage:g} % coverage", coverage=100 * finding.coverage)
    if not finding.prediction_set:
        return tr("Prediction set{coverage}: empty. The picture resembles none of the classes.", coverage=coverage)
    names = ", ".join(tr(CLASS_NAMES[each]) for each in finding.prediction_set)
    return tr(
        "Prediction set{coverage}: {names}. The model can't exclude these classes.", coverage=coverage, names=names
    )


def _quality(analysis: Analysis) -> tuple[str, ...]:
    quality = analysis.quality
    score = figures.share(quality.ood_score)
    scale = "" if score is None else " " + tr("Unfamiliarity {score:.2f} on a scale from 0 to 1.", score=score)
    familiar = {
        None: tr("The model can't judge whether this picture resembles those it was trained on."),
        True: tr("The picture resembles those the model was trained on."),
        False: tr(DISTRUST),
    }[quality.in_distribution]
    flags = tuple(tr(flag.sentence) for flag in quality.flags)
    return (familiar + scale, *flags, *(note for note in map(tr, analysis.study.notes) if note not in flags))


def _image_notes(analysis: Analysis) -> str:
    study = analysis.study
    parts = []
    if study.slices > 1:
        parts.append(tr("Key slice {number} of {slices}", number=analysis.key_slice + 1, slices=study.slices))
    if analysis.key_slices is not None:
        keys = analysis.key_slices
        parts.append(
            tr(
                "most certain on slice {most_confident}, least on slice {most_uncertain}",
                most_confident=keys.most_confident + 1,
                most_uncertain=keys.most_uncertain + 1,
            )
        )
    parts.append(
        tr("orientation unknown") if study.geometry.orientation is None else tr("letters give the patient's direction")
    )
    parts.append(
        tr("pixel spacing unknown, the scale counts pixels")
        if study.geometry.pixel_spacing_mm is None
        else tr("scale in mm")
    )
    sentence = "; ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


def _measurements(analysis: Analysis) -> tuple[Measurement, ...]:
    found, study = analysis.segmentation, analysis.study
    if found is None:
        return ()
    on_slice = (
        ""
        if study.slices == 1 or not found.present
        else tr(" on slice {slice_index}", slice_index=found.slice_index + 1)
        if len(found.lesions) < 2 or analysis.finding.doubted
        else tr(" of the largest lesion on slice {slice_index}", slice_index=found.slice_index + 1)
    )
    area = tr("{area_px:,} px", area_px=found.area_px)
    rows = [
        Measurement(tr("Area"), area, tr("pixels inside the outline{on_slice}", on_slice=on_slice))
        if found.area_mm2 is None
        else Measurement(
            tr("Area"),
            f"{figures.in_words(found.area_mm2, 1, 'mm²')} ({area})",
            tr("pixels inside the outline{on_slice} × pixel spacing", on_slice=on_slice),
        ),
        Measurement(
            tr("Share of the picture"), figures.in_words(found.area_percent_of_image, 2, "%"), tr("area / all pixels")
        ),
        Measurement(
            tr("Share of the head"),
            figures.in_words(found.area_percent_of_head, 2, "%")
            if found.area_percent_of_head is not None
            else tr("not known: no head outline found"),
            tr("area / pixels inside the head's outline"),
        ),
    ]
    if found.diameters is not None:
        longest = tr("greatest distance across the largest component (RANO, RECIST 1.1)")
        perpendicular = tr("greatest width at right angles to the longest diameter (RANO)")
        rows.append(Measurement(tr("Longest diameter"), _length(found.diameters.longest), longest))
        rows.append(Measurement(tr("Perpendicular diameter"), _length(found.diameters.perpendicular), perpendicular))
    if found.volume_ml is not None:
        rows.append(
            Measurement(tr("Volume"), figures.in_words(found.volume_ml, 2, "ml"), tr("outlined voxels × voxel size"))
        )
    if found.expected_dice is not None:
        rows.append(
            Measurement(
                tr("Expected overlap (Dice)"),
                figures.in_words(found.expected_dice, 2, "").strip(),
                tr("with a reader's outline; the model's own estimate, from its probabilities"),
            )
        )
    rows += _lesions(found, analysis.finding.doubted)
    if analysis.explanation is not None and analysis.explanation.energy_in_mask is not None:
        energy = figures.share_in_words(analysis.explanation.energy_in_mask)
        rows.append(
            Measurement(
                tr("Heat map inside outline"),
                energy,
                tr("share of the map's sum ({method})", method=tr(analysis.explanation.method)),
            )
        )
    return tuple(rows)


def _lesions(found: Segmentation, doubted: bool) -> list[Measurement]:
    """One row a lesion of a series, largest first, while a page has room."""
    rows = []
    for number, lesion in enumerate(found.lesions[:MOST_LESIONS], 1):
        first, last = lesion.slices
        parts = [] if lesion.volume_ml is None else [figures.in_words(lesion.volume_ml, 2, "ml")]
        if lesion.diameters is not None:
            parts.append(f"{_length(lesion.diameters.longest)} × {_length(lesion.diameters.perpendicular)}")
        where = [
            tr("slice {number}", number=first + 1)
            if first == last
            else tr(
                "slices {first} to {last}, measured on {key_slice}",
                first=first + 1,
                last=last + 1,
                key_slice=lesion.key_slice + 1,
            )
        ]
        if lesion.measurable is not None and not doubted:
            where.append(
                tr("RANO measurable") if lesion.measurable else tr("not RANO measurable (10 mm × 10 mm on 2 slices)")
            )
        name = tr("Doubted outline {number}", number=number) if doubted else tr("Lesion {number}", number=number)
        rows.append(Measurement(name, ", ".join(parts), "; ".join(where)))
    if len(found.lesions) > MOST_LESIONS:
        rows.append(
            Measurement(tr("More lesions"), str(len(found.lesions) - MOST_LESIONS), tr("smaller ones, outlined too"))
        )
    return rows


def _length(diameter: Diameter) -> str:
    return figures.diameter_in_words(diameter, pixels_too=True)


def _model(analysis: Analysis, more: Mapping[str, str]) -> tuple[Fact, ...]:
    identity = analysis.model
    return (
        Fact(
            tr("Model"),
            tr(
                "{id} {version}, computed on {device}", id=identity.id, version=identity.version, device=analysis.device
            ),
        ),
        Fact(tr("SHA-256 of weights"), identity.sha256),
        *(Fact(tr(label), tr(value)) for label, value in more.items()),
    )


def _limits(analysis: Analysis) -> tuple[str, ...]:
    limits = [
        tr(
            "The model knows three kinds of tumour and their absence. It can't name any other disease, and “no tumour” "
            "doesn't mean healthy."
        )
        if analysis.finding.types_known
        else tr(
            "The model tells tumour from no tumour and names no kind. It can't name any other disease, and “no tumour” "
            "doesn't mean healthy."
        ),
        tr(
            "It judges pixels alone: no history, other sequence or earlier study. "
            "Kind and grade of a tumour need tissue."
        ),
        tr("On scanners, sequences, ages or treatments that its training data lack it may be wrong and sound sure."),
        tr("Outline, sizes and heat map come from the model. Check them on the picture before any use."),
    ]
    if analysis.study.geometry.pixel_spacing_mm is None:
        limits.append(tr("Sizes in pixels can't be compared between pictures."))
    return tuple(limits)
