"""`xception`: Chollet, CVPR 2017, figure 5, with a small dense head."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from braintumor_desktop.models.initialise import glorot
from braintumor_desktop.models.output import ReferenceOutput

EPSILON = 1e-3
"""Of batch normalisation, as in Keras. Its averages follow ten times faster than there, so that short runs settle."""


class SeparableConv(nn.Sequential):
    """3x3 convolution of each channel, 1x1 convolution across them, batch normalisation."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs, EPSILON),
        )


class Block(nn.Module):
    """Separable convolutions, each after a ReLU, around a shortcut; halves the grid where widths change."""

    def __init__(self, widths: tuple[int, ...], *, first_relu: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number, (inputs, outputs) in enumerate(pairwise(widths)):
            if number or first_relu:
                layers.append(nn.ReLU())
            layers.append(SeparableConv(inputs, outputs))
        self.shortcut: nn.Module = nn.Identity()
        if widths[0] != widths[-1]:
            layers.append(nn.MaxPool2d(3, 2, 1))
            self.shortcut = nn.Sequential(
                nn.Conv2d(widths[0], widths[-1], 1, 2, bias=False), nn.BatchNorm2d(widths[-1], EPSILON)
            )
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x) + self.shortcut(x)
        return out


class Xception(nn.Module):
    """Input: (n, 3, 299, 299), -1..1. `last` ends in the activation of the last separable convolution, 10x10."""

    def __init__(self, dense: int = 128) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, bias=False),
            nn.BatchNorm2d(32, EPSILON),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, bias=False),
            nn.BatchNorm2d(64, EPSILON),
            nn.ReLU(),
        )
        self.blocks = nn.Sequential(
            Block((64, 128, 128), first_relu=False),
            Block((128, 256, 256)),
            Block((256, 728, 728)),
            *(Block((728, 728, 728, 728)) for _ in range(8)),
            Block((728, 728, 1024)),
        )
        self.last = nn.Sequential(SeparableConv(1024, 1536), nn.ReLU(), SeparableConv(1536, 2048), nn.ReLU())
        self.dense = nn.Linear(2048, dense)
        self.classify = nn.Linear(dense, 4)
        glorot(self)

    def forward(self, x: Tensor) -> ReferenceOutput:
        pooled = self.last(self.blocks(self.stem(x))).mean(dim=(2, 3))
        return ReferenceOutput(self.classify(F.relu(self.dense(pooled))))
