"""From a manifest row to a network with its weights, and from a trained network to a weight file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.models.architectures import ARCHITECTURES
from braintumor_desktop.models.manifest import ManifestRow, verified_weights


def load_network(row: ManifestRow, folder: Path | None = None) -> nn.Module:
    """The network of a manifest row: float32, evaluation mode, batch norms folded into their convolutions.

    Raises BrainTumorError: model_missing, model_damaged, model_unknown (an architecture not built in).
    """
    if row.architecture not in ARCHITECTURES:
        raise BrainTumorError(
            ErrorCode.MODEL_UNKNOWN,
            phrase(
                "Model {id} needs a network this version doesn't have: {architecture}.",
                id=row.id,
                architecture=row.architecture,
            ),
            phrase("Update the program, or choose another model."),
        )
    weights = load_file(verified_weights(row, folder))
    network = ARCHITECTURES[row.architecture].build()
    try:
        network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in weights.items()})
    except RuntimeError as error:
        raise BrainTumorError(
            ErrorCode.MODEL_DAMAGED,
            phrase("The weights of model {id} don't fit its network.", id=row.id),
            phrase("Install the program again, or choose another model."),
        ) from error
    network.eval()
    fold_batch_norms(network)
    network.requires_grad_(False)
    return network


def fold_batch_norms(module: nn.Module) -> None:
    """Fold each batch norm that directly follows a convolution in a Sequential into it, in place.

    The outputs stay the same within rounding; evaluation mode only.
    """
    for child in module.children():
        fold_batch_norms(child)
    if isinstance(module, nn.Sequential):
        for index in range(len(module) - 1):
            first, second = module[index], module[index + 1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                module[index] = fuse_conv_bn_eval(first, second)
                module[index + 1] = nn.Identity()


def save_weights(state: dict[str, torch.Tensor], path: Path, *, mantissa_bits: int = 10) -> str:
    """Write a state dictionary as half-precision safetensors; returns the file's SHA-256.

    mantissa_bits: of each value of a matrix or kernel, at most the 10 that half precision has; fewer lose a little and
    pack much better. Counters of batch norms are kept as they are; they are not used in evaluation.
    """
    half = {k: _in_half(v, mantissa_bits) if v.is_floating_point() else v.contiguous() for k, v in state.items()}
    save_file(half, path)
    path.chmod(0o644)  # the library writes for the owner only; an installed program is read by everyone
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _in_half(values: torch.Tensor, mantissa_bits: int) -> torch.Tensor:
    """Half precision, to the nearest value with so many bits behind the point, ties to even."""
    half = values.half().contiguous()
    dropped = 10 - mantissa_bits
    if values.ndim < 2 or not dropped:
        return half
    bits = half.view(torch.int16).int() & 0xFFFF
    bits = (bits + (1 << (dropped - 1)) - 1 + ((bits >> dropped) & 1)) >> dropped << dropped
    return torch.where(bits >= 1 << 15, bits - (1 << 16), bits).to(torch.int16).view(torch.float16)
