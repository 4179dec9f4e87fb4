"""Where `analyze` writes: over no input, over no other output, and into pipes."""

import json
import os
import shutil
import threading
import zipfile
from pathlib import Path

import pytest
from picture_files import read
from PIL import Image

from braintumor_desktop.cli import main
from braintumor_desktop.imaging.phantom import make_picture, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti
from braintumor_desktop.imaging.sample import write_sample_picture


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with an input of every kind."""
    folder = tmp_path / "case"
    (folder / "source").mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    volume = make_volume(5, (1, 64, 64), (9.0, 4.0, 4.0))
    write_nifti(volume, folder / "head.nii.gz")
    (slice_file,) = write_dicom_series(volume, folder)
    slice_file.rename(folder / "source" / "source.dcm")
    with zipfile.ZipFile(folder / "disc.zip", "w") as archive:
        archive.write(folder / "source" / "source.dcm", "1.dcm")
    shutil.copy(write_sample_picture(folder / "scan.png"), folder / "scan.report.png")
    with Image.open(folder / "scan.png") as picture:
        picture.save(folder / "pages.tif", save_all=True, append_images=[picture])
        (folder / "other").mkdir()
        picture.save(folder / "other" / "pages.tif")
    monkeypatch.chdir(folder)
    return folder


def test_no_two_inputs_of_a_call_write_the_same_file(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate(("other.png", "Scan.Heatmap.png", "scan.png", "scan.report.png", "scan.pdf.png")):
        Image.fromarray(make_picture(number, 128 + 8 * number, None)[0]).save(folder / name)
    lines, out = tmp_path / "l.jsonl", str(tmp_path / "o")
    options = ["--masks", out, "--heatmaps", out, "--report", out, "--dicom", out, "--json", str(lines)]
    assert main(["analyze", str(folder), *options]) == 0
    answers = [json.loads(line) for line in lines.read_text().splitlines()]
    assert len(answers) == 5
    named = [answer["segmentation"]["mask"] for answer in answers] + [a["explanation"]["heatmap"] for a in answers]
    there = [path for path in (tmp_path / "o").iterdir() if path.is_file()]
    assert len({path.name.casefold() for path in there}) == len(there) == 4 * len(answers)
    assert len(list((tmp_path / "o").rglob("pdf.dcm"))) == len(answers)
    assert len({name.casefold() for name in named}) == len(named)
    for answer in answers:
        size = answer["input"]["height"], answer["input"]["width"]
        assert read(answer["segmentation"]["mask"]).shape == read(answer["explanation"]["heatmap"]).shape == size
    assert {"other.png", "other.heatmap.png", "other.pdf", "other.report.png"} <= {path.name for path in there}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["--json", "x"], ["--csv", "../case/X"]),
        (["--json", "o/scan.png"], ["--masks", "o"]),
        (["--csv", "o/scan.pdf"], ["--report", "o"]),
    ],
)
def test_a_file_that_two_options_name_is_wrong_usage(
    case: Path, capsys: pytest.CaptureFixture[str], one: list[str], other: list[str]
) -> None:
    assert main(["analyze", "scan.png", *one, *other]) == 2
    assert "is the name of two files to be written. Give each a name of its own." in capsys.readouterr().err
    assert not [path for path in (case / "x", case / "X", case / "o") if path.exists()]


@pytest.mark.parametrize(
    ("inputs", "option", "target"),
    [
        (["scan.png"], "--masks", "."),
        (["scan.png"], "--heatmaps", "../link"),
        (["pages.tif"], "--masks", "."),
        (["pages.tif", "other/pages.tif"], "--masks", "other"),
        (["pages.tif", "other/pages.tif"], "--heatmaps", "other"),
        (["other/pages.tif"], "--csv", "other/pages.tif"),
        (["head.nii.gz"], "--masks", "."),
        (["."], "--masks", "."),
        (["scan.png", "scan.report.png"], "--report", "."),
        (["source"], "--json", "source/source.dcm"),
        (["disc.zip"], "--csv", "disc.zip"),
        (["source/source.dcm"], "--dicom", "."),
    ],
)
def test_what_would_overwrite_an_input_is_refused_before_any_work(
    case: Path, capsys: pytest.CaptureFixture[str], inputs: list[str], option: str, target: str
) -> None:
    before = {path: path.read_bytes() for path in case.rglob("*") if path.is_file()}
    assert main(["analyze", *inputs, option, target]) == 1
    assert "is one of the inputs and would be overwritten. Choose another folder. [export_failed]" in (
        capsys.readouterr().err
    )
    assert {path: path.read_bytes() for path in case.rglob("*") if path.is_file()} == before


def test_a_tiff_of_one_page_beside_its_mask_is_no_conflict(case: Path) -> None:
    with Image.open(case / "scan.png") as picture:
        picture.save(case / "one.tif")
    before = (case / "one.tif").read_bytes()
    assert main(["analyze", "one.tif", "--masks", "."]) == 0
    assert (case / "one.png").is_file()
    assert (case / "one.tif").read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_lines_go_to_a_pipe_as_they_go_to_a_file(case: Path) -> None:
    pipe = case / "pipe"
    os.mkfifo(pipe)
    told: list[str] = []
    reader = threading.Thread(target=lambda: told.append(pipe.read_text()))
    reader.start()
    assert main(["analyze", "scan.png", "--json", "pipe", "--csv", "table.csv"]) == 0
    reader.join(timeout=30)
    assert pipe.is_fifo(), "it was replaced by a file"
    assert json.loads(told[0])["path"] == "scan.png"
