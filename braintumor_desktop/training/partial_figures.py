"""Figures that a model can't give are null: types for a binary one, outlines for one without."""

from __future__ import annotations

import math
from typing import Any

_OF_TYPES = {
    "cheng": (
        "macro_f1_3",
        "accuracy_3",
        "accuracy_4",
        "patient_accuracy",
        "patient_confusion",
        "per_class",
        "confusion",
        "auroc",
        "worst_patients",
    ),
    "web": ("macro_f1_4", "accuracy_4", "per_class", "confusion"),
    "calibration": (
        "temperature",
        "set_threshold",
        "ece",
        "ece_uncalibrated",
        "coverage",
        "coverage_groups",
        "coverage_cheng",
        "set_size",
        "set_size_cheng",
    ),
}
_OF_OUTLINES = ("dice", "iou", "dice_zero", "dice_by_class", "iou_by_class", "dice_by_patient")


class Unknown(float):
    """A null as a page shows it: a dash, whatever the format asks for."""

    def __new__(cls) -> Unknown:
        return super().__new__(cls, math.nan)

    def __format__(self, _spec: str) -> str:
        return "—"


def what_it_gives(figures: dict[str, Any], *, types: bool, outlines: bool) -> dict[str, Any]:
    """The figures with null for what the model can't give, and for what is not a number."""
    kept = {part: dict(values) if isinstance(values, dict) else values for part, values in figures.items()}
    if not types:
        for part, names in _OF_TYPES.items():
            kept[part] |= {name: _null(kept[part][name]) for name in names if name in kept[part]}
    if not outlines:
        kept["cheng"] |= {name: _null(kept["cheng"][name]) for name in _OF_OUTLINES}
        kept["tumor_free"] = {k: {**v, "outlined": None} for k, v in kept["tumor_free"].items()}
    result: dict[str, Any] = _without_nan(kept)
    return result


def dashed(value: Any) -> Any:
    """The same figures with a dash for every null that stands for a number."""
    if isinstance(value, dict):
        return {k: dashed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [dashed(v) for v in value]
    return Unknown() if value is None else value


def _null(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _null(v) for k, v in value.items()}
    return None


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_nan(v) for v in value]
    return None if isinstance(value, float) and math.isnan(value) else value
