import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn

from braintumor_desktop.cli import main
from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.models.architectures import ARCHITECTURES, WholePicture
from braintumor_desktop.models.manifest import find_model, verified_weights
from braintumor_desktop.models.output import ReferenceOutput
from braintumor_desktop.training import evaluate, recipes
from braintumor_desktop.training.recipes import Recipe, is_recipe
from braintumor_desktop.training.reference_augment import Augmentation, augment
from braintumor_desktop.training.reference_data import STOPPING_FOLD, load_whole_pack
from braintumor_desktop.training.reference_train import train_reference

CONFIGS = Path(recipes.__file__).parent / "configs"
LENET = Recipe.read(CONFIGS / "lenet-binary.toml")


class SmallPair(nn.Module):
    """vgg16's shape in small: a classifier and an outliner that share nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Sequential(nn.Conv2d(3, 4, 3, 4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 4))
        self.outliner = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x: Tensor) -> ReferenceOutput:
        return ReferenceOutput(self.classifier(x), self.outliner(x))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Bright squares are tumours: the left half of the picture for cheng's, none for tumour-free ones."""
    rng = np.random.default_rng(0)
    headers = {
        "cheng": ["file", "mask", "label", "patient", "official_fold", "split"],
        "web": ["file", "label", "group", "split", "source", "boxes", "mask"],
    }
    for name, labels in (("cheng", ["glioma", "meningioma", "pituitary"]), ("web", ["no_tumor", "no_tumor", "tumor"])):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        rows = []
        for k in range(15):
            label = labels[k % 3]
            picture = rng.integers(0, 60, (80, 60), dtype=np.uint8)
            mask = np.zeros_like(picture)
            if label != "no_tumor":
                mask[20:40, 10:30] = 255
            cv2.imwrite(str(folder / f"{k}.png"), np.maximum(picture, mask))
            cv2.imwrite(str(folder / f"mask{k}.png"), mask)
            split = "val" if k >= 12 else "train"
            rows.append(
                [f"{k}.png", f"mask{k}.png", label, "", 1 + k % 5, split]
                if name == "cheng"
                else [f"{k}.png", label, f"g{k}", split, "sartaj", "", ""]
            )
        with (folder / "index.csv").open("w", newline="") as file:
            csv.writer(file).writerows([headers[name], *rows])
    return tmp_path / "data"


@pytest.fixture
def small_pair(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A recipe of a pair of tiny networks in vgg16's place."""
    small = replace(ARCHITECTURES["vgg16"], build=SmallPair, feeding=WholePicture(32))
    monkeypatch.setitem(ARCHITECTURES, "vgg16", small)
    return replace(Recipe.read(CONFIGS / "vgg16.toml"), batch=4, epochs=3, learning_rate=1e-2)


def silent(_text: str) -> None:
    pass


@pytest.mark.parametrize("name", [n for n, a in ARCHITECTURES.items() if a.reference])
def test_every_reference_has_its_recipe(name: str) -> None:
    assert is_recipe(CONFIGS / f"{name}.toml")
    assert Recipe.read(CONFIGS / f"{name}.toml").architecture == name


def test_neuros_configuration_is_no_recipe() -> None:
    assert not is_recipe(CONFIGS / "neuro.toml")


def test_a_recipe_with_a_misspelt_key_is_refused_by_name(tmp_path: Path) -> None:
    for old, new in (("patience = 8", "pacience = 8"), ("zoom =", "zume =")):
        file = tmp_path / "c.toml"
        file.write_text((CONFIGS / "cnn3.toml").read_text().replace(old, new))
        with pytest.raises(BrainTumorError, match=new.split()[0]):
            Recipe.read(file)


def test_a_tumor_of_unknown_type_teaches_only_the_binary_network(data: Path, tmp_path: Path) -> None:
    binary = load_whole_pack(data, tmp_path, replace(ARCHITECTURES["lenet-binary"], feeding=WholePicture(32)))
    typed = load_whole_pack(data, tmp_path, replace(ARCHITECTURES["vgg16"], feeding=WholePicture(32)))
    assert len(binary) == 24
    assert len(typed) == 20
    assert (typed.allowed.sum(axis=1) == 1).all()
    assert typed.outlined.all()
    assert typed.masks[typed.allowed[:, 3]].max() == 0
    # the square of 20 x 20 of 80 x 60 pixels, on 32 x 32
    assert typed.masks[~typed.allowed[:, 3]].mean() == pytest.approx(400 / 4800, rel=0.1)
    assert typed.watched[:12].tolist() == [1 + k % 5 == STOPPING_FOLD for k in range(12)]


def test_training_finds_an_easy_tumor_and_its_outline(data: Path, small_pair: Recipe, tmp_path: Path) -> None:
    recipe = replace(small_pair, epochs=20, patience=0, learning_rate=0.1)
    weights = train_reference(data, recipe, tmp_path / "run", device="cpu", say=silent)
    log = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    first, last = log[0], log[-1]
    assert last["mask_loss"] < 0.3 * first["mask_loss"]
    assert last["class_loss"] < 0.8 * first["class_loss"]
    network = SmallPair().eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    pack = load_whole_pack(data, tmp_path / "cache", ARCHITECTURES["vgg16"])
    picture = torch.from_numpy(pack.images[:1]).float()[:, None].expand(-1, 3, -1, -1) / 255
    outlined = network(picture).mask_logits[0, 0] > 0
    both = (outlined & torch.from_numpy(pack.masks[0] > 0)).sum()
    assert 2 * both / (outlined.sum() + pack.masks[0].sum()) > 0.8


def test_a_run_stopped_midway_ends_like_one_that_was_not(data: Path, small_pair: Recipe, tmp_path: Path) -> None:
    whole = train_reference(data, small_pair, tmp_path / "a/run", device="cpu", say=silent)

    def interrupt_in_the_second_epoch(text: str) -> None:
        if text.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_reference(data, small_pair, tmp_path / "b/run", device="cpu", say=interrupt_in_the_second_epoch)
    halves = train_reference(data, small_pair, tmp_path / "b/run", device="cpu", say=silent)
    first, second = (torch.load(path, weights_only=True) for path in (whole, halves))
    # Sums in the network's convolutions may be taken in another order, hence not bit for bit.
    assert all(torch.allclose(first[k], second[k], atol=1e-4) for k in first)


def test_out_of_time_a_run_ends_within_an_epoch_and_can_go_on(data: Path, small_pair: Recipe, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train_reference(data, small_pair, run, device="cpu", max_minutes=0, say=silent)
    record = json.loads((run / "run.json").read_text())
    assert (record["epochs_done"], record["epochs_planned"], record["ended"]) == (0.25, 3, "time")
    assert (run / "weights.pt").is_file()
    assert not list(run.glob("best-*.pt")), "a part of an epoch is no epoch to keep"
    train_reference(data, small_pair, run, device="cpu", say=silent)
    record = json.loads((run / "run.json").read_text())
    assert (record["epochs_done"], record["ended"]) == (3, "complete")


def test_each_part_keeps_the_weights_of_its_own_best_epoch(data: Path, small_pair: Recipe, tmp_path: Path) -> None:
    weights = train_reference(data, small_pair, tmp_path / "run", device="cpu", say=silent)
    log = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    best = json.loads((tmp_path / "run/run.json").read_text())["best_epoch"]
    kept = torch.load(weights, weights_only=True)
    for part, prefix in (("class", "classifier."), ("mask", "outliner.")):
        assert best[part] == 1 + int(np.argmin([entry[f"watched_{part}_loss"] for entry in log]))
        stored = torch.load(tmp_path / f"run/best-{part}.pt", weights_only=True)
        assert all(torch.equal(kept[prefix + k], v) for k, v in stored.items())


def test_early_stopping_and_the_plateau_act_on_what_is_held_back(
    data: Path, small_pair: Recipe, tmp_path: Path
) -> None:
    stubborn = replace(small_pair, epochs=20, learning_rate=1e-30, patience=3, plateau_patience=2)
    train_reference(data, stubborn, tmp_path / "run", device="cpu", say=silent)
    log = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert len(log) == 4
    assert json.loads((tmp_path / "run/run.json").read_text())["ended"] == "early"
    assert log[-1]["learning_rate"] == pytest.approx(0.5e-30)


def test_the_same_command_trains_a_reference(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "lenet.toml"
    config.write_text((CONFIGS / "lenet-binary.toml").read_text().replace("epochs = 400", "epochs = 1"))
    arguments = [
        "train",
        "--data",
        str(data),
        "--config",
        str(config),
        "--run",
        str(tmp_path / "run"),
        "--device",
        "cpu",
    ]
    assert main(arguments) == 0
    assert (tmp_path / "run/weights.pt").is_file()
    assert main([*arguments, "--start", str(tmp_path / "run/weights.pt")]) == 2
    assert "--start" in capsys.readouterr().err


def test_picture_and_mask_move_together() -> None:
    images = torch.zeros(20, 64, 64)
    images[:, 10:30, 8:20] = 200
    how = Augmentation((-30, 30), (1.0, 1.2), (0.8, 1.2), (0.8, 1.2), True, True)
    moved, masks = augment(images, (images > 0).float(), how, Generator().manual_seed(0))
    bright = moved > (moved.amax((1, 2), keepdim=True) + moved.amin((1, 2), keepdim=True)) / 2
    overlap = 2 * (bright & (masks > 0)).sum((1, 2)) / (bright.sum((1, 2)) + masks.sum((1, 2)))
    assert overlap.min() > 0.95
    assert len({tuple(m.flatten().nonzero()[0].tolist()) for m in masks}) > 10


def test_flips_alone_keep_every_pixel() -> None:
    image = torch.rand(1, 16, 16).expand(12, -1, -1) * 255
    flipped, _ = augment(image, torch.zeros(12, 0, 0), Augmentation(horizontal_flip=True), Generator().manual_seed(0))
    same = [torch.allclose(f, image[0], atol=1e-2) for f in flipped]
    mirrored = [torch.allclose(f, image[0].flip(1), atol=1e-2) for f in flipped]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert any(same)
    assert any(mirrored)


def evaluated(data: Path, model: str, weights: Path, out: Path) -> tuple[dict[str, Any], str]:
    page = evaluate.evaluate(data, model, out, weights=weights, device="cpu")
    assert (out / f"{model}.png").stat().st_size > 10_000
    return json.loads((out / f"{model}.json").read_text(), parse_constant=pytest.fail), page


def test_types_and_outlines_that_a_model_cannot_give_are_null_in_its_evaluation(data: Path, tmp_path: Path) -> None:
    weights = train_reference(data, replace(LENET, epochs=1), tmp_path / "run", device="cpu", say=silent)
    figures, page = evaluated(data, "lenet-binary", weights, tmp_path / "out")
    assert figures["cheng"]["macro_f1_3"] == {"value": None, "low": None, "high": None}
    assert figures["cheng"]["dice"]["value"] is None
    assert figures["cheng"]["confusion"] is None
    assert figures["calibration"]["temperature"] is None
    assert 0 <= figures["web"]["auroc_tumor"]["value"] <= 1
    assert figures["cheng"]["called_tumor"]["value"] in (0, 1 / 3, 2 / 3, 1)
    assert "| Dice, mean of slices | — | — – — |" in page
    assert "nan" not in page


def test_an_evaluated_reference_can_be_published_with_how_long_it_was_trained(
    data: Path, small_pair: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ARCHITECTURES, "vgg16", replace(ARCHITECTURES["vgg16"], cam_layer="classifier.1"))
    monkeypatch.setattr(evaluate, "manifest_path", lambda: tmp_path / "weights/manifest.json")
    (tmp_path / "weights").mkdir()
    weights = train_reference(data, small_pair, tmp_path / "run", device="cpu", max_minutes=0, say=silent)
    evaluate.evaluate(data, "vgg16", tmp_path / "out", weights=weights, device="cpu", publish=True)
    row = find_model("vgg16", tmp_path / "weights/manifest.json")
    assert verified_weights(row, tmp_path / "weights").is_file()
    assert "0.25 of 3 epochs, ended for want of time" in row.training_data
    assert row.input == "32x32 grey in three channels"
    assert row.metrics["Cheng val mean Dice"] >= 0
    assert not row.default
