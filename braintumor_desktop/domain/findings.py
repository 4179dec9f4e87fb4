"""What an analysis says: classes, probabilities, lesion, explanation, quality and timings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.measurements import Diameters
from braintumor_desktop.domain.phrases import Phrase, phrase
from braintumor_desktop.domain.study import Study


class TumorClass(StrEnum):
    """The four classes, in the order of every probability vector and network output."""

    GLIOMA = "glioma"
    MENINGIOMA = "meningioma"
    PITUITARY = "pituitary"
    NO_TUMOR = "no_tumor"


CLASSES: tuple[TumorClass, ...] = tuple(TumorClass)
INDETERMINATE = "indeterminate"

CLASS_TITLES: Mapping[str, str] = {
    TumorClass.GLIOMA: phrase("Glioma"),
    TumorClass.MENINGIOMA: phrase("Meningioma"),
    TumorClass.PITUITARY: phrase("Pituitary tumour"),
    TumorClass.NO_TUMOR: phrase("No tumour"),
    INDETERMINATE: phrase("Indeterminate"),
}

CLASS_NAMES: Mapping[str, str] = {
    TumorClass.GLIOMA: phrase("glioma"),
    TumorClass.MENINGIOMA: phrase("meningioma"),
    TumorClass.PITUITARY: phrase("pituitary tumour"),
    TumorClass.NO_TUMOR: phrase("no tumour"),
}
"""As they stand within a sentence."""

UNTYPED_TUMOR = phrase("Tumour, type not told")


@dataclass(frozen=True)
class ModelIdentity:
    """Which network answered: manifest id, version and the SHA-256 of its weight file."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Finding:
    """The classification.

    label: one of the classes, or ``indeterminate`` where the prediction set is empty or holds all classes, or where no
    kind of tumour is as likely as none but all together are likelier;
    probabilities: calibrated, one a class, summing to 1; tumor_probability: 1 - P(no_tumor).
    A model that can't tell types apart gives that of ``no_tumor`` alone, and calls any tumour ``indeterminate``;
    prediction_set: the classes that conformal prediction can't exclude at `coverage`
    (None and None where the model was not calibrated for sets).
    doubted: all that is outlined of a series is called a tumour by its own slices and not by those through it in other
    planes; the label is then ``indeterminate``.
    """

    label: str
    probabilities: Mapping[TumorClass, float]
    prediction_set: tuple[TumorClass, ...] | None = None
    coverage: float | None = None
    doubted: bool = False

    @property
    def tumor_probability(self) -> float:
        return 1.0 - self.probabilities[TumorClass.NO_TUMOR]

    @property
    def types_known(self) -> bool:
        """False where the model says tumour or no tumour and nothing else."""
        return len(self.probabilities) == len(CLASSES)

    @property
    def top_class(self) -> TumorClass | None:
        """The likeliest class; None for a tumour whose type the model can't tell."""
        if not self.types_known:
            return TumorClass.NO_TUMOR if self.tumor_probability <= 0.5 else None
        return max(CLASSES, key=lambda c: self.probabilities[c])

    @property
    def top_probability(self) -> float:
        """That of `top_class`."""
        top = self.top_class
        return self.tumor_probability if top is None else self.probabilities[top]

    @property
    def title(self) -> str:
        """The label in words."""
        return UNTYPED_TUMOR if self.top_class is None else CLASS_TITLES[self.label]

    def sentence(self) -> Phrase:
        """The finding in one plain sentence, the same in the window and in every report."""
        top = self.top_class
        share = self.top_probability
        # Never "100 %": nothing is certain.
        percent = phrase("more than 99 %") if share >= 0.99 else phrase("{percent:.0f} %", percent=100 * share)
        if top is None:
            return phrase("The model sees a tumour and can't tell its type (probability {percent}).", percent=percent)
        if not self.types_known:
            return phrase(
                "The model sees no tumour (probability {percent}); it can't tell types apart.", percent=percent
            )
        if self.doubted:
            return phrase(
                "Indeterminate: outlined with a doubt, as its own slices call it a tumour and other planes don't "
                "(any tumour: {percent}).",
                percent=phrase("{percent:.0f} %", percent=100 * self.tumor_probability),
            )
        if self.label == INDETERMINATE:
            return phrase(
                "Indeterminate: the model can't tell the classes apart (most likely {finding}, {percent}).",
                finding=CLASS_NAMES[top],
                percent=percent,
            )
        if top is TumorClass.NO_TUMOR:
            return phrase(
                "The model sees no tumour of the three kinds it knows (probability {percent}).", percent=percent
            )
        return phrase(
            "The model's finding is {finding} (probability {percent}).", finding=CLASS_NAMES[top], percent=percent
        )


DISTRUST = phrase("The picture is not of the kind the model was trained on: distrust the answer.")
"""Said in the window and on the command line where `Quality.in_distribution` is false."""


@dataclass(frozen=True)
class QualityFlag:
    """One thing about the input, or about the answer, that the reader should know."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Quality:
    """in_distribution and ood_score are None where the model can't judge; ood_score is 0 (familiar) to 1.

    in_distribution is false, whatever the score, where the header names another part of the body.
    """

    in_distribution: bool | None = None
    ood_score: float | None = None
    flags: tuple[QualityFlag, ...] = ()


class SliceMaps(Protocol):
    """A map (slices, rows, columns) of 0..1, read slice by slice: ``maps[index]`` is float32 (rows, columns).

    A plain float32 array is one. Maps of a series are kept smaller and become float32 when a slice is asked for.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def nbytes(self) -> int: ...

    def __getitem__(self, index: int, /) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Lesion:
    """One lesion of a series: outlines of neighbouring slices that belong together.

    slices: first and last, both included; key_slice: where its area is largest, which the area and the diameters
    are of; center: (slice, row, column) of its centre of mass, as fractional indices; center_mm: the same in RAS
    millimetres, None where the place in the patient is unknown;
    volume_ml, area_mm2, measurable: None where a spacing they need is unknown;
    measurable: both diameters are at least 10 mm on two or more slices (RANO, J Clin Oncol 2010;28:1963);
    tumor_probability: over its slices, each weighted by the lesion's area there, and over the planes it was seen in;
    pieces: (slice, row, column) of one pixel of each of its 8-connected components in the series' mask, which together
    are the lesion.
    """

    slices: tuple[int, int]
    key_slice: int
    area_px: int
    area_mm2: float | None
    diameters: Diameters | None
    volume_ml: float | None
    center: tuple[float, float, float]
    center_mm: tuple[float, float, float] | None
    measurable: bool | None
    tumor_probability: float
    pieces: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True)
class KeySlices:
    """Slices of a series to look at first.

    largest: the key slice of the largest lesion, None without one; most_confident: the series' likeliest
    tumour, or no tumour where that is as likely as all tumours, is most probable there, of the slices with an outline,
    or without one of those that show much of the head; most_uncertain: the four probabilities are closest to each other
    (greatest entropy), of the slices that show a head.
    """

    largest: int | None
    most_confident: int
    most_uncertain: int


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The lesion as the model outlines it.

    mask: bool (slices, rows, columns) on the input's own grid;
    probability: same shape, 0..1, per-pixel tumour probability, see `SliceMaps`;
    areas and diameters are those of the largest lesion on the key slice (`slice_index`); diameters of its largest
    component there.
    area_percent_of_head: None where no head outline was found;
    volume_ml: of the whole mask of a series, None where a spacing is unknown and for a single picture;
    lesions: of a series, largest first; empty for a single picture;
    expected_dice: of all that is outlined on the key slice, the overlap (Dice) with a reader's outline that the model
    expects, 0..1, estimated without knowing that outline; None without a lesion.
    """

    mask: NDArray[np.bool_]
    probability: SliceMaps
    slice_index: int
    area_px: int
    area_percent_of_image: float
    area_percent_of_head: float | None
    area_mm2: float | None
    diameters: Diameters | None
    volume_ml: float | None = None
    lesions: tuple[Lesion, ...] = ()
    expected_dice: float | None = None

    @property
    def present(self) -> bool:
        return self.area_px > 0


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where the network looked for its answer.

    heatmap: (slices, rows, columns) on the input's own grid, 0..1, see `SliceMaps`;
    energy_in_mask: share of the map's sum inside the lesion mask, None without a lesion.
    """

    method: str
    heatmap: SliceMaps
    energy_in_mask: float | None


@dataclass(frozen=True)
class SliceFinding:
    """One slice of a series; position_mm along the normal, None where unknown; area_px: None without outlines."""

    index: int
    position_mm: float | None
    tumor_probability: float
    label: str
    area_px: int | None


@dataclass(frozen=True)
class Timing:
    """Milliseconds a stage."""

    load: float
    infer: float
    explain: float
    total: float


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything one model says of one study.

    slices: None for a single picture; of a series that was stopped half-way only those that were analysed;
    key_slices: of a series.
    """

    study: Study
    model: ModelIdentity
    device: str
    finding: Finding
    quality: Quality
    segmentation: Segmentation | None
    explanation: Explanation | None
    slices: tuple[SliceFinding, ...] | None
    timing: Timing
    key_slices: KeySlices | None = None

    @property
    def complete(self) -> bool:
        """False where the reader stopped the analysis of a series and kept what there was."""
        return self.slices is None or len(self.slices) == self.study.slices

    @property
    def key_slice(self) -> int:
        """The slice that stands for the study: the lesion's, or else the most suspicious one."""
        if self.segmentation is not None and self.segmentation.present:
            return self.segmentation.slice_index
        if self.slices:
            return max(self.slices, key=lambda s: s.tumor_probability).index
        return 0
