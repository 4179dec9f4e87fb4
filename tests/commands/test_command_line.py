import csv
import io
import json
import platform
import shutil
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pypdfium2
import pytest
from picture_files import read
from PIL import Image

from braintumor_desktop.cli import main
from braintumor_desktop.imaging import Entry
from braintumor_desktop.imaging.phantom import Lesion, make_picture
from braintumor_desktop.imaging.sample import write_sample_picture
from braintumor_desktop.locations import bundled
from braintumor_desktop.models import manifest
from braintumor_desktop.storage.settings import Settings, save_settings

CONTRACT = {
    "path": None,
    "status": None,
    "error": None,
    "series_uid": None,
    "model": {"id", "version", "sha256"},
    "input": {"kind", "width", "height", "slices", "pixel_spacing_mm", "orientation", "sequence"},
    "finding": {"label", "tumor_probability", "probabilities", "prediction_set", "coverage"},
    "quality": {"in_distribution", "ood_score", "flags"},
    "segmentation": {
        "present",
        "area_px",
        "area_percent_of_image",
        "area_percent_of_head",
        "area_mm2",
        "longest_diameter_mm",
        "perpendicular_diameter_mm",
        "longest_diameter_px",
        "perpendicular_diameter_px",
        "volume_ml",
        "mask",
    },
    "explanation": {"method", "energy_in_mask", "heatmap"},
    "slices": None,
    "timing_ms": {"load", "infer", "explain", "total"},
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as readers have them: two heads of one name, a truncated file, a text file, a hidden file."""
    folder = tmp_path_factory.mktemp("pictures")
    write_sample_picture(folder / "scan.png")
    (folder / "deeper").mkdir()
    Image.fromarray(make_picture(3, 200, None)[0]).save(folder / "deeper" / "scan.jpg", quality=90)
    (folder / "cut.png").write_bytes((folder / "scan.png").read_bytes()[:4000])
    (folder / "notes.md").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


def test_a_folder_gives_one_line_a_picture_in_order_with_masks_on_their_own_grid(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    masks, heatmaps = tmp_path / "m", tmp_path / "h"
    code = main(["analyze", str(pictures), "--json", str(out), "--masks", str(masks), "--heatmaps", str(heatmaps)])
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert code == 1
    assert [Path(line["path"]).name for line in lines] == ["cut.png", "scan.jpg", "scan.png"]
    assert [line["status"] for line in lines] == ["error", "ok", "ok"]
    assert lines[0]["error"]["code"] == "image_truncated"
    assert set(lines[0]["error"]) == {"code", "message", "hint"}
    for line in lines:
        assert set(line) == set(CONTRACT)
        for key, inner in CONTRACT.items():
            if inner is not None:
                assert set(line[key]) == inner
    for line in lines[1:]:
        assert sum(line["finding"]["probabilities"].values()) == pytest.approx(1, abs=2e-3)
        for file in (line["segmentation"]["mask"], line["explanation"]["heatmap"]):
            assert read(file).shape == (line["input"]["height"], line["input"]["width"])
        assert set(np.unique(read(line["segmentation"]["mask"]))) <= {0, 255}
    assert lines[1]["segmentation"]["mask"] != lines[2]["segmentation"]["mask"]
    error = capsys.readouterr().err
    assert "[image_truncated]" in error
    assert "Traceback" not in error
    assert "not pictures and passed over: 1" in error


def test_the_lesion_of_the_sample_is_outlined_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture, truth = make_picture(7, 384, Lesion(kind="homogeneous", radius_mm=13.0))
    Image.fromarray(picture).save(tmp_path / "head.png")
    assert main(["analyze", str(tmp_path / "head.png"), "--json", "-", "--masks", str(tmp_path) + "/m"]) == 0
    line = json.loads(capsys.readouterr().out)
    mask = read(line["segmentation"]["mask"]) > 0
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.7
    assert line["segmentation"]["area_px"] == mask.sum()
    assert line["segmentation"]["area_mm2"] is None
    assert line["finding"]["label"] != "no_tumor"


def test_the_same_picture_gives_the_same_answer_alone_and_in_a_batch(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answers(*arguments: str) -> list[dict[str, object]]:
        main(["analyze", *arguments, "--json", "-"])
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [{k: v for k, v in line.items() if k != "timing_ms"} for line in lines]

    picture = str(pictures / "scan.png")
    assert answers(picture) == answers(picture, picture, "--workers", "3")[:1]


def test_without_json_each_picture_is_one_plain_sentence(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(pictures / "scan.png")]) == 0
    assert capsys.readouterr().out.startswith(str(pictures / "scan.png") + ": The model")


def test_a_report_is_written_for_each_picture(pictures: Path, tmp_path: Path) -> None:
    assert main(["analyze", str(pictures / "scan.png"), "--report", str(tmp_path / "r")]) == 0
    assert (tmp_path / "r" / "scan.pdf").read_bytes().startswith(b"%PDF")
    assert read(tmp_path / "r" / "scan.report.png").shape[1] > 800


def test_masks_and_heat_maps_may_share_a_folder(pictures: Path, tmp_path: Path) -> None:
    both = ["--masks", str(tmp_path / "x"), "--heatmaps", str(tmp_path / "x")]
    assert main(["analyze", str(pictures / "scan.png"), *both]) == 0
    assert sorted(p.name for p in (tmp_path / "x").iterdir()) == ["scan.heatmap.png", "scan.png"]


def test_masks_and_heat_maps_share_a_folder_that_is_written_in_two_ways(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    both = ["--masks", "x", "--heatmaps", str(tmp_path / "x")]
    for _ in range(2):  # the second run replaces the files of the first
        assert main(["analyze", str(pictures / "scan.png"), *both]) == 0
    assert sorted(p.name for p in (tmp_path / "x").iterdir()) == ["scan.heatmap.png", "scan.png"]


def test_a_name_that_the_terminal_can_not_show_is_spelt_out(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(pictures / "scan.png", tmp_path / "Schädel.png")
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, encoding="ascii", write_through=True))
    assert main(["analyze", str(tmp_path / "Schädel.png"), str(pictures / "scan.png")]) == 0
    first, second = shown.getvalue().decode("ascii").splitlines()
    assert "Sch\\xe4del.png: The model" in first
    assert "scan.png: The model" in second


def test_a_missing_file_is_an_error_line_and_the_rest_goes_on(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", "nowhere.png", str(pictures / "scan.png"), "--json", "-"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["status"] for line in lines] == ["error", "ok"]
    assert lines[0]["error"]["code"] == "file_not_found"


def test_a_text_file_given_by_name_is_an_error(pictures: Path) -> None:
    assert main(["analyze", str(pictures / "notes.md")]) == 1


@pytest.mark.parametrize(
    "arguments",
    [["analyze"], ["analyze", "x.png", "--device", "tpu"], ["analyze", "x.png", "--workers", "0"], ["--nonsense"]],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2


def test_an_unknown_model_is_wrong_usage_and_names_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "x.png", "--model", "resnet"]) == 2
    error = capsys.readouterr().err
    assert "neuro" in error
    assert error.count("\n") == 1


def test_a_json_file_that_cannot_be_written_is_told_before_any_work(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(pictures / "scan.png"), "--json", str(tmp_path / "no" / "x.jsonl")]) == 1
    assert "[export_failed]" in capsys.readouterr().err


def test_a_batch_writes_one_report_an_input_and_one_table(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAINTUMOR_CONFIG_DIR", str(tmp_path / "config"))
    save_settings(Settings(clinic_name="Clinic by the Park", paper="Letter"))
    table, reports = tmp_path / "made" / "table.csv", tmp_path / "reports"
    inputs = [str(pictures / "scan.png"), str(pictures / "cut.png")]
    objects = tmp_path / "objects"
    assert main(["analyze", *inputs, "--csv", str(table), "--report", str(reports), "--dicom", str(objects)]) == 1
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(Path(row["path"]).name, row["status"]) for row in rows] == [("scan.png", "ok"), ("cut.png", "error")]
    assert rows[0]["report"] == str(reports / "scan.pdf")
    assert sorted(path.name for path in reports.iterdir()) == ["scan.pdf", "scan.report.png"]
    pdf = (reports / "scan.pdf").read_bytes()
    assert pydicom.dcmread(objects / "scan" / "pdf.dcm").EncapsulatedDocument.startswith(pdf)
    document = pypdfium2.PdfDocument(pdf)
    page = document[0]
    assert "Clinic by the Park" in page.get_textpage().get_text_range()  # as the settings have it
    assert page.get_width() == pytest.approx(612, abs=0.1)
    document.close()


def test_the_json_file_is_there_only_when_it_is_whole(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("braintumor_desktop.commands.analyze.json_line", interrupted)
    assert main(["analyze", str(pictures / "scan.png"), "--json", str(out)]) == 130
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"out.jsonl": "old"}


def test_what_was_not_read_yet_when_the_reader_stops_stays_unread(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never, begun, load = threading.Event(), [], Entry.load

    def slowly(entry: Entry, *args: Any, **options: Any) -> object:
        begun.append(entry)
        if len(begun) > 1:
            never.wait(0.2)  # as long as a large file takes; the reader stops meanwhile
        return load(entry, *args, **options)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Entry, "load", slowly)
    monkeypatch.setattr("braintumor_desktop.commands.analyze.Analyzer.analyze", interrupted)
    assert main(["analyze", *[str(pictures / "scan.png")] * 8, "--workers", "2"]) == 130
    assert 0 < len(begun) < 8


def test_what_nobody_foresaw_is_one_line_that_names_no_patient(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing() -> None:
        raise ValueError("/scans/DOE^JANE.dcm")

    monkeypatch.setattr("braintumor_desktop.commands.models.read_manifest", failing)
    assert main(["models"]) == 1
    told = capsys.readouterr().err
    assert told.endswith("[internal]\n")
    assert told.count("\n") == 1
    assert "DOE" not in told
    assert main(["models", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_window_that_does_not_answer_the_benchmark_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("braintumor_desktop.commands.bench.PROBE_TIMEOUT_S", 0.01)
    assert main(["bench"]) == 1
    assert "The window could not be measured (no answer in 0.01 s)." in capsys.readouterr().err


@pytest.mark.parametrize("command", [["analyze", "scan.png", "--report", "r"], ["demo", "--out", "d", "--no-window"]])
def test_a_damaged_settings_file_is_told_where_a_report_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    write_sample_picture(tmp_path / "scan.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRAINTUMOR_CONFIG_DIR", str(tmp_path))
    (tmp_path / "settings.json").write_text("{")
    assert main(command) == 0
    assert (tmp_path / "settings.json.broken").read_text() == "{"
    assert capsys.readouterr().err.count("it was kept as settings.json.broken and the defaults are used.\n") == 1


@pytest.mark.parametrize(("limit_mb", "code"), [(1, 1), (2, 0)])
def test_the_largest_file_of_the_settings_holds_for_commands_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], limit_mb: int, code: int
) -> None:
    monkeypatch.setenv("BRAINTUMOR_CONFIG_DIR", str(tmp_path / "config"))
    save_settings(Settings(max_file_mb=limit_mb))
    Image.fromarray(make_picture(7, 1250, None)[0]).save(tmp_path / "head.bmp")
    for command in (["analyze"], ["deidentify", str(tmp_path / "out")]):
        assert main([command[0], str(tmp_path / "head.bmp"), *command[1:]]) == code
        assert ("[file_too_large]" in capsys.readouterr().err) == bool(code)


def test_models_are_listed_as_in_the_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows == json.loads(manifest.manifest_path().read_text(encoding="utf-8"))["models"]
    assert main(["models"]) == 0
    told = capsys.readouterr().out
    assert [row["id"] for row in rows if f"{row['id']} {row['version']}" not in told] == []


def test_the_doctor_says_ready(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ready"]
    told = answer["versions"]
    assert told.pop("python") == platform.python_version()
    assert told.pop("system").startswith(platform.system())
    assert {"torch", "numpy", "pydicom", "braintumor-desktop"} <= set(told)
    assert told == {package: version(package) for package in told}


@pytest.mark.parametrize("font", ["NotoSans-Bold.ttf", "NotoSansDevanagari-Regular.ttf"])
def test_the_doctor_misses_a_font_of_the_reports(
    font: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(bundled("resources"), tmp_path / "resources")
    (tmp_path / "resources" / "fonts" / font).unlink()
    for other in ("docs", "weights"):
        (tmp_path / other).symlink_to(bundled(other))
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path), raising=False)  # as frozen, where everything lies in one folder
    assert main(["doctor"]) == 1
    assert "not ready: resources\n" in capsys.readouterr().out


def test_the_doctor_says_what_is_wrong_with_swapped_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(manifest.manifest_path().parent, tmp_path / "weights")
    (tmp_path / "weights" / "neuro.safetensors").write_bytes(b"swapped")
    monkeypatch.setattr(manifest, "bundled", lambda *parts: tmp_path.joinpath(*parts))
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "[model_damaged]" in said
    assert "not ready: weights" in said


def test_the_demo_writes_everything_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 0
    names = {p.name for p in (tmp_path / "demo").iterdir()}
    assert {"phantom.png", "phantom.pdf", "phantom.report.png", "phantom.json", "phantom.mask.png"} <= names
    said = capsys.readouterr().out
    assert "phantom.pdf" in said
    assert "no display" in said
    assert "synthetic" in json.loads((tmp_path / "demo" / "phantom.json").read_text())["quality"]["flags"]
