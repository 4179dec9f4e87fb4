"""`unet128`: Ronneberger et al., MICCAI 2015, on 128 x 128 pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from braintumor_desktop.models.initialise import he


def _twice(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=1), nn.ReLU()
    )


class Unet128(nn.Module):
    """Four halvings and back. Input: (n, 3, 128, 128), 0..1; output: (n, 1, 128, 128) logits.

    width: channels at full size. Half of the paper's 64, so that the weights stay small (7.8 million).
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        widths = [width * 2**k for k in range(5)]
        self.down = nn.ModuleList(_twice(i, o) for i, o in zip([3, *widths], widths, strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in reversed(widths[:-1]))
        self.join = nn.ModuleList(_twice(2 * w, w) for w in reversed(widths[:-1]))
        self.pool = nn.MaxPool2d(2)
        self.mask = nn.Conv2d(width, 1, 1)
        he(self)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for number, stage in enumerate(self.down):
            x = stage(self.pool(x) if number else x)
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, reversed(skips[:-1]), strict=True):
            x = join(torch.cat([skip, up(x)], dim=1))
        out: Tensor = self.mask(x)
        return out
