"""Random initial weights as the frameworks of the original systems draw them."""

from __future__ import annotations

from torch import nn


def glorot(network: nn.Module) -> None:
    """Keras' default, in place: Glorot uniform weights (Glorot and Bengio, AISTATS 2010), zero biases."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def he(network: nn.Module) -> None:
    """torchvision's choice for VGG, in place: He normal convolutions by fan-out (ICCV 2015), small dense weights."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
