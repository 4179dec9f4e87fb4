"""Class-activation map of a pooled linear head: exact Grad-CAM without a second pass."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

METHOD = "Grad-CAM, last convolutional features (1/16 of the input)"


def class_activation(features: Tensor, weight: Tensor, classes: Tensor, size: int) -> Tensor:
    """Maps (n, size, size), 0..1, each divided by its maximum.

    features: (n, k, h, w), the inputs of the average pooling; weight: (classes, k) of the linear layer;
    classes: (n,), which class to explain. For average pooling and one linear layer, Grad-CAM's channel
    weights are the layer's own up to a constant (Selvaraju et al., ICCV 2017, section 3.1; Zhou et al., CVPR 2016).
    """
    maps = torch.einsum("nkhw,nk->nhw", features, weight[classes])
    maps = F.interpolate(F.relu(maps)[:, None], size=(size, size), mode="bilinear")[:, 0]
    return maps / maps.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)


def energy_inside(heatmap: NDArray[np.float32], mask: NDArray[np.bool_]) -> float | None:
    """Share of a map's sum that lies inside a mask of the same shape; None for an empty mask or map."""
    total = float(heatmap.sum(dtype=np.float64))
    if total <= 0 or not mask.any():
        return None
    return float(heatmap[mask].sum(dtype=np.float64)) / total
