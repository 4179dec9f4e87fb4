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


def test_the_answer_is_the_mean_with_the_mirror_image_and_so_the_same_for_both() -> None:
    averaged = answers(Analyzer.open("neuro", "cpu"), blocks())
    assert averaged[0].finding.tumor_probability == pytest.approx(averaged[1].finding.tumor_probability, abs=1e-5)
    assert averaged[0].finding.coverage == 0.95
    assert "not_mirrored" not in [flag.code for flag in averaged[0].quality.flags]
    maps = [a.explanation.heatmap[0] for a in averaged if a.explanation is not None]
    assert maps[0] == pytest.approx(maps[1][:, ::-1], abs=0.01)  # kept in half precision


def test_an_answer_without_the_mirror_image_is_of_one_look_says_so_and_promises_no_coverage() -> None:
    analyzer = Analyzer.open("neuro", "cpu")
    analyzer.mirrored = False
    once = answers(analyzer, blocks())
    assert abs(once[0].finding.tumor_probability - once[1].finding.tumor_probability) > 1e-3
    assert once[0].finding.coverage is None
    assert "not_mirrored" in [flag.code for flag in once[0].quality.flags]


def test_a_reference_model_looks_once_as_its_original_did_and_that_is_no_flag() -> None:
    analyzer = Analyzer.open("lenet-binary", "cpu")
    asked = answers(analyzer, blocks())
    analyzer.mirrored = False
    assert [a.finding for a in answers(analyzer, blocks())] == [a.finding for a in asked]
    assert "not_mirrored" not in [flag.code for flag in asked[0].quality.flags]
