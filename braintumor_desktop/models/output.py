"""What one forward pass of a reference network gives."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class ReferenceOutput(NamedTuple):
    """The part of `neuro.NeuroOutput` that every network can give.

    logits: (n, 4), classes in the order of `domain.findings.CLASSES`; mask_logits: (n, 1, h, w), None where the
    network draws no outline.
    """

    logits: Tensor
    mask_logits: Tensor | None = None
