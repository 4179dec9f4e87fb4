"""Weights of an earlier run to begin from: taken over, refused where they know too much, mixed in at the end."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode


def refuse_what_saw_the_folds(start: Path, held: list[int] | None) -> None:
    """Weights that may have seen the held-out folds would make every figure on these worthless."""
    if held is None:
        return
    record = start.parent / "checkpoint.pt"
    seen = torch.load(record, weights_only=True, mmap=True)["config"]["folds"] if record.is_file() else None
    if seen is None or set(seen) & set(held):
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            f"{start.name} may have seen fold {', '.join(map(str, held))}, which is to be held out.",
            "Give --start the weights.pt in the folder of a run that left these folds out, too.",
        )


def begin_from(model: nn.Module, start: Path) -> None:
    """Take the weights of an earlier run; parts of the network that it lacked keep their random beginning."""
    unknown = model.load_state_dict(torch.load(start, weights_only=True), strict=False).unexpected_keys
    if unknown:
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            f"{start.name} holds weights of another network ({unknown[0]} and others).",
            "Give --start the weights.pt of a run of the same architecture.",
        )


def mix_in(weights: Path, start: Path, share: float) -> None:
    """Move the kept weights a `share` of the way back to those they began from.

    What the later run unlearnt of other sources comes back so (Wortsman et al., CVPR 2022).
    """
    began, ended = (torch.load(path, weights_only=True) for path in (start, weights))
    mixed = {
        name: torch.lerp(value, began[name], share) if name in began and value.is_floating_point() else value
        for name, value in ended.items()
    }
    torch.save(mixed, weights)
