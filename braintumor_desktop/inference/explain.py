"""Class-activation maps: where a network's features speak for the class it answers."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from braintumor_desktop.domain.phrases import phrase


class CamMethod(StrEnum):
    """How activation and gradient become one map. The first is the program's default, chosen by measurement."""

    GRAD_CAM = "grad-cam"
    HIRES_CAM = "hirescam"
    GRAD_CAM_PP = "grad-cam++"
    LAYER_CAM = "layer-cam"


CAM_TITLES = {
    CamMethod.GRAD_CAM: "Grad-CAM",
    CamMethod.HIRES_CAM: "HiResCAM",
    CamMethod.GRAD_CAM_PP: "Grad-CAM++",
    CamMethod.LAYER_CAM: "Layer-CAM",
}

POOLED_LAYER = phrase("last convolutional features (1/16 of the input)")


def class_maps(activation: Tensor, gradient: Tensor, method: CamMethod, size: int) -> Tensor:
    """Maps (n, size, size), 0..1, each divided by its maximum; zero where nothing speaks for the class.

    activation: (n, k, h, w); gradient: the same shape, of the class score with respect to it.
    Grad-CAM: Selvaraju et al., ICCV 2017, equations 1 and 2. HiResCAM: Draelos and Carin, arXiv 2011.08891.
    Grad-CAM++: Chattopadhay et al., WACV 2018, equations 10, 11 and 19, for the exponential of the score.
    Layer-CAM: Jiang et al., IEEE Trans. Image Process. 2021;30:5875, equation 6.
    """
    if method is CamMethod.GRAD_CAM:
        maps = (gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(dim=1)
    elif method is CamMethod.HIRES_CAM:
        maps = (gradient * activation).sum(dim=1)
    elif method is CamMethod.GRAD_CAM_PP:
        total = activation.sum(dim=(2, 3), keepdim=True)
        divisor = 2 * gradient**2 + total * gradient**3
        alpha = torch.where(divisor != 0, gradient**2 / torch.where(divisor != 0, divisor, 1), 0)
        maps = ((alpha * F.relu(gradient)).sum(dim=(2, 3), keepdim=True) * activation).sum(dim=1)
    else:
        maps = (F.relu(gradient) * activation).sum(dim=1)
    maps = F.interpolate(F.relu(maps)[:, None], size=(size, size), mode="bilinear")[:, 0]
    return maps / maps.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)


def pooled_gradient(features: Tensor, weight: Tensor, classes: Tensor) -> Tensor:
    """Gradient (n, k, h, w) of the class score where features are averaged and then go through a linear layer.

    features: (n, k, h, w); weight: (classes, k) of the layer; classes: (n,). The same at every place, so no second pass
    is needed, and Grad-CAM and HiResCAM are one and the same map (Zhou et al., CVPR 2016).
    """
    places = features.shape[2] * features.shape[3]
    return (weight[classes] / places)[:, :, None, None].expand_as(features)


def energy_inside(heatmap: NDArray[np.float32], mask: NDArray[np.bool_]) -> float | None:
    """Share of a map's sum that lies inside a mask of the same shape; None for an empty mask or map."""
    total = float(heatmap.sum(dtype=np.float64))
    if total <= 0 or not mask.any():
        return None
    return float(heatmap[mask].sum(dtype=np.float64)) / total
