"""The answer on a single picture, and what any reading consists of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import Finding, KeySlices, QualityFlag, Segmentation, SliceFinding, SliceMaps
from braintumor_desktop.domain.study import Study
from braintumor_desktop.inference.measure import SMALLEST_SHARE, clean, measure
from braintumor_desktop.inference.preprocess import Frame
from braintumor_desktop.inference.probability import finding_from, softmax
from braintumor_desktop.models.manifest import Calibration


@dataclass(frozen=True, eq=False)
class SliceAnswer:
    """One slice through the network.

    logits: (4,); lesion, heatmap: square, on the network's grid, 0..1; lesion: None where the model
    draws none; head_px: pixels of the head's outline in the slice, None where there is none; frame: the square of the
    slice that was seen.
    """

    logits: NDArray[np.float32]
    lesion: NDArray[np.float32] | None
    heatmap: NDArray[np.float16]
    head_px: int | None
    frame: Frame

    def heat(self) -> NDArray[np.float32]:
        """The heat map on the slice's own grid (rows, columns)."""
        return self.frame.back(self.heatmap.astype(np.float32))


@dataclass(frozen=True, eq=False)
class Reading:
    """What the slices say together.

    segmentation: None where the model draws no outlines; key: the slice to show first; slices: of a series, those that
    were analysed; flags: about the putting together.
    """

    finding: Finding
    segmentation: Segmentation | None
    heatmap: SliceMaps
    key: int
    slices: tuple[SliceFinding, ...] | None = None
    key_slices: KeySlices | None = None
    flags: list[QualityFlag] = field(default_factory=list)


def read_picture(study: Study, answer: SliceAnswer, calibration: Calibration) -> Reading:
    """The answer on its one slice is the answer."""
    segmentation = None
    if answer.lesion is not None:
        lesion = answer.frame.back(answer.lesion)
        mask = clean(lesion > calibration.mask_threshold, SMALLEST_SHARE * answer.frame.side**2)
        segmentation = measure(mask[None], lesion[None], lambda _index: answer.head_px, study.geometry)
    probabilities = softmax(answer.logits / calibration.temperature)
    return Reading(
        finding=finding_from(probabilities, calibration),
        segmentation=segmentation,
        heatmap=answer.heat()[None],
        key=0,
    )
