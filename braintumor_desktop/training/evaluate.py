"""Evaluation on the held-out pictures, through the very Analyzer that the program uses."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import CLASSES, Analysis, TumorClass
from braintumor_desktop.domain.study import InputKind, Study
from braintumor_desktop.imaging import load
from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.inference.device import choose_device
from braintumor_desktop.models.architectures import ARCHITECTURES
from braintumor_desktop.models.loading import load_network
from braintumor_desktop.models.manifest import (
    Calibration,
    find_model,
    manifest_path,
    read_manifest,
    write_manifest,
)
from braintumor_desktop.training import evaluation_report
from braintumor_desktop.training.calibration import cross_fitted, fit_set_threshold, fit_temperature, with_temperature
from braintumor_desktop.training.candidate import candidate
from braintumor_desktop.training.data import (
    HELD_OUT_VOLUMES,
    TUMOR_UNKNOWN,
    Row,
    array_study,
    independent_group,
    read_grey,
    read_rows,
    volume_slices,
)
from braintumor_desktop.training.metrics import (
    auroc,
    confusion,
    dice,
    estimate,
    expected_calibration_error,
    iou,
    macro_f1,
    mean_estimate,
    per_class,
)
from braintumor_desktop.training.partial_figures import what_it_gives
from braintumor_desktop.training.start import refuse_what_saw_val

COVERAGE = 0.95
NONE = CLASSES.index(TumorClass.NO_TUMOR)
TYPES = 3
KEPT_DIGITS = 6  # of figures in the manifest: shown with three, they must read as the card's do

Array = NDArray[Any]


@dataclass(eq=False)
class Answers:
    """The model's answers to a set of pictures.

    log_p: (n, 4) log-probabilities at temperature 1; truth: (n,) class index, -1 for a tumour of unknown type;
    groups: (n,) `independent_group`; dice, iou: (n,) nan where there is no true mask;
    energy: (n,) share of the heat map inside the true mask; expected_dice: (n,) nan without an outline.
    """

    log_p: Array
    truth: Array
    groups: Array
    dice: Array
    iou: Array
    energy: Array
    expected_dice: Array
    milliseconds: Array


def evaluate(
    data: Path, model: str, out: Path, *, weights: Path | None = None, device: str = "auto", publish: bool = False
) -> str:
    """Evaluate a model; write ``<model>.json``, ``<model>.md`` and plots to `out`; return the summary.

    weights: a training run's weights, evaluated in the half precision they would be shipped in; refused where they saw
    val's patients (data_invalid);
    publish: make them the bundled model's, with the calibration fitted here; without weights, the bundled ones get a
    new calibration.
    """
    trained_as = ARCHITECTURES.get(model)
    if weights is not None and (trained_as is None or not trained_as.reference):  # these learn from the split alone
        refuse_what_saw_val(weights)
    with tempfile.TemporaryDirectory(prefix="braintumor-evaluate-") as temporary:
        folder = Path(temporary) if weights is not None else manifest_path().parent
        row = find_model(model) if weights is None else candidate(model, weights, folder, data)
        raw = Calibration(mask_threshold=row.calibration.mask_threshold)
        network, place = load_network(row, folder), choose_device(device)
        analyzer = Analyzer(network, replace(row, calibration=raw), place)
        rows = read_rows(data)
        of_cheng = [r for r in rows if r.split == "val" and r.source == "cheng"]
        cheng = answers(analyzer, of_cheng)
        web = answers(analyzer, one_a_group([r for r in rows if r.split == "val" and r.source != "cheng"]))
        if not ARCHITECTURES[row.architecture].reference:  # what is outlined depends on how sure it is
            warm = replace(raw, temperature=fit_temperature(*_typed(cheng, web)[:2]))
            analyzer = Analyzer(network, replace(row, calibration=warm), place)
            cheng = replace(answers(analyzer, of_cheng), log_p=cheng.log_p)
        healthy = _tumor_free(analyzer, data)
        gives = ARCHITECTURES[row.architecture]
        figures, calibration = _figures(cheng, web, healthy, types=gives.types)
        figures = what_it_gives(figures, types=gives.types, outlines=gives.outlines)
        calibration = calibration if gives.types else Calibration()
        calibration = replace(calibration, mask_threshold=row.calibration.mask_threshold)
        row = replace(row, calibration=calibration, metrics=_headline(figures), figures=_with_intervals(figures))
        figures["model"] = {"id": row.id, "version": row.version, "sha256": row.sha256}
        out.mkdir(parents=True, exist_ok=True)
        if publish:
            if weights is not None:
                shutil.copyfile(folder / row.file, manifest_path().parent / row.file)
            known = read_manifest() if manifest_path().exists() else {}
            write_manifest(known | {row.id: row}, manifest_path())
    return evaluation_report.write(figures, cheng, web, calibration, out, row.id)


def one_a_group(rows: list[Row]) -> list[Row]:
    """The first picture of each near-duplicate group."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row.group, row)
    return list(first.values())


def answers(analyzer: Analyzer, rows: list[Row]) -> Answers:
    """What the model says of each picture."""
    collected: list[tuple[Any, ...]] = []
    for number, row in enumerate(rows, 1):
        study = load(row.path)
        analysis = analyzer.analyze(study)
        truth = -1 if row.label == TUMOR_UNKNOWN else CLASSES.index(TumorClass(row.label))
        mask = read_grey(row.mask) > 127 if row.mask else None
        expected = None if analysis.segmentation is None else analysis.segmentation.expected_dice
        hoped = float("nan") if expected is None else expected
        collected.append(
            (_log_p(analysis), truth, independent_group(row), *_overlap(analysis, mask), hoped, analysis.timing.total)
        )
        if sys.stderr.isatty() or number == len(rows):
            sys.stderr.write(f"\r{number}/{len(rows)} pictures")
    sys.stderr.write("\n")
    return Answers(*(np.array(column) for column in zip(*collected, strict=True)))


def _log_p(analysis: Analysis) -> Array:
    finding = analysis.finding
    if finding.types_known:
        return np.log(np.array([finding.probabilities[c] for c in CLASSES]) + 1e-12)
    # The tumour as a whole takes the first type's place; figures about types become null.
    return np.log(np.array([finding.tumor_probability, 0, 0, finding.probabilities[TumorClass.NO_TUMOR]]) + 1e-12)


def _overlap(analysis: Analysis, truth: NDArray[np.bool_] | None) -> tuple[float, float, float]:
    if truth is None or analysis.explanation is None:
        return float("nan"), float("nan"), float("nan")
    heat = analysis.explanation.heatmap[0]
    energy = float(heat[truth].sum() / max(float(heat.sum()), 1e-9))
    if analysis.segmentation is None:
        return float("nan"), float("nan"), energy
    predicted = analysis.segmentation.mask[0]
    return dice(predicted, truth), iou(predicted, truth), energy


def _tumor_free(analyzer: Analyzer, data: Path) -> dict[str, dict[str, int]]:
    """Slices called tumour in heads without a tumour that training never saw: counts by series."""
    found: dict[str, dict[str, int]] = {}
    for name, study in healthy_slices(data):
        analysis = analyzer.analyze(study)
        counts = found.setdefault(name, {"slices": 0, "called_tumor": 0, "outlined": 0})
        counts["slices"] += 1
        counts["called_tumor"] += analysis.finding.top_class is not TumorClass.NO_TUMOR
        counts["outlined"] += analysis.segmentation is not None and analysis.segmentation.present
    return found


def healthy_slices(data: Path) -> Iterator[tuple[str, Study]]:
    """(series, slice) of the heads without a tumour that training never saw, without what the headers tell else."""
    for path in sorted((data / "volumes").rglob("*.nii.gz")):
        if path.name.startswith(HELD_OUT_VOLUMES):
            for plane, pixels in volume_slices(path):
                name = f"{path.name.removesuffix('.nii.gz')} {plane}"
                yield name, array_study(pixels, name, InputKind.NIFTI)
    import pydicom

    for file in sorted((data / "dicom" / "t1_series_implicit_le").glob("*.dcm"))[::4]:
        dataset = pydicom.dcmread(file)
        pixels = dataset.pixel_array.astype(np.float32)
        if (pixels > 0.1 * np.percentile(pixels, 99.5)).mean() >= 0.15:
            down, across = map(float, dataset.PixelSpacing)
            yield "t1_series_implicit_le", array_study(pixels, "t1_series_implicit_le", InputKind.NIFTI, (down, across))


def _figures(
    cheng: Answers, web: Answers, healthy: dict[str, dict[str, int]], *, types: bool
) -> tuple[dict[str, Any], Calibration]:
    log_p, truth, groups = _typed(cheng, web)
    crossed, members = cross_fitted(log_p, truth, groups, COVERAGE)
    on_cheng = np.arange(len(truth)) < len(cheng.truth)
    temperature = fit_temperature(log_p, truth) if types else 1.0
    calibrated = with_temperature(log_p, temperature)
    threshold = fit_set_threshold(calibrated, truth, groups, COVERAGE)
    covered, size = members[np.arange(len(truth)), truth], members.sum(1)

    dice_line, dice_estimate = _dice_estimate(cheng)
    figures: dict[str, Any] = {
        "date": date.today().isoformat(),
        "cheng": _cheng_figures(cheng),
        "web": _web_figures(web, temperature),
        "tumor_free": healthy
        | {"all": {k: sum(v[k] for v in healthy.values()) for k in ("slices", "called_tumor", "outlined")}},
        "calibration": {
            "temperature": temperature,
            "set_threshold": threshold,
            "ece": estimate(groups, lambda i: expected_calibration_error(crossed[i], truth[i])),
            "ece_uncalibrated": estimate(groups, lambda i: expected_calibration_error(np.exp(log_p[i]), truth[i])),
            "coverage": mean_estimate(groups, covered),
            "coverage_groups": mean_estimate(*_mean_by_group(covered, groups)),
            "coverage_cheng": mean_estimate(groups[on_cheng], covered[on_cheng]),
            "set_size": mean_estimate(groups, size),
            "set_size_cheng": mean_estimate(groups[on_cheng], size[on_cheng]),
        },
        "dice_estimate": dice_estimate,
        "milliseconds_median": float(np.median(cheng.milliseconds)),
    }
    offset, slope = dice_line
    return figures, Calibration(temperature, threshold, COVERAGE, dice_offset=offset, dice_slope=slope)


def _typed(cheng: Answers, web: Answers) -> tuple[Array, Array, Array]:
    """Log-probabilities, true class and group of all pictures whose class is known, Cheng's first."""
    known = web.truth >= 0
    return (
        np.concatenate([cheng.log_p, web.log_p[known]]),
        np.concatenate([cheng.truth, web.truth[known]]),
        np.concatenate([cheng.groups, web.groups[known]]),
    )


def _mean_by_group(values: Array, groups: Array) -> tuple[Array, Array]:
    """Names of the groups and the mean of each, so that every patient or near-duplicate group weighs the same."""
    names, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return names, np.bincount(inverse, values) / counts


def _dice_estimate(a: Answers) -> tuple[tuple[float, float], dict[str, float] | None]:
    """The line from raw to shown estimates, on all pictures with an outline, and how near it comes, cross-fitted."""
    known = ~np.isnan(a.expected_dice) & ~np.isnan(a.dice)
    if known.sum() < 20:
        return (0.0, 1.0), None
    raw, true = a.expected_dice[known], a.dice[known]
    names, inverse = np.unique(a.groups[known], return_inverse=True)
    shown = np.empty_like(true)
    for part in range(5):
        here = np.arange(len(names))[inverse] % 5 == part
        slope, offset = np.polyfit(raw[~here], true[~here], 1)
        shown[here] = np.clip(offset + slope * raw[here], 0, 1)
    slope, offset = np.polyfit(raw, true, 1)
    return (float(offset), float(slope)), {
        "pictures": int(known.sum()),
        "offset": float(offset),
        "slope": float(slope),
        "mean_absolute_error": float(np.abs(shown - true).mean()),
        "correlation": float(np.corrcoef(shown, true)[0, 1]),
    }


def share_of_patients(a: Answers, known: Array | None = None) -> float:
    """The share of patients whose type is told rightly by the mean of their slices.

    known: (n,) bool, the pictures whose patient is known; None for all.
    """
    truth, said = _by_patient(a, np.ones(len(a.truth), bool) if known is None else known)
    return float((truth == said).mean())


def _by_patient(a: Answers, known: Array) -> tuple[Array, Array]:
    """True and told type of each patient, in the order of their names."""
    p3 = np.exp(a.log_p[known, :TYPES])
    p3 /= p3.sum(1, keepdims=True)
    names, first, inverse = np.unique(a.groups[known], return_index=True, return_inverse=True)
    said = [p3[inverse == k].mean(0).argmax() for k in range(len(names))]
    return a.truth[known][first], np.array(said, dtype=np.int64)


def _cheng_figures(a: Answers) -> dict[str, Any]:
    three, four = a.log_p[:, :TYPES].argmax(1), a.log_p.argmax(1)
    p3 = np.exp(a.log_p[:, :TYPES])
    p3 /= p3.sum(1, keepdims=True)
    patients, inverse = np.unique(a.groups, return_inverse=True)
    patient_truth, by_patient = _by_patient(a, np.ones(len(a.truth), bool))

    return {
        "pictures": len(a.truth),
        "patients": len(patients),
        "macro_f1_3": estimate(a.groups, lambda i: macro_f1(a.truth[i], three[i], TYPES)),
        "accuracy_3": mean_estimate(a.groups, three == a.truth),
        "accuracy_4": mean_estimate(a.groups, four == a.truth),
        "called_tumor": mean_estimate(a.groups, four != NONE),
        "patient_accuracy": mean_estimate(patients, patient_truth == by_patient),
        "patient_confusion": confusion(patient_truth, by_patient, TYPES).tolist(),
        "per_class": dict(zip(CLASSES, per_class(confusion(a.truth, four, 4))[:TYPES], strict=False)),
        "confusion": confusion(a.truth, four, 4).tolist(),
        "auroc": {c: auroc(a.truth == k, p3[:, k]) for k, c in enumerate(CLASSES[:TYPES])},
        "dice": mean_estimate(a.groups, a.dice),
        "iou": mean_estimate(a.groups, a.iou),
        "dice_zero": mean_estimate(a.groups, a.dice == 0),
        "dice_by_class": {c: float(a.dice[a.truth == k].mean()) for k, c in enumerate(CLASSES[:TYPES])},
        "iou_by_class": {c: float(a.iou[a.truth == k].mean()) for k, c in enumerate(CLASSES[:TYPES])},
        "dice_by_patient": mean_estimate(*_mean_by_group(a.dice, a.groups)),
        "heatmap_energy_in_true_mask": mean_estimate(a.groups, a.energy),
        "worst_patients": _worst(a, three, patients, inverse),
    }


def _worst(a: Answers, three: Array, patients: Array, inverse: Array) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "patient": str(name),
            "type": CLASSES[int(a.truth[inverse == k][0])],
            "slices": int((inverse == k).sum()),
            "accuracy": float((three == a.truth)[inverse == k].mean()),
            "dice": float(a.dice[inverse == k].mean()),
        }
        for k, name in enumerate(patients)
    ]
    return sorted(rows, key=lambda r: r["accuracy"] + np.nan_to_num(r["dice"]))[:5]


def _web_figures(a: Answers, temperature: float) -> dict[str, Any]:
    tumor, score = a.truth != NONE, 1 - with_temperature(a.log_p, temperature)[:, NONE]
    known = a.truth >= 0
    truth, said = a.truth[known], a.log_p[known].argmax(1)
    types = a.groups[known]
    return {
        "pictures": len(tumor),
        "auroc_tumor": estimate(a.groups, lambda i: auroc(tumor[i], score[i])),
        "macro_f1_4": estimate(types, lambda i: macro_f1(truth[i], said[i], 4)),
        "accuracy_4": mean_estimate(types, truth == said),
        "sensitivity": mean_estimate(a.groups[tumor], score[tumor] > 0.5),
        "specificity": mean_estimate(a.groups[~tumor], score[~tumor] <= 0.5),
        "per_class": dict(zip(CLASSES, per_class(confusion(truth, said, 4)), strict=True)),
        "confusion": confusion(truth, said, 4).tolist(),
    }


def _headline(figures: dict[str, Any]) -> dict[str, float]:
    """The few figures that stand in the manifest and on every report."""
    cheng, web, healthy = figures["cheng"], figures["web"], figures["tumor_free"]["all"]
    chosen = {
        "Cheng val macro-F1 (3 types)": cheng["macro_f1_3"]["value"],
        "Cheng val accuracy (3 types)": cheng["accuracy_3"]["value"],
        "Cheng val mean Dice": cheng["dice"]["value"],
        "Web val AUROC tumour/none": web["auroc_tumor"]["value"],
        "Web val macro-F1 (4 classes)": web["macro_f1_4"]["value"],
        "Tumour-free slices called tumour": healthy["called_tumor"] / max(healthy["slices"], 1),
    }
    return {name: round(float(value), KEPT_DIGITS) for name, value in chosen.items() if value is not None}


def _with_intervals(figures: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """The figures that the program shows of a model."""
    cheng, web, sure = figures["cheng"], figures["web"], figures["calibration"]
    healthy = figures["tumor_free"]["all"]
    chosen = {
        "Accuracy of three types, Cheng val": cheng["accuracy_3"],
        "Macro-F1 of three types, Cheng val": cheng["macro_f1_3"],
        "Accuracy by patient, Cheng val": cheng["patient_accuracy"],
        "Slices called tumour, Cheng val": cheng["called_tumor"],
        "Mean Dice, Cheng val": cheng["dice"],
        "Slices whose outline misses (Dice 0), Cheng val": cheng["dice_zero"],
        "AUROC of tumour against none, web val": web["auroc_tumor"],
        "Macro-F1 of four classes, web val": web["macro_f1_4"],
        "Tumour-free slices called tumour": {"value": healthy["called_tumor"] / max(healthy["slices"], 1)},
        "Expected calibration error": sure["ece"],
        "Coverage of prediction sets, nominal 0.95": sure["coverage_groups"],
        "Mean size of prediction sets": sure["set_size"],
    }
    return {
        name: {
            end: None if f.get(end) is None else round(float(f[end]), KEPT_DIGITS) for end in ("value", "low", "high")
        }
        for name, f in chosen.items()
        if f["value"] is not None
    }
