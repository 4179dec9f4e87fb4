"""The TOML configuration of a reference model: the recipe of its original."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.models.architectures import ARCHITECTURES
from braintumor_desktop.training.reference_augment import Augmentation


@dataclass(frozen=True)
class Recipe:
    """Adam with Keras' and PyTorch's common defaults; the fields of the TOML file, explained there.

    keep: ``last`` or ``best``, by the loss on the part of train that is held back; patience: epochs without a better
    loss there before the run ends, 0 never; plateau_patience, plateau_factor: the same for lowering the learning rate.
    bfloat16: the convolutions' arithmetic in 16 bits, weights and losses in 32; no part of any original, but quick.
    """

    architecture: str
    seed: int
    epochs: int
    batch: int
    learning_rate: float
    keep: str
    patience: int
    plateau_patience: int
    plateau_factor: float
    bfloat16: bool
    augmentation: Augmentation

    @property
    def watches(self) -> bool:
        """Whether a part of train is held back to decide something."""
        return self.keep == "best" or self.patience > 0 or self.plateau_patience > 0

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Read a TOML file. Raises BrainTumorError (data_invalid) that names what is wrong in it."""
        try:
            values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
            moves: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in values.pop("augmentation", {}).items()
            }
            wrong = (values.keys() ^ ({f.name for f in fields(cls)} - {"augmentation"})) | (
                moves.keys() - {f.name for f in fields(Augmentation)}
            )
            if wrong:
                raise ValueError(f"missing or unknown: {', '.join(sorted(wrong))}")
            if values["keep"] not in ("last", "best"):
                raise ValueError("keep is 'last' or 'best'")
            return cls(**values, augmentation=Augmentation(**moves))
        except (OSError, ValueError) as error:
            raise BrainTumorError(
                ErrorCode.DATA_INVALID,
                f"The training configuration {path.name} can't be used: {error}.",
                "Start from one in braintumor_desktop/training/configs.",
            ) from error


def is_recipe(path: Path) -> bool:
    """Whether a configuration is of a reference model; False where it can't be read."""
    try:
        name = tomllib.loads(path.read_text(encoding="utf-8")).get("architecture")
    except (OSError, ValueError):
        return False
    return name in ARCHITECTURES and ARCHITECTURES[name].reference
