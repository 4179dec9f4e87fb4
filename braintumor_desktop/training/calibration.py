"""Temperature and conformal prediction sets, fitted on held-out answers; cross-fitted where they are judged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

Array = NDArray[Any]


def with_temperature(log_probabilities: Array, temperature: float) -> Array:
    """Softmax of log-probabilities (n, classes) divided by the temperature."""
    scaled = log_probabilities / temperature
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


def fit_temperature(log_probabilities: Array, truth: Array) -> float:
    """The temperature of least negative log-likelihood (Guo et al., ICML 2017), between 0.2 and 5."""

    def loss(log_t: float) -> float:
        p = with_temperature(log_probabilities, float(np.exp(log_t)))
        return float(-np.log(p[np.arange(len(truth)), truth] + 1e-12).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.2), np.log(5)), method="bounded").x))


def fit_set_threshold(probabilities: Array, truth: Array, groups: Array, coverage: float) -> float:
    """Lowest probability at which a class still joins the prediction set.

    Split conformal with the least ambiguous score (Sadinle et al., JASA 2019); each patient or group weighs
    the same, as its slices are not exchangeable one by one. probabilities: (n, classes).
    """
    own = probabilities[np.arange(len(truth)), truth]
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weights = 1.0 / counts[inverse]
    order = np.argsort(-own)
    share = np.cumsum(weights[order]) / (weights.sum() + 1)  # the +1 stands for the patient to come
    reached = np.flatnonzero(share >= coverage)
    return float(own[order][reached[0]]) if len(reached) else 0.0


def cross_fitted(
    log_probabilities: Array, truth: Array, groups: Array, coverage: float, *, parts: int = 5, seed: int = 0
) -> tuple[Array, Array]:
    """Calibrated probabilities (n, classes) and set membership (n, classes) bool, each from other groups only."""
    names, inverse = np.unique(groups, return_inverse=True)
    part_of = np.random.default_rng(seed).permutation(len(names)) % parts
    probabilities = np.empty_like(log_probabilities)
    members = np.empty(log_probabilities.shape, bool)
    for part in range(parts):
        here = part_of[inverse] == part
        temperature = fit_temperature(log_probabilities[~here], truth[~here])
        probabilities[here] = with_temperature(log_probabilities[here], temperature)
        others = with_temperature(log_probabilities[~here], temperature)
        threshold = fit_set_threshold(others, truth[~here], groups[~here], coverage)
        members[here] = probabilities[here] >= threshold
    return probabilities, members
