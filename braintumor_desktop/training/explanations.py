"""How well heat maps point at tumours: the three usual figures, for every method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.inference.cam_methods import CamMethod
from braintumor_desktop.training.data import Row, array_study, independent_group, read_grey
from braintumor_desktop.training.metrics import iou, mean_estimate

Array = NDArray[Any]


def pointing(heat: Array, truth: Array) -> bool:
    """The pointing game (Zhang et al., Int J Comput Vis 2018;126:1084): the map's highest place lies on the tumour.

    heat: (rows, columns), 0..1; truth: bool, the same shape.
    """
    return bool(truth[np.unravel_index(int(heat.argmax()), heat.shape)])


def energy(heat: Array, truth: Array) -> float:
    """Share of the map's sum on the tumour (Wang et al., CVPR workshops 2020); 0 for an empty map."""
    total = float(heat.sum(dtype=np.float64))
    return float(heat[truth].sum(dtype=np.float64)) / total if total > 0 else 0.0


def iou_at_otsu(heat: Array, truth: Array) -> float:
    """Intersection over union of the tumour and the map above its Otsu threshold (IEEE Trans. SMC 1979;9:62)."""
    grey = np.clip(np.rint(heat * 255), 0, 255).astype(np.uint8)
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return iou(grey > level, truth)


def explained(analyzer: Analyzer, rows: Sequence[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Mean figures of each method, with intervals. The analyzer's own method is put back at the end.

    rows: pictures with masks.
    """
    own, found = analyzer.cam, {}
    for method in CamMethod:
        analyzer.cam = method
        figures, groups = [], []
        for row in rows:
            assert row.mask is not None
            truth = read_grey(row.mask) > 127
            shown = analyzer.analyze(array_study(read_grey(row.path))).explanation
            if shown is None or not truth.any():
                continue
            heat = shown.heatmap[0]
            figures.append((pointing(heat, truth), energy(heat, truth), iou_at_otsu(heat, truth)))
            groups.append(independent_group(row))
        columns = dict(zip(("pointing", "energy", "iou_at_otsu"), np.array(figures, float).T, strict=True))
        found[method.value] = {name: mean_estimate(groups, v) for name, v in columns.items()}
    analyzer.cam = own
    return found
