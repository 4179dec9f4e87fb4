"""Slices through a reference model: the whole picture in, a heat map at one of its layers by gradient."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from braintumor_desktop.domain.findings import QualityFlag
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.imaging.head import head_mask
from braintumor_desktop.imaging.turning import UPRIGHT, Turn
from braintumor_desktop.inference.cam_methods import CamMethod
from braintumor_desktop.inference.explain import class_maps
from braintumor_desktop.inference.picture_reading import SliceAnswer
from braintumor_desktop.inference.preprocess import WholeFrame, resize_whole
from braintumor_desktop.inference.series import NO_TUMOR
from braintumor_desktop.models.architectures import Architecture, WholePicture
from braintumor_desktop.models.output import ReferenceOutput

BANDS = ((0.90, phrase("glioma")), (0.75, phrase("meningioma")), (0.60, phrase("pituitary tumour")))
"""What `lenet-binary`'s original calls a tumour, by the model's confidence alone."""


def answer_whole(
    network: nn.Module,
    architecture: Architecture,
    device: torch.device,
    pixels: Sequence[NDArray[Any]] | NDArray[Any],
    cam: CamMethod = CamMethod.GRAD_CAM,
    turn: Turn = UPRIGHT,
) -> tuple[list[SliceAnswer], float, float]:
    """Slices (rows, columns) of any shapes to answers; seconds of the network and of the heat maps.

    turn: what makes the slices upright.
    """
    assert architecture.feeding is not None
    size = architecture.feeding.size
    began = time.perf_counter()
    heads = [head_mask(one) for one in pixels]
    greys = torch.from_numpy(np.stack([turn.apply(resize_whole(one, architecture.feeding)) for one in pixels]))
    out, activation = forward_with_gradient(network, architecture, to_input(greys.to(device), architecture.feeding))
    logits = out.logits.detach().float().cpu()
    lesions = None
    if out.mask_logits is not None:
        lesions = out.mask_logits.detach().sigmoid()[:, 0].float().cpu()
    middle = time.perf_counter()
    maps = class_maps(activation.detach(), gradient_of(said(out.logits, architecture), activation), cam, size).cpu()
    answers = [
        SliceAnswer(
            logits=logits[k].numpy(),
            lesion=None if lesions is None else np.ascontiguousarray(turn.undo(lesions[k].numpy())),
            heatmap=turn.undo(maps[k].numpy()).astype(np.float16),
            head_px=None if head is None else int(head.sum()),
            brightness=float(pixels[k].mean()),
            frame=WholeFrame.of(*pixels[k].shape),
        )
        for k, head in enumerate(heads)
    ]
    return answers, middle - began, time.perf_counter() - middle


def to_input(greys: Tensor, feeding: WholePicture) -> Tensor:
    """Grey bytes, or floats of the same scale, (n, size, size) to a network's input (n, 3, size, size)."""
    scaled = greys.float() * ((feeding.high - feeding.low) / 255) + feeding.low
    return scaled[:, None].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def forward_with_gradient(
    network: nn.Module, architecture: Architecture, images: Tensor
) -> tuple[ReferenceOutput, Tensor]:
    """One pass; the output, and the activation at the Grad-CAM layer, (n, k, h, w), from which a gradient can be taken.

    Only what comes after that layer is recorded, so this costs little more than a pass without gradient.
    """
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[0]

    hook = network.get_submodule(architecture.cam_layer or "").register_forward_hook(keep)
    try:
        with torch.enable_grad():
            out: ReferenceOutput = network(images)
    finally:
        hook.remove()
    return out, kept[0]


def said(logits: Tensor, architecture: Architecture) -> Tensor:
    """Scores of the answers that are told apart: (n, 4), or of a tumour and of none (n, 2) where no type is known."""
    if architecture.types:
        return logits
    return torch.stack([logits[:, :NO_TUMOR].logsumexp(dim=1), logits[:, NO_TUMOR]], dim=1)


def gradient_of(logits: Tensor, activation: Tensor) -> Tensor:
    """Gradient of each row's likeliest answer. logits: (n, answers), with a graph from `activation` (n, k, h, w)."""
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(logits.amax(dim=1).sum(), activation)
    return gradient


def banding_flag(tumor_probability: float) -> list[QualityFlag]:
    """The type that `lenet-binary`'s original would name. It is made up from the confidence, and said to be."""
    if tumor_probability <= 0.5:
        return []
    named = next((name for least, name in BANDS if tumor_probability >= least), phrase("a tumour of unspecified type"))
    words = phrase(
        "The original system would call this {named}, by its confidence alone: "
        "a simulated banding without diagnostic meaning.",
        named=named,
    )
    return [QualityFlag("simulated_banding", words)]
