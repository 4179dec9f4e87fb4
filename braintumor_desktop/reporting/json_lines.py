"""One line of ``--json``: the stable contract that other programs read.

All keys are always present, nested ones too; what is unknown is null. Numbers are rounded by `figures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.domain.findings import (
    CLASSES,
    Analysis,
    Finding,
    Lesion,
    ModelIdentity,
    Segmentation,
    TumorClass,
)
from braintumor_desktop.domain.reader_measurements import ReaderMeasurement
from braintumor_desktop.domain.study import Study
from braintumor_desktop.reporting import figures
from braintumor_desktop.reporting.reader_rows import reader_values
from braintumor_desktop.reporting.report import ReaderNote


def json_line(
    analysis: Analysis,
    *,
    mask_path: Path | None = None,
    heatmap_path: Path | None = None,
    reader: ReaderNote | None = None,
    measurements: Sequence[ReaderMeasurement] = (),
) -> dict[str, Any]:
    """The object for an input that was analysed; `mask_path` and `heatmap_path` are the files written for it, if any.

    `quality.flags` are codes. ``probabilities.no_tumor`` and ``tumor_probability`` add up to exactly 1 as printed.
    `input.pixel_spacing_mm` is [between rows, between columns] as it was read, never rounded.
    A series has one key more: ``segmentation.lesions``, a list, null where the model draws no outlines. With `reader`
    there is ``reader`` too: what the reader said and measured, which the window's export has and the command line not.
    """
    study, quality, timing = analysis.study, analysis.quality, analysis.timing
    return {
        "path": str(study.source.path),
        "status": "ok",
        "error": None,
        "series_uid": study.series_uid,
        "model": _model(analysis.model),
        "input": _input(study),
        "finding": _finding(analysis.finding),
        "quality": {
            "in_distribution": quality.in_distribution,
            "ood_score": figures.share(quality.ood_score),
            "flags": [flag.code for flag in quality.flags],
        },
        "segmentation": _segmentation(analysis.segmentation, mask_path)
        | ({} if analysis.slices is None else {"lesions": _lesions(analysis.segmentation)}),
        "explanation": {
            "method": analysis.explanation.method if analysis.explanation else None,
            "energy_in_mask": figures.share(analysis.explanation.energy_in_mask) if analysis.explanation else None,
            "heatmap": None if heatmap_path is None else str(heatmap_path),
        },
        "slices": None
        if analysis.slices is None
        else [
            {
                "index": each.index,
                "position_mm": each.position_mm,
                "tumor_probability": figures.share(each.tumor_probability),
                "label": each.label,
                "area_px": each.area_px,
            }
            for each in analysis.slices
        ],
        "timing_ms": {
            "load": figures.milliseconds(timing.load),
            "infer": figures.milliseconds(timing.infer),
            "explain": figures.milliseconds(timing.explain),
            "total": figures.milliseconds(timing.total),
        },
    } | ({} if reader is None else {"reader": _reader(reader, study, measurements)})


def error_line(path: Path, error: BrainTumorError, *, model: ModelIdentity | None = None) -> dict[str, Any]:
    """The object for an input that failed: the same keys as `json_line`, nulls in place of answers."""
    return {
        "path": str(path),
        "status": "error",
        "error": error.as_dict(),
        "series_uid": None,
        "model": _model(model),
        "input": dict.fromkeys(("kind", "width", "height", "slices", "pixel_spacing_mm", "orientation", "sequence")),
        "finding": {
            "label": None,
            "tumor_probability": None,
            "probabilities": {each.value: None for each in CLASSES},
            "prediction_set": None,
            "coverage": None,
        },
        "quality": {"in_distribution": None, "ood_score": None, "flags": []},
        "segmentation": _segmentation(None, None),
        "explanation": {"method": None, "energy_in_mask": None, "heatmap": None},
        "slices": None,
        "timing_ms": {"load": None, "infer": None, "explain": None, "total": None},
    }


def _reader(note: ReaderNote, study: Study, measurements: Sequence[ReaderMeasurement]) -> dict[str, Any]:
    """Slices count from 0, points are [row, column] on the plane named; lengths in mm are null without spacing."""
    listed = []
    for each, values in zip(measurements, reader_values(study, measurements), strict=True):
        in_mm = values.lengths_mm
        listed.append(
            {
                "kind": each.kind.name.lower(),
                "plane": each.plane,
                "slice": each.slice_index,
                "points": [[round(row, 3), round(column, 3)] for row, column in each.points],
                "lengths_px": [figures.length(length) for length in values.lengths_px],
                "lengths_mm": None if in_mm is None else [figures.length(length) for length in in_mm],
                "degrees": figures.length(values.degrees),
                "area_px": figures.length(values.area_px),
                "area_mm2": figures.square_mm(values.area_mm2),
                "mean": figures.grey(values.mean),
                "sd": figures.grey(values.sd),
                "pixels": values.pixels,
            }
        )
    return {
        "verdict": note.verdict,
        "comment": note.comment,
        "name": note.name,
        "date": None if note.date is None else note.date.isoformat(),
        "measurements": listed,
    }


def _model(model: ModelIdentity | None) -> dict[str, Any]:
    if model is None:
        return {"id": None, "version": None, "sha256": None}
    return {"id": model.id, "version": model.version, "sha256": model.sha256}


def _input(study: Study) -> dict[str, Any]:
    geometry = study.geometry
    return {
        "kind": study.source.kind.value,
        "width": study.columns,
        "height": study.rows,
        "slices": study.slices,
        "pixel_spacing_mm": None
        if geometry.pixel_spacing_mm is None
        else [float(s) for s in geometry.pixel_spacing_mm],
        "orientation": None if geometry.orientation is None else list(geometry.orientation),
        "sequence": study.sequence,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "label": str(finding.label),
        "tumor_probability": figures.complement(finding.probabilities[TumorClass.NO_TUMOR]),
        "probabilities": {each.value: figures.share(finding.probabilities.get(each)) for each in CLASSES},
        "prediction_set": None if finding.prediction_set is None else [each.value for each in finding.prediction_set],
        "coverage": figures.share(finding.coverage),
    }


def _segmentation(segmentation: Segmentation | None, mask_path: Path | None) -> dict[str, Any]:
    """A model without a mask answers null to `present`; one that sees no lesion answers false and area 0."""
    found = segmentation
    diameters = None if found is None else found.diameters
    return {
        "present": None if found is None else found.present,
        "area_px": None if found is None else int(found.area_px),
        "area_percent_of_image": None if found is None else figures.percentage(found.area_percent_of_image),
        "area_percent_of_head": None if found is None else figures.percentage(found.area_percent_of_head),
        "area_mm2": None if found is None else figures.square_mm(found.area_mm2),
        "longest_diameter_mm": None if diameters is None else figures.length(diameters.longest.length_mm),
        "perpendicular_diameter_mm": None if diameters is None else figures.length(diameters.perpendicular.length_mm),
        "longest_diameter_px": None if diameters is None else figures.length(diameters.longest.length_px),
        "perpendicular_diameter_px": None if diameters is None else figures.length(diameters.perpendicular.length_px),
        "volume_ml": None if found is None else figures.millilitres(found.volume_ml),
        "mask": None if mask_path is None else str(mask_path),
    }


def _lesions(found: Segmentation | None) -> list[dict[str, Any]] | None:
    """Largest first; indices count from 0, `center_mm` is RAS (right, anterior, superior)."""
    return None if found is None else [_lesion(each) for each in found.lesions]


def _lesion(lesion: Lesion) -> dict[str, Any]:
    sizes = lesion.diameters
    return {
        "first_slice": lesion.slices[0],
        "last_slice": lesion.slices[1],
        "key_slice": lesion.key_slice,
        "volume_ml": figures.millilitres(lesion.volume_ml),
        "longest_diameter_mm": None if sizes is None else figures.length(sizes.longest.length_mm),
        "perpendicular_diameter_mm": None if sizes is None else figures.length(sizes.perpendicular.length_mm),
        "center_mm": None if lesion.center_mm is None else [figures.length(each) for each in lesion.center_mm],
        "measurable": lesion.measurable,
        "tumor_probability": figures.share(lesion.tumor_probability),
    }
