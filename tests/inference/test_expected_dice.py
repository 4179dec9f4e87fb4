import numpy as np
import pytest

from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.inference.measure import NEGLIGIBLE, best_threshold, expected_dice


def test_a_sure_outline_is_expected_to_fit_and_an_unsure_one_less() -> None:
    mask = np.zeros((8, 8), bool)
    mask[2:6, 2:6] = True
    sure, unsure = np.where(mask, 1.0, 0.0), np.where(mask, 0.6, 0.3)
    assert expected_dice(mask, sure.astype(np.float32)) == pytest.approx(1)
    # 2 * 16 * 0.6 / (16 + 16 * 0.6 + 48 * 0.3)
    assert expected_dice(mask, unsure.astype(np.float32)) == pytest.approx(19.2 / 40)
    assert expected_dice(np.zeros((8, 8), bool), unsure.astype(np.float32)) is None


def test_drawn_truths_bear_the_estimate_out() -> None:
    """Truths drawn from the probabilities overlap with the outline about as much as expected."""
    rng = np.random.default_rng(0)
    probability = np.clip(rng.beta(0.4, 0.6, (64, 64)), 0, 1).astype(np.float32)
    mask = probability > 0.5
    drawn = [rng.random(mask.shape) < probability for _ in range(50)]
    dices = [2 * (mask & t).sum() / (mask.sum() + t.sum()) for t in drawn]
    assert expected_dice(mask, probability) == pytest.approx(np.mean(dices), abs=0.01)


def test_an_analysis_with_an_outline_says_what_overlap_it_expects() -> None:
    found = Analyzer.open("neuro", "cpu").analyze(sample_picture()).segmentation
    assert found is not None
    assert found.present
    assert 0 < found.expected_dice <= 1


def test_no_other_threshold_is_expected_to_fit_better() -> None:
    rng = np.random.default_rng(1)
    for spread in (0.1, 0.5, 2.0):
        probability = rng.beta(spread, 2 * spread, (16, 16)).astype(np.float32)
        probability[probability < NEGLIGIBLE] = 0
        chosen = best_threshold(probability)
        assert chosen is not None
        every = [expected_dice(probability >= value, probability) for value in np.unique(probability) if value > 0]
        assert expected_dice(probability >= np.float32(chosen), probability) == pytest.approx(max(every))


def test_a_doubtful_lesion_is_cut_lower_than_a_clear_one() -> None:
    rows, columns = np.mgrid[0:64, 0:64]
    hill = np.exp(-((rows - 32.0) ** 2 + (columns - 32.0) ** 2) / 200).astype(np.float32)
    clear, doubtful = best_threshold(hill**0.2), best_threshold(hill * 0.4)
    assert clear is not None
    assert doubtful is not None
    assert doubtful < 0.25 < clear
    assert best_threshold(np.full((4, 4), NEGLIGIBLE / 2, np.float32)) is None
