"""The answer on a single picture, and what any reading consists of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import (
    Finding,
    KeySlices,
    QualityFlag,
    Segmentation,
    SliceFinding,
    SliceMaps,
    TumorClass,
)
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Study
from braintumor_desktop.inference.measure import SMALLEST_SHARE, best_threshold, clean, largest_component, measure
from braintumor_desktop.inference.preprocess import Frame
from braintumor_desktop.inference.probability import finding_from, softmax
from braintumor_desktop.models.manifest import Calibration


@dataclass(frozen=True, eq=False)
class SliceAnswer:
    """One slice through the network.

    logits: (4,); lesion, heatmap: square, on the network's grid, 0..1; lesion: None where the model
    draws none; head_px: pixels of the head's outline in the slice, None where there is none; frame: the square of the
    slice that was seen; brightness: mean grey value of the slice; strangeness: 0..1, see `models.familiarity`,
    upright: probability that the slice isn't upside down, sequences: probabilities of `domain.study.HEAD_LOOKS`, all
    None where the model can't say.
    """

    logits: NDArray[np.float32]
    lesion: NDArray[np.float32] | None
    heatmap: NDArray[np.float16]
    head_px: int | None
    frame: Frame
    brightness: float
    strangeness: float | None = None
    upright: float | None = None
    sequences: tuple[float, ...] | None = None

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


SURE = 0.95
"""Where *no tumour* is less probable than this, a tumour is not ruled out: its outline is sought as if it were named,
so that the reader sees which place is doubted. Of a reference model only what is named is outlined."""

FAINT = 0.2
"""Where a tumour is suspected and nothing reaches the outline's threshold, the largest place above this is outlined.
Training on tumour-free heads makes outlines cautious; a class that says tumour is reason to look again."""


def read_picture(study: Study, answer: SliceAnswer, calibration: Calibration, *, fixed: bool = False) -> Reading:
    """The answer on its one slice is the answer.

    Where a tumour is not ruled out (`SURE`), its outline is the one of the greatest expected Dice; elsewhere, and where
    it is `fixed` as in the originals of the reference models, it is cut at the calibration's threshold. Where
    nothing reaches that the largest place above `FAINT` is outlined and flagged, of reference models, too.
    """
    finding = finding_from(softmax(answer.logits / calibration.temperature), calibration)
    segmentation, flags = None, []
    if answer.lesion is not None:
        lesion = answer.frame.back(answer.lesion)
        smallest = SMALLEST_SHARE * answer.frame.side**2
        named = finding.top_class is not TumorClass.NO_TUMOR
        suspected = named if fixed else finding.probabilities[TumorClass.NO_TUMOR] < SURE
        best = best_threshold(lesion) if suspected and not fixed else None
        mask = clean(lesion >= (best or calibration.mask_threshold), smallest)
        if suspected and not mask.any():
            mask = largest_component(clean(lesion > FAINT, smallest))
        if suspected and mask.any() and lesion.max() <= calibration.mask_threshold:
            words = phrase("The outline is faint: the model is unsure of the place.")
            flags.append(QualityFlag("faint_outline", words))
        segmentation = measure(mask[None], lesion[None], lambda _index: answer.head_px, study.geometry)
    return Reading(finding=finding, segmentation=segmentation, heatmap=answer.heat()[None], key=0, flags=flags)
