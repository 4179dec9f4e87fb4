"""What the reader should know about the picture, and about an answer that contradicts itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import Finding, QualityFlag, Segmentation, TumorClass
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import HEAD_LOOKS, InputKind, MrSequence, Study
from braintumor_desktop.imaging.burnt_in_text import find_text
from braintumor_desktop.imaging.turning import to_upright
from braintumor_desktop.inference.picture_reading import SliceAnswer
from braintumor_desktop.inference.preprocess import Frame, normalise, resample

LOW_RESOLUTION_PX = 128
"""Shorter side of the head square below which small lesions can't be seen: half the network's grid."""

SATURATED_SHARE = 0.10
"""Share of the head at the very top grey value from which contrast is lost; enhancing vessels stay far below."""

BLOCKY = 1.7
"""Grey steps across the edges of JPEG's 8 x 8 blocks, against those inside. 1.2, at most 1.4, in the Cheng pictures
as they are, 1.9 (1.7 to 2.2) after saving them at quality 20; measured on 145 of them."""

SOFT = 0.37
"""Second differences against first ones at the strong edges of the head, on the network's grid, in the direction where
these are least. Of 430 Cheng val slices 1 lies below as it is, 98 to 100 % smeared along rows or columns by 9 pixels of
that grid, all blurred by a Gaussian of 2.5."""

CUT_TOP, CUT_SIDE = 0.45, 0.35
"""Share of the picture's edge that the head's outline covers from which it is said to be cut off. Below, at the neck,
it always is; above or at a side, at most 0.34 and 0.41 in 99 % of the Cheng pictures."""

UPSIDE_DOWN = 0.57
"""Probability of standing upright below which the reader is told. Of 108 Cheng val slices none lies below it as it is,
83 % do turned by 180°; of 60 web pictures 5 and 35 %."""

FAMILIAR = 0.5
"""Strangeness below which a picture counts as a brain MRI that the model knows."""

KNOWN_SEQUENCE = MrSequence.T1_POST_CONTRAST
"""What most tumours in the training data were shown with, see the model card."""

KNOWN_LOOK = "T1"
"""The same, as far as pixels tell: T1 before contrast looks like T1 after it where nothing enhances."""


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


_LETTER = r"[A-Z\x80-\U0010ffff]"
OTHER_PARTS = re.compile(
    rf"(?<!{_LETTER})(?:(?:FORE|LOWER|UPPER)?(?:ARM|LEG)|HAND|HIP|LUNG)S?(?!{_LETTER})|"
    "ABDOM|ANKLE|BREAST|CHEST|ELBOW|EXTREM|FEMUR|FOOT|FEET|HEART|KIDNEY|KNEE|LIVER|PANCREAS|PELVI|PROSTATE|RECTUM|"
    "SHOULDER|SPINE|THIGH|THORAX|UTERUS|WRIST"
)
"""In DICOM's terms for parts of the body in which there is no brain (PS3.16, annex L). Heads go by many names, also in
other languages, so only these are told to the reader, and as whole words where others hold them, as HIPÓFISIS does."""
HEADS = re.compile("HEAD|BRAIN|SKULL")
"""In the terms for parts that hold the brain, whatever else they hold."""


def body_part_flag(study: Study) -> list[QualityFlag]:
    """Flag where the header says that the picture is of another part of the body."""
    part = study.source.body_part or ""
    if HEADS.search(part) or not OTHER_PARTS.search(part):
        return []
    return [QualityFlag("other_body_part", phrase("The model knows heads only; the file says {part}.", part=part))]


def picture_flags(study: Study, head: NDArray[np.bool_] | None, side: float) -> list[QualityFlag]:
    """Flags from the pixels alone. head: outline of the slice judged, or None; side: of its square, in pixels."""
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


def pixel_flags(study: Study, judged: int, head: NDArray[np.bool_] | None, frame: Frame) -> list[QualityFlag]:
    """Flags on how a slice was taken or stored: compression, blur, a head that is cut off, printed text.

    judged: its number; head: its outline or None; frame: the square around it.
    """
    pixels = study.pixels[judged]
    flags = []
    if (study.source.lossy or study.source.kind is InputKind.PICTURE) and blockiness(pixels) > BLOCKY:
        flags.append(
            QualityFlag("compressed", phrase("Heavily compressed: the blocks of the compression can be seen."))
        )
    if sharpness(normalise(resample(pixels, frame, SHARPNESS_GRID))) < SOFT:
        flags.append(
            QualityFlag("blurred", phrase("Blurred: edges are soft, by motion, or by enlarging a small picture."))
        )
    turned = None if head is None else to_upright(study.geometry.orientation).apply(head)
    if turned is not None and (turned[0].mean() > CUT_TOP or max(turned[:, 0].mean(), turned[:, -1].mean()) > CUT_SIDE):
        flags.append(QualityFlag("cut_off", phrase("Part of the head lies outside the picture.")))
    if find_text(pixels):
        flags.append(
            QualityFlag("burnt_in_text", phrase("There may be text in the picture; it can mislead the model."))
        )
    return flags


SHARPNESS_GRID = 256


def blockiness(pixels: NDArray[Any]) -> float:
    """Mean grey step across every eighth column and row edge over the mean of the others; 1 without blocks.

    pixels: (rows, columns), as stored: enlarged or cropped pictures don't show it. After Wang et al., ICIP 2002.
    """
    values = pixels.astype(np.float32)
    ratios = []
    for axis in (0, 1):
        steps = np.abs(np.diff(values, axis=1 - axis)).mean(axis=axis)
        on_edge = np.arange(len(steps)) % 8 == 7
        if on_edge.any() and not on_edge.all():
            ratios.append(float(steps[on_edge].mean()) / (float(steps[~on_edge].mean()) + 0.2))
    return float(np.mean(ratios)) if ratios else 1.0


def sharpness(framed: NDArray[np.float32]) -> float:
    """Second differences against first ones in the softest of four directions; inf where nothing is inside the head.

    framed: (n, n), 0..1. Of both the 95th percentiles count. A direction of its own, as motion smears along one.
    """
    inside = framed > 0.08
    smooth = cv2.GaussianBlur(framed, (0, 0), 0.8)
    inside, middle = inside[1:-1, 1:-1], smooth[1:-1, 1:-1]
    if not inside.any():
        return float("inf")
    rows, columns = middle.shape
    softest = float("inf")
    for y, x in ((0, 1), (1, 1), (1, 0), (1, -1)):
        ahead = smooth[1 + y : 1 + y + rows, 1 + x : 1 + x + columns]
        behind = smooth[1 - y : 1 - y + rows, 1 - x : 1 - x + columns]
        slopes, bends = np.abs(ahead - behind)[inside], np.abs(ahead + behind - 2 * middle)[inside]
        step = np.hypot(y, x)
        slope, bend = np.percentile(slopes, 95) / (2 * step), np.percentile(bends, 95) / step**2
        softest = min(softest, float(bend / (slope + 1e-6)))
    return softest


def strangeness(answers: Sequence[SliceAnswer]) -> float | None:
    """Of a study: the median over the slices that show a head, or over all where none does; None if not known."""
    known = [a for a in answers if a.strangeness is not None]
    heads = [a for a in known if a.head_px is not None] or known
    return float(np.median([a.strangeness for a in heads])) if heads else None


def upside_down_flag(study: Study, answers: Sequence[SliceAnswer]) -> list[QualityFlag]:
    """Flag where a picture of unknown orientation seems to stand on its head."""
    upright = [a.upright for a in answers if a.upright is not None and a.head_px is not None]
    if study.geometry.orientation is None and upright and float(np.median(upright)) < UPSIDE_DOWN:
        return [QualityFlag("upside_down", phrase("The head seems to be upside down; the model expects it upright."))]
    return []


def look_flag(study: Study, answers: Sequence[SliceAnswer]) -> list[QualityFlag]:
    """Flag where the pixels look like T2, FLAIR or CT and no header says what they are."""
    seen = [a.sequences for a in answers if a.sequences is not None and a.head_px is not None]
    if study.sequence is not None or study.source.modality not in (None, "MR") or not seen:
        return []
    look = HEAD_LOOKS[int(np.median(np.array(seen), axis=0).argmax())]
    if look == "CT":
        told = study.source.modality is not None
        sentence = phrase("The grey values look like CT; the model knows MRI only.")
        return [] if told else [QualityFlag("not_mri", sentence)]
    if look == KNOWN_LOOK:
        return []
    return [
        QualityFlag(
            "unfamiliar_sequence",
            phrase(
                "The grey values look like {sequence}; the model knows {known} best.",
                sequence=phrase(look),
                known=phrase("T1 after contrast"),
            ),
        )
    ]


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
    if finding.top_class is not TumorClass.NO_TUMOR and not segmentation.present:
        return [
            QualityFlag("tumor_without_outline", phrase("A tumour type is named, but no lesion could be outlined."))
        ]
    if finding.label == TumorClass.NO_TUMOR and segmentation.present:
        return [
            QualityFlag("outline_without_tumor", phrase("A lesion is outlined, although the finding is no tumour."))
        ]
    return []
