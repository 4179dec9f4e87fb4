"""What the reader should know about the picture, and about an answer that contradicts itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import Finding, QualityFlag, Segmentation, TumorClass
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import MrSequence, Study

LOW_RESOLUTION_PX = 128
"""Shorter side of the head square below which small lesions can't be seen: half the network's grid."""

SATURATED_SHARE = 0.10
"""Share of the head at the very top grey value from which contrast is lost; enhancing vessels stay far below."""


KNOWN_SEQUENCE = MrSequence.T1_POST_CONTRAST
"""What most tumours in the training data were shown with, see the model card."""


def sequence_flags(study: Study) -> list[QualityFlag]:
    """Flags where the header names something the model was not made for; nothing where the header is silent."""
    if study.source.modality not in (None, "MR"):
        return [
            QualityFlag(
                "not_mri", phrase("The model knows MRI only; this is {modality}.", modality=study.source.modality)
            )
        ]
    if study.sequence is None or study.sequence == KNOWN_SEQUENCE:
        return []
    return [
        QualityFlag(
            "other_sequence",
            phrase(
                "The model knows {known} best; this looks like {sequence}.",
                known=phrase("T1 after contrast"),
                sequence=phrase(study.sequence),
            ),
        )
    ]


def picture_flags(study: Study, head: NDArray[np.bool_] | None, side: float) -> list[QualityFlag]:
    """Flags from the pixels alone. head: outline of the key slice or None; side: of its square, in pixels."""
    flags = []
    if head is None:
        flags.append(
            QualityFlag(
                "no_head_outline", phrase("No head outline stands out; the picture may be cropped or not a head.")
            )
        )
    if side < LOW_RESOLUTION_PX:
        flags.append(
            QualityFlag(
                "low_resolution", phrase("Low resolution: the head is about {side:.0f} pixels across.", side=side)
            )
        )
    if study.source.colour:
        flags.append(QualityFlag("colour_reduced", phrase("A colour picture: only its brightness was analysed.")))
    if study.source.synthetic:
        flags.append(QualityFlag("synthetic", phrase("A synthetic phantom, not a patient.")))
    return flags


def saturation_flag(pixels: NDArray[Any], head: NDArray[np.bool_] | None) -> list[QualityFlag]:
    """Flag where much of the head sits at the top grey value. pixels: (rows, columns)."""
    inside = pixels if head is None else pixels[head]
    if inside.size and float((inside == pixels.max()).mean()) > SATURATED_SHARE:
        return [QualityFlag("saturated", phrase("Overexposed: much of the head is at the brightest grey value."))]
    return []


def contradiction_flags(finding: Finding, segmentation: Segmentation | None) -> list[QualityFlag]:
    """Flags where class and outline disagree; never hidden from the reader."""
    if segmentation is None:
        return []
    tumor = finding.top_class is not TumorClass.NO_TUMOR
    if tumor and not segmentation.present:
        return [
            QualityFlag("tumor_without_outline", phrase("A tumour type is named, but no lesion could be outlined."))
        ]
    if not tumor and segmentation.present:
        return [
            QualityFlag("outline_without_tumor", phrase("A lesion is outlined, although the finding is no tumour."))
        ]
    return []
