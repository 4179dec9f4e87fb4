"""The figures: F1, AUROC, Dice, calibration, and intervals by resampling patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def dice(predicted: Array, truth: Array) -> float:
    """Dice coefficient of two bool masks of the same shape; 1 where both are empty."""
    total = int(predicted.sum()) + int(truth.sum())
    return 1.0 if total == 0 else 2 * int((predicted & truth).sum()) / total


def iou(predicted: Array, truth: Array) -> float:
    """Intersection over union of two bool masks; 1 where both are empty."""
    union = int((predicted | truth).sum())
    return 1.0 if union == 0 else int((predicted & truth).sum()) / union


def confusion(truth: Array, predicted: Array, classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts, truth along rows."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (truth, predicted), 1)
    return table


def per_class(table: Array) -> list[dict[str, float]]:
    """Precision, recall, F1 and support of each class of a confusion matrix; 0 where undefined."""
    result = []
    for k in range(len(table)):
        hit, said, there = float(table[k, k]), float(table[:, k].sum()), float(table[k].sum())
        precision, recall = (hit / said if said else 0.0), (hit / there if there else 0.0)
        f1 = 2 * hit / (said + there) if said + there else 0.0
        result.append({"precision": precision, "recall": recall, "f1": f1, "support": there})
    return result


def macro_f1(truth: Array, predicted: Array, classes: int) -> float:
    """Unweighted mean of the F1 of the classes that are there or were said.

    Predictions outside 0..classes-1 count as misses.
    """
    size = max(classes, int(predicted.max()) + 1 if len(predicted) else 0)
    table = confusion(truth, predicted, size)
    met = (table.sum(0) + table.sum(1))[:classes] > 0
    return float(np.mean([c["f1"] for c in np.array(per_class(table))[:classes][met]]))


def auroc(positive: Array, score: Array) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney U), ties counted half; nan where a class is absent."""
    positive = np.asarray(positive, bool)
    n, m = int(positive.sum()), int((~positive).sum())
    if n == 0 or m == 0:
        return float("nan")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def roc_curve(positive: Array, score: Array) -> tuple[Array, Array]:
    """False and true positive rates at every threshold, from (0, 0) to (1, 1)."""
    order = np.argsort(-np.asarray(score), kind="stable")
    hits = np.asarray(positive, bool)[order]
    last = np.r_[np.diff(np.asarray(score)[order]) != 0, True]
    tpr, fpr = np.cumsum(hits)[last] / max(hits.sum(), 1), np.cumsum(~hits)[last] / max((~hits).sum(), 1)
    return np.r_[0.0, fpr], np.r_[0.0, tpr]


def expected_calibration_error(probabilities: Array, truth: Array, bins: int = 15) -> float:
    """Confidence against accuracy in equal bins (Guo et al., ICML 2017). probabilities: (n, classes)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[which == b].mean() - right[which == b].mean()) * (which == b).mean()
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


def estimate(groups: Sequence[str] | Array, figure: Callable[[Array], float]) -> dict[str, float]:
    """A figure with its `interval`: ``value``, ``low`` and ``high``. figure: of row indices."""
    low, high = interval(groups, figure)
    return {"value": float(figure(np.arange(len(groups)))), "low": low, "high": high}


def mean_estimate(groups: Sequence[str] | Array, values: Sequence[float] | Array) -> dict[str, float]:
    """The mean of the rows' values with its interval. Rows of nan are left out; nan where no other is left."""
    column = np.asarray(values, float)
    known = ~np.isnan(column)

    def mean(rows: Array) -> float:
        rows = rows[known[rows]]
        return float(column[rows].mean()) if len(rows) else float("nan")

    return estimate(groups, mean)


def interval(
    groups: Sequence[str] | Array, figure: Callable[[Array], float], *, rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile bootstrap over groups (patients): `figure` gets row indices, drawn group by group.

    nan where no draw gives a number.
    """
    _, inverse = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(inverse == g) for g in range(inverse.max() + 1)]
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(rounds):
        drawn = rng.integers(0, len(members), len(members))
        values.append(figure(np.concatenate([members[g] for g in drawn])))
    if np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return float(low), float(high)
