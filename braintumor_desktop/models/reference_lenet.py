"""`lenet-binary`: LeNet-5 with tanh and wide pooling strides; tumour or no tumour."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from braintumor_desktop.models.output import ReferenceOutput


class LenetBinary(nn.Module):
    """Input: (n, 3, 128, 128), 0..1.

    One score z; the sigmoid of z is the probability of a tumour. It comes as four logits whose softmax gives just
    that: the three types share the tumour evenly, which means that the type is unknown, not that all are likely.
    The original filled (channels, height, width) by reshaping (height, width, channels), which scrambles the picture;
    here the axes are transposed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 5),
            nn.Tanh(),
            nn.AvgPool2d(2, 5),
            nn.Conv2d(6, 16, 5),
            nn.Tanh(),
            nn.AvgPool2d(2, 5),
        )
        self.classify = nn.Sequential(
            nn.Flatten(),
            nn.Linear(256, 120),
            nn.Tanh(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, 1),
        )

    def forward(self, x: Tensor) -> ReferenceOutput:
        half = self.classify(self.features(x)) / 2
        share = half - math.log(3)
        return ReferenceOutput(torch.cat([share, share, share, -half], dim=1))
