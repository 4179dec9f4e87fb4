"""``analyze --dicom``: a folder of objects for each input, and nothing else changed."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest

from braintumor_desktop.cli import main
from braintumor_desktop.imaging.phantom import make_picture
from braintumor_desktop.imaging.phantom_files import write_png
from braintumor_desktop.imaging.sample import write_sample_picture


def test_each_input_gets_a_folder_of_objects_that_say_what_the_json_line_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = write_sample_picture(tmp_path / "scan.png")
    out = tmp_path / "dicom"
    assert main(["analyze", str(picture), "--json", "-", "--dicom", str(out), "--dicom-kinds", "sr"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.dcm")) == [
        "scan/seg.dcm",
        "scan/source.dcm",
        "scan/sr.dcm",
    ]
    groups = [
        group
        for item in pydicom.dcmread(out / "scan" / "sr.dcm").ContentSequence
        if item.ValueType == "CONTAINER" and item.ConceptNameCodeSequence[0].CodeValue == "126010"
        for group in item.ContentSequence
    ]
    said = {}
    for group in groups:
        title = group.ContentSequence[0].TextValue
        for item in group.ContentSequence:
            if item.ValueType == "NUM":
                name = item.ConceptNameCodeSequence[0].CodeMeaning
                said[title, name] = float(item.MeasuredValueSequence[0].NumericValue)
    found = line["finding"]["probabilities"]
    for title, key in (("Glioma", "glioma"), ("Meningioma", "meningioma"), ("No tumour", "no_tumor")):
        assert said[title, "Certainty of Finding"] == pytest.approx(100 * found[key])
    assert said["Tumour outline", "Area"] == line["segmentation"]["area_px"]
    assert said["Tumour outline", "Long axis"] == line["segmentation"]["longest_diameter_px"]
    assert pydicom.dcmread(out / "scan" / "seg.dcm").pixel_array.sum() == line["segmentation"]["area_px"]


def test_deidentified_objects_of_two_pictures_are_not_filed_as_one_patient(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_sample_picture(tmp_path / "in" / "one.png")
    write_png(make_picture(4, 128)[0], tmp_path / "in" / "two.png", seed=4)
    out = tmp_path / "out"
    assert main(["analyze", str(tmp_path / "in"), "--deidentify", "--dicom", str(out), "--dicom-kinds", "sc"]) == 0
    patients = [{str(pydicom.dcmread(file).PatientID) for file in folder.iterdir()} for folder in out.iterdir()]
    assert [len(each) for each in patients] == [1, 1]
    assert patients[0] != patients[1]


def test_an_unknown_kind_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["analyze", str(tmp_path), "--dicom", str(tmp_path), "--dicom-kinds", "seg,xyz"])
    assert ended.value.code == 2
    assert "seg,prob,sr,sc,pdf" in capsys.readouterr().err
