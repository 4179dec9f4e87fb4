import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from braintumor_desktop.training.calibration import cross_fitted, fit_set_threshold, fit_temperature, with_temperature
from braintumor_desktop.training.metrics import (
    auroc,
    confusion,
    dice,
    expected_calibration_error,
    interval,
    iou,
    macro_f1,
    mean_estimate,
    per_class,
    roc_curve,
)


def test_auroc_of_a_hand_computed_case() -> None:
    # pairs (0.8 > 0.4), (0.8 > 0.3), (0.4 = 0.4 half), (0.4 > 0.3): 3.5 of 4
    assert auroc(np.array([1, 1, 0, 0]), np.array([0.8, 0.4, 0.4, 0.3])) == pytest.approx(3.5 / 4)


@given(st.integers(0, 2**32 - 1))
def test_auroc_is_the_area_under_the_curve(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive = np.r_[True, False, rng.random(30) < 0.4]
    score = np.round(rng.random(32), 1)
    fpr, tpr = roc_curve(positive, score)
    assert auroc(positive, score) == pytest.approx(np.trapezoid(tpr, fpr))


def test_f1_of_a_hand_computed_case() -> None:
    truth, said = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    table = confusion(truth, said, 3)
    assert table.tolist() == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert [c["f1"] for c in per_class(table)] == pytest.approx([0.5, 0.8, 0.0])
    assert macro_f1(truth, said, 3) == pytest.approx((0.5 + 0.8) / 3)


def test_an_answer_outside_the_classes_is_a_miss() -> None:
    assert macro_f1(np.array([0, 1]), np.array([0, 3]), 2) == pytest.approx(0.5)


def test_overlap_of_a_hand_computed_case() -> None:
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    a[:2], b[1:3] = True, True
    assert dice(a, b) == 0.5
    assert iou(a, b) == pytest.approx(1 / 3)
    assert dice(a & False, b & False) == 1.0


def test_calibration_error_of_a_confident_coin() -> None:
    p = np.tile([0.9, 0.1], (1000, 1))
    truth = np.r_[np.zeros(500, int), np.ones(500, int)]
    assert expected_calibration_error(p, truth) == pytest.approx(0.4)


def test_temperature_finds_the_one_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (4000, 4))
    p = with_temperature(logits, 2.0)
    truth = np.array([rng.choice(4, p=row) for row in p])
    assert fit_temperature(logits, truth) == pytest.approx(2.0, rel=0.1)


def test_prediction_sets_cover_patients_never_used_in_the_fit() -> None:
    rng = np.random.default_rng(1)
    patients = np.repeat(np.arange(150), 8)
    logits = rng.normal(0, 2, (1200, 4)) + np.repeat(rng.normal(0, 1, (150, 4)), 8, axis=0)
    truth = np.array([rng.choice(4, p=row) for row in with_temperature(logits, 1.0)])
    _, members = cross_fitted(logits, truth, patients, 0.9)
    covered = members[np.arange(1200), truth].mean()
    assert 0.86 < covered < 0.95
    assert 1 < members.sum(1).mean() < 4


def test_every_patient_weighs_the_same_in_the_threshold() -> None:
    p = np.array([[0.9, 0.1]] * 100 + [[0.2, 0.8]] * 9)
    truth = np.zeros(109, int)
    groups = np.r_[np.zeros(100, int), np.arange(1, 10)]
    assert fit_set_threshold(p, truth, groups, 0.8) == pytest.approx(0.2)


def test_the_interval_is_wider_over_few_patients_than_over_their_slices() -> None:
    rng = np.random.default_rng(2)
    values = np.repeat(rng.normal(0, 1, 12), 20)
    by_patient = interval(np.repeat(np.arange(12), 20), lambda i: values[i].mean())
    by_slice = interval(np.arange(240), lambda i: values[i].mean())
    assert by_patient[1] - by_patient[0] > 2 * (by_slice[1] - by_slice[0])


def test_a_mean_leaves_out_what_is_not_a_number() -> None:
    found = mean_estimate(["a", "a", "b", "c"], [1, float("nan"), 0.5, 0])
    assert found["value"] == pytest.approx(0.5)
    assert 0 <= found["low"] < 0.5 < found["high"] <= 1
    assert np.isnan(mean_estimate(["a", "b"], [float("nan")] * 2)["value"])


def test_macro_f1_leaves_out_classes_that_are_neither_there_nor_said() -> None:
    truth, said = np.array([0, 0, 1]), np.array([0, 0, 3])
    assert macro_f1(truth, said, 3) == pytest.approx(0.5)
    assert macro_f1(truth, np.array([0, 0, 2]), 3) == pytest.approx(1 / 3)
