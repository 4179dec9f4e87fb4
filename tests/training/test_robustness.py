import numpy as np
import pytest

from braintumor_desktop.training.robustness import STRESSES, Stress


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    picture = np.zeros((96, 80), np.uint8)
    picture[20:80, 15:65] = rng.integers(80, 140, (60, 50))
    picture[40:56, 30:44] = 220
    return picture, (picture == 220).astype(np.uint8) * 255


@pytest.mark.parametrize("stress", STRESSES, ids=lambda s: s.title)
def test_a_change_keeps_picture_and_mask_in_step(stress: Stress, pair: tuple[np.ndarray, np.ndarray]) -> None:
    picture, mask = stress.apply(*pair, np.random.default_rng(1))
    assert picture.shape == mask.shape
    assert picture.dtype == mask.dtype == np.uint8
    inside, outside = picture[mask > 127].astype(float), picture[(mask == 0) & (picture > 20)].astype(float)
    assert inside.mean() > outside.mean() + 25, "the bright square is still under its mask"


def test_only_the_first_leaves_the_picture_alone(pair: tuple[np.ndarray, np.ndarray]) -> None:
    same = [np.array_equal(s.apply(*pair, np.random.default_rng(1))[0], pair[0]) for s in STRESSES]
    assert same == [True] + [False] * (len(STRESSES) - 1)


def test_a_change_is_the_same_for_the_same_seed(pair: tuple[np.ndarray, np.ndarray]) -> None:
    for stress in STRESSES:
        once, again = (stress.apply(*pair, np.random.default_rng(5))[0] for _ in range(2))
        np.testing.assert_array_equal(once, again)
