"""The augmentations of the original recipes, for a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

Range = tuple[float, float]


@dataclass(frozen=True)
class Augmentation:
    """rotation: degrees; zoom: factor, above 1 crops; brightness, contrast: factors, contrast about the picture's mean;
    drawn evenly from each range; flips: each with probability 1/2.
    """

    rotation: Range = (0.0, 0.0)
    zoom: Range = (1.0, 1.0)
    brightness: Range = (1.0, 1.0)
    contrast: Range = (1.0, 1.0)
    horizontal_flip: bool = False
    vertical_flip: bool = False

    @property
    def moves(self) -> bool:
        return self != Augmentation(brightness=self.brightness, contrast=self.contrast)

    @property
    def shades(self) -> bool:
        return self.brightness != (1.0, 1.0) or self.contrast != (1.0, 1.0)


def augment(images: Tensor, masks: Tensor, how: Augmentation, rng: Generator) -> tuple[Tensor, Tensor]:
    """images: (n, s, s) float 0..255; masks: (n, s, s) float 0 or 1, (n, 0, 0) where there are none; rng: on the CPU.

    What a rotation brings in from outside continues the picture's edge.
    """
    if how.moves:
        theta = _theta(len(images), how, rng).to(images.device)
        grid = F.affine_grid(theta, [len(images), 1, *images.shape[1:]], align_corners=False)
        images = F.grid_sample(images[:, None], grid, padding_mode="border", align_corners=False)[:, 0]
        if masks.numel():
            masks = (F.grid_sample(masks[:, None], grid, align_corners=False)[:, 0] > 0.5).float()
    if how.shades:
        images = images * _drawn(len(images), how.brightness, rng).to(images.device)[:, None, None]
        mean = images.mean(dim=(1, 2), keepdim=True)
        images = mean + (images - mean) * _drawn(len(images), how.contrast, rng).to(images.device)[:, None, None]
        images = images.clamp(0, 255)
    return images, masks


def _theta(count: int, how: Augmentation, rng: Generator) -> Tensor:
    """(n, 2, 3): from the new picture's coordinates to the old one's."""
    turn = torch.deg2rad(_drawn(count, how.rotation, rng))
    shrink = 1 / _drawn(count, how.zoom, rng)
    mirror_x = _signs(count, rng) if how.horizontal_flip else torch.ones(count)
    mirror_y = _signs(count, rng) if how.vertical_flip else torch.ones(count)
    cos, sin, none = turn.cos() * shrink, turn.sin() * shrink, torch.zeros(count)
    rows = [cos * mirror_x, -sin * mirror_y, none, sin * mirror_x, cos * mirror_y, none]
    return torch.stack(rows, dim=1).view(count, 2, 3)


def _drawn(count: int, bounds: Range, rng: Generator) -> Tensor:
    return bounds[0] + (bounds[1] - bounds[0]) * torch.rand(count, generator=rng)


def _signs(count: int, rng: Generator) -> Tensor:
    return torch.where(torch.rand(count, generator=rng) < 0.5, -1.0, 1.0)
