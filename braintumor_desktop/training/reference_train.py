"""Training of the reference models by the recipes of their originals, from random weights; resumable at every epoch."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import ReduceLROnPlateau

from braintumor_desktop.inference.reference_answers import to_input
from braintumor_desktop.models.architectures import ARCHITECTURES, Architecture
from braintumor_desktop.models.output import ReferenceOutput
from braintumor_desktop.training.checkpoint import read_checkpoint, save_checkpoint
from braintumor_desktop.training.data import batches
from braintumor_desktop.training.losses import class_loss, outline_loss
from braintumor_desktop.training.recipes import Recipe
from braintumor_desktop.training.reference_augment import augment
from braintumor_desktop.training.reference_data import WholePack, load_whole_pack

Losses = dict[str, float]


@dataclass
class _State:
    """epoch: done so far; best, best_epoch: of each part's loss on what is held back; minutes: of all sessions."""

    epoch: int = 0
    best: Losses = field(default_factory=dict)
    best_epoch: dict[str, int] = field(default_factory=dict)
    minutes: float = 0.0


@dataclass(frozen=True, eq=False)
class _Batch:
    images: Tensor
    masks: Tensor
    outlined: Tensor
    allowed: Tensor


def train_reference(
    data: Path,
    recipe: Recipe,
    run: Path,
    *,
    device: str = "auto",
    max_minutes: float | None = None,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Train to the end, or for `max_minutes`; goes on from the run's last checkpoint, made after every whole epoch.

    run: where ``checkpoint.pt``, ``log.jsonl``, ``run.json`` (epochs done and planned, why it ended) and the result
    ``weights.pt`` go; the pack is cached beside it. Returns the path of the weights.
    """
    tell = say or (lambda text: print(text, file=sys.stderr))  # noqa: T201 - the default is the terminal
    chosen = torch.device("cuda" if device == "auto" and torch.cuda.is_available() else device.replace("auto", "cpu"))
    architecture = ARCHITECTURES[recipe.architecture]
    run.mkdir(parents=True, exist_ok=True)
    pack = load_whole_pack(data, run.parent / "cache", architecture)
    watched = np.flatnonzero(pack.watched) if recipe.watches else np.array([], np.int64)
    learnt = np.setdiff1d(np.arange(len(pack)), watched)
    tell(f"{recipe.architecture}: train {len(learnt)}, held back {len(watched)}; on {chosen}")
    torch.manual_seed(recipe.seed)
    network: nn.Module = architecture.build().to(chosen).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    plateau = ReduceLROnPlateau(optimizer, factor=recipe.plateau_factor, patience=max(recipe.plateau_patience - 1, 0))
    state = _resume(run, network, optimizer, plateau, recipe)
    began, before = time.monotonic(), state.minutes
    until = None if max_minutes is None else began + 60 * max_minutes
    part = 0.0
    ended = _ended(state, recipe, None)
    while not ended:
        entry: dict[str, Any] = {"epoch": state.epoch + 1}
        figures, share = _epoch(network, architecture, optimizer, pack, learnt, recipe, state.epoch, chosen, until)
        entry |= figures
        if share < 1:
            part, ended = share, "time"
            entry["share"] = round(share, 2)
        state.epoch += 1
        if recipe.watches and not part:  # a part of an epoch is done again, and is not what is kept
            entry |= _watch(network, architecture, pack, watched, recipe, state, run, chosen)
            if recipe.plateau_patience:
                plateau.step(sum(entry[f"watched_{name}_loss"] for name, _ in architecture.parts))
        state.minutes = before + (time.monotonic() - began) / 60
        entry |= {"learning_rate": optimizer.param_groups[0]["lr"], "minutes": round(state.minutes, 2)}
        with (run / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        tell(" ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in entry.items()))
        if part:
            state.epoch -= 1
        else:
            _save(run, network, optimizer, plateau, recipe, state)
            ended = _ended(state, recipe, None if until is None else until - time.monotonic())
    if recipe.keep == "best":
        _restore_best(network, architecture, run)
    torch.save({k: v.cpu().contiguous() for k, v in network.state_dict().items()}, run / "weights.pt")
    record = {
        "architecture": recipe.architecture,
        "epochs_done": round(state.epoch + part, 2) if part else state.epoch,
        "epochs_planned": recipe.epochs,
        "ended": ended,
        "best_epoch": state.best_epoch,
        "minutes": round(state.minutes, 1),
        "device": str(chosen),
        "pictures": len(learnt),
        "held_back": len(watched),
    }
    (run / "run.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    tell(f"ended: {ended}, {record['epochs_done']} of {recipe.epochs} epochs")
    return run / "weights.pt"


def _ended(state: _State, recipe: Recipe, seconds_left: float | None) -> str:
    """Why the run is over, in a word; empty where it is not."""
    if state.epoch >= recipe.epochs:
        return "complete"
    if recipe.patience and state.epoch - max(state.best_epoch.values(), default=state.epoch) >= recipe.patience:
        return "early"
    return "time" if seconds_left is not None and seconds_left <= 0 else ""


def _losses(out: ReferenceOutput, batch: _Batch) -> dict[str, Tensor]:
    """One for each part of the network. class: cross-entropy, for a binary network binary cross-entropy up to a
    constant; mask: binary cross-entropy plus soft Dice, where the mask is known.
    """
    losses = {"class": class_loss(out.logits.float(), batch.allowed, 0.0)}
    if out.mask_logits is not None:
        known = batch.outlined
        some = bool(known.any())
        loss = (
            outline_loss(out.mask_logits[known, 0].float(), batch.masks[known]) if some else out.mask_logits.sum() * 0
        )
        losses["mask"] = loss
    return losses


def _epoch(
    network: nn.Module,
    architecture: Architecture,
    optimizer: torch.optim.Optimizer,
    pack: WholePack,
    learnt: NDArray[np.int64],
    recipe: Recipe,
    number: int,
    device: torch.device,
    until: float | None,
) -> tuple[dict[str, Any], float]:
    """Each picture once but for an incomplete last batch; order and augmentations depend on seed and epoch alone.

    until: on the monotonic clock, when to stop before the end. Returns figures and the share of the epoch done.
    """
    assert architecture.feeding is not None
    torch.manual_seed(recipe.seed + number)  # so that a resumed run drops the same units as a whole one
    rng = torch.Generator().manual_seed(recipe.seed * 1009 + number)
    order = np.random.default_rng([recipe.seed, number]).permutation(learnt)
    network.train()
    sums: dict[str, float] = dict.fromkeys((name for name, _ in architecture.parts), 0.0)
    steps, began = 0, time.monotonic()
    for batch in _batches(pack, order, recipe.batch, device):
        images, masks = augment(batch.images, batch.masks, recipe.augmentation, rng)
        moved = _Batch(images, masks, batch.outlined, batch.allowed)
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.bfloat16):
            out = network(to_input(images, architecture.feeding))
        losses = _losses(out, moved)
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        steps += 1
        for name, loss in losses.items():
            sums[name] += float(loss.detach())
        if sys.stderr.isatty():
            print(f"\repoch {number + 1} {steps}/{len(order) // recipe.batch}", end="", file=sys.stderr)  # noqa: T201
        if until is not None and time.monotonic() > until:
            break
    seconds = (time.monotonic() - began) / max(steps, 1)
    means = {f"{name}_loss": round(total / max(steps, 1), 4) for name, total in sums.items()}
    return {**means, "seconds_a_step": round(seconds, 3)}, steps / max(len(order) // recipe.batch, 1)


def _batches(pack: WholePack, order: NDArray[np.int64], size: int, device: torch.device) -> Iterator[_Batch]:
    for chosen in batches(order, min(size, max(len(order), 1))):
        yield _batch(pack, chosen, device)


def _batch(pack: WholePack, chosen: NDArray[np.int64], device: torch.device) -> _Batch:
    parts = (pack.images[chosen], pack.masks[chosen], pack.outlined[chosen], pack.allowed[chosen])
    images, masks, outlined, allowed = (torch.from_numpy(part).to(device) for part in parts)
    return _Batch(images.float(), masks.float(), outlined, allowed)


@torch.inference_mode()
def _watch(
    network: nn.Module,
    architecture: Architecture,
    pack: WholePack,
    watched: NDArray[np.int64],
    recipe: Recipe,
    state: _State,
    run: Path,
    device: torch.device,
) -> dict[str, float]:
    """Losses and accuracy on what is held back; keeps each part's weights where its loss is the least so far."""
    assert architecture.feeding is not None
    network.eval()
    sums: dict[str, float] = dict.fromkeys((name for name, _ in architecture.parts), 0.0)
    right = 0
    for start in range(0, len(watched), recipe.batch):
        batch = _batch(pack, watched[start : start + recipe.batch], device)
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.bfloat16):
            out = network(to_input(batch.images, architecture.feeding))
        for name, loss in _losses(out, batch).items():
            sums[name] += float(loss) * len(batch.images)
        right += int((batch.allowed & F.one_hot(out.logits.argmax(1), 4).bool()).any(1).sum())
    figures = {f"watched_{name}_loss": total / max(len(watched), 1) for name, total in sums.items()}
    for name, submodule in architecture.parts:
        figure = figures[f"watched_{name}_loss"]
        if figure < state.best.get(name, float("inf")):
            state.best[name], state.best_epoch[name] = figure, state.epoch
            torch.save(network.get_submodule(submodule).state_dict(), run / f"best-{name}.pt")
    return {k: round(v, 4) for k, v in figures.items()} | {"watched_accuracy": round(right / max(len(watched), 1), 4)}


def _restore_best(network: nn.Module, architecture: Architecture, run: Path) -> None:
    for name, submodule in architecture.parts:
        if (file := run / f"best-{name}.pt").is_file():
            network.get_submodule(submodule).load_state_dict(torch.load(file, weights_only=True, map_location="cpu"))


def _save(
    run: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    plateau: ReduceLROnPlateau,
    recipe: Recipe,
    state: _State,
) -> None:
    stored = {
        "recipe": {"architecture": recipe.architecture, "seed": recipe.seed},
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "plateau": {k: getattr(plateau, k) for k in ("best", "num_bad_epochs", "last_epoch", "cooldown_counter")},
        "state": asdict(state),
    }
    save_checkpoint(run, stored)


def _resume(
    run: Path, network: nn.Module, optimizer: torch.optim.Optimizer, plateau: ReduceLROnPlateau, recipe: Recipe
) -> _State:
    same = {"architecture": recipe.architecture, "seed": recipe.seed}
    stored = read_checkpoint(run, lambda kept: kept.get("recipe") == same)
    if stored is None:
        return _State()
    network.load_state_dict(stored["network"])
    optimizer.load_state_dict(stored["optimizer"])
    for name, value in stored["plateau"].items():
        setattr(plateau, name, value)
    return _State(**stored["state"])
