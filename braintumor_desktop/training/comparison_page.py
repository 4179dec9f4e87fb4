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


def _percent(value: Mapping[str, float | None]) -> str:
    if value["value"] is None:
        return NOT_GIVEN
    return f"{_shown(value['value'], 1, 100)} % ({_shown(value['low'], 1, 100)}–{_shown(value['high'], 1, 100)})"


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
                _percent(cheng["dice_zero"]),
                _percent(cheng["called_tumor"]),
                _between(cheng["patient_accuracy"]),
                _between(web["auroc_tumor"]),
                _between(web["macro_f1_4"]),
                f"{free['called_tumor']} of {free['slices']}",
            ]
        )
    head = ["model", "Cheng val accuracy", "macro-F1", "Dice", "Dice 0", "called tumour", "accuracy by patient"]
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
        rows.append([title, mild, *map(_under_one_change, cells)])
    return _rows(["accuracy of three types, Dice", "", *(f"`{model}`" for model in names)], rows)


def _under_one_change(cell: Mapping[str, Any]) -> str:
    """A model that tells no types has the share called tumour instead."""
    given = [_between(cell[name]) for name in ("accuracy_3", "dice") if cell[name] is not None]
    return "; ".join(given) if cell["accuracy_3"] is not None else f"called tumour {_between(cell['called_tumor'])}"


def _explanations(found: Found) -> str:
    rows = [
        [f"`{model}`", CAM_TITLES[CamMethod(method)], *(_between(v[k]) for k in ("pointing", "energy", "iou_at_otsu"))]
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


def _faults(found: Found) -> str:
    rows = [
        [title, f"`{v['flag']}`", str(v["pictures"]), _percent(v["flagged"]), _percent(v["flagged_without"])]
        for each in found.values()
        for title, v in (each["faults"] or {}).items()
    ]
    return _rows(["fault made", "flag", "pictures", "flagged", "flagged without the fault"], rows)


def _goals(found: Found) -> str:
    """What was aimed at and what `neuro` reaches."""
    each = found["neuro"]
    f, strangers = each["figures"], each["strangers"]
    cheng, web, free, sure = f["cheng"], f["web"], f["tumor_free"]["all"], f["calibration"]
    brains = strangers["brains"].values()
    flagged = sum(v["pictures"] * v["flagged"] for v in brains) / sum(v["pictures"] for v in brains)
    mild = [v["accuracy_3"]["value"] for v in each["stress"].values() if v["mild"]]
    covered, size = sure["coverage_groups"]["value"], sure["set_size_cheng"]["value"]
    goals: list[tuple[str, str, float, bool]] = [
        _at_least("Cheng val macro-F1 of three types", cheng["macro_f1_3"], 0.95),
        _at_least("Cheng val accuracy of three types", cheng["accuracy_3"], 0.96),
        _at_least("Cheng val mean Dice", cheng["dice"], 0.80),
        _at_most("Cheng val share of slices with Dice 0", cheng["dice_zero"]["value"], 0.02),
        _at_least("Cheng val accuracy by patient", cheng["patient_accuracy"], 0.97),
        _at_least("web val AUROC of tumour against none", web["auroc_tumor"], 0.97),
        _at_least("web val macro-F1 of four classes", web["macro_f1_4"], 0.85),
        _at_most("tumour-free slices called tumour", free["called_tumor"] / free["slices"], 0.02),
        _at_most("expected calibration error", sure["ece"]["value"], 0.03),
        ("coverage of prediction sets by patient or group", "0.93 to 0.98", covered, 0.93 <= covered <= 0.98),
        _at_most("mean size of prediction sets on Cheng val", size, 1.3),
        _at_least("AUROC of strangers against brains", {"value": strangers["auroc"]}, 0.99),
        _at_most("brains flagged as unfamiliar", flagged, 0.02),
        _at_most("accuracy lost under the worst mild change", mild[0] - min(mild), 0.03),
    ]
    rows = [[name, goal, _shown(value), "yes" if met else "**no**"] for name, goal, value, met in goals]
    return _rows(["`neuro`", "goal", "measured", "reached"], rows)


def _at_least(name: str, figure: Mapping[str, float], goal: float) -> tuple[str, str, float, bool]:
    return name, f"at least {goal}", figure["value"], figure["value"] >= goal


def _at_most(name: str, value: float, goal: float) -> tuple[str, str, float, bool]:
    return name, f"at most {goal}", value, value <= goal


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
                _between(c["ece_uncalibrated"]),
                _between(c["ece"]),
                _between(c["coverage_groups"]),
                _between(c["coverage"]),
                _between(c["set_size"], 2),
                f"{_between(c['coverage_cheng'])}; {_between(c['set_size_cheng'], 2)}",
                f"{_shown(estimate.get('mean_absolute_error'))}, {_shown(estimate.get('correlation'), 2)}",
            ]
        )
    head = [
        "model",
        "temperature",
        "ECE before calibration",
        "ECE",
        "coverage by patient or group",
        "coverage of pictures",
    ]
    return _rows([*head, "mean size of sets", "on Cheng val", "expected Dice: mean error, correlation"], rows)


TABLES: Mapping[str, tuple[str, Callable[[Found], str]]] = {
    "goals": ("Goals", _goals),
    "accuracy": ("Accuracy, with 95 % intervals over patients", _accuracy),
    "cost": ("Cost", _cost),
    "training": ("Training", _training),
    "calibration": ("Calibration", _calibration),
    "stress": ("Under stress", _stress),
    "explanations": ("Heat maps on Cheng val", _explanations),
    "strangers": ("Strangers", _strangers),
    "sequences": ("Sequences", _sequences),
    "faults": ("Faults made on purpose, Cheng val", _faults),
}
