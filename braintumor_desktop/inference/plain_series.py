"""One answer on a series from a model that draws no outlines: nothing to join, measure or check in other planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from braintumor_desktop.domain.byte_maps import ByteMaps
from braintumor_desktop.domain.findings import CLASSES, QualityFlag
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Study
from braintumor_desktop.inference.picture_reading import Reading, SliceAnswer
from braintumor_desktop.inference.probability import finding_from, softmax
from braintumor_desktop.inference.series import NO_TUMOR, choose_key_slices, has_head, sought_class, suspicious_run
from braintumor_desktop.inference.series_reading import partly_flag, slice_findings
from braintumor_desktop.inference.slice_axis import positions, smooth
from braintumor_desktop.models.manifest import Calibration


def read_plain_series(
    study: Study, answers: Sequence[SliceAnswer], calibration: Calibration, *, types: bool = True
) -> Reading:
    """The mean over the slices that show a head.

    answers: of the first slices of the study, in its own plane; types: whether the model can tell them apart.
    """
    places = positions(study.geometry, study.slices)
    seen = has_head([a.head_px is not None for a in answers], [a.brightness for a in answers])
    raw = softmax(np.stack([a.logits for a in answers]) / calibration.temperature)
    raw[~seen] = np.arange(len(CLASSES)) == NO_TUMOR
    probabilities = smooth(raw, places)
    heatmap = ByteMaps.empty(study.pixels.shape)
    for index, answer in enumerate(answers):
        heatmap.put(index, answer.heat())
    pooled = np.asarray(probabilities[seen].mean(axis=0))
    done = np.arange(len(answers))
    tumor = 1 - probabilities[:, NO_TUMOR]
    flags = [
        QualityFlag(
            "single_slices", phrase("This model judges single slices: the answer on the series is their mean.")
        ),
        *partly_flag(study, len(answers)),
    ]
    run = suspicious_run(tumor, None if places is None else places[: len(answers)])
    if run is not None:
        words = phrase(
            "Slices {first} to {last} look like tumour one by one: look at them.", first=run[0] + 1, last=run[1] + 1
        )
        flags.append(QualityFlag("suspicious_slices", words))
    told = probabilities if types else np.stack([tumor, 0 * tumor, 0 * tumor, 1 - tumor], axis=1)
    heads = np.array([answer.head_px or 0 for answer in answers], np.int64)
    return Reading(
        # The coverage that was calibrated on slices is no promise about series.
        finding=replace(finding_from(pooled, calibration), coverage=None),
        segmentation=None,
        heatmap=heatmap,
        key=int(tumor.argmax()),
        slices=slice_findings(probabilities, done, [None] * len(done), calibration, study),
        key_slices=choose_key_slices(np.zeros(len(answers), np.int64), told, sought_class(pooled), heads),
        flags=flags,
    )
