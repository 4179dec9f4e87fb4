"""Cross-validation on the official folds of the Cheng pictures: a network a fold, judged on patients it never saw."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.inference.device import choose_device
from braintumor_desktop.models.loading import load_network
from braintumor_desktop.training.candidate import candidate
from braintumor_desktop.training.data import FOLDS, read_rows
from braintumor_desktop.training.evaluate import TYPES, answers
from braintumor_desktop.training.metrics import macro_f1


def evaluate_fold(data: Path, weights: Path, fold: int, out: Path, *, device: str = "auto") -> str:
    """Judge a network that was trained without `fold` on it; write ``neuro-fold-N.json`` to `out`, return it.

    Nothing is calibrated; `fold` is 1..5.
    """
    rows = [r for r in read_rows(data) if r.source == "cheng" and r.fold == fold]
    with tempfile.TemporaryDirectory(prefix="braintumor-fold-") as temporary:
        folder = Path(temporary)
        row = candidate("neuro", weights, folder, None)
        found = answers(Analyzer(load_network(row, folder), row, choose_device(device)), rows)
    three = found.log_p[:, :TYPES].argmax(axis=1)
    figures: dict[str, Any] = {
        "fold": fold,
        "slices": len(rows),
        "accuracy_3": float((three == found.truth).mean()),
        "macro_f1_3": float(macro_f1(found.truth, three, TYPES)),
        "dice": float(found.dice.mean()),
        "dice_zero": float((found.dice == 0).mean()),
        "called_tumor": float((found.log_p.argmax(axis=1) < TYPES).mean()),
    }
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=1) + "\n"
    (out / f"neuro-fold-{fold}.json").write_text(text, encoding="utf-8")
    return text


def read_folds(out: Path) -> list[dict[str, Any]]:
    """The figures of the folds that were judged so far, by fold."""
    files = (out / f"neuro-fold-{fold}.json" for fold in FOLDS)
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()]


def folds_table(folds: list[dict[str, Any]]) -> str:
    """A table of the folds with mean and standard deviation (n - 1), or a sentence where there is none."""
    if not folds:
        return "Not measured yet."
    names = {"accuracy_3": "accuracy", "macro_f1_3": "macro-F1", "dice": "Dice", "dice_zero": "Dice 0"}
    lines = ["| fold | slices | " + " | ".join(names.values()) + " |", "|---" * (2 + len(names)) + "|"]
    for each in folds:
        lines.append(f"| {each['fold']} | {each['slices']} | " + " | ".join(f"{each[k]:.3f}" for k in names) + " |")
    if len(folds) > 1:
        values = {k: np.array([each[k] for each in folds]) for k in names}
        shown = " | ".join(f"{v.mean():.3f} ± {v.std(ddof=1):.3f}" for v in values.values())
        lines.append(f"| mean ± sd | {sum(each['slices'] for each in folds)} | {shown} |")
    return "\n".join(lines)
