"""``braintumor analyze`` on series and volumes: one line each, masks in the input's geometry."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage

from braintumor_desktop.cli import main
from braintumor_desktop.domain.findings import DISTRUST
from braintumor_desktop.imaging.phantom import Lesion, PhantomVolume, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti
from braintumor_desktop.imaging.sample import write_sample_picture
from tests.support.dicom_files import edit


@pytest.fixture(scope="module")
def phantom() -> PhantomVolume:
    return make_volume(7, (5, 96, 96), (9.0, 2.4, 2.4), Lesion(kind="homogeneous", radius_mm=20.0))


@pytest.fixture
def study(tmp_path: Path, phantom: PhantomVolume) -> Path:
    folder = tmp_path / "study"
    write_dicom_series(phantom, folder / "a series")
    write_nifti(phantom, folder / "volume.nii.gz")
    write_sample_picture(folder / "zpicture.png")
    (folder / "LICENSE").write_text("text")
    return folder


def test_series_volume_and_picture_are_one_line_each(
    study: Path, tmp_path: Path, phantom: PhantomVolume, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    masks, heatmaps = tmp_path / "m", tmp_path / "h"
    arguments = ["--json", str(out), "--masks", str(masks), "--heatmaps", str(heatmaps)]
    assert main(["analyze", str(study), *arguments]) == 0
    series, volume, picture = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["input"]["kind"] for line in (series, volume, picture)] == ["dicom", "nifti", "picture"]
    assert series["path"] == str(study / "a series")
    assert series["series_uid"].startswith("2.25.")
    assert series["input"] == {
        "kind": "dicom",
        "width": 96,
        "height": 96,
        "slices": 5,
        "pixel_spacing_mm": [2.4, 2.4],
        "orientation": ["L", "P"],
        "sequence": "T1 post-contrast",
    }
    assert [each["index"] for each in series["slices"]] == [0, 1, 2, 3, 4]
    assert np.diff([each["position_mm"] for each in series["slices"]]).tolist() == pytest.approx([9.0] * 4)
    assert picture["slices"] is None
    assert picture["segmentation"]["mask"].endswith("zpicture.png")
    # The same head read two ways gives one answer.
    assert series["finding"] == volume["finding"]
    original = nibabel.load(study / "volume.nii.gz")
    for line in (series, volume):
        for file in (line["segmentation"]["mask"], line["explanation"]["heatmap"]):
            image = nibabel.load(file)
            assert image.shape == original.shape
            np.testing.assert_allclose(image.affine, original.affine, atol=1e-4)
    masked = [np.asarray(nibabel.load(line["segmentation"]["mask"]).dataobj) for line in (series, volume)]
    assert np.array_equal(masked[0], masked[1])
    assert Path(series["segmentation"]["mask"]).name == "synthetic_T1_post_contrast_axial.nii.gz"
    assert "Traceback" not in capsys.readouterr().err


def test_a_bad_file_in_a_series_is_told_and_the_rest_is_analysed(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series = study / "a series"
    (series / "0002.dcm").write_bytes((series / "0002.dcm").read_bytes()[:-50])
    assert main(["analyze", str(series), "--json", "-"]) == 1
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert [(Path(line["path"]).name, line["status"]) for line in lines] == [("a series", "ok"), ("0002.dcm", "error")]
    assert lines[1]["error"]["code"] == "image_truncated"
    assert lines[0]["input"]["slices"] == 4
    assert "1 slice is missing: after slice 1" in captured.err


def test_reports_beside_a_series_are_no_failure_and_alone_are_told(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reports").mkdir()

    def report(dataset: Dataset) -> None:
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = ComprehensiveSRStorage
        del dataset.PixelData, dataset.Rows, dataset.Columns

    edit(study / "a series" / "0005.dcm", report, to=tmp_path / "reports" / "sr.dcm")
    assert main(["analyze", str(study / "a series"), str(tmp_path / "reports")]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    assert "passed over: 1 in folders" in captured.err
    assert main(["analyze", str(tmp_path / "reports")]) == 0
    error = capsys.readouterr().err
    assert "passed over: 1 in folders" in error
    assert "the folders hold no pictures" in error


def test_a_zip_gives_the_answer_of_its_folder(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.make_archive(str(tmp_path / "disc"), "zip", study / "a series")
    answers = []
    for path in (study / "a series", tmp_path / "disc.zip"):
        assert main(["analyze", str(path), "--json", "-"]) == 0
        line = json.loads(capsys.readouterr().out)
        answers.append({key: line[key] for key in line if key not in ("path", "timing_ms")})
    assert answers[0] == answers[1]


def test_reports_are_written_for_series(study: Path, tmp_path: Path) -> None:
    assert main(["analyze", str(study / "a series"), "--report", str(tmp_path / "r")]) == 0
    report = tmp_path / "r" / "synthetic_T1_post_contrast_axial.pdf"
    assert report.read_bytes().startswith(b"%PDF")


def test_a_frame_chooses_the_volume_of_inputs_that_hold_several(
    tmp_path: Path, phantom: PhantomVolume, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    write_sample_picture(tmp_path / "in" / "picture.png")
    head = phantom.pixels[1:4].transpose(2, 1, 0).astype(np.int16)
    both = np.stack([np.zeros_like(head), head], axis=-1)
    both[0, 0, 0, 0] = 1000  # the first volume is air, but not constant
    nibabel.save(nibabel.Nifti1Image(both, phantom.affine), tmp_path / "in" / "two.nii.gz")
    shared = [str(tmp_path / "in"), "--json", "-", "--workers", "1"]
    assert main(["analyze", *shared, "--frame", "2"]) == 0
    picture, second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert picture["status"] == second["status"] == "ok"
    assert second["segmentation"]["area_percent_of_head"] is not None  # there is a head in the second
    assert main(["analyze", *shared, "--frame", "3"]) == 1
    picture, third = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert picture["status"] == "ok"
    assert third["error"]["code"] == "frame_unknown"
    assert "has 2" in third["error"]["message"]


def test_a_series_of_another_part_of_the_body_is_not_to_be_trusted(
    tmp_path: Path, phantom: PhantomVolume, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in write_dicom_series(phantom, tmp_path / "series"):
        edit(file, lambda dataset: setattr(dataset, "BodyPartExamined", "Knee"))
    out = tmp_path / "out.jsonl"
    assert main(["analyze", str(tmp_path / "series"), "--json", str(out)]) == 0
    quality = json.loads(out.read_text())["quality"]
    assert quality["in_distribution"] is False
    assert "other_body_part" in quality["flags"]
    capsys.readouterr()
    assert main(["analyze", str(tmp_path / "series")]) == 0
    assert DISTRUST in capsys.readouterr().out
