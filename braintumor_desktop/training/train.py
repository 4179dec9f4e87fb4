"""Training: one command, a TOML configuration, resumable at every epoch."""

from __future__ import annotations

import copy
import json
import math
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from braintumor_desktop.domain.findings import CLASSES, TumorClass
from braintumor_desktop.models.neuro import Neuro, NeuroOutput
from braintumor_desktop.training import augment
from braintumor_desktop.training.checkpoint import read_checkpoint, save_checkpoint
from braintumor_desktop.training.config import Config
from braintumor_desktop.training.data import (
    FOLDS,
    PACK_SIZE,
    Pack,
    Region,
    allowed_classes,
    batches,
    describe,
    draw_weights,
    load_pack,
)
from braintumor_desktop.training.losses import attention_loss, class_loss, mask_loss
from braintumor_desktop.training.metrics import auroc, dice, macro_f1
from braintumor_desktop.training.start import (
    begin_from,
    begin_from_photographs,
    refuse_what_saw_the_folds,
    refuse_what_saw_val,
)

_GLIOMA = CLASSES.index(TumorClass.GLIOMA)


@dataclass(frozen=True)
class Batch:
    """images, regions: (n, 1, s, s) float32; kinds: (n,) Region; allowed: (n, 4) bool."""

    images: Tensor
    regions: Tensor
    kinds: Tensor
    allowed: Tensor


class Sampler:
    """Draws and augments training pictures; the same seed, epoch and position give the same picture."""

    def __init__(self, pack: Pack, config: Config) -> None:
        self.pack = pack
        self.config = config
        self.weights = draw_weights(pack, config.shares)
        self.lesions = np.flatnonzero((pack.kinds == Region.MASK) & (pack.regions.any(axis=(1, 2))))
        self.no_tumor = allowed_classes(TumorClass.NO_TUMOR)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch, made on a thread of their own, a few ahead."""
        stage = self.config.stage_of(number)
        rng = np.random.default_rng([self.config.seed, number])
        drawn = rng.choice(len(self.pack), self.config.draws_per_epoch, p=self.weights)
        ready: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=4)

        def produce() -> None:
            try:
                for start, indices in enumerate(batches(drawn, stage.batch)):
                    ready.put(self._batch(indices, stage.size, [self.config.seed, number, start]))
                ready.put(None)
            except BaseException as error:  # noqa: BLE001 - handed to the training thread, which raises it
                ready.put(error)

        threading.Thread(target=produce, daemon=True).start()
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def _batch(self, indices: NDArray[np.int64], size: int, seed: list[int]) -> Batch:
        made = [self._example(int(i), size, np.random.default_rng([*seed, n])) for n, i in enumerate(indices)]
        images, regions, kinds, allowed = (np.stack([m[k] for m in made]) for k in range(4))
        return Batch(
            torch.from_numpy(images)[:, None],
            torch.from_numpy(regions)[:, None],
            torch.from_numpy(kinds.astype(np.int64)),
            torch.from_numpy(allowed),
        )

    def _example(self, index: int, size: int, rng: np.random.Generator) -> tuple[Any, Any, int, Any]:
        image, region = self._floats(index)
        kind, allowed = Region(self.pack.kinds[index]), self.pack.allowed[index]
        choice = rng.random()
        if kind is Region.MASK and choice < self.config.remove:
            healed = augment.remove_lesion(image, region, rng)
            if healed is not None:
                image, region, kind, allowed = healed, np.zeros_like(region), Region.EMPTY, self.no_tumor
        elif kind is Region.MASK and choice < self.config.remove + self.config.cover:
            image = augment.cover_elsewhere(image, region, rng)
        elif kind is Region.EMPTY and choice < self.config.transplant:
            donor = int(rng.choice(self.lesions))
            grown = augment.transplant(image, *self._floats(donor), rng)
            if grown is not None:
                (image, region), kind, allowed = grown, Region.MASK, self.pack.allowed[donor]
        elif kind is Region.EMPTY and choice < self.config.transplant + self.config.cover:
            image = augment.cover_elsewhere(image, region, rng)
        if kind is Region.MASK and allowed[_GLIOMA] and rng.random() < self.config.hollow:
            emptied = augment.hollow(image, region, rng)
            image = image if emptied is None else emptied
        if rng.random() < self.config.skull_off:
            bare = augment.skull_off(image, region, rng)
            image = image if bare is None else bare
        image, region = augment.geometric(image, region, size, rng)
        return augment.photometric(image, rng), region, int(kind), allowed

    def _floats(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        image = self.pack.images[index].astype(np.float32) / 255
        return image, (self.pack.regions[index] > 0).astype(np.float32)


class Ema:
    """Exponential moving average of the weights, the one that is evaluated and kept."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval()
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for mine, theirs in zip(self.model.state_dict().values(), model.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)


@torch.inference_mode()
def validate(model: nn.Module, pack: Pack, device: torch.device) -> dict[str, float]:
    """Quick figures on the packed val pictures (framed, 256²); `evaluate` gives the full ones."""
    model.eval()
    probabilities, dices = [], []
    for start in range(0, len(pack), 32):
        images = torch.from_numpy(pack.images[start : start + 32].astype(np.float32) / 255)[:, None].to(device)
        out = model(images.to(memory_format=torch.channels_last))
        probabilities.append(out.logits.softmax(1).cpu().numpy())
        masks = F.interpolate(out.mask_logits, size=(PACK_SIZE, PACK_SIZE), mode="bilinear").sigmoid()[:, 0] > 0.5
        for k, mask in enumerate(masks.cpu().numpy(), start):
            if pack.categories[k].startswith("cheng/"):
                dices.append(dice(mask, pack.regions[k] > 0))
    p = np.concatenate(probabilities)
    cheng = np.char.startswith(pack.categories, "cheng/")
    truth = pack.allowed.argmax(1)
    three = p[cheng, :3].argmax(1)
    none = pack.allowed[:, 3]
    return {
        "cheng_accuracy": float((three == truth[cheng]).mean()),
        "cheng_macro_f1": macro_f1(truth[cheng], three, 3),
        "cheng_dice": float(np.mean(dices)),
        "web_auroc": auroc(~none[~cheng], 1 - p[~cheng, 3]),
        "cheng_called_tumor": float((p[cheng].argmax(1) != CLASSES.index(TumorClass.NO_TUMOR)).mean()),
    }


def train(
    data: Path,
    config: Config,
    run: Path,
    *,
    start: Path | None = None,
    device: str = "auto",
    say: Callable[[str], None] | None = None,
) -> Path:
    """Train to the end, from the run folder's last checkpoint where there is one.

    data: the data folder; start: another run's weights to begin from, instead of the configuration's; run: where
    ``checkpoint.pt``, ``log.jsonl`` and the result ``weights.pt`` go. Of several runs each has a folder ``1``, ``2``
    and so on in it: they begin alike and draw other pictures, and the result is the mean of their weights (Wortsman
    et al., ICML 2022), which costs no more than one of them once it is trained.
    Returns the path of the kept weights (a float32 state dictionary of the EMA model).
    """
    cache = run.parent / "cache"
    if config.runs == 1:
        return _train_once(data, config, run, cache, 0, start, device, say)
    parts = [_train_once(data, config, run / str(n + 1), cache, n, start, device, say) for n in range(config.runs)]
    save_checkpoint(run, {"config": asdict(config)})
    states = [torch.load(part, weights_only=True, map_location="cpu") for part in parts]
    torch.save(mean_of(states), run / "weights.pt")
    return run / "weights.pt"


def mean_of(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of state dictionaries of one architecture; what is counted, not learned, is the first one's."""
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if first.dtype.is_floating_point else first
        for name, first in states[0].items()
    }


def _train_once(
    data: Path,
    config: Config,
    run: Path,
    cache: Path,
    number: int,
    start: Path | None,
    device: str,
    say: Callable[[str], None] | None,
) -> Path:
    """The run of that number, from 0: the same beginning as any, other pictures, other units dropped."""
    tell = say or (lambda text: print(text, file=sys.stderr))  # noqa: T201 - the default is the terminal
    chosen = torch.device("cuda" if device == "auto" and torch.cuda.is_available() else device.replace("auto", "cpu"))
    run.mkdir(parents=True, exist_ok=True)
    pack = load_pack(data, cache, split="train", folds=config.folds)
    held = None if config.folds is None else sorted(set(FOLDS) - set(config.folds))
    val = load_pack(data, cache, split="val", folds=held)
    tell(f"train {len(pack)} {describe(pack)}; val {len(val)}; on {chosen}")
    torch.manual_seed(config.seed)
    config = replace(config, seed=config.seed + 1000 * number)
    model = Neuro().to(chosen)
    if start is not None:
        if held is None:
            refuse_what_saw_val(start)
        else:
            refuse_what_saw_the_folds(start, held)
        begin_from(model, start)
    elif config.pretrained:
        begin_from_photographs(model.encoder)
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = Ema(model, config.ema_decay)
    optimizer = torch.optim.AdamW(_groups(model, config), lr=config.learning_rate)
    state = _resume(run, model, ema, optimizer, config)
    sampler = Sampler(pack, config)
    while state.epoch < config.epochs:
        began = time.monotonic()
        losses = _run_epoch(sampler, model, ema, optimizer, config, state, chosen)
        state.epoch += 1
        entry: dict[str, Any] = {"epoch": state.epoch, "size": config.stage_of(state.epoch - 1).size, **losses}
        if state.epoch % config.evaluate_every == 0 or state.epoch == config.epochs:
            figures = validate(ema.model, val, chosen)
            entry |= figures
            score = (figures["cheng_macro_f1"] + figures["cheng_dice"] + figures["web_auroc"]) / 3
            if score > state.best:
                state.best, state.best_epoch = score, state.epoch
                torch.save(ema.model.state_dict(), run / "best.pt")
        entry["seconds"] = round(time.monotonic() - began, 1)
        with (run / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        tell(" ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in entry.items()))
        _save(run, model, ema, optimizer, config, state)
        if config.patience and state.epoch - state.best_epoch >= config.patience:
            tell(f"stopped early: nothing better since epoch {state.best_epoch}")
            break
    final = run / "weights.pt"
    if config.keep == "best" and (run / "best.pt").is_file():
        final.write_bytes((run / "best.pt").read_bytes())
    else:
        torch.save(ema.model.state_dict(), final)
    return final


@dataclass
class _State:
    epoch: int = 0
    best: float = -1.0
    best_epoch: int = 0


def _groups(model: Neuro, config: Config) -> list[dict[str, Any]]:
    """The encoder learns at its own rate; convolution and linear weights decay, norms and biases don't."""
    inside = {id(p) for p in model.encoder.parameters()}
    groups = []
    for of_encoder, rate in ((True, config.encoder_rate), (False, 1.0)):
        part = [p for p in model.parameters() if (id(p) in inside) is of_encoder]
        for matrices, decay in ((True, config.weight_decay), (False, 0.0)):
            chosen = [p for p in part if (p.ndim >= 2) is matrices]
            groups.append({"params": chosen, "weight_decay": decay, "rate": rate})
    return groups


def learning_rate(config: Config, progress: float) -> float:
    """Linear warm-up, then a cosine that reaches zero after `rate_epochs`. progress: epochs done, fractional."""
    if progress < config.warmup_epochs:
        return config.learning_rate * (progress + 0.01) / (config.warmup_epochs + 0.01)
    along = (progress - config.warmup_epochs) / max(config.rate_epochs - config.warmup_epochs, 1e-9)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(along, 1.0)))


def _run_epoch(
    sampler: Sampler,
    model: nn.Module,
    ema: Ema,
    optimizer: torch.optim.Optimizer,
    config: Config,
    state: _State,
    device: torch.device,
) -> dict[str, float]:
    torch.manual_seed(config.seed + state.epoch)  # so that a resumed run drops the same units as a whole one
    model.train()
    sums = np.zeros(2)
    count = 0
    stage = config.stage_of(state.epoch)
    steps = config.draws_per_epoch // stage.batch
    for batch in sampler.epoch(state.epoch):
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * learning_rate(config, state.epoch + count / steps)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bfloat16):
            out = model(batch.images.to(device, memory_format=torch.channels_last))
        out = _in_full_precision(out)
        regions, kinds = batch.regions.to(device), batch.kinds.to(device)
        classes = class_loss(out.logits, batch.allowed.to(device), config.label_smoothing)
        scales = [(m, F.interpolate(regions, m.shape[-2:], mode="area")) for m in (out.mask_logits, *out.coarse_masks)]
        masks = [mask_loss(m, truth, kinds, empty_dice=config.empty_dice) for m, truth in scales]
        loss = classes + config.mask_weight * (masks[0] + config.coarse_weight * sum(masks[1:]))
        loss = loss + config.attention_weight * attention_loss(out.attention, regions, kinds)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        ema.update(model)
        sums += [float(classes.detach()), float(masks[0].detach())]
        count += 1
        if sys.stderr.isatty():
            done = f"epoch {state.epoch + 1}/{config.epochs} {count}/{steps} class {sums[0] / count:.3f}"
            print(f"\r{done} mask {sums[1] / count:.3f}", end="", file=sys.stderr)  # noqa: T201
    if sys.stderr.isatty():
        print(file=sys.stderr)  # noqa: T201
    return {"class_loss": round(sums[0] / count, 4), "mask_loss": round(sums[1] / count, 4)}


def _in_full_precision(out: NeuroOutput) -> NeuroOutput:
    return NeuroOutput(
        out.logits.float(),
        out.mask_logits.float(),
        out.features,
        out.attention.float(),
        tuple(m.float() for m in out.coarse_masks),
    )


def _save(
    run: Path, model: nn.Module, ema: Ema, optimizer: torch.optim.Optimizer, config: Config, state: _State
) -> None:
    save_checkpoint(
        run,
        {
            "config": asdict(config),
            "model": model.state_dict(),
            "ema": ema.model.state_dict(),
            "ema_steps": ema.steps,
            "optimizer": optimizer.state_dict(),
            "state": asdict(state),
        },
    )


def _resume(run: Path, model: nn.Module, ema: Ema, optimizer: torch.optim.Optimizer, config: Config) -> _State:
    present = asdict(config)
    # a run may be made longer
    stored = read_checkpoint(run, lambda kept: kept["config"] | {"stages": present["stages"]} == present)
    if stored is None:
        return _State()
    model.load_state_dict(stored["model"])
    ema.model.load_state_dict(stored["ema"])
    ema.steps = stored["ema_steps"]
    optimizer.load_state_dict(stored["optimizer"])
    return _State(**stored["state"])
