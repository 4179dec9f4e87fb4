"""Lesions of a series in the JSON line and in the report."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from braintumor_desktop.domain.findings import KeySlices, Lesion, SliceFinding
from braintumor_desktop.domain.measurements import diameters
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.reporting import build_report, json_line

KNOWN = Geometry(pixel_spacing_mm=(0.5, 0.5), slice_spacing_mm=5.0, orientation=("L", "P"))


def series(make_analysis: Any, lesions: int) -> Any:
    plain = make_analysis(geometry=KNOWN, slices=4)
    size = diameters(plain.segmentation.mask[1], KNOWN.pixel_spacing_mm)
    each = Lesion((1, 2), 1, 1245, 311.25, size, 3.11249, (1.4, 70.0, 150.0), (30.04, -20.0, 14.6), True, 0.91234)
    return dataclasses.replace(
        plain,
        segmentation=dataclasses.replace(plain.segmentation, lesions=(each,) * lesions, volume_ml=3.11249 * lesions),
        slices=tuple(SliceFinding(i, 5.0 * i, 0.5, "glioma", 10) for i in range(4)),
        key_slices=KeySlices(1, 2, 0),
    )


def test_the_line_of_a_series_lists_its_lesions(make_analysis: Any) -> None:
    line = json_line(series(make_analysis, 1))
    assert line["segmentation"]["volume_ml"] == 3.11
    assert line["segmentation"]["lesions"] == [
        {
            "first_slice": 1,
            "last_slice": 2,
            "key_slice": 1,
            "volume_ml": 3.11,
            "longest_diameter_mm": 20.4,
            "perpendicular_diameter_mm": 20.4,
            "center_mm": [30.0, -20.0, 14.6],
            "measurable": True,
            "tumor_probability": 0.9123,
        }
    ]
    assert json.loads(json.dumps(line, allow_nan=False)) == line


def test_a_series_without_a_lesion_has_an_empty_list_and_a_picture_has_none(make_analysis: Any) -> None:
    assert json_line(series(make_analysis, 0))["segmentation"]["lesions"] == []
    assert "lesions" not in json_line(make_analysis())["segmentation"]


def test_the_report_says_size_slices_and_measurability_of_each_lesion(make_analysis: Any) -> None:
    report = build_report(series(make_analysis, 1))
    rows = {row.name: row for row in report.measurements}
    assert rows["Volume"].value == "3.11 ml"
    assert rows["Lesion 1"].value.startswith("3.11 ml, 20.4 mm")
    assert rows["Lesion 1"].method == "slices 2 to 3, measured on 2; RANO measurable"
    assert "most certain on slice 3, least on slice 1" in report.image_notes


def test_an_outline_in_doubt_is_called_so_and_never_measurable(make_analysis: Any) -> None:
    analysis = series(make_analysis, 1)
    doubted = dataclasses.replace(analysis.finding, label="indeterminate", doubted=True)
    report = build_report(dataclasses.replace(analysis, finding=doubted))
    rows = {row.name: row for row in report.measurements}
    assert "Lesion 1" not in rows
    assert rows["Doubted outline 1"].method == "slices 2 to 3, measured on 2"
    assert report.images[1].title == "Doubted outline"
    assert report.images[1].caption == "Outlined with a doubt (yellow), diameters (blue)."
    assert report.finding.startswith("Indeterminate: outlined with a doubt")


def test_the_report_names_four_lesions_and_counts_the_rest(make_analysis: Any) -> None:
    names = [row.name for row in build_report(series(make_analysis, 6)).measurements]
    assert [n for n in names if n.startswith("Lesion")] == [f"Lesion {i}" for i in range(1, 5)]
    assert "More lesions" in names


def test_a_series_says_no_coverage_that_was_not_calibrated(make_analysis: Any) -> None:
    analysis = series(make_analysis, 1)
    finding = dataclasses.replace(analysis.finding, coverage=None)
    report = build_report(dataclasses.replace(analysis, finding=finding))
    assert report.prediction_set.startswith("Prediction set: glioma")
    assert "coverage" not in report.prediction_set
    assert not report.calibrated
