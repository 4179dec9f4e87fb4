"""How far a picture lies from the brains a network was trained on, whether it stands upright, and its sequence.

Mahalanobis distance of pooled features at several depths (Lee et al., NeurIPS 2018), not the softmax: a network can be
sure of its class for a photograph too.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from braintumor_desktop.domain.study import HEAD_LOOKS

SHRINKAGE = 0.02
"""Share of the mean variance added to every direction, as rare directions are estimated badly."""

DEEP = 2
"""How many depths count, the last ones: 1/16 and 1/32 of the picture. Nearer the pixels other organs in MRI look like a
brain: with all five depths a liver was taken for one, with these it is not."""

PENALTY, UPRIGHT_PENALTY = 1e-3, 1.0
"""Of the squared weights in the regressions. Whether a head stands upright shows in few values of many: on pictures of
other patients the greater penalty found more upside-down heads (55 % for 43 %) at as many false alarms (2 %)."""


def pooled_statistics(features: Tensor) -> Tensor:
    """(n, 2 k): mean and standard deviation of each channel over the picture, as sign(x) log(1 + |x|).

    features: (n, k, h, w).
    """
    spread, mean = torch.std_mean(features.float(), dim=(2, 3), correction=0)
    pooled = torch.cat([mean, spread], dim=1)
    return pooled.sign() * torch.log1p(pooled.abs())


class Familiarity(nn.Module):
    """Fitted after training, kept with the weights; all zero until then.

    sizes: how many of a descriptor's values belong to each depth; a descriptor is (n, sum of sizes).
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        for depth, size in enumerate(self.sizes):
            self.register_buffer(f"mean{depth}", torch.zeros(size))
            self.register_buffer(f"whiten{depth}", torch.zeros(size, size))
        self.register_buffer("limits", torch.zeros(len(self.sizes)))
        self.register_buffer("upright", torch.zeros(sum(self.sizes) + 1))
        self.register_buffer("sequence", torch.zeros(len(HEAD_LOOKS), sum(self.sizes) + 1))

    @property
    def fitted(self) -> bool:
        return bool(self.get_buffer("limits").gt(0).all())

    def forward(self, descriptor: Tensor) -> Tensor:
        """Strangeness (n,), 0..1: below 0.5 as near as the familiar pictures, towards 1 farther and farther away.

        With r the mean over the deep ones of distance / limit, it is r / (1 + r). nan where nothing was fitted.
        """
        ratio = (self.distances(descriptor) / self.get_buffer("limits"))[:, -DEEP:].mean(dim=1)
        return ratio / (1 + ratio)

    def distances(self, descriptor: Tensor) -> Tensor:
        """(n, depths): root of the mean squared whitened value at each depth; about 1 for what it was fitted on."""
        return torch.stack([white.square().mean(dim=1).sqrt() for white in self._whitened(descriptor)], dim=1)

    def upright_probability(self, descriptor: Tensor) -> Tensor:
        """(n,): that the picture is not upside down, by logistic regression on the whitened descriptor."""
        weight = self.get_buffer("upright")
        return torch.sigmoid(torch.cat(self._whitened(descriptor), dim=1) @ weight[:-1] + weight[-1])

    def sequence_probabilities(self, descriptor: Tensor) -> Tensor:
        """(n, 4): that the picture is of each of `HEAD_LOOKS`, by multinomial logistic regression."""
        weight = self.get_buffer("sequence")
        return (torch.cat(self._whitened(descriptor), dim=1) @ weight[:, :-1].T + weight[:, -1]).softmax(dim=1)

    def _whitened(self, descriptor: Tensor) -> list[Tensor]:
        parts = torch.split(descriptor, list(self.sizes), dim=1)
        return [
            (part - self.get_buffer(f"mean{depth}")) @ self.get_buffer(f"whiten{depth}")
            for depth, part in enumerate(parts)
        ]

    @torch.no_grad()
    def fit(self, familiar: Tensor, held_out: Tensor, *, share: float) -> None:
        """familiar, held_out: descriptors of training pictures and of others that no statistic was taken from.

        share: of the held-out ones that get a strangeness below one half.
        """
        for depth, part in enumerate(torch.split(familiar, list(self.sizes), dim=1)):
            mean = part.mean(dim=0)
            variance, directions = torch.linalg.eigh(torch.cov(part.double().T))
            variance = variance.clamp_min(0) + SHRINKAGE * variance.mean()
            self.get_buffer(f"mean{depth}").copy_(mean)
            self.get_buffer(f"whiten{depth}").copy_(directions / variance.sqrt())
        distances = self.distances(held_out)
        limits = distances.median(dim=0).values
        scale = (distances / limits)[:, -DEEP:].mean(dim=1).quantile(share)
        self.get_buffer("limits").copy_(limits * scale)

    def fit_upright(self, upright: Tensor, turned: Tensor) -> None:
        """upright, turned: descriptors; call after `fit`."""
        truth = torch.cat([torch.zeros(len(upright)), torch.ones(len(turned))]).long()
        weight = self._regression(torch.cat([upright, turned]), truth, torch.ones(len(truth)), 2, UPRIGHT_PENALTY)
        self.get_buffer("upright").copy_(weight[0] - weight[1])

    def fit_sequence(self, descriptors: Tensor, truth: Tensor, weights: Tensor) -> None:
        """truth: (n,) indices of `HEAD_LOOKS`; weights: (n,) what each picture counts; call after `fit`."""
        self.get_buffer("sequence").copy_(self._regression(descriptors, truth, weights, len(HEAD_LOOKS), PENALTY))

    def _regression(self, descriptors: Tensor, truth: Tensor, weights: Tensor, classes: int, penalty: float) -> Tensor:
        """Multinomial logistic regression with an L2 penalty: (classes, d + 1)."""
        with torch.no_grad():
            inputs = torch.cat(self._whitened(descriptors), dim=1)
        weight = torch.zeros(classes, inputs.shape[1] + 1, requires_grad=True)
        optimizer = torch.optim.LBFGS([weight], max_iter=100, line_search_fn="strong_wolfe")

        def closure() -> Tensor:
            optimizer.zero_grad()
            logits = inputs @ weight[:, :-1].T + weight[:, -1]
            loss = (nn.functional.cross_entropy(logits, truth, reduction="none") * weights).sum() / weights.sum()
            loss = loss + penalty * weight[:, :-1].square().sum()
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        optimizer.step(closure)  # type: ignore[no-untyped-call]
        return weight.detach()
