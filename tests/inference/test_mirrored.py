from pathlib import Path

import numpy as np
import pytest

from braintumor_desktop.domain.study import InputKind, Source, Study
from braintumor_desktop.inference import Analyzer


def blocks(slices: int) -> np.ndarray:
    """Squares of random grey that fill the picture, so that it is looked at whole, (slices, 400, 400)."""
    grey = np.random.default_rng(0).integers(0, 200, (1, 25, 25))
    return np.repeat(np.kron(grey, np.ones((1, 16, 16))).astype(np.uint8), slices, axis=0)


def tumor_probabilities(analyzer: Analyzer, pixels: np.ndarray) -> list[float]:
    """Of the pixels and of their mirror image."""
    both = (pixels, pixels[:, :, ::-1].copy())
    return [analyzer.analyze(study_of(each)).finding.tumor_probability for each in both]


def study_of(pixels: np.ndarray) -> Study:
    return Study(pixels, Source(Path("made"), "0" * 64, pixels.nbytes, InputKind.PICTURE, "made", 8, False))


def test_a_picture_and_its_mirror_image_have_one_answer() -> None:
    one, other = tumor_probabilities(Analyzer.open("neuro", "cpu"), blocks(1))
    assert one == pytest.approx(other, abs=1e-5)


def test_a_series_is_averaged_with_its_mirror_image_where_asked_and_says_so() -> None:
    analyzer = Analyzer.open("neuro", "cpu")
    one, other = tumor_probabilities(analyzer, blocks(2))
    assert abs(one - other) > 1e-3
    analyzer.mirrored = True
    one, other = tumor_probabilities(analyzer, blocks(2))
    assert one == pytest.approx(other, abs=1e-5)
    flags = {slices: analyzer.analyze(study_of(blocks(slices))).quality.flags for slices in (1, 2)}
    assert {slices: "mirrored" in [f.code for f in each] for slices, each in flags.items()} == {1: False, 2: True}
