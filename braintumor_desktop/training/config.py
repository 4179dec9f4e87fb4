"""What a training run of `neuro` is told: the fields of its TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode


@dataclass(frozen=True)
class Stage:
    """`epochs` epochs at `size` x `size` pixels in batches of `batch`."""

    size: int
    epochs: int
    batch: int


@dataclass(frozen=True)
class Config:
    """A training run; the fields of the TOML file, explained there."""

    architecture: str
    seed: int
    draws_per_epoch: int
    stages: tuple[Stage, ...]
    shares: dict[str, float]
    learning_rate: float
    weight_decay: float
    warmup_epochs: float
    ema_decay: float
    label_smoothing: float
    mask_weight: float
    coarse_weight: float
    attention_weight: float
    empty_dice: float
    keep: str
    patience: int
    evaluate_every: int
    remove: float
    cover: float
    transplant: float
    hollow: float
    skull_off: float
    bfloat16: bool
    pretrained: bool
    encoder_rate: float
    rate_epochs: float
    runs: int
    folds: tuple[int, ...] | None = None

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    def stage_of(self, epoch: int) -> Stage:
        """The stage that epoch number `epoch` (from 0) belongs to."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        raise IndexError("past the last stage")

    @classmethod
    def read(cls, path: Path) -> Config:
        """Read a TOML file. Raises BrainTumorError (data_invalid) that names what is wrong in it."""
        try:
            values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise _bad_config(path, str(error)) from error
        known = {f.name for f in fields(cls)}
        missing = known - values.keys() - {"folds"}
        if missing or values.keys() - known:
            raise _bad_config(path, f"missing {sorted(missing)}, unknown {sorted(values.keys() - known)}")
        values["stages"] = tuple(Stage(**stage) for stage in values["stages"])
        if values.get("folds") is not None:
            values["folds"] = tuple(values["folds"])
        if values["keep"] not in ("last", "best"):
            raise _bad_config(path, "keep is 'last' or 'best'")
        if values["runs"] < 1:
            raise _bad_config(path, "runs is 1 or more")
        return cls(**values)


def _bad_config(path: Path, reason: str) -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.DATA_INVALID,
        f"The training configuration {path.name} can't be used: {reason}.",
        "Start from braintumor_desktop/training/configs/neuro.toml.",
    )
