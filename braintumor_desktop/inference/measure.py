"""From a lesion probability map to an outline and its size."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import Segmentation, SliceMaps
from braintumor_desktop.domain.measurements import area_mm2, diameters
from braintumor_desktop.domain.study import Geometry

SMALLEST_SHARE = 0.0003
"""Components below this share of the framed head square are dropped: about 20 of the network's 256² pixels."""


def clean(mask: NDArray[np.bool_], smallest: float) -> NDArray[np.bool_]:
    """Drop 8-connected components under `smallest` pixels. mask: (rows, columns)."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    keep = stats[:, cv2.CC_STAT_AREA] >= smallest
    keep[0] = False
    return np.asarray(keep[labels]) if count > 1 else mask


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest 8-connected component; the mask itself where it is empty."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())) if count > 1 else mask


def measure(
    mask: NDArray[np.bool_],
    probability: SliceMaps,
    head_area: Callable[[int], int | None],
    geometry: Geometry,
) -> Segmentation:
    """Size of the lesion on the slice where it is largest; of several lesions, give the mask of the largest.

    mask, probability: (slices, rows, columns); head_area: gives the pixels of the head outline of a slice, None
    where there is none. The diameters are those of the largest component.
    """
    areas = mask.sum(axis=(1, 2))
    index = int(areas.argmax())
    area, head = int(areas[index]), head_area(index)
    return Segmentation(
        mask=mask,
        probability=probability,
        slice_index=index,
        area_px=area,
        area_percent_of_image=100 * area / mask[index].size,
        area_percent_of_head=None if head is None else 100 * area / head,
        area_mm2=area_mm2(area, geometry.pixel_spacing_mm),
        diameters=diameters(largest_component(mask[index]), geometry.pixel_spacing_mm),
        expected_dice=expected_dice(mask[index], probability[index]),
    )


def expected_dice(mask: NDArray[np.bool_], probability: NDArray[np.float32]) -> float | None:
    """Dice that the outline would reach if the probabilities were right, without knowing the truth; None without one.

    Twice the probability inside over the outline's area and all probability: the Dice of expectations, not quite the
    expectation of Dice, so a line fitted on val brings it to scale. mask, probability: (rows, columns).
    """
    area = int(mask.sum())
    if area == 0:
        return None
    return float(2 * probability[mask].sum(dtype=np.float64) / (area + probability.sum(dtype=np.float64)))


NEGLIGIBLE = 0.01
"""Probabilities below this are no part of any outline: thousands of pixels of healthy tissue have them."""


def best_threshold(probability: NDArray[np.float32]) -> float | None:
    """The threshold whose outline has the greatest `expected_dice`; None where no probability reaches `NEGLIGIBLE`.

    The outline that is best for Dice is always one of all pixels above some threshold, about half the Dice that it
    reaches (Lipton et al., ECML 2014, for F1, which Dice is; Dai and Li, JMLR 2023): clear lesions are cut near 0.5,
    doubtful ones lower, where 0.5 would leave out most of them. probability: (rows, columns).
    """
    falling = np.sort(probability[probability >= NEGLIGIBLE].astype(np.float64))[::-1]
    if not len(falling):
        return None
    inside = np.cumsum(falling)
    dice = 2 * inside / (np.arange(1, len(falling) + 1) + inside[-1])
    return float(falling[dice.argmax()])
