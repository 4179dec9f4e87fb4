"""`neuro`: one shared encoder with a class head and a tumour-mask head."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class NeuroOutput(NamedTuple):
    """What one forward pass gives.

    logits: (n, 4), classes in the order of `domain.findings.CLASSES`;
    mask_logits: (n, 1, h / 2, w / 2);
    features: (n, k, h / 16, w / 16), the last convolutional features: pooled, then linear, so that the
    class-activation map of class c is ``relu(sum_k weight[c, k] * features[:, k])``.
    """

    logits: Tensor
    mask_logits: Tensor
    features: Tensor


class ConvNormAct(nn.Sequential):
    """3x3 (or given) convolution, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """Pre-pooled basic residual block (He et al., CVPR 2016); the shortcut averages where it strides (ResNet-D)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = ConvNormAct(inputs, outputs, stride=stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(2) if stride == 2 else nn.Identity(),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = F.relu(self.second(self.first(x)) + self.shortcut(x), inplace=True)
        return out


class Merge(nn.Module):
    """One decoder step: double the coarse map, add the skip (1x1-projected), convolve."""

    def __init__(self, coarse: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.coarse = nn.Conv2d(coarse, outputs, 1, bias=False)
        self.skip = nn.Conv2d(skip, outputs, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.mix = ConvNormAct(outputs, outputs)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        up = F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        out: Tensor = self.mix(F.relu(self.norm(up + self.skip(skip)), inplace=True))
        return out


class Neuro(nn.Module):
    """Residual encoder to 1/32, feature pyramid back to 1/2 for the mask, pooled linear head at 1/16.

    Input: (n, 1, h, w), float, 0..1, h and w multiples of 32.
    """

    def __init__(
        self, widths: tuple[int, ...] = (32, 48, 96, 160, 256), head: int = 192, classes: int = 4, dropout: float = 0.2
    ) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.stem = nn.Sequential(ConvNormAct(1, 24, stride=2), ConvNormAct(24, a))
        self.stage1 = nn.Sequential(Residual(a, b, 2), Residual(b, b))
        self.stage2 = nn.Sequential(Residual(b, c, 2), Residual(c, c))
        self.stage3 = nn.Sequential(Residual(c, d, 2), Residual(d, d))
        self.stage4 = nn.Sequential(Residual(d, e, 2), Residual(e, e))
        self.merge4 = Merge(e, d, 128)
        self.merge3 = Merge(128, c, 64)
        self.merge2 = Merge(64, b, 48)
        self.merge1 = Merge(48, a, 24)
        self.mask = nn.Conv2d(24, 1, 1)
        self.fuse = nn.Sequential(nn.Conv2d(e + 128, head, 1, bias=False), nn.BatchNorm2d(head), nn.ReLU(inplace=True))
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(head, classes)

    def forward(self, x: Tensor) -> NeuroOutput:
        s0 = self.stem((x - 0.25) * 4.0)
        s1 = self.stage1(s0)
        s2 = self.stage2(s1)
        s3 = self.stage3(s2)
        s4 = self.stage4(s3)
        p4 = self.merge4(s4, s3)
        mask_logits = self.mask(self.merge1(self.merge2(self.merge3(p4, s2), s1), s0))
        features = self.fuse(torch.cat([F.interpolate(s4, scale_factor=2.0, mode="bilinear"), p4], dim=1))
        logits = self.classify(self.dropout(features.mean(dim=(2, 3))))
        return NeuroOutput(logits, mask_logits, features)
