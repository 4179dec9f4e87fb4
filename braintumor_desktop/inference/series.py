"""From answers on slices to one answer on the series: which outlines are lesions, and what they are.

Per-slice numbers are noisy and a series has hundreds of them, so the most suspicious slice of a healthy head is rarely
harmless. A tumour is reported only where an outline holds together in space and the classifier agrees with it on the
slices it covers and, where the volume allows, on slices through it in the two other planes (`planes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import CLASSES, KeySlices, TumorClass
from braintumor_desktop.domain.study import Geometry
from braintumor_desktop.inference.lesions import Outline, join, outline_box, reach_mm, support, volume_ml, worth_keeping
from braintumor_desktop.inference.planes import PLANES, Volume, lay_grid, tilt
from braintumor_desktop.inference.preprocess import Frame
from braintumor_desktop.inference.slice_axis import extents, positions, smoothing_weights

CANDIDATE = 0.3
"""Tumour probability on its own slices from which an outline is looked at again in the other planes."""

ACCEPTED = 0.5
"""Tumour probability, pooled over three planes, from which an outline is a lesion."""

ACCEPTED_ALONE = 0.8
"""The same where there is one plane only. With `neuro` 0.4 held-out tumours reached 0.80 or more in 28 of 32 patients
(mean over slices, weighted by outlined area); outlines in tumour-free heads reached 0.92 at most."""

SURE, SURE_MM = 0.95, 15.0
"""Tumour probability on its own slices, and reach along their axis, from which an outline is a lesion even if the other
planes don't show it, which are left out then: cut out of slices 3 mm apart and more they are too coarse to show every
tumour. Of outlines in tumour-free heads none reached both (0.91 at 15 mm and more: a brain stem in slices of 6 mm)."""

DOUBTED_MM, DOUBTED_ML, ONE_TYPE = 10.0, 2.0, 0.5
"""An outline that would be a lesion by its own plane alone (`ACCEPTED_ALONE`), one type of tumour with this
probability, reaches so far along its axis and holds so much is shown with a doubt where the other planes deny it: too
much to say *no tumour*. Outlines in the brain stem and in synthetic heads tend to be of no one type."""

THIN_MM = 60.0
"""A stack that reaches less far is not looked at in other planes: the network knows no strips of heads."""

MOST_CANDIDATES = 8
"""Largest first: each takes six more slices through the network."""

UNOUTLINED_ODDS, DROPPED_ODDS = 0.1, 0.3
"""Odds of a tumour are multiplied by these where nothing was outlined that its own slices call a tumour, and where such
an outline was dropped. Of series with a tumour 13 and 15 of 164 end so, of those without 92 and 35 of 130."""

SUSPICIOUS_MM, SUSPICIOUS_SLICES = 10.0, 3
"""A run of slices called tumour is worth a warning from this length on, and from this number of slices on."""

GREAT_SECTION = 0.9
"""Share of a series' slices that show less of the head than the one that stands for its great sections. Not the very
greatest: noise at the ends of thin stacks may pass for a head that fills the picture."""

FULL_HEAD = 0.5
"""Of a great section of the head in a series: slices that show less stand for its ends."""

NO_TUMOR = CLASSES.index(TumorClass.NO_TUMOR)

Look = Callable[[Sequence[NDArray[np.generic]]], tuple[NDArray[np.float64], list[NDArray[np.bool_]]]]
"""Slices of any shapes to calibrated probabilities (n, 4) and their outlines (rows, columns)."""


class Standing(Enum):
    """What becomes of an outline: a lesion, shown with a doubt, dropped, or dropped without another look."""

    ACCEPTED = "accepted"
    DOUBTED = "doubted"
    DROPPED = "dropped"
    UNEXAMINED = "unexamined"


@dataclass(frozen=True, eq=False)
class Candidate:
    """An outline and what the classifier says of it.

    own: (4,), on the slices it covers; probabilities: (4,), pooled over the planes that count, for a doubted one half
    way between that and its own; planes: how many were pooled, 0 where it was not examined.
    """

    outline: Outline
    own: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    planes: int
    standing: Standing

    @property
    def tumor(self) -> float:
        return _tumor(self.probabilities)


def smoothed_maps(
    maps: Sequence[NDArray[np.float32] | None], frames: Sequence[Frame], places: NDArray[np.float64] | None
) -> Iterator[NDArray[np.float32]]:
    """Network maps brought back to the input's grid and smoothed along the slice axis, slice by slice.

    maps: square, of each slice; None counts as zero everywhere. Only the neighbours in use are held in memory.
    """
    held: dict[int, NDArray[np.float32]] = {}
    for index in range(len(maps)):
        weights = smoothing_weights(places, index, len(maps))
        held = {i: m for i, m in held.items() if i in weights}
        result = np.zeros((frames[index].rows, frames[index].columns), np.float32)
        for other, weight in weights.items():
            values = maps[other]
            if values is None:
                continue
            if other not in held:
                held[other] = frames[other].back(values)
            result += np.float32(weight) * held[other]
        yield result


def has_head(outlined: Sequence[bool], brightness: Sequence[float]) -> NDArray[np.bool_]:
    """Which slices show a head: all but dark ones without an outline.

    outlined: whether a head's outline stands out from air; where that is in fewer than half of the slices (tight
    crops), all show one. brightness: mean grey values. A slice without an outline is of air or of a head that fills it:
    nearer to the brightness of the others than to the darkest slice it is the latter.
    """
    found: NDArray[np.bool_] = np.array(outlined, np.bool_)
    level = np.array(brightness, np.float64)
    if found.mean() < 0.5:
        return np.ones_like(found)
    return np.asarray(found | (level > (level.min() + float(np.median(level[found]))) / 2))


def judge(
    mask: NDArray[np.bool_],
    probabilities: NDArray[np.float64],
    pixels: NDArray[np.generic],
    geometry: Geometry,
    look: Look,
) -> list[Candidate]:
    """The outlines worth keeping, seen again in the other planes; largest first. Beyond `MOST_CANDIDATES` they aren't.

    mask, pixels: (slices, rows, columns); probabilities: (slices, 4).
    """
    tumor = 1.0 - probabilities[:, NO_TUMOR]
    kept = [o for o in join(mask, positions(geometry, len(mask))) if worth_keeping(o, geometry)]
    kept.sort(key=lambda o: -int(o.areas.sum()))
    candidates = [o for o in kept if float(support(o, tumor)) >= CANDIDATE]
    tilted = tilt(geometry)
    reach = extents(positions(geometry, len(mask)))
    thin = reach is None or reach.sum() < THIN_MM
    others = [] if tilted is None or thin else [axis for axis in range(len(PLANES)) if axis != tilted[1]]
    volume = Volume(pixels) if others and candidates else None
    judged = []
    for number, outline in enumerate(candidates):
        own = support(outline, probabilities)
        if number >= MOST_CANDIDATES:
            judged.append(Candidate(outline, own, own, 0, Standing.UNEXAMINED))
            continue
        opinions = [own]
        if volume is not None:
            opinions += [_opinion(outline, mask, volume, geometry, axis, look) for axis in others]
        judged.append(_candidate(outline, opinions, geometry))
    return judged


def _candidate(outline: Outline, opinions: Sequence[NDArray[np.float64]], geometry: Geometry) -> Candidate:
    """opinions: (4,) each, that of its own slices first."""
    own, reach = opinions[0], reach_mm(outline, geometry) or 0.0
    if _tumor(own) >= SURE and reach >= SURE_MM:
        opinions = [own, *(each for each in opinions[1:] if _tumor(each) >= ACCEPTED)]
    pooled, planes = pool(opinions), len(opinions)
    if _tumor(pooled) >= (ACCEPTED if planes > 1 else ACCEPTED_ALONE):
        return Candidate(outline, own, pooled, planes, Standing.ACCEPTED)
    large = reach >= DOUBTED_MM and (volume_ml(outline.areas, geometry) or 0.0) >= DOUBTED_ML
    if large and _tumor(own) >= ACCEPTED_ALONE and own[:NO_TUMOR].max() >= ONE_TYPE:
        return Candidate(outline, own, (own + pooled) / 2, planes, Standing.DOUBTED)
    return Candidate(outline, own, pooled, planes, Standing.DROPPED)


def _tumor(probabilities: NDArray[np.float64]) -> float:
    return 1.0 - float(probabilities[NO_TUMOR])


def _opinion(
    outline: Outline, mask: NDArray[np.bool_], volume: Volume, geometry: Geometry, axis: int, look: Look
) -> NDArray[np.float64]:
    """What the network says of one outline in another plane: the mean of three slices through it, (4,).

    The slices lie at its centre and half its radius to both sides. A slice speaks of this outline only as far as it
    outlines the same place: for the share that it doesn't, it says no tumour.
    """
    assert geometry.affine is not None
    grid = lay_grid(geometry.affine, mask.shape, axis)
    center = grid.from_volume(outline.center)[0]
    radius = (3000 * (volume_ml(outline.areas, geometry) or 0.0) / (4 * np.pi)) ** (1 / 3)
    step = max(1.0, radius / 2 / grid.spacing_mm)
    indices = [min(max(round(center + side * step), 0), grid.shape[0] - 1) for side in (-1, 0, 1)]
    probabilities, outlined = look([volume.slice(i, grid.shape, grid.to_volume) for i in indices])
    box, corner = outline_box(outline, mask)
    own = Volume(box.astype(np.float32))
    shift = np.eye(4)
    shift[:3, 3] = [-corner[2], -corner[1], -corner[0]]
    said = []
    for index, row, seen in zip(indices, probabilities, outlined, strict=True):
        section = own.slice(index, grid.shape, shift @ grid.to_volume) > 0.5
        shared = float(seen[section].mean()) if section.any() else 0.0
        said.append(shared * row + (1 - shared) * (np.arange(len(CLASSES)) == NO_TUMOR))
    return np.asarray(np.mean(said, axis=0))


def pool(opinions: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Several probability vectors (4,) as one: their normalised geometric mean.

    The logarithmic opinion pool (Genest and Zidek, Stat Sci 1986;1:114): a plane that is sure there is no tumour
    weighs more than one that is undecided. No opinion counts for less than 1 in 1000. One alone stays as it is.
    """
    if len(opinions) == 1:
        return opinions[0]
    logs = np.log(np.clip(np.stack(opinions), 1e-3, None)).mean(axis=0)
    return np.asarray(np.exp(logs) / np.exp(logs).sum())


def to_show(judged: Sequence[Candidate]) -> list[Candidate]:
    """The lesions or, where there is none, the doubted outlines."""
    accepted = [each for each in judged if each.standing is Standing.ACCEPTED]
    return accepted or [each for each in judged if each.standing is Standing.DOUBTED]


def series_probabilities(
    probabilities: NDArray[np.float64], seen: NDArray[np.bool_], judged: Sequence[Candidate]
) -> NDArray[np.float64]:
    """One probability vector (4,) for all slices (n, 4).

    That of the largest outline shown. Without one the mean over the slices that show a head, with the odds of a tumour
    lowered by `UNOUTLINED_ODDS` or `DROPPED_ODDS`. For three slices or fewer without an outline it is their plain mean.
    """
    if shown := to_show(judged):
        return shown[0].probabilities
    mean = probabilities[seen].mean(axis=0)
    if len(probabilities) <= SUSPICIOUS_SLICES:
        return np.asarray(mean)
    odds = DROPPED_ODDS if any(_tumor(each.own) >= ACCEPTED for each in judged) else UNOUTLINED_ODDS
    lowered = np.where(np.arange(len(CLASSES)) == NO_TUMOR, mean, odds * mean)
    return np.asarray(lowered / lowered.sum())


def suspicious_run(tumor: NDArray[np.float64], places: NDArray[np.float64] | None) -> tuple[int, int] | None:
    """The longest run of slices called tumour, first and last, where it is long enough to mention.

    tumor: (slices,) probabilities.
    """
    hot = np.concatenate([[False], tumor > 0.5, [False]])
    starts, ends = np.flatnonzero(~hot[:-1] & hot[1:]), np.flatnonzero(hot[:-1] & ~hot[1:])
    if not len(starts):
        return None
    longest = int((ends - starts).argmax())
    first, last = int(starts[longest]), int(ends[longest]) - 1
    reach = np.inf if places is None else abs(places[last] - places[first])
    return (first, last) if last - first + 1 >= SUSPICIOUS_SLICES and reach >= SUSPICIOUS_MM else None


def sought_class(pooled: NDArray[np.float64], outlined: bool = False) -> int:
    """Index of the class that slices are sought for: the likeliest tumour, where one is outlined or likelier than none.

    pooled: (4,), the series' probabilities.
    """
    return NO_TUMOR if pooled[NO_TUMOR] >= 0.5 and not outlined else int(pooled[:NO_TUMOR].argmax())


def great_section(heads: NDArray[np.int64]) -> int:
    """The slice that shows more of the head than `GREAT_SECTION` of them. heads: (n,) pixels of the head's outline."""
    return int(np.argsort(heads, kind="stable")[round(GREAT_SECTION * (len(heads) - 1))])


def choose_key_slices(
    areas: NDArray[np.int64], probabilities: NDArray[np.float64], top: int, heads: NDArray[np.int64]
) -> KeySlices:
    """Slices to look at first. areas: (n,) outlined pixels; probabilities: (n, 4); top: `sought_class`;
    heads: (n,) pixels of the head's outline, 0 where there is none.

    The most confident one is sought among the slices with an outline; without one, among those that show at least
    `FULL_HEAD` of a great section, because nothing is as surely free of tumour as the air above a head. The
    most uncertain one is any that shows a head. Where no slice has a head's outline, all count.
    """
    entropy = -(probabilities * np.log(np.clip(probabilities, 1e-12, None))).sum(axis=1)
    full = areas > 0 if areas.any() else heads >= FULL_HEAD * heads[great_section(heads)]
    some = heads > 0 if heads.any() else np.ones(len(heads), np.bool_)
    return KeySlices(
        largest=int(areas.argmax()) if areas.any() else None,
        most_confident=int(np.where(full, probabilities[:, top], -1.0).argmax()),
        most_uncertain=int(np.where(some, entropy, -1.0).argmax()),
    )
