"""From a network's scores to calibrated probabilities and a finding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import CLASSES, INDETERMINATE, Finding, TumorClass
from braintumor_desktop.models.manifest import Calibration


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities along the last axis."""
    shifted = np.exp(np.asarray(logits, np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def finding_from(probabilities: NDArray[np.float64], calibration: Calibration) -> Finding:
    """Finding with its prediction set. probabilities: (4,), calibrated."""
    members: tuple[TumorClass, ...] | None = None
    label: str = CLASSES[int(probabilities.argmax())]
    if calibration.set_threshold is not None:
        members = tuple(c for c, p in zip(CLASSES, probabilities, strict=True) if p >= calibration.set_threshold)
        if len(members) in (0, len(CLASSES)):
            label = INDETERMINATE
    if label == TumorClass.NO_TUMOR and probabilities[CLASSES.index(TumorClass.NO_TUMOR)] < 0.5:
        label = INDETERMINATE
    named = {c: float(p) for c, p in zip(CLASSES, probabilities, strict=True)}
    return Finding(label, named, members, calibration.coverage if members is not None else None)


def without_types(finding: Finding) -> Finding:
    """The finding of a model that tells tumour from no tumour only, of which the types' shares mean nothing."""
    none = finding.probabilities[TumorClass.NO_TUMOR]
    return Finding(binary_label(none), {TumorClass.NO_TUMOR: none})


def binary_label(no_tumor: float) -> str:
    """Without a type to name, a tumour is indeterminate. no_tumor: its probability."""
    return TumorClass.NO_TUMOR.value if no_tumor >= 0.5 else INDETERMINATE
