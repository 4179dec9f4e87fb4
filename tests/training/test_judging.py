"""From a run's weights to a published model that knows what is familiar, on synthetic heads."""

import json
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
import torch
from pydicom.data import get_testdata_file
from training_data import write_training_data, write_tumour_free_volume

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.study import HEAD_LOOKS
from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.models import manifest
from braintumor_desktop.models.loading import load_network
from braintumor_desktop.models.manifest import ManifestRow, read_manifest, write_manifest
from braintumor_desktop.models.neuro import Neuro
from braintumor_desktop.training import data as training_data
from braintumor_desktop.training import evaluate, robustness
from braintumor_desktop.training.data import array_study, independent_group, load_pack, read_grey, read_rows, read_twins
from braintumor_desktop.training.explanations import explained
from braintumor_desktop.training.folds import evaluate_fold
from braintumor_desktop.training.robustness import under_stress
from braintumor_desktop.training.sequences import how_warned, known_sequences, read_sequences
from braintumor_desktop.training.start import begin_from_photographs


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_training_data(tmp_path / "data")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Those that training begins with, as an older run would have left them: without any familiarity."""
    torch.manual_seed(0)
    network = Neuro()
    begin_from_photographs(network.encoder)
    file = tmp_path / "run" / "weights.pt"
    file.parent.mkdir()
    torch.save({k: v for k, v in network.state_dict().items() if not k.startswith("familiarity")}, file)
    torch.save({"config": {"folds": None}}, file.parent / "checkpoint.pt")
    return file


@pytest.fixture
def published(data: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ManifestRow, Path]:
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setattr(evaluate, "manifest_path", lambda: folder / "manifest.json")
    evaluate.evaluate(data, "neuro", tmp_path / "out", weights=weights, device="cpu", publish=True)
    return read_manifest(folder / "manifest.json")["neuro"], folder


def test_a_published_network_knows_what_is_familiar(data: Path, published: tuple[ManifestRow, Path]) -> None:
    row, folder = published
    analyzer = Analyzer(load_network(row, folder), row, torch.device("cpu"))
    val = [r for r in read_rows(data) if r.split == "val"]
    scores = [analyzer.analyze(array_study(read_grey(r.path))).quality for r in val]
    assert all(q.ood_score is not None and 0 <= q.ood_score < 1 for q in scores)
    assert sum(bool(q.in_distribution) for q in scores) >= len(scores) - 1
    page = json.loads((folder.parent / "out/neuro.json").read_text())
    assert page["model"]["sha256"] == row.sha256


def test_bundled_weights_can_get_a_new_calibration(
    data: Path, published: tuple[ManifestRow, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, folder = published
    stale = replace(row, calibration=replace(row.calibration, temperature=7.0), metrics={})
    write_manifest({"neuro": stale}, folder / "manifest.json")
    before = (folder / row.file).read_bytes()
    monkeypatch.setattr(manifest, "manifest_path", lambda: folder / "manifest.json")
    evaluate.evaluate(data, "neuro", folder.parent / "out", device="cpu", publish=True)
    again = read_manifest(folder / "manifest.json")["neuro"]
    assert again.calibration == row.calibration
    assert again.metrics == row.metrics
    assert (folder / row.file).read_bytes() == before


def test_pictures_of_a_known_sequence_are_counted_by_whether_the_reader_is_warned(
    data: Path, published: tuple[ManifestRow, Path]
) -> None:
    row, folder = published
    analyzer = Analyzer(load_network(row, folder), row, torch.device("cpu"))
    val = [r for r in read_rows(data) if r.split == "val"]
    group = next(iter(read_sequences("val")))
    web = [replace(r, group=group) for r in val if r.source != "cheng"][:2]
    healthy = [("x_FLAIR axial", array_study(read_grey(val[0].path)))]
    seen = how_warned(analyzer, known_sequences([r for r in val if r.source == "cheng"], web, healthy))
    told = f"web val, {read_sequences('val')[group]}"
    assert seen is not None
    assert list(seen) == ["Cheng val, T1 after contrast", told, "multiple sclerosis, FLAIR"]
    assert seen[told]["pictures"] == 2
    # Its synthetic training pictures are T1 alone, so nothing can look like anything else.
    assert seen["Cheng val, T1 after contrast"]["warned"] == 0


def test_each_group_of_web_pictures_has_one_sequence_and_one_split() -> None:
    train, val = read_sequences("train"), read_sequences("val")
    assert len(train) > 300
    assert len(val) > 80
    assert not train.keys() & val.keys()
    assert {*train.values(), *val.values()} == set(HEAD_LOOKS)


def test_heat_maps_and_stress_are_measured_for_a_model(
    data: Path, published: tuple[ManifestRow, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, folder = published
    analyzer = Analyzer(load_network(row, folder), row, torch.device("cpu"))
    rows = [r for r in read_rows(data) if r.split == "val" and r.source == "cheng"]
    maps = explained(analyzer, rows)
    assert set(maps) == {"grad-cam", "hirescam", "grad-cam++", "layer-cam"}
    assert all(0 <= f["low"] <= f["value"] <= f["high"] <= 1 for figures in maps.values() for f in figures.values())
    assert analyzer.cam == "grad-cam"
    monkeypatch.setattr(robustness, "STRESSES", robustness.STRESSES[:2])
    stress = under_stress(analyzer, rows)
    assert list(stress) == ["unchanged", "brightness −20 %"]
    assert stress["unchanged"]["dice"] is not None


def test_a_fold_is_judged_on_its_own_pictures(data: Path, weights: Path, tmp_path: Path) -> None:
    torch.save({"config": {"folds": (1, 2, 4, 5)}}, weights.parent / "checkpoint.pt")
    write_tumour_free_volume(data)
    figures = json.loads(evaluate_fold(data, weights, 3, tmp_path / "out", device="cpu"))
    assert figures["slices"] == sum(r.source == "cheng" and r.fold == 3 for r in read_rows(data))
    assert 0 <= figures["dice"] <= 1
    there, gone = figures["lesion_there"], figures["lesion_taken_out"]
    assert there["slices"] == gone["slices"] <= figures["slices"]
    assert 0 < figures["lesion_put_in"]["slices"] <= figures["tumor_free"]["slices"]
    assert json.loads((tmp_path / "out/neuro-fold-3.json").read_text()) == figures
    with pytest.raises(BrainTumorError, match="may have seen fold 2"):
        evaluate_fold(data, weights, 2, tmp_path / "out", device="cpu")
    with pytest.raises(BrainTumorError, match="saw patients of val"):
        evaluate.evaluate(data, "neuro", tmp_path / "out", weights=weights, device="cpu")


def test_tumour_free_heads_are_judged_in_their_own_pixels_with_the_patients_left_on_the_right(data: Path) -> None:
    write_tumour_free_volume(data)
    series = data / "dicom" / "t1_series_implicit_le"
    series.mkdir(parents=True)
    dataset = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    dataset.PixelSpacing = [0.5, 1.0]
    dataset.save_as(series / "1.dcm")
    slices = list(evaluate.healthy_slices(data))
    shown = {name: study.pixels[0] for name, study in slices[:-1]}
    sides = {name: pixels[:, pixels.shape[1] // 2 :].sum() > pixels.sum() / 2 for name, pixels in shown.items()}
    assert sides["patient12_T1 axial"]
    assert sides["patient12_T1 coronal"]
    name, study = slices[-1]
    assert name == "t1_series_implicit_le"
    assert study.geometry.pixel_spacing_mm == (0.5, 1.0)


def test_pictures_that_training_sees_in_another_copy_are_neither_judged_nor_learned(data: Path) -> None:
    learned, same = read_twins()
    copied = min(group for group in learned if group.startswith("g"))
    second, first = next(iter(same.items()))
    index = data / "web" / "index.csv"
    text = index.read_text().replace(",g8,val", f",{copied},val").replace(",g9,", f",{second},")
    index.write_text(text.replace(",g0,train", f",{copied},train"))
    rows = [r for r in read_rows(data) if r.source != "cheng"]
    assert [(r.split, r.group) for r in rows[8:10]] == [("twin", copied), ("val", first)]
    assert rows[0].split == "twin"


def test_a_slice_of_a_fold_that_web_pictures_show_too_is_left_out_of_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(load_pack(data, tmp_path / "cache", split="val", folds=[1]))
    monkeypatch.setattr(training_data, "read_twins", lambda: ({"cheng0"}, {}))
    first = next(r for r in read_rows(data) if r.source == "cheng")
    assert (first.group, first.fold, first.split) == ("cheng0", 1, "twin")
    assert len(load_pack(data, tmp_path / "cache", split="val", folds=[1])) == before - 1


def test_glioma_patients_whose_ids_differ_in_a_letter_are_one(data: Path) -> None:
    row = next(r for r in read_rows(data) if r.source == "cheng")
    ids = ["MR049104", "MR049104B", "MR051644C", "101029"]
    assert [independent_group(replace(row, patient=each)) for each in ids] == [
        *("MR049104", "MR049104", "MR051644", "101029")
    ]
    assert independent_group(replace(row, patient="")) == row.group


def test_weights_are_not_judged_where_nothing_tells_what_they_saw(data: Path, weights: Path, tmp_path: Path) -> None:
    (weights.parent / "checkpoint.pt").unlink()
    for judge in (
        lambda: evaluate.evaluate(data, "neuro", tmp_path / "out", weights=weights, device="cpu"),
        lambda: evaluate_fold(data, weights, 3, tmp_path / "out", device="cpu"),
    ):
        with pytest.raises(BrainTumorError, match="is not known") as refusal:
            judge()
        assert refusal.value.code is ErrorCode.DATA_INVALID


def test_weights_of_another_network_are_not_published(data: Path, tmp_path: Path) -> None:
    weights = tmp_path / "run" / "weights.pt"
    weights.parent.mkdir()
    torch.save({"features.0.weight": torch.zeros(1)}, weights)
    torch.save({}, weights.parent / "checkpoint.pt")
    with pytest.raises(BrainTumorError, match="another network") as refusal:
        evaluate.evaluate(data, "neuro", tmp_path / "out", weights=weights, device="cpu", publish=True)
    assert refusal.value.code is ErrorCode.DATA_INVALID
