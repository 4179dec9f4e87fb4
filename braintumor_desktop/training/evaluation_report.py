"""The evaluation as a page, a JSON file and plots. No patient image is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from braintumor_desktop.domain.findings import CLASS_TITLES, CLASSES
from braintumor_desktop.models.manifest import Calibration
from braintumor_desktop.training.calibration import with_temperature
from braintumor_desktop.training.metrics import auroc, roc_curve
from braintumor_desktop.training.partial_figures import dashed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from braintumor_desktop.training.evaluate import Answers

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"  # Okabe and Ito's colour-blind-safe set


def write(figures: dict[str, Any], cheng: Answers, web: Answers, calibration: Calibration, out: Path, name: str) -> str:
    """Write ``<name>.json``, ``<name>.md`` and ``<name>.png`` to `out`; return the page."""
    (out / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    _plots(figures, cheng, web, calibration, out / f"{name}.png")
    page = _page(dashed(figures), name)
    (out / f"{name}.md").write_text(page, encoding="utf-8")
    return page


def _page(f: dict[str, Any], name: str) -> str:
    c, w, cal, free = f["cheng"], f["web"], f["calibration"], f["tumor_free"]
    lines = [
        f"# Evaluation of `{name}` {f['model']['version']}",
        "",
        f"Made by `braintumor evaluate` on {f['date']}; weights SHA-256 `{f['model']['sha256']}`.",
        "Every figure is on pictures that training never saw, through the same Analyzer as the program.",
        "What was chosen after seeing them stands in the model card. Temperature and prediction sets are",
        "fitted on them, and their figures here are cross-fitted: each patient is judged with a fit on other",
        "patients. All figures are of single slices. The rule for whole series has thresholds that were set",
        "looking at these patients and the heads without a tumour below; it plays no part in any figure here.",
        "Intervals are 95 % bootstrap intervals over patients (near-duplicate groups for web pictures).",
        "",
        f"## Cheng val: {c['pictures']} slices of {c['patients']} patients",
        "",
        *_with_intervals(
            c,
            (
                ("macro-F1, three types", "macro_f1_3"),
                ("accuracy, three types", "accuracy_3"),
                ("accuracy, four classes (no tumour is a miss)", "accuracy_4"),
                ("slices called tumour", "called_tumor"),
                ("Dice, mean of slices", "dice"),
                ("IoU, mean of slices", "iou"),
                ("slices with Dice 0", "dice_zero"),
                ("accuracy by patient (mean of slices)", "patient_accuracy"),
                ("Dice, mean of patients", "dice_by_patient"),
                ("heat-map energy inside the true mask", "heatmap_energy_in_true_mask"),
            ),
        ),
        "",
        "| type | precision | recall | F1 | slices | AUROC | Dice | IoU |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {CLASS_TITLES[k]} | {v['precision']:.3f} | {v['recall']:.3f} | {v['f1']:.3f} | {v['support']:.0f} "
            f"| {c['auroc'][k]:.3f} | {c['dice_by_class'][k]:.3f} | {c['iou_by_class'][k]:.3f} |"
            for k, v in c["per_class"].items()
        ),
        "",
        *_table(c["confusion"], "slices"),
        "Worst patients (accuracy and Dice together):",
        "",
        "| patient | type | slices | accuracy | Dice |",
        "|---|---|---|---|---|",
        *(
            f"| {r['patient']} | {r['type']} | {r['slices']} | {r['accuracy']:.2f} | {r['dice']:.2f} |"
            for r in (c["worst_patients"] if isinstance(c["worst_patients"], list) else [])
        ),
        "",
        f"## Web val: {w['pictures']} pictures, one a group",
        "",
        *_with_intervals(
            w,
            (
                ("AUROC tumour against none", "auroc_tumor"),
                ("macro-F1, four classes", "macro_f1_4"),
                ("accuracy, four classes", "accuracy_4"),
                ("sensitivity: P(tumour) > 0.5", "sensitivity"),
                ("specificity: P(tumour) at most 0.5", "specificity"),
            ),
        ),
        "",
        *_table(w["confusion"], "pictures of known type"),
        "## Heads without a tumour, subjects never seen in training",
        "",
        "| series | slices | called tumour | lesion outlined |",
        "|---|---|---|---|",
        *(f"| {k} | {v['slices']} | {v['called_tumor']} | {v['outlined']} |" for k, v in free.items()),
        "",
        "## Calibration (cross-fitted)",
        "",
        f"Temperature {cal['temperature']:.3f}. Prediction sets are at a nominal 95 % of patients and groups.",
        "",
        *_with_intervals(
            cal,
            (
                ("expected calibration error, 15 bins", "ece"),
                ("the same before calibration", "ece_uncalibrated"),
                ("coverage of sets, each patient or group weighing the same", "coverage_groups"),
                ("coverage of pictures", "coverage"),
                ("coverage on Cheng val", "coverage_cheng"),
                ("mean size of sets", "set_size"),
                ("mean size on Cheng val", "set_size_cheng"),
            ),
        ),
        "",
        f"Median time a picture on the machine that evaluated: {f['milliseconds_median']:.0f} ms.",
        "",
        f"![Confusion, ROC, reliability and Dice]({name}.png)",
        "",
    ]
    return "\n".join(lines)


def _with_intervals(figures: dict[str, Any], titles: tuple[tuple[str, str], ...]) -> list[str]:
    """The table of some of the figures. titles: title and key of each row."""
    rows = [(title, figures[key]) for title, key in titles]
    head = ["| figure | value | 95 % interval |", "|---|---|---|"]
    return head + [f"| {title} | {f['value']:.3f} | {f['low']:.3f} – {f['high']:.3f} |" for title, f in rows]


def _table(counts: list[list[int]], unit: str) -> list[str]:
    if not isinstance(counts, list):
        return []
    titles = [CLASS_TITLES[k] for k in CLASSES]
    rows = [f"| {t} | " + " | ".join(map(str, row)) + " |" for t, row in zip(titles, counts, strict=True) if sum(row)]
    return [f"| {unit}: truth, then answer | " + " | ".join(titles) + " |", "|---" * 5 + "|", *rows, ""]


def _plots(figures: dict[str, Any], cheng: Answers, web: Answers, calibration: Calibration, path: Path) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(11, 9.5), layout="constrained")
    types, outlines = bool(figures["cheng"]["confusion"]), figures["cheng"]["dice"]["value"] is not None
    if types:
        _confusion(axes[0, 0], np.array(figures["cheng"]["confusion"]))
        _reliability(axes[1, 0], cheng, web, calibration)
    _roc(axes[0, 1], cheng, web, calibration.temperature, types=types)
    if outlines:
        _dice(axes[1, 1], cheng)
    for axis, given in ((axes[0, 0], types), (axes[1, 0], types), (axes[1, 1], outlines)):
        if not given:
            _not_given(axis)
    figure.savefig(path, dpi=90, metadata={"Software": ""})
    plt.close(figure)


def _confusion(axis: Axes, table: Any) -> None:
    rows = table[:3]
    axis.imshow(rows / np.maximum(rows.sum(1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    titles = [CLASS_TITLES[k] for k in CLASSES]
    axis.set_xticks(range(4), titles)
    axis.set_yticks(range(3), titles[:3])
    for r, row in enumerate(rows):
        for k, count in enumerate(row):
            axis.text(k, r, str(count), ha="center", va="center", color="white" if count > row.sum() / 2 else "black")
    axis.set(xlabel="answer", ylabel="truth", title="Cheng val, slices")


def _not_given(axis: Axes) -> None:
    axis.text(0.5, 0.5, "not given by this model", ha="center", color=GREY, transform=axis.transAxes)
    axis.set_axis_off()


def _roc(axis: Axes, cheng: Answers, web: Answers, temperature: float, *, types: bool) -> None:
    p = np.exp(cheng.log_p[:, :3])
    p /= p.sum(1, keepdims=True)
    curves = [(CLASS_TITLES[c], cheng.truth == k, p[:, k]) for k, c in enumerate(CLASSES[:3]) if types]
    curves.append(("Tumour / none, web val", web.truth != 3, 1 - with_temperature(web.log_p, temperature)[:, 3]))
    for (title, positive, score), colour in zip(curves, (BLUE, ORANGE, GREEN, "black")[-len(curves) :], strict=True):
        axis.plot(*roc_curve(positive, score), color=colour, label=f"{title} ({auroc(positive, score):.3f})")
    axis.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls=":")
    axis.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC (area)")
    axis.legend(loc="lower right", fontsize=8)


def _reliability(axis: Axes, cheng: Answers, web: Answers, calibration: Calibration) -> None:
    log_p = np.concatenate([cheng.log_p, web.log_p[web.truth >= 0]])
    truth = np.concatenate([cheng.truth, web.truth[web.truth >= 0]])
    for title, p, colour in (
        ("uncalibrated", np.exp(log_p), GREY),
        ("calibrated (fitted on the same pictures)", with_temperature(log_p, calibration.temperature), BLUE),
    ):
        confidence, right = p.max(1), p.argmax(1) == truth
        which = np.minimum((confidence * 15).astype(int), 14)
        used = [b for b in range(15) if (which == b).sum() >= 5]
        axis.plot(
            [confidence[which == b].mean() for b in used],
            [right[which == b].mean() for b in used],
            marker="o",
            ms=4,
            color=colour,
            label=title,
        )
    axis.plot([0.2, 1], [0.2, 1], color="black", lw=0.8, ls=":")
    axis.set(xlabel="confidence", ylabel="share right", title="Reliability, Cheng and web val (bins of 5 or more)")
    axis.legend(fontsize=8)


def _dice(axis: Axes, cheng: Answers) -> None:
    titles = [CLASS_TITLES[k] for k in CLASSES[:3]]
    axis.boxplot([cheng.dice[cheng.truth == k] for k in range(3)], tick_labels=titles, showmeans=True)
    axis.set(ylabel="Dice", title="Outline against the true mask, Cheng val slices", ylim=(-0.02, 1.02))
