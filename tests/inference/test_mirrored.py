from pathlib import Path

import numpy as np

from braintumor_desktop.domain.study import InputKind, Source, Study
from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.inference import Analyzer


def study_of(pixels: np.ndarray) -> Study:
    return Study(pixels, Source(Path("made"), "0" * 64, pixels.nbytes, InputKind.PICTURE, "made", 8, False))


def test_the_mean_with_the_mirror_image_is_the_same_for_a_slice_and_its_mirror_image() -> None:
    analyzer = Analyzer.open("neuro", "cpu")
    pixels = sample_picture().pixels
    rows, columns = pixels.shape[1:]
    side = max(rows, columns) + 16
    wide = np.zeros((1, side, side), pixels.dtype)  # an even margin, so that the square cut out is mirrored too
    top, left = (side - rows) // 2, (side - columns) // 2
    wide[:, top : top + rows, left : left + columns] = pixels
    left_out = [analyzer.analyze(study_of(p)) for p in (wide, wide[:, :, ::-1].copy())]
    analyzer.mirrored = True
    averaged = [analyzer.analyze(study_of(p)) for p in (wide, wide[:, :, ::-1].copy())]

    def apart(pair: list) -> float:
        one, other = (a.segmentation.probability[0].astype(float) for a in pair)
        return float(np.abs(one - other[:, ::-1]).mean())

    assert apart(averaged) < 0.3 * apart(left_out)
    assert "mirrored" in [flag.code for flag in averaged[0].quality.flags]
    assert "mirrored" not in [flag.code for flag in left_out[0].quality.flags]
