"""The comparison as tables: a page of its own, and the marked tables of the model card."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.inference.cam_methods import CAM_TITLES, CamMethod

Found = Mapping[str, Mapping[str, Any]]
NOT_GIVEN = "—"


def write(found: Found, out: Path) -> str:
    """Write ``comparison.md`` to `out`; return it. found: as `comparison.compare` collects it, by model."""
    parts = [
        "# All models on the same patients",
        "",
        "Made by `braintumor evaluate --all`, on pictures that training never saw. — : the model can't say.",
        "",
    ]
    for title, table in TABLES.values():
        parts += [f"## {title}", "", table(found), ""]
    page = "\n".join(parts)
    (out / "comparison.md").write_text(page, encoding="utf-8")
    return page


def fill(card: Path, found: Found, more: Mapping[str, str]) -> None:
    """Write the tables, and `more` of them by name, anew between ``<!-- table: NAME -->`` and ``<!-- end -->``.

    Raises BrainTumorError (data_invalid) for a name that no table has.
    """

    def made(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in TABLES and name not in more:
            raise BrainTumorError(
                ErrorCode.DATA_INVALID, f"{card.name} wants a table {name!r} that isn't made.", "Correct its mark."
            )
        table = more[name] if name in more else TABLES[name][1](found)
        return f"<!-- table: {name} -->\n{table}\n<!-- end -->"

    marked = re.compile(r"<!-- table: (?P<name>[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)
    card.write_text(marked.sub(made, card.read_text(encoding="utf-8")), encoding="utf-8")


def _shown(value: float | None, decimals: int = 3, scale: float = 1.0) -> str:
    return NOT_GIVEN if value is None else f"{value * scale:.{decimals}f}"


def _between(value: Mapping[str, float | None], decimals: int = 3) -> str:
    if value["value"] is None:
        return NOT_GIVEN
    return f"{_shown(value['value'], decimals)} ({_shown(value['low'], decimals)}–{_shown(value['high'], decimals)})"


def _rows(head: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def _accuracy(found: Found) -> str:
    rows = []
    for model, each in found.items():
        f = each["figures"]
        cheng, web, free = f["cheng"], f["web"], f["tumor_free"]["all"]
        rows.append(
            [
                f"`{model}`",
                _between(cheng["accuracy_3"]),
                _between(cheng["macro_f1_3"]),
                _between(cheng["dice"]),
                _shown(cheng["dice_zero"]["value"], 1, 100) + (" %" if cheng["dice_zero"]["value"] is not None else ""),
                _shown(cheng["patient_accuracy"]),
                _between(web["auroc_tumor"]),
                _between(web["macro_f1_4"]),
                f"{free['called_tumor']} of {free['slices']}",
            ]
        )
    head = ["model", "Cheng val accuracy", "macro-F1", "Dice", "Dice 0", "accuracy by patient"]
    return _rows([*head, "web val AUROC", "web val macro-F1", "tumour-free slices called tumour"], rows)


def _cost(found: Found) -> str:
    rows = []
    for model, each in found.items():
        c = each["cost"]
        rows.append(
            [
                f"`{model}`",
                f"{c['parameters']:,}",
                f"{c['gmac']:.2f}",
                f"{c['file_bytes'] / 1e6:.1f}",
                f"{each['cost']['milliseconds_median']:.0f}",
                f"{c['peak_memory_bytes'] / 1e6:.0f}",
            ]
        )
    return _rows(["model", "parameters", "GMAC", "file (MB)", "a picture (ms)", "peak memory (MB)"], rows)


def _training(found: Found) -> str:
    """What each network was trained on; the references' epochs, too, as their runs recorded them."""
    return _rows(["model", "trained on"], [[f"`{model}`", str(each["trained"])] for model, each in found.items()])


def _stress(found: Found) -> str:
    names = list(found)
    titles = list(next(iter(found.values()))["stress"])
    rows = []
    for title in titles:
        cells = [found[model]["stress"][title] for model in names]
        mild = "mild" if cells[0]["mild"] else "strong"
        rows.append([title, mild, *(f"{_shown(c['accuracy_3'])} / {_shown(c['dice'])}" for c in cells)])
    return _rows(["accuracy of three types / Dice", "", *(f"`{model}`" for model in names)], rows)


def _explanations(found: Found) -> str:
    rows = [
        [f"`{model}`", CAM_TITLES[CamMethod(method)], *(_shown(v[k]) for k in ("pointing", "energy", "iou_at_otsu"))]
        for model, each in found.items()
        for method, v in each["explanations"].items()
    ]
    return _rows(["model", "method", "pointing game", "energy inside the mask", "IoU at Otsu"], rows)


def _strangers(found: Found) -> str:
    rows = []
    for model, each in found.items():
        seen = each["strangers"]
        if seen is None:
            continue
        rows.append([f"`{model}`", "all strangers against all brains", "", f"AUROC {seen['auroc']:.4f}", ""])
        for side in ("brains", "strangers"):
            for kind, v in seen[side].items():
                flagged = f"{100 * v['flagged']:.1f} %"
                rows.append([f"`{model}`", kind, str(v["pictures"]), flagged, f"{v['median']:.2f}"])
    return _rows(["model", "pictures", "number", "flagged as unfamiliar", "median score"], rows)


def _sequences(found: Found) -> str:
    rows = [
        [f"`{model}`", kind, str(v["pictures"]), f"{100 * v['warned']:.0f} %"]
        for model, each in found.items()
        for kind, v in (each["sequences"] or {}).items()
    ]
    return _rows(["model", "pictures", "number", "warned: looks like T2, FLAIR or CT"], rows)


def _calibration(found: Found) -> str:
    rows = []
    for model, each in found.items():
        c, estimate = each["figures"]["calibration"], each["figures"].get("dice_estimate") or {}
        rows.append(
            [
                f"`{model}`",
                _shown(c["temperature"]),
                f"{_shown(c['ece_uncalibrated'])} → {_shown(c['ece'])}",
                _shown(c["coverage"]),
                _shown(c["set_size"], 2),
                f"{_shown(c['coverage_cheng'])}, {_shown(c['set_size_cheng'], 2)}",
                f"{_shown(estimate.get('mean_absolute_error'))}, {_shown(estimate.get('correlation'), 2)}",
            ]
        )
    head = ["model", "temperature", "ECE before → after", "coverage of sets", "mean size", "on Cheng val"]
    return _rows([*head, "expected Dice: mean error, correlation"], rows)


TABLES: Mapping[str, tuple[str, Callable[[Found], str]]] = {
    "accuracy": ("Accuracy, with 95 % intervals over patients", _accuracy),
    "cost": ("Cost", _cost),
    "training": ("Training", _training),
    "calibration": ("Calibration", _calibration),
    "stress": ("Under stress", _stress),
    "explanations": ("Heat maps on Cheng val", _explanations),
    "strangers": ("Strangers", _strangers),
    "sequences": ("Sequences", _sequences),
}
