"""What the answers lose when a picture is changed the way screens, scanners and hands change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import CLASSES, TumorClass
from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.training.data import Row, array_study, independent_group, read_grey
from braintumor_desktop.training.metrics import dice, mean_estimate

Grey = NDArray[np.uint8]
Change = Callable[[Grey, Grey, np.random.Generator], tuple[Grey, Grey]]


@dataclass(frozen=True)
class Stress:
    """One change. mild: a reader would hardly mind it; apply: picture and mask, (rows, columns) uint8, to new ones."""

    title: str
    mild: bool
    apply: Change


def _grey(change: Callable[[NDArray[np.float32], np.random.Generator], NDArray[Any]]) -> Change:
    """A change of grey values alone. change: 0..255 float32 to the same, clipped here."""

    def apply(picture: Grey, mask: Grey, rng: np.random.Generator) -> tuple[Grey, Grey]:
        changed = np.clip(np.rint(change(picture.astype(np.float32), rng)), 0, 255)
        return changed.astype(np.uint8), mask

    return apply


def _moved(change: Callable[[Grey], Any]) -> Change:
    """A change of place, the same for picture and mask."""

    def apply(picture: Grey, mask: Grey, _rng: np.random.Generator) -> tuple[Grey, Grey]:
        return np.ascontiguousarray(change(picture)), np.ascontiguousarray(change(mask))

    return apply


def _rotated(degrees: float) -> Change:
    def apply(picture: Grey, mask: Grey, _rng: np.random.Generator) -> tuple[Grey, Grey]:
        rows, columns = picture.shape
        turn = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), degrees, 1.0)
        moved = cv2.warpAffine(picture, turn, (columns, rows), flags=cv2.INTER_LINEAR)
        return np.asarray(moved, np.uint8), np.asarray(
            cv2.warpAffine(mask, turn, (columns, rows), flags=cv2.INTER_NEAREST), np.uint8
        )

    return apply


def _jpeg(quality: int) -> Change:
    def apply(picture: Grey, mask: Grey, _rng: np.random.Generator) -> tuple[Grey, Grey]:
        coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8), mask

    return apply


def _half(picture: Grey, mask: Grey, _rng: np.random.Generator) -> tuple[Grey, Grey]:
    size = (picture.shape[1] // 2, picture.shape[0] // 2)
    return (
        np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8),
        np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8),
    )


def _black_border(grey: Grey) -> Grey:
    rows, columns = (side // 8 for side in grey.shape)
    return np.pad(grey, ((rows, rows), (columns, columns)))


def _contrast(factor: float) -> Change:
    return _grey(lambda p, _rng: (p - p.mean()) * factor + p.mean())


STRESSES: tuple[Stress, ...] = (
    Stress("unchanged", True, lambda picture, mask, _rng: (picture, mask)),
    Stress("brightness −20 %", True, _grey(lambda p, _rng: p * 0.8)),
    Stress("brightness +20 %", True, _grey(lambda p, _rng: p * 1.2)),
    Stress("rotation −15°", True, _rotated(-15)),
    Stress("rotation +15°", True, _rotated(15)),
    Stress("horizontal flip", True, _moved(lambda p: p[:, ::-1])),
    Stress("half resolution", True, _half),
    Stress("JPEG quality 20", True, _jpeg(20)),
    Stress("Gaussian blur, σ = 1.5 px", True, _grey(lambda p, _rng: cv2.GaussianBlur(p, (0, 0), 1.5))),
    Stress("black border, 1/8 of each side", True, _moved(_black_border)),
    Stress("contrast × 0.5", True, _contrast(0.5)),
    Stress("contrast × 2", False, _contrast(2.0)),
    Stress(
        "Gaussian noise, σ = 0.1",
        False,
        _grey(lambda p, rng: p + rng.standard_normal(p.shape, np.float32) * np.float32(25.5)),
    ),
    Stress("quarter turn left", False, _moved(lambda p: np.rot90(p))),
    Stress("half turn", False, _moved(lambda p: np.rot90(p, 2))),
    Stress("quarter turn right", False, _moved(lambda p: np.rot90(p, 3))),
)
"""Brightness, rotation and noise are the earlier systems' own stress test; which are mild was set before measuring."""


def under_stress(analyzer: Analyzer, rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Accuracy of the three types, share called tumour and mean Dice under each change, with intervals.

    None where not given. rows: pictures of known type with masks.
    """
    groups, found = [independent_group(row) for row in rows], {}
    for stress in STRESSES:
        right, called, overlaps = [], [], []
        for number, row in enumerate(rows):
            assert row.mask is not None
            rng = np.random.default_rng([0, number])
            picture, mask = stress.apply(read_grey(row.path), read_grey(row.mask), rng)
            analysis = analyzer.analyze(array_study(picture))
            finding = analysis.finding
            called.append(finding.tumor_probability > 0.5)
            if finding.types_known:
                best = max(CLASSES[:3], key=lambda c: finding.probabilities[c])
                right.append(best == TumorClass(row.label))
            if analysis.segmentation is not None:
                overlaps.append(dice(analysis.segmentation.mask[0], mask > 127))
        columns: dict[str, list[Any]] = {"accuracy_3": right, "called_tumor": called, "dice": overlaps}
        found[stress.title] = {"mild": stress.mild} | {
            name: mean_estimate(groups, v) if v else None for name, v in columns.items()
        }
    return found
