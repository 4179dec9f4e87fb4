"""The summary table, read back by Python's own CSV reader."""

from __future__ import annotations

import csv
import dataclasses
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import Lesion, Quality, QualityFlag, SliceFinding
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.reporting import ReaderNote, error_line, json_line, table_rows, write_table
from braintumor_desktop.reporting.table import COLUMNS, render_table

KNOWN = Geometry(pixel_spacing_mm=(0.5, 0.75), slice_spacing_mm=5.5, orientation=("L", "P"))


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"), newline="")))


def of_series(make_analysis: Any) -> Any:
    analysis = make_analysis(slices=3, geometry=KNOWN, series_uid="1.2.3", sequence="T1")
    lesion = Lesion(
        slices=(0, 2), key_slice=1, area_px=1245, area_mm2=466.9, diameters=analysis.segmentation.diameters,
        volume_ml=7.701, center=(1.0, 70.0, 150.0), center_mm=(-20.25, 4.0, 11.0), measurable=True,
        tumor_probability=0.91,
    )  # fmt: skip
    return dataclasses.replace(
        analysis,
        segmentation=dataclasses.replace(analysis.segmentation, lesions=(lesion, lesion), volume_ml=15.402),
        slices=tuple(SliceFinding(i, None, 0.5, "glioma", 1245) for i in range(3)),
    )


def test_a_picture_gives_one_row_with_the_numbers_of_its_json_line(make_analysis: Any) -> None:
    line = json_line(make_analysis(geometry=KNOWN), mask_path=Path("m.png"))
    note = ReaderNote("disagree", "Rather “an artefact”,\nsee T2", "Dr. A. Núñez", date(2026, 3, 5))
    (row,) = read(render_table(table_rows(line, reader=note, report=Path("r.pdf"))))
    assert row["row"] == "image"
    assert row["label"] == line["finding"]["label"]
    assert float(row["tumor_probability"]) == line["finding"]["tumor_probability"]
    assert float(row["probability_meningioma"]) == line["finding"]["probabilities"]["meningioma"]
    for key in ("area_px", "area_mm2", "longest_diameter_mm", "perpendicular_diameter_px", "area_percent_of_head"):
        assert float(row[key]) == line["segmentation"][key]
    assert (row["prediction_set"], row["in_distribution"]) == ("glioma; meningioma", "yes")
    assert (row["row_spacing_mm"], row["column_spacing_mm"], row["orientation"]) == ("0.5", "0.75", "L; P")
    assert row["comment"] == note.comment
    assert (row["verdict"], row["reader"], row["read_on"]) == ("disagree", "Dr. A. Núñez", "2026-03-05")
    assert (row["mask"], row["report"], row["notice"]) == ("m.png", "r.pdf", RESEARCH_USE)


def test_a_series_gives_a_row_and_each_of_its_lesions_another(make_analysis: Any) -> None:
    rows = read(render_table(table_rows(json_line(of_series(make_analysis)))))
    assert [row["row"] for row in rows] == ["series", "lesion", "lesion"]
    assert {row["series_uid"] for row in rows} == {"1.2.3"}
    assert rows[0]["lesions"] == "2"
    assert [row["lesion"] for row in rows] == ["", "1", "2"]
    lesion = rows[1]
    assert (lesion["first_slice"], lesion["last_slice"], lesion["key_slice"]) == ("1", "3", "2")  # as on the screen
    assert (lesion["volume_ml"], lesion["center_right_mm"], lesion["measurable"]) == ("7.7", "-20.2", "yes")
    assert lesion["label"] == ""


def test_each_outline_in_doubt_is_flagged_in_its_own_row(make_analysis: Any) -> None:
    quality = Quality(flags=(QualityFlag("outlines_doubted", "…"), QualityFlag("low_resolution", "…")))
    rows = read(render_table(table_rows(json_line(dataclasses.replace(of_series(make_analysis), quality=quality)))))
    assert [row["flags"] for row in rows] == ["outlines_doubted; low_resolution", *["outlines_doubted"] * 2]


def test_millimetres_are_empty_without_spacing(make_analysis: Any) -> None:
    (row,) = read(render_table(table_rows(json_line(make_analysis()))))
    assert [key for key, value in row.items() if key.endswith(("_mm", "_mm2", "_ml")) and value] == []
    assert row["longest_diameter_px"] == "40.8"


def test_a_failed_input_has_its_row_with_the_reason() -> None:
    error = BrainTumorError(ErrorCode.FILE_EMPTY, "The file is empty.", "Copy it again.")
    (row,) = read(render_table(table_rows(error_line(Path("a.png"), error))))
    assert (row["row"], row["status"], row["error_code"]) == ("input", "error", "file_empty")
    assert row["error_message"] == "The file is empty."
    assert row["tumor_probability"] == ""


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "=cmd|' /C calc'!A0", "＝1", '=HYPERLINK("x")'],
)
def test_text_never_becomes_a_formula_and_stays_readable(make_analysis: Any, text: str) -> None:
    note = ReaderNote(name=text, comment=f"{text}\nmore")
    rows = table_rows(json_line(make_analysis(path=Path(text + ".png"))), reader=note)
    (row,) = read(render_table(rows))
    for key in ("path", "comment", "reader"):
        assert row[key].startswith("'") or row[key][0] not in "=+-@\t\r\n＝", key
        assert text.strip() in row[key]


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(st.characters(), max_size=40), min_size=2, max_size=4))
def test_whatever_is_written_comes_back_in_its_own_cell(texts: list[str]) -> None:
    content = render_table([{"path": text, "comment": text, "label": "end"} for text in texts])
    rows = read(content)
    assert len(rows) == len(texts)
    for row in rows:
        assert row["label"] == "end"
        assert not row["path"].lstrip(" ").startswith(("=", "+", "-", "@"))


def test_the_file_begins_with_a_byte_order_mark_and_its_columns(make_analysis: Any, tmp_path: Path) -> None:
    write_table(table_rows(json_line(make_analysis())), tmp_path / "table.csv")
    content = (tmp_path / "table.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfrow,path,status,")
    assert content.count(b"\r\n") == 2
    assert list(read(content)[0]) == list(COLUMNS)
    write_table([], tmp_path / "empty.csv")
    assert (tmp_path / "empty.csv").read_bytes().count(b"\r\n") == 1
