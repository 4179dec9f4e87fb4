"""`neuro`: one shared encoder with a class head and a tumour-mask head."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from braintumor_desktop.models.encoder import EfficientNetLite
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
    """EfficientNet-Lite to 1/32 with global context, feature pyramid back to 1/2 for the mask, and a class head.

    The class head averages features at 1/16 by learned attention, which training draws to the lesion: the decision
    rests on the place that the mask shows (attention pooling: Ilse et al., ICML 2018).

    Input: (n, 1, h, w), float, 0..1, h and w multiples of 32.
    """

    def __init__(
        self, width: float = 1.1, depth: float = 1.2, head: int = 192, classes: int = 4, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.encoder = EfficientNetLite(width, depth)
        a, b, c, d, e = self.encoder.widths
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
        self.familiarity = Familiarity([2 * channels for channels in self.encoder.widths])

    def forward(self, x: Tensor) -> NeuroOutput:
        s0, s1, s2, s3, deepest = self.encoder((x * 255 - 127) / 128)
        s4 = self.context(deepest)
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
            descriptor = torch.cat([pooled_statistics(stage) for stage in (s0, s1, s2, s3, s4)], dim=1)
        return NeuroOutput(logits, mask_logits, features, attention, coarse_masks, descriptor)
