"""All models under stress, as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

Found = Mapping[str, Mapping[str, Any]]

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#000000")
"""Okabe and Ito's, safe for colour-blind readers."""

MARKERS = "osD^vX"


def plot_stress(found: Found, path: Path) -> None:
    """Accuracy of the three types of each model under each change, and Dice of those that outline, as a PNG."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figures = (("accuracy_3", "Accuracy, three types"), ("dice", "Dice"))
    changes = list(next(iter(found.values()))["stress"])
    figure, axes = plt.subplots(1, 2, figsize=(11, 0.32 * len(changes) + 1.6), sharey=True, layout="constrained")
    for (key, title), axis in zip(figures, axes, strict=True):
        for number, (model, each) in enumerate(found.items()):
            if each["stress"][changes[0]][key] is None:
                continue
            values = [each["stress"][change][key]["value"] for change in changes]
            shape = {"marker": MARKERS[number % 6], "color": COLOURS[number % 6], "ms": 5, "lw": 0}
            axis.plot(values, range(len(changes)), label=model, **shape)
            axis.axvline(values[0], color=COLOURS[number % 6], lw=0.6, ls=":")
        axis.set(title=title, xlim=(0, 1.02))
        axis.grid(axis="y", lw=0.3)
        if axis.get_lines():
            axis.legend(fontsize=8, loc="upper left")
    axes[0].set_yticks(range(len(changes)), changes)
    axes[0].invert_yaxis()
    figure.savefig(path, dpi=90, metadata={"Software": ""})
    plt.close(figure)
