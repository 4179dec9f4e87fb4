from pathlib import Path

import numpy as np
import pytest

from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.domain.study import InputKind, Source, Study
from braintumor_desktop.inference import Analyzer


def blocks() -> np.ndarray:
    """Squares of random grey that fill the picture, so that it is looked at whole, (1, 400, 400)."""
    grey = np.random.default_rng(0).integers(0, 200, (1, 25, 25))
    return np.kron(grey, np.ones((1, 16, 16))).astype(np.uint8)


def answers(analyzer: Analyzer, pixels: np.ndarray) -> list[Analysis]:
    """To the pixels and to their mirror image."""
    source = Source(Path("made"), "0" * 64, pixels.nbytes, InputKind.PICTURE, "made", 8, False)
    return [analyzer.analyze(Study(each, source)) for each in (pixels, pixels[:, :, ::-1].copy())]


def test_the_mean_with_the_mirror_image_is_the_same_for_a_slice_and_its_mirror_image_and_says_so() -> None:
    analyzer = Analyzer.open("neuro", "cpu")
    once = answers(analyzer, blocks())
    analyzer.mirrored = True
    averaged = answers(analyzer, blocks())
    apart, together = ([a.finding.tumor_probability for a in pair] for pair in (once, averaged))
    assert abs(apart[0] - apart[1]) > 1e-3
    assert together[0] == pytest.approx(together[1], abs=1e-5)
    assert "mirrored" in [flag.code for flag in averaged[0].quality.flags]
    assert "mirrored" not in [flag.code for flag in once[0].quality.flags]
