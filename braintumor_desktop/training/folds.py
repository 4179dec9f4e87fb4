"""Cross-validation on the official folds of the Cheng pictures: a network a fold, judged on patients it never saw.

And what taking lesions out and putting them in during training is worth: the same fold with and without.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop import __version__
from braintumor_desktop.domain.findings import CLASSES, TumorClass
from braintumor_desktop.domain.study import Study
from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.inference.device import choose_device
from braintumor_desktop.inference.preprocess import find_frame, normalise, pixel_ratio, resample
from braintumor_desktop.models.loading import load_network
from braintumor_desktop.models.manifest import Calibration, find_model
from braintumor_desktop.training.augment import remove_lesion, transplant
from braintumor_desktop.training.candidate import candidate
from braintumor_desktop.training.data import (
    FOLDS,
    PACK_SIZE,
    Row,
    array_study,
    frame_row,
    independent_group,
    read_rows,
)
from braintumor_desktop.training.evaluate import (
    NONE,
    TYPES,
    answers,
    healthy_slices,
    one_a_group,
    share_of_patients,
)
from braintumor_desktop.training.metrics import auroc, confusion, macro_f1
from braintumor_desktop.training.start import refuse_what_saw_the_folds

ABLATION = "without-lesion-edits"
"""Folder, beside the folds' own figures, of those of networks trained with ``--without-lesion-edits``."""

EVERY = 3
"""Every so many of the fold's pictures and of the tumour-free slices have a lesion taken out or put in."""

Image = NDArray[np.float32]


def evaluate_fold(data: Path, weights: Path, fold: int, out: Path, *, device: str = "auto") -> str:
    """Judge a network that was trained without `fold` on it; write ``neuro-fold-N.json`` to `out`, return it.

    Its temperature is the bundled network's, as it has no pictures of its own to fit one on; `fold` is 1..5. Web
    pictures and tumour-free heads are those that no network saw. Patients are known of val pictures only. Raises
    BrainTumorError (data_invalid) where the weights may have seen the fold.
    """
    refuse_what_saw_the_folds(weights, [fold])
    everything = read_rows(data)
    rows = [r for r in everything if r.source == "cheng" and r.fold == fold and r.split != "twin"]
    others = one_a_group([r for r in everything if r.split == "val" and r.source != "cheng"])
    with tempfile.TemporaryDirectory(prefix="braintumor-fold-") as temporary:
        folder = Path(temporary)
        row = candidate("neuro", weights, folder, None)
        row = replace(row, calibration=Calibration(temperature=find_model("neuro").calibration.temperature))
        analyzer = Analyzer(load_network(row, folder), row, choose_device(device))
        found, web = answers(analyzer, rows), answers(analyzer, others)
        healthy = [study for _, study in healthy_slices(data)]
        pairs = list(_taken_out(rows[::EVERY]))
        three = found.log_p[:, :TYPES].argmax(axis=1)
        tumor, known = web.truth != NONE, web.truth >= 0
        figures: dict[str, Any] = {
            "fold": fold,
            "version": __version__,
            "slices": len(rows),
            "accuracy_3": float((three == found.truth).mean()),
            "macro_f1_3": float(macro_f1(found.truth, three, TYPES)),
            "dice": float(found.dice.mean()),
            "dice_zero": float((found.dice == 0).mean()),
            "dice_by_class": {CLASSES[k]: float(found.dice[found.truth == k].mean()) for k in np.unique(found.truth)},
            "confusion": confusion(found.truth, found.log_p.argmax(axis=1), TYPES + 1).tolist(),
            "patients_known": len({independent_group(r) for r in rows if r.patient}),
            "patient_accuracy": share_of_patients(found, np.array([bool(r.patient) for r in rows])),
            "called_tumor": float((found.log_p.argmax(axis=1) != NONE).mean()),
            "web_auroc": float(auroc(tumor, 1 - np.exp(web.log_p[:, NONE]))),
            "web_macro_f1_4": float(macro_f1(web.truth[known], web.log_p[known].argmax(axis=1), TYPES + 1)),
            "tumor_free": _called_tumor(analyzer, healthy),
            "lesion_there": _called_tumor(analyzer, (array_study(there) for there, _ in pairs)),
            "lesion_taken_out": _called_tumor(analyzer, (array_study(gone) for _, gone in pairs)),
            "lesion_put_in": _called_tumor(analyzer, map(array_study, _put_in(healthy[::EVERY], rows))),
        }
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=1) + "\n"
    (out / f"neuro-fold-{fold}.json").write_text(text, encoding="utf-8")
    return text


def _called_tumor(analyzer: Analyzer, studies: Iterable[Study]) -> dict[str, int]:
    said = [analyzer.analyze(study).finding.top_class is not TumorClass.NO_TUMOR for study in studies]
    return {"slices": len(said), "called_tumor": sum(said)}


def _taken_out(rows: list[Row]) -> Iterator[tuple[Image, Image]]:
    """Each framed picture and the same without its lesion, where tissue to cover it was found."""
    for number, row in enumerate(rows):
        picture, region = _floats(row)
        without = remove_lesion(picture, region, np.random.default_rng([number, 1]))
        if without is not None:
            yield 255 * picture, 255 * without


def _put_in(heads: list[Study], rows: list[Row]) -> Iterator[Image]:
    """Tumour-free heads, each with a lesion of the rows' patients, where it fits."""
    donors = cycle(rows[:: max(len(rows) // max(len(heads), 1), 1)])
    for number, (head, donor) in enumerate(zip(heads, donors, strict=False)):
        pixels, ratio = head.pixels[0], pixel_ratio(head.geometry.pixel_spacing_mm)
        host = normalise(resample(pixels, find_frame(pixels, ratio=ratio), PACK_SIZE))
        grown = transplant(host, *_floats(donor), np.random.default_rng([number, 2]))
        if grown is not None:
            yield 255 * grown[0]


def _floats(row: Row) -> tuple[Image, Image]:
    image, region, *_ = frame_row(row)
    return image.astype(np.float32) / np.float32(255), (region > 0).astype(np.float32)


def read_folds(out: Path) -> list[dict[str, Any]]:
    """The figures of the folds that were judged so far, by fold."""
    files = (out / f"neuro-fold-{fold}.json" for fold in FOLDS)
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()]


def folds_table(folds: list[dict[str, Any]]) -> str:
    """A table of the folds with mean and standard deviation (n - 1), or a sentence without any."""
    if not folds:
        return "Not measured yet."
    names = {
        "accuracy_3": "accuracy",
        "macro_f1_3": "macro-F1",
        "dice": "Dice",
        "dice_zero": "Dice 0",
        "called_tumor": "called tumour",
        "patient_accuracy": "accuracy by patient, where known",
        "web_auroc": "web AUROC",
        "web_macro_f1_4": "web macro-F1",
    }
    heads = ("fold", "slices", "patients known", *names.values(), "tumour-free slices called tumour")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for each in folds:
        shown = " | ".join(f"{each[k]:.3f}" for k in names)
        free = f"{each['tumor_free']['called_tumor']} of {each['tumor_free']['slices']}"
        lines.append(f"| {each['fold']} | {each['slices']} | {each['patients_known']} | {shown} | {free} |")
    if len(folds) > 1:
        values = {k: np.array([each[k] for each in folds]) for k in names}
        shown = " | ".join(f"{v.mean():.3f} ± {v.std(ddof=1):.3f}" for v in values.values())
        slices, patients = (sum(each[k] for each in folds) for k in ("slices", "patients_known"))
        free = " | ".join([shown, f"{np.mean([each['tumor_free']['called_tumor'] for each in folds]):.1f}"])
        lines.append(f"| mean ± sd | {slices} | {patients} | {free} |")
    return "\n".join(lines)


def ablation_table(out: Path) -> str:
    """The folds judged both ways, with lesions taken out and put in during training and without."""
    ways = {"yes": read_folds(out), "no": read_folds(out / ABLATION)}
    both = {each["fold"] for each in ways["yes"]} & {each["fold"] for each in ways["no"]}
    if not both:
        return "Not measured yet."
    heads = (
        "fold",
        "lesions edited in training",
        "accuracy",
        "macro-F1",
        "Dice",
        "web AUROC",
        "tumour-free slices called tumour",
        "called tumour, lesion there",
        "lesion taken out",
        "lesion put in",
    )
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for fold in sorted(both):
        for edited, found in ways.items():
            each = next(figures for figures in found if figures["fold"] == fold)
            shares = (f"{each[k]:.3f}" for k in ("accuracy_3", "macro_f1_3", "dice", "web_auroc"))
            called = (
                f"{each[k]['called_tumor']} of {each[k]['slices']}"
                for k in ("tumor_free", "lesion_there", "lesion_taken_out", "lesion_put_in")
            )
            lines.append("| " + " | ".join([str(fold), edited, *shares, *called]) + " |")
    return "\n".join(lines)
