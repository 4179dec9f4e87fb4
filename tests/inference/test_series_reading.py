"""One answer on a series from answers on its slices that were made by hand."""

from pathlib import Path

import numpy as np
import pytest

from braintumor_desktop.domain.findings import TumorClass
from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.inference.picture_reading import Reading, SliceAnswer
from braintumor_desktop.inference.preprocess import Frame
from braintumor_desktop.inference.probability import finding_from
from braintumor_desktop.inference.series_reading import read_series
from braintumor_desktop.models.manifest import Calibration

SIZE = 256
AFFINE = np.diag([-1.0, -1.0, 3.0, 1.0])


def read(mask: np.ndarray, *, planes_agree: bool = True, tumor_logits: np.ndarray | None = None) -> Reading:
    """mask: (slices, 256, 256), what the network outlines for certain; tumor_logits: of slices, by default a tumour."""
    source = Source(Path("made"), "0" * 64, 0, InputKind.NIFTI, "made", 8, None)
    study = Study(np.full(mask.shape, 100, np.uint8), source, Geometry((1.0, 1.0), 3.0, ("L", "P"), AFFINE))
    frame, heat = Frame(0.0, 0.0, float(SIZE), SIZE, SIZE), np.zeros((SIZE, SIZE), np.float16)
    logits = np.full(len(mask), 8.0) if tumor_logits is None else tumor_logits
    answers = [
        SliceAnswer(np.array([logit, 0, 0, 0]), each.astype(np.float32), heat, 30_000, frame, 100.0)
        for logit, each in zip(logits, mask, strict=True)
    ]
    probabilities = np.array([0.97, 0.01, 0.01, 0.01] if planes_agree else [0.01, 0.01, 0.01, 0.97])
    return read_series(
        study,
        answers,
        None,
        Calibration(),
        lambda views: (np.tile(probabilities, (len(views), 1)), [np.ones(v.shape, bool) for v in views]),
    )


def test_sizes_are_those_of_the_largest_lesion_not_of_the_slice_with_most_outlines() -> None:
    mask = np.zeros((24, SIZE, SIZE), bool)
    mask[3:12, 40:50, 40:80] = True
    mask[18:20, 100:120, 100:112] = mask[18:20, 100:120, 180:192] = True
    reading = read(mask)
    found = reading.segmentation
    assert found is not None
    assert reading.key_slices is not None
    assert reading.key_slices.largest == found.slice_index
    assert len(found.lesions) == 3
    first = found.lesions[0]
    assert (found.slice_index, found.area_px, found.diameters) == (first.key_slice, first.area_px, first.diameters)
    assert found.slice_index in range(3, 12)
    assert found.mask[18].any()
    assert found.volume_ml is not None
    assert found.volume_ml > (first.volume_ml or 0)


def test_the_expected_overlap_is_that_of_all_lesions_of_the_slice_and_of_nothing_that_was_dropped() -> None:
    mask = np.zeros((24, SIZE, SIZE), bool)
    mask[3:12, 40:50, 40:80] = mask[7, 40:51, 40:80] = True
    alone = read(mask).segmentation
    mask[3:12, 100:110, 100:136] = True
    two = read(mask).segmentation
    mask[7, 180:200, 180:200] = True  # on a single slice
    dropped = read(mask).segmentation
    for found, lesions in ((alone, 1), (two, 2), (dropped, 2)):
        assert found is not None
        assert (found.slice_index, len(found.lesions)) == (7, lesions)
        assert found.expected_dice == pytest.approx(1, abs=0.02)  # smoothed along the slices
    assert dropped is not None
    assert dropped.probability[7][190, 190] > 0.5


def test_outlines_beyond_those_that_are_examined_are_told() -> None:
    mask = np.zeros((8, SIZE, SIZE), bool)
    for number in range(11):
        row, column = divmod(number, 4)
        mask[2:6, 20 + 60 * row : 36 + 60 * row, 20 + 60 * column : 36 + 60 * column + number] = True
    reading = read(mask)
    assert reading.segmentation is not None
    assert len(reading.segmentation.lesions) == 8
    flags = {flag.code: flag.sentence for flag in reading.flags}
    assert "3 smaller outlines" in flags["outlines_unexamined"]
    assert "outlines_dropped" not in flags


def test_a_doubted_outline_is_shown_and_leaves_the_answer_open() -> None:
    mask = np.zeros((24, SIZE, SIZE), bool)
    mask[3:12, 40:60, 40:80] = True
    mask[16:18, 100:120, 100:120] = True  # 6 mm
    reading = read(mask, planes_agree=False, tumor_logits=np.where(np.arange(24) == 6, 2.2, 1.9))
    found = reading.segmentation
    assert found is not None
    assert [lesion.slices for lesion in found.lesions] == [(3, 11)]
    assert found.mask.any(axis=(1, 2)).nonzero()[0].tolist() == list(range(3, 12))
    assert reading.key == found.slice_index
    assert reading.key_slices is not None
    assert reading.key_slices.most_confident == 6
    assert reading.finding.label == "indeterminate"
    assert "outlined with a doubt" in str(reading.finding.sentence())
    assert 0.4 < reading.finding.tumor_probability < 0.6
    assert reading.finding.coverage is None
    flags = {flag.code: str(flag.sentence) for flag in reading.flags}
    assert flags.keys() == {"outlines_doubted", "outlines_dropped"}
    assert f"slice {found.lesions[0].key_slice + 1}:" in flags["outlines_doubted"]


def test_beside_a_lesion_a_doubted_outline_is_dropped() -> None:
    mask = np.zeros((24, SIZE, SIZE), bool)
    mask[2:10, 40:60, 40:80] = True
    mask[13:22, 100:120, 100:140] = True
    reading = read(mask, planes_agree=False, tumor_logits=np.where(np.arange(24) < 12, 8.0, 2.0))
    assert reading.segmentation is not None
    assert [lesion.slices for lesion in reading.segmentation.lesions] == [(2, 9)]
    assert reading.finding.label == TumorClass.GLIOMA
    assert {flag.code for flag in reading.flags} == {"outlines_dropped"}


def test_no_tumour_is_not_named_where_a_tumour_is_likelier_than_none() -> None:
    unsure = finding_from(np.array([0.31, 0.28, 0.01, 0.40]), Calibration())
    assert unsure.label == "indeterminate"
    assert "Indeterminate" in str(unsure.sentence())
    assert finding_from(np.array([0.25, 0.2, 0.05, 0.5]), Calibration()).label == TumorClass.NO_TUMOR
    assert unsure.top_class is TumorClass.NO_TUMOR
