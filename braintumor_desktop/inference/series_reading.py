"""One answer on a series, put together from the network's answers on its slices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.byte_maps import ByteMaps
from braintumor_desktop.domain.errors import Cancelled
from braintumor_desktop.domain.findings import (
    CLASSES,
    INDETERMINATE,
    KeySlices,
    QualityFlag,
    SliceFinding,
)
from braintumor_desktop.domain.phrases import phrase, phrase_of_count
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.head import head_mask
from braintumor_desktop.inference.lesions import keep_only, measure_lesion, volume_ml
from braintumor_desktop.inference.measure import SMALLEST_SHARE, clean, expected_dice, measure
from braintumor_desktop.inference.partial_volume import trim_ends
from braintumor_desktop.inference.picture_reading import Reading, SliceAnswer
from braintumor_desktop.inference.planes import Grid, Volume, shares
from braintumor_desktop.inference.probability import finding_from, softmax
from braintumor_desktop.inference.series import (
    NO_TUMOR,
    Candidate,
    Look,
    Standing,
    choose_key_slices,
    has_head,
    judge,
    series_probabilities,
    smoothed_maps,
    sought_class,
    suspicious_run,
    to_show,
)
from braintumor_desktop.inference.slice_axis import neighbours, positions, smooth
from braintumor_desktop.models.manifest import Calibration


@dataclass(frozen=True, eq=False)
class _Slices:
    """The series' own slices, whatever grid the network saw.

    done: indices of those analysed; seen: of these, which show a head, all where the series was resampled; heads: of
    these, pixels of the head's outline, 0 where there is none; probabilities: (slices, 4), smoothed, zero for
    slices that were not analysed.
    """

    done: NDArray[np.int64]
    seen: NDArray[np.bool_]
    heads: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    mask: NDArray[np.bool_]
    probability: ByteMaps
    heatmap: ByteMaps


def read_series(
    study: Study, answers: Sequence[SliceAnswer], grid: Grid | None, calibration: Calibration, look: Look
) -> Reading:
    """answers: of the first slices of the study or, where it was resampled, of `grid`."""
    slices = _slices_of(study, answers, calibration) if grid is None else _from_grid(study, answers, grid, calibration)
    geometry, mask, done = study.geometry, slices.mask, slices.done
    places = positions(geometry, study.slices)
    if places is not None:  # else neighbours in the file may be none in the head
        trim_ends(mask, study.pixels, np.isin(np.arange(study.slices), done), neighbours(places))
    judged = judge(mask, slices.probabilities, study.pixels, geometry, look)
    shown = to_show(judged)
    lesions = tuple(measure_lesion(each.outline, mask, each.tumor, geometry) for each in shown)
    largest = mask
    if len(shown) > 1:
        largest = mask.copy()
        keep_only(largest, [shown[0].outline])
    keep_only(mask, [each.outline for each in shown])
    measured = measure(largest, slices.probability, lambda index: _head_px(study, index), geometry)
    index = measured.slice_index
    segmentation = replace(
        measured,
        mask=mask,
        volume_ml=volume_ml(mask.sum(axis=(1, 2)), geometry),
        lesions=lesions,
        expected_dice=_expected_dice(mask[index], slices.probability[index], calibration.mask_threshold),
    )
    known = slices.probabilities[done]
    pooled = series_probabilities(known, slices.seen, judged)
    # The coverage that was calibrated on slices is no promise about series.
    finding = replace(finding_from(pooled, calibration), coverage=None)
    if any(each.standing is Standing.DOUBTED for each in shown):
        finding = replace(finding, label=INDETERMINATE, doubted=True)
    areas = mask[done].sum(axis=(1, 2))
    keys = choose_key_slices(areas, known, sought_class(pooled, bool(shown)), slices.heads)
    return Reading(
        segmentation=segmentation,
        heatmap=slices.heatmap,
        finding=finding,
        key=segmentation.slice_index if segmentation.present else int(done[known[:, NO_TUMOR].argmin()]),
        slices=slice_findings(known, done, areas.tolist(), calibration, study),
        key_slices=KeySlices(
            largest=segmentation.slice_index if segmentation.present else None,
            most_confident=int(done[keys.most_confident]),
            most_uncertain=int(done[keys.most_uncertain]),
        ),
        flags=_flags(study, slices, judged, shown),
    )


def _expected_dice(mask: NDArray[np.bool_], probability: NDArray[np.float32], threshold: float) -> float | None:
    """As `measure.expected_dice` for all lesions of one slice; what was outlined and dropped counts as no tumour."""
    return expected_dice(mask, np.where(mask | (probability <= threshold), probability, np.float32(0)))


def _slices_of(study: Study, answers: Sequence[SliceAnswer], calibration: Calibration) -> _Slices:
    places = positions(study.geometry, study.slices)
    found = _Slices(
        done=np.arange(len(answers)),
        seen=has_head([a.head_px is not None for a in answers], [a.brightness for a in answers]),
        heads=np.array([a.head_px or 0 for a in answers], np.int64),
        probabilities=np.zeros((study.slices, len(CLASSES))),
        mask=np.zeros(study.pixels.shape, np.bool_),
        probability=ByteMaps.empty(study.pixels.shape),
        heatmap=ByteMaps.empty(study.pixels.shape),
    )
    found.probabilities[found.done] = smooth(_probabilities(answers, found.seen, calibration), places)
    smallest = SMALLEST_SHARE * float(np.median([a.frame.side for a in answers])) ** 2
    for index, lesion in enumerate(_lesion_maps(answers, found.seen, places)):
        found.probability.put(index, lesion)
        found.mask[index] = clean(lesion > calibration.mask_threshold, smallest)
        found.heatmap.put(index, answers[index].heat())
    return found


def _from_grid(study: Study, answers: Sequence[SliceAnswer], grid: Grid, calibration: Calibration) -> _Slices:
    """Answers on a resampled stack, brought back. A slice counts as analysed where half of it is.

    Raises Cancelled where none is.
    """
    places = np.arange(grid.shape[0], dtype=np.float64) * np.float64(grid.spacing_mm)
    seen = has_head([a.head_px is not None for a in answers], [a.brightness for a in answers])
    lesion, heat = ByteMaps.empty(grid.shape), ByteMaps.empty(grid.shape)
    for index, values in enumerate(_lesion_maps(answers, seen, places)):
        lesion.put(index, values)
        heat.put(index, answers[index].heat())
    shape = study.pixels.shape
    crossing = shares(grid, shape, lesion)
    used = crossing[:, : len(answers)]
    known = used.sum(axis=1) >= np.maximum(crossing.sum(axis=1) / 2, 1e-9)
    if not known.any():
        raise Cancelled
    probabilities = np.zeros((study.slices, len(CLASSES)))
    weights = used[known] / used[known].sum(axis=1, keepdims=True)
    probabilities[known] = weights @ smooth(_probabilities(answers, seen, calibration), places)
    done = np.flatnonzero(known)
    found = _Slices(
        done=done,
        seen=np.ones(len(done), np.bool_),
        heads=np.array([_head_px(study, int(index)) or 0 for index in done], np.int64),
        probabilities=probabilities,
        mask=np.zeros(shape, np.bool_),
        probability=ByteMaps.empty(shape),
        heatmap=ByteMaps.empty(shape),
    )
    back = np.asarray(np.linalg.inv(grid.to_volume), np.float64)
    for source, target in ((lesion, found.probability), (heat, found.heatmap)):
        volume = Volume(source)
        for index in found.done:
            values = volume.slice(int(index), shape, back)
            target.put(int(index), values)
            if source is lesion:
                found.mask[index] = values > calibration.mask_threshold
    return found


def _probabilities(
    answers: Sequence[SliceAnswer], seen: NDArray[np.bool_], calibration: Calibration
) -> NDArray[np.float64]:
    """(n, 4), calibrated. A slice without a head has no tumour."""
    probabilities = softmax(np.stack([a.logits for a in answers]) / calibration.temperature)
    probabilities[~seen] = np.arange(len(CLASSES)) == NO_TUMOR
    return probabilities


def _lesion_maps(
    answers: Sequence[SliceAnswer], seen: NDArray[np.bool_], places: NDArray[np.float64] | None
) -> Iterator[NDArray[np.float32]]:
    maps = [answer.lesion if shown else None for answer, shown in zip(answers, seen, strict=True)]
    return smoothed_maps(maps, [a.frame for a in answers], places)


def _head_px(study: Study, index: int) -> int | None:
    head = head_mask(study.pixels[index])
    return None if head is None else int(head.sum())


def slice_findings(
    probabilities: NDArray[np.float64],
    done: NDArray[np.int64],
    areas: Iterable[int | None],
    calibration: Calibration,
    study: Study,
) -> tuple[SliceFinding, ...]:
    """What is said of single slices. probabilities: (n, 4), of the slices `done`; areas: their outlined pixels, None
    where the model draws no outlines.
    """
    places = positions(study.geometry, study.slices)
    found = []
    for row, index, area in zip(probabilities, done, areas, strict=True):
        finding = finding_from(row, calibration)
        place = None if places is None else float(places[index])
        found.append(SliceFinding(int(index), place, finding.tumor_probability, finding.label, area))
    return tuple(found)


def named_slices(indices: Sequence[int]) -> str:
    """The first five slices for a sentence, from 1 and each once. indices: from 0, the most important first."""
    numbers = list(dict.fromkeys(index + 1 for index in indices))
    words = ", ".join(map(str, numbers[:5]))
    return phrase("{slices} and others", slices=words) if len(numbers) > 5 else words


def partly_flag(study: Study, done: int) -> list[QualityFlag]:
    """done: slices analysed."""
    if done == study.slices:
        return []
    words = phrase(
        "Stopped early: {count} of {slices} slices were analysed, the others were not.",
        count=done,
        slices=study.slices,
    )
    return [QualityFlag("partly_analysed", words)]


def _flags(study: Study, slices: _Slices, judged: Sequence[Candidate], shown: Sequence[Candidate]) -> list[QualityFlag]:
    flags = partly_flag(study, len(slices.done))
    if any(each.standing is Standing.DOUBTED for each in shown):
        words = phrase(
            "Outlined with a doubt, the largest on slice {where}: its own slices call it a tumour, slices through it "
            "in the other planes don't.",
            where=named_slices([int(c.outline.areas.argmax()) for c in shown]),
        )
        flags.append(QualityFlag("outlines_doubted", words))
    if unseen := [c for c in judged if c.standing is Standing.UNEXAMINED]:
        words = phrase_of_count(
            "{count} smaller outline was left out unexamined, on slice {where}.",
            "{count} smaller outlines were left out unexamined, the largest on slice {where}.",
            len(unseen),
            where=named_slices([int(c.outline.areas.argmax()) for c in unseen]),
        )
        flags.append(QualityFlag("outlines_unexamined", words))
    dropped = [c for c in judged if c.standing is not Standing.UNEXAMINED and c not in shown and c.own[NO_TUMOR] < 0.5]
    if dropped:
        where = named_slices([int(c.outline.areas.argmax()) for c in dropped])
        words = phrase(
            "Outlines were dropped that the whole series doesn't bear out; the largest on slice {where}.", where=where
        )
        flags.append(QualityFlag("outlines_dropped", words))
    tumor = 1 - slices.probabilities[slices.done, NO_TUMOR]
    places = positions(study.geometry, study.slices)
    run = suspicious_run(tumor, None if places is None else places[slices.done])
    if run is not None and not shown:
        first, last = (int(slices.done[i]) + 1 for i in run)
        words = phrase(
            "Slices {first} to {last} look like tumour one by one, but no outline in them holds up: look at them.",
            first=first,
            last=last,
        )
        flags.append(QualityFlag("suspicious_slices", words))
    return flags
