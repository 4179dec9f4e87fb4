"""Losses for mixed labels: a known class, "a tumour of some type", a mask, a box, or nothing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from braintumor_desktop.training.data import Region


def class_loss(logits: Tensor, allowed: Tensor, smoothing: float) -> Tensor:
    """Mean negative log of the summed probability of the admitted classes (marginal likelihood).

    logits: (n, 4); allowed: (n, 4) bool. smoothing: share of the loss given to the uniform distribution.
    """
    log_p = F.log_softmax(logits, dim=1)
    marginal = torch.logsumexp(log_p.masked_fill(~allowed, -1e9), dim=1)
    return -((1 - smoothing) * marginal + smoothing * log_p.mean(dim=1)).mean()


def mask_loss(mask_logits: Tensor, regions: Tensor, kinds: Tensor, *, empty_dice: float) -> Tensor:
    """Binary cross-entropy and soft Dice where a mask is known, a box loss where a box is, else nothing.

    A head without a tumour has a known, empty mask. It counts in Dice too, with weight `empty_dice` (0..1): the
    smoothing of Dice makes every outlined pixel there costly, which cross-entropy, a mean over all pixels, hardly
    does; too costly, and faint lesions of real tumours are no longer outlined either.

    mask_logits: (n, 1, h, w); regions: (n, 1, h, w) 0..1; kinds: (n,) Region.
    A box (BoxInst, CVPR 2021): nothing outside it, and its row and column extents must match.
    """
    exact = (kinds == Region.MASK) | (kinds == Region.EMPTY)
    boxed = kinds == Region.BOX
    probability = torch.sigmoid(mask_logits)
    pixelwise = F.binary_cross_entropy_with_logits(mask_logits, regions, reduction="none")
    total = mask_logits.new_zeros(())
    if exact.any():
        total = total + 3 * pixelwise[exact].mean() * exact.float().mean()
    weights = (kinds == Region.MASK).float() + empty_dice * (kinds == Region.EMPTY).float()
    if weights.any():
        dice = _dice(probability.flatten(1), regions.flatten(1))
        total = total + (weights * dice).mean()
    if boxed.any():
        p, r = probability[boxed, 0], regions[boxed, 0]
        outside = (pixelwise[boxed, 0] * (1 - r)).mean()
        extents = _dice(p.amax(dim=1), r.amax(dim=1)) + _dice(p.amax(dim=2), r.amax(dim=2))
        total = total + (3 * outside + 0.3 * extents.mean()) * boxed.float().mean()
    return total


def outline_loss(mask_logits: Tensor, masks: Tensor) -> Tensor:
    """Binary cross-entropy plus soft Dice of a batch as a whole, as the originals of reference models take it.

    Picture by picture an empty answer would have full marks where there is no tumour, and training ends there.
    mask_logits, masks: (n, h, w), masks 0 or 1.
    """
    p = mask_logits.sigmoid()
    dice = (2 * (p * masks).sum() + 1) / (p.sum() + masks.sum() + 1)
    return F.binary_cross_entropy_with_logits(mask_logits, masks) + 1 - dice


def attention_loss(attention: Tensor, regions: Tensor, kinds: Tensor) -> Tensor:
    """Minus the log of the attention that falls on the lesion, mean over pictures with a known mask or box.

    attention: (n, 1, h, w), sums to 1 a picture; regions: (n, 1, H, W); kinds: (n,) Region. 0 where none is known.
    A cell counts as lesion where any of its pixels, or a neighbour's, is: the rim is evidence too.
    """
    cells = F.adaptive_max_pool2d(regions, attention.shape[-2:])
    cells = F.max_pool2d(cells, 3, 1, 1)
    known = ((kinds == Region.MASK) | (kinds == Region.BOX)) & (cells.flatten(1).sum(1) > 0)
    if not known.any():
        return attention.new_zeros(())
    caught = (attention * cells).flatten(1).sum(1)[known]
    return -torch.log(caught + 1e-3).sum() / len(kinds)


def _dice(p: Tensor, r: Tensor) -> Tensor:
    """Soft Dice loss a row, (n,); squared denominators (Milletari et al., 3DV 2016)."""
    return 1 - (2 * (p * r).sum(1) + 1) / ((p * p).sum(1) + (r * r).sum(1) + 1)
