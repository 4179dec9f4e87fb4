import numpy as np
import pytest

from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.inference.measure import expected_dice


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
