"""The summary table: CSV, one row an image or series and one a lesion of a series, every number as in the JSON line.

For spreadsheets: UTF-8 with a byte order mark, without which Excel takes UTF-8 for the system's old code page; commas,
quotes as in RFC 4180, lines ended by CR LF. Text that a spreadsheet would run as a formula begins with an apostrophe
(OWASP, CSV Injection), so a file name or comment never becomes one. Slices count from 1, as on the screen.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.findings import CLASSES
from braintumor_desktop.reporting.atomic import atomic_write
from braintumor_desktop.reporting.report import ReaderNote

Row = dict[str, Any]

_SIZES = (
    "area_px",
    "area_percent_of_image",
    "area_percent_of_head",
    "area_mm2",
    "longest_diameter_mm",
    "perpendicular_diameter_mm",
    "longest_diameter_px",
    "perpendicular_diameter_px",
    "volume_ml",
)
_PROBABILITIES = tuple(f"probability_{each.value}" for each in CLASSES)
_CENTER = ("center_right_mm", "center_anterior_mm", "center_superior_mm")
_READER = ("verdict", "comment", "reader", "read_on")
_SOURCE = (
    *("row", "path", "status", "error_code", "error_message", "series_uid", "kind", "sequence"),
    *("width", "height", "slices", "row_spacing_mm", "column_spacing_mm", "orientation"),
)
_ANSWER = (
    *("label", "tumor_probability", *_PROBABILITIES, "prediction_set", "coverage"),
    *("in_distribution", "ood_score", "flags", "lesions", "lesion", "first_slice", "last_slice", "key_slice"),
    *(*_SIZES, *_CENTER, "measurable", "energy_in_mask"),
)
_FILES_AND_MODEL = ("report", "mask", "heatmap", "model_id", "model_version", "model_sha256", "notice")
COLUMNS = (*_SOURCE, *_ANSWER, *_READER, *_FILES_AND_MODEL)
"""In this order. ``row`` says what a row is of: image, series, lesion, or input where the input failed."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_DOUBTED = "outlines_doubted"  # said of each lesion, too


def table_rows(line: Mapping[str, Any], *, reader: ReaderNote | None = None, report: Path | None = None) -> list[Row]:
    """The rows of one JSON line, see `json_line` and `error_line`: the input itself, then its lesions.

    reader: what the reader said of it; report: the file of its report.
    """
    given, finding, quality, found = (line[key] for key in ("input", "finding", "quality", "segmentation"))
    spacing = given["pixel_spacing_mm"] or (None, None)
    lesions = found.get("lesions")
    note = reader if reader is not None else ReaderNote()
    shared: Row = {
        "path": line["path"],
        "status": line["status"],
        "series_uid": line["series_uid"],
        "kind": given["kind"],
        "sequence": given["sequence"],
        "row_spacing_mm": spacing[0],
        "column_spacing_mm": spacing[1],
        "orientation": _joined(given["orientation"]),
        **{f"model_{key}": line["model"][key] for key in ("id", "version", "sha256")},
        "notice": RESEARCH_USE,
    }
    whole: Row = {
        "row": "input" if line["status"] != "ok" else "image" if line["slices"] is None else "series",
        "error_code": line["error"] and line["error"]["code"],
        "error_message": line["error"] and line["error"]["message"],
        **{key: given[key] for key in ("width", "height", "slices")},
        "label": finding["label"],
        "tumor_probability": finding["tumor_probability"],
        **{f"probability_{name}": value for name, value in finding["probabilities"].items()},
        "prediction_set": _joined(finding["prediction_set"]),
        "coverage": finding["coverage"],
        "in_distribution": quality["in_distribution"],
        "ood_score": quality["ood_score"],
        "flags": _joined(quality["flags"]),
        "lesions": None if lesions is None else len(lesions),
        **{key: found[key] for key in _SIZES},
        "energy_in_mask": line["explanation"]["energy_in_mask"],
        "verdict": note.verdict,
        "comment": note.comment.strip(),
        "reader": note.name.strip(),
        "read_on": None if note.date is None else note.date.isoformat(),
        "report": None if report is None else str(report),
        "mask": found["mask"],
        "heatmap": line["explanation"]["heatmap"],
    }
    doubted = _DOUBTED if _DOUBTED in quality["flags"] else None
    rows = [{**_lesion(number, each), "flags": doubted} for number, each in enumerate(lesions or (), 1)]
    return [shared | each for each in (whole, *rows)]


def _lesion(number: int, lesion: Mapping[str, Any]) -> Row:
    center = lesion["center_mm"] or (None, None, None)
    return {
        "row": "lesion",
        "lesion": number,
        **{key: lesion[key] + 1 for key in ("first_slice", "last_slice", "key_slice")},
        **{key: lesion[key] for key in _SIZES if key in lesion},
        **dict(zip(_CENTER, center, strict=True)),
        "measurable": lesion["measurable"],
        "tumor_probability": lesion["tumor_probability"],
    }


def render_table(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The bytes of the CSV file, its header first. A key that is no column raises ValueError."""
    text = StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    # Names that are no UTF-8 on the disk are spelt out rather than lost.
    return text.getvalue().encode("utf-8-sig", "backslashreplace")


def write_table(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write the CSV file, whole or not at all. Raises BrainTumorError EXPORT_FAILED."""
    content = render_table(rows)
    with atomic_write(path) as stream:
        stream.write(content)


def _joined(values: Iterable[str] | None) -> str | None:
    return None if values is None else "; ".join(values)


def _cell(value: Any) -> Any:
    """Numbers as they are, truth in words, nothing as an empty cell, and text that is no formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value
    text = str(value).replace("\0", "")
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA_STARTS) else text
