"""EfficientNet-Lite (Tan and Le, ICML 2019; the lite variants of 2020), as an encoder of five scales."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# kernel, stride, expansion, channels, blocks, before scaling
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_SCALES = (0, 1, 2, 4, 6)  # the stages whose ends are the last maps at 1/2, 1/4, 1/8, 1/16, 1/32


class _Conv(nn.Conv2d):
    """Convolution without bias, padded as the weights' origin pads: where it strides, more below and to the right.

    One channel at a time it is computed in 32 bits on processors: backwards, PyTorch takes three times as long in 16.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        inner = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, inner, groups=groups, bias=False)
        self.uneven = () if stride == 1 else ((kernel - 2) // 2, (kernel - 1) // 2) * 2

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, self.uneven) if self.uneven else x
        if self.groups > 1 and x.dtype is torch.bfloat16 and x.device.type == "cpu":
            with torch.autocast("cpu", enabled=False):
                return super().forward(x.float())
        return super().forward(x)


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [_Conv(inputs, outputs, kernel, stride, groups), nn.BatchNorm2d(outputs, eps=1e-3)]


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, narrow (Sandler et al., CVPR 2018)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        widen = [] if expansion == 1 else [*_conv(inputs, wide), nn.ReLU6(inplace=True)]
        depthwise = [*_conv(wide, wide, kernel, stride, groups=wide), nn.ReLU6(inplace=True)]
        self.body = nn.Sequential(*widen, *depthwise, *_conv(wide, outputs))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return x + out if self.adds else out


class EfficientNetLite(nn.Module):
    """Gives the last maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of (n, 1, h, w); `widths` are their channels."""

    def __init__(self, width: float = 1.1, depth: float = 1.2) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_conv(1, 32, 3, 2), nn.ReLU6(inplace=True))
        inputs, stages = 32, []
        for number, (kernel, stride, expansion, channels, blocks) in enumerate(_STAGES):
            outputs = _rounded(channels * width)
            repeats = blocks if number in (0, len(_STAGES) - 1) else math.ceil(depth * blocks)
            parts = [InvertedResidual(inputs, outputs, kernel, stride, expansion)]
            parts += [InvertedResidual(outputs, outputs, kernel, 1, expansion) for _ in range(repeats - 1)]
            stages.append(nn.Sequential(*parts))
            inputs = outputs
        self.stages = nn.ModuleList(stages)
        self.widths = tuple(_rounded(_STAGES[number][3] * width) for number in _SCALES)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        maps = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in _SCALES:
                maps.append(x)
        return maps


def _rounded(channels: float) -> int:
    """To a multiple of eight, and never down by more than a tenth."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
