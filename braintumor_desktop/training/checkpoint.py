"""What a training run keeps so that it can go on: ``checkpoint.pt`` in its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode

CHECKPOINT_NAME = "checkpoint.pt"


def save_checkpoint(run: Path, stored: dict[str, Any]) -> None:
    """Put it in the place of the earlier one, which stays whole if this is cut short."""
    partial = run / "checkpoint.partial"
    torch.save(stored, partial)
    partial.replace(run / CHECKPOINT_NAME)


def read_checkpoint(run: Path, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    """What was stored last, on the processor wherever it was made; None where nothing was.

    fits: whether it is one of the configuration at hand. Raises BrainTumorError (data_invalid) where it is not.
    """
    file = run / CHECKPOINT_NAME
    if not file.is_file():
        return None
    stored: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
    if not fits(stored):
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            "The run folder holds a checkpoint of another configuration.",
            "Give another --run folder, or delete the checkpoint.",
        )
    return stored
