"""Which processor runs the network."""

from __future__ import annotations

import torch

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase

DEVICES = ("auto", "cpu", "cuda")


def choose_device(wish: str) -> torch.device:
    """``auto`` takes CUDA where it answers, else the CPU.

    Raises BrainTumorError (device_unavailable) where CUDA was asked for by name and isn't there.
    """
    if wish == "cpu" or (wish == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise BrainTumorError(
            ErrorCode.DEVICE_UNAVAILABLE,
            phrase("No CUDA graphics card answers on this machine."),
            phrase("Choose the device 'auto' or 'cpu'."),
        )
    return torch.device("cuda:0")
