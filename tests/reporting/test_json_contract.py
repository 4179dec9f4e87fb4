"""One line of --json, key by key."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import CLASSES, Finding, ModelIdentity, SliceFinding
from braintumor_desktop.domain.study import Geometry, InputKind
from braintumor_desktop.reporting import error_line, json_line

KNOWN = Geometry(pixel_spacing_mm=(0.4297, 0.4297), slice_spacing_mm=5.0, orientation=("L", "P"))

# The contract, as the command line's documentation shows it.
CONTRACT: dict[str, Any] = {
    "path": None, "status": None, "error": None, "series_uid": None,
    "model": {"id", "version", "sha256"},
    "input": {"kind", "width", "height", "slices", "pixel_spacing_mm", "orientation", "sequence"},
    "finding": {"label", "tumor_probability", "probabilities", "prediction_set", "coverage"},
    "quality": {"in_distribution", "ood_score", "flags"},
    "segmentation": {
        "present", "area_px", "area_percent_of_image", "area_percent_of_head", "area_mm2", "longest_diameter_mm",
        "perpendicular_diameter_mm", "longest_diameter_px", "perpendicular_diameter_px", "volume_ml", "mask",
    },
    "explanation": {"method", "energy_in_mask", "heatmap"},
    "slices": None,
    "timing_ms": {"load", "infer", "explain", "total"},
}  # fmt: skip


def assert_keys_of_the_contract(line: dict[str, Any]) -> None:
    assert list(line) == list(CONTRACT)
    for key, nested in CONTRACT.items():
        if nested is not None:
            assert set(line[key]) == nested, key
    assert set(line["finding"]["probabilities"]) == {"glioma", "meningioma", "pituitary", "no_tumor"}
    assert isinstance(line["quality"]["flags"], list)


def test_a_line_has_the_keys_of_the_contract_in_its_order_whatever_is_known(make_analysis: Any) -> None:
    for options in ({}, {"geometry": KNOWN}, {"outlined": False, "heated": False}, {"lesion": False}, {"slices": 3}):
        line = json_line(make_analysis(**options))
        assert_keys_of_the_contract(line)
        assert json.loads(json.dumps(line, allow_nan=False)) == line


def test_a_failed_input_has_the_same_keys_and_its_error(tmp_path: Path) -> None:
    error = BrainTumorError(ErrorCode.FILE_EMPTY, "The file is empty.", "Copy it again.")
    line = error_line(tmp_path / "a.png", error)
    assert_keys_of_the_contract(line)
    assert line["status"] == "error"
    assert line["error"] == {"code": "file_empty", "message": "The file is empty.", "hint": "Copy it again."}
    assert line["path"] == str(tmp_path / "a.png")
    assert line["model"] == {"id": None, "version": None, "sha256": None}
    assert error_line(Path("a"), error, model=ModelIdentity("neuro", "1", "ab"))["model"]["id"] == "neuro"


def test_values_of_a_picture_are_those_of_the_analysis(make_analysis: Any) -> None:
    line = json_line(make_analysis(), mask_path=Path("m/scan one.png"), heatmap_path=Path("h/scan one.png"))
    assert line["status"] == "ok"
    assert line["error"] is None
    assert line["model"] == {"id": "neuro", "version": "0.1.0", "sha256": "fedcba9876543210" * 4}
    assert line["input"] == {
        "kind": "picture", "width": 240, "height": 180, "slices": 1,
        "pixel_spacing_mm": None, "orientation": None, "sequence": None,
    }  # fmt: skip
    assert line["finding"] == {
        "label": "glioma",
        "tumor_probability": 0.9867,
        "probabilities": {"glioma": 0.9032, "meningioma": 0.0512, "pituitary": 0.0323, "no_tumor": 0.0133},
        "prediction_set": ["glioma", "meningioma"],
        "coverage": 0.95,
    }
    assert line["quality"] == {"in_distribution": True, "ood_score": 0.1234, "flags": ["lossy_compression"]}
    assert line["segmentation"] == {
        "present": True, "area_px": 1245, "area_percent_of_image": 2.88, "area_percent_of_head": 5.22, "area_mm2": None,
        "longest_diameter_mm": None, "perpendicular_diameter_mm": None, "longest_diameter_px": 40.8,
        "perpendicular_diameter_px": 40.8, "volume_ml": None, "mask": str(Path("m/scan one.png")),
    }  # fmt: skip
    assert line["explanation"] == {
        "method": "Grad-CAM", "energy_in_mask": 0.7123, "heatmap": str(Path("h/scan one.png")),
    }  # fmt: skip
    assert line["slices"] is None
    assert line["timing_ms"] == {"load": 3.1, "infer": 40.0, "explain": 9.1, "total": 55.5}


def test_known_geometry_gives_millimetres(make_analysis: Any) -> None:
    line = json_line(make_analysis(geometry=KNOWN, kind=InputKind.DICOM, series_uid="1.2.3", sequence="T1"))
    assert line["series_uid"] == "1.2.3"
    assert line["input"]["kind"] == "dicom"
    assert line["input"]["pixel_spacing_mm"] == [0.4297, 0.4297]
    assert line["input"]["orientation"] == ["L", "P"]
    assert line["segmentation"]["area_mm2"] == round(1245 * 0.4297**2, 1)
    assert line["segmentation"]["longest_diameter_mm"] == 17.5


def test_no_mask_from_the_model_is_null_and_no_lesion_is_false(make_analysis: Any) -> None:
    silent = json_line(make_analysis(outlined=False, heated=False))
    assert set(silent["segmentation"].values()) == {None}
    assert set(silent["explanation"].values()) == {None}
    healthy = json_line(make_analysis(lesion=False))["segmentation"]
    assert healthy["present"] is False
    assert healthy["area_px"] == 0
    assert healthy["longest_diameter_px"] is None


def test_slices_of_a_series_are_listed(make_analysis: Any) -> None:
    analysis = dataclasses.replace(
        make_analysis(slices=2),
        slices=(SliceFinding(0, None, 0.123456, "no_tumor", 0), SliceFinding(1, 5.5, 0.9, "glioma", 12)),
    )
    assert json_line(analysis)["slices"] == [
        {"index": 0, "position_mm": None, "tumor_probability": 0.1235, "label": "no_tumor", "area_px": 0},
        {"index": 1, "position_mm": 5.5, "tumor_probability": 0.9, "label": "glioma", "area_px": 12},
    ]


def test_numbers_that_are_not_numbers_are_null_never_nan(make_analysis: Any) -> None:
    analysis = make_analysis()
    analysis = dataclasses.replace(
        analysis,
        quality=dataclasses.replace(analysis.quality, ood_score=math.nan),
        timing=dataclasses.replace(analysis.timing, load=math.inf),
    )
    line = json_line(analysis)
    assert line["quality"]["ood_score"] is None
    assert line["timing_ms"]["load"] is None
    json.dumps(line, allow_nan=False)


@given(st.lists(st.floats(0.001, 1.0), min_size=4, max_size=4))
def test_tumor_probability_and_no_tumor_add_up_to_one_as_printed(make_analysis: Any, weights: list[float]) -> None:
    probabilities = {each: weight / sum(weights) for each, weight in zip(CLASSES, weights, strict=True)}
    analysis = dataclasses.replace(make_analysis(), finding=Finding("glioma", probabilities))
    finding = json_line(analysis)["finding"]
    assert round(finding["tumor_probability"] + finding["probabilities"]["no_tumor"], 9) == 1.0
    assert abs(finding["tumor_probability"] - (1 - probabilities[CLASSES[3]])) <= 0.0001
