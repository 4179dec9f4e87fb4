"""`neuro`: one shared encoder with a class head and a tumour-mask head."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from braintumor_desktop.models.familiarity import Familiarity, pooled_statistics


class NeuroOutput(NamedTuple):
    """What one forward pass gives.

    logits: (n, 4), classes in the order of `domain.findings.CLASSES`;
    mask_logits: (n, 1, h / 2, w / 2);
    features: (n, k, h / 16, w / 16), the last features, weighted by attention: averaged, then linear, so that
    the class-activation map of class c is ``relu(sum_k weight[c, k] * features[:, k])``;
    attention: (n, 1, h / 16, w / 16), how much each place counts in the average; sums to 1 a picture;
    coarse_masks: in training only, mask logits at 1/16 and 1/8, for deep supervision;
    descriptor: in evaluation only, (n, d) pooled statistics at five depths, see `Familiarity`.
    """

    logits: Tensor
    mask_logits: Tensor
    features: Tensor
    attention: Tensor
    coarse_masks: tuple[Tensor, ...] = ()
    descriptor: Tensor | None = None


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


class GlobalContext(nn.Module):
    """Every place looks at every other: pre-norm self-attention and a small perceptron (Dosovitskiy et al., ICLR 2021).

    A ventricle and a cyst look alike from near; where they lie in the whole head tells them apart. Positions come
    from a padded depthwise convolution (Chu et al., ICLR 2023), so any input size fits. Starts as the identity.
    """

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.place = nn.Conv2d(channels, channels, 3, 1, 1, groups=channels)
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.mlp = nn.Sequential(nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels))
        for layer in (self.place, self.out, self.mlp[2]):
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        tokens = (x + self.place(x)).flatten(2).transpose(1, 2)
        q, k, v = self.qkv(self.norm1(tokens)).reshape(n, h * w, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, h * w, c)
        tokens = tokens + self.out(seen)
        tokens = tokens + self.mlp(self.norm2(tokens))
        out: Tensor = tokens.transpose(1, 2).reshape(n, c, h, w)
        return out.contiguous(memory_format=torch.channels_last)


class Neuro(nn.Module):
    """Residual encoder to 1/32 with global context, feature pyramid back to 1/2 for the mask, and a class head.

    The class head averages features at 1/16 by learned attention, which training draws to the lesion: the decision
    rests on the place that the mask shows (attention pooling: Ilse et al., ICML 2018).

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
        self.context = nn.Sequential(GlobalContext(e), GlobalContext(e))
        self.merge4 = Merge(e, d, 128)
        self.merge3 = Merge(128, c, 64)
        self.merge2 = Merge(64, b, 48)
        self.merge1 = Merge(48, a, 24)
        self.mask = nn.Conv2d(24, 1, 1)
        self.coarse4 = nn.Conv2d(128, 1, 1)
        self.coarse3 = nn.Conv2d(64, 1, 1)
        self.fuse = nn.Sequential(nn.Conv2d(e + 128, head, 1, bias=False), nn.BatchNorm2d(head), nn.ReLU(inplace=True))
        self.attend = nn.Conv2d(head, 1, 1)
        nn.init.zeros_(self.attend.weight)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(head, classes)
        self.familiarity = Familiarity([2 * width for width in widths])

    def forward(self, x: Tensor) -> NeuroOutput:
        s0 = self.stem((x - 0.25) * 4.0)
        s1 = self.stage1(s0)
        s2 = self.stage2(s1)
        s3 = self.stage3(s2)
        s4 = self.context(self.stage4(s3))
        p4 = self.merge4(s4, s3)
        p3 = self.merge3(p4, s2)
        mask_logits = self.mask(self.merge1(self.merge2(p3, s1), s0))
        coarse_masks = (self.coarse4(p4), self.coarse3(p3)) if self.training else ()
        seen = self.fuse(torch.cat([F.interpolate(s4, scale_factor=2.0, mode="bilinear"), p4], dim=1))
        attention = self.attend(seen).flatten(1).softmax(dim=1).view(len(seen), 1, *seen.shape[-2:])
        features = seen * (attention * attention[0].numel())
        logits = self.classify(self.dropout(features.mean(dim=(2, 3))))
        descriptor = None
        if not self.training:
            descriptor = torch.cat([pooled_statistics(stage) for stage in (s0, s1, s2, s3, F.relu(s4))], dim=1)
        return NeuroOutput(logits, mask_logits, features, attention, coarse_masks, descriptor)
