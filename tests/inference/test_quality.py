from dataclasses import replace

import cv2
import numpy as np
import pytest

from braintumor_desktop.domain.study import Geometry, Study
from braintumor_desktop.imaging.head import head_mask
from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.inference.measure import measure
from braintumor_desktop.inference.picture_reading import SliceAnswer
from braintumor_desktop.inference.preprocess import WholeFrame, find_frame
from braintumor_desktop.inference.probability import finding_from
from braintumor_desktop.inference.quality import (
    UPSIDE_DOWN,
    blockiness,
    contradiction_flags,
    look_flag,
    pixel_flags,
    sharpness,
    strangeness,
    upside_down_flag,
)
from braintumor_desktop.models.manifest import Calibration


def codes(pixels: np.ndarray) -> set[str]:
    sample = sample_picture()
    head = head_mask(pixels)
    study = Study(pixels[None], sample.source)
    return {flag.code for flag in pixel_flags(study, 0, head, find_frame(pixels, head))}


@pytest.fixture
def grey() -> np.ndarray:
    return np.asarray(sample_picture().pixels[0], np.uint8)


def test_a_clean_picture_has_no_flag(grey: np.ndarray) -> None:
    assert codes(grey) == set()


def test_strong_compression_is_told(grey: np.ndarray) -> None:
    coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 8])[1]
    blocky = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    assert blockiness(blocky) > blockiness(grey)
    assert "compressed" in codes(blocky)


def test_blur_is_told(grey: np.ndarray) -> None:
    soft = cv2.GaussianBlur(grey, (0, 0), grey.shape[0] / 64)
    assert "blurred" in codes(soft)


def test_a_head_cut_at_a_side_is_told(grey: np.ndarray) -> None:
    assert "cut_off" in codes(np.ascontiguousarray(grey[:, grey.shape[1] // 3 :]))


def test_printed_text_is_told(grey: np.ndarray) -> None:
    written = grey.copy()
    cv2.putText(written, "JOHN 1960", (8, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 2)
    assert "burnt_in_text" in codes(written)


def test_blocks_of_eight_raise_blockiness_and_other_steps_do_not() -> None:
    rng = np.random.default_rng(0)
    of_eight = np.kron(rng.integers(0, 255, (16, 16)), np.ones((8, 8)))
    assert blockiness(of_eight) > 20
    assert blockiness(rng.integers(0, 255, (128, 128))) == pytest.approx(1, abs=0.1)


def test_sharpness_falls_with_blur_and_is_no_number_without_a_picture(grey: np.ndarray) -> None:
    framed = cv2.resize(grey, (256, 256)).astype(np.float32) / 255
    assert sharpness(cv2.GaussianBlur(framed, (0, 0), 2)) < 0.8 * sharpness(framed)
    for along in ((9, 1), (1, 9)):
        assert sharpness(cv2.blur(framed, along)) < 0.8 * sharpness(framed), "smeared one way, as by motion"
    assert sharpness(np.zeros((256, 256), np.float32)) == float("inf")


def answer(
    strange: float | None, upright: float | None, sequences: tuple[float, ...] | None = None, *, head: bool = True
) -> SliceAnswer:
    empty = np.zeros((4, 4))
    return SliceAnswer(
        np.zeros(4, np.float32),
        None,
        empty.astype(np.float16),
        100 if head else None,
        WholeFrame.of(4, 4),
        100.0,
        strange,
        upright,
        sequences,
    )


def test_strangeness_of_a_series_is_the_median_of_its_heads() -> None:
    assert strangeness([answer(0.9, 1, head=False), answer(0.2, 1), answer(0.4, 1), answer(0.3, 1)]) == 0.3
    assert strangeness([answer(0.9, 1, head=False)]) == 0.9
    assert strangeness([answer(None, None)]) is None


def test_upside_down_is_said_of_pictures_without_orientation_only() -> None:
    sample = sample_picture()
    assert upside_down_flag(sample, [answer(0.1, UPSIDE_DOWN - 0.1)]) == [], "its header says how it lies"
    plain = Study(sample.pixels, sample.source)
    assert [f.code for f in upside_down_flag(plain, [answer(0.1, UPSIDE_DOWN - 0.1)])] == ["upside_down"]
    assert upside_down_flag(plain, [answer(0.1, UPSIDE_DOWN + 0.1)]) == []
    assert upside_down_flag(plain, [answer(0.1, None)]) == []


T1, T2, FLAIR, CT = np.full((4, 4), 0.1) + 0.6 * np.eye(4)


def looks(*each: np.ndarray) -> list[SliceAnswer]:
    return [answer(None, None, tuple(one)) for one in each]


def test_a_picture_that_looks_like_t2_or_flair_is_flagged_where_no_header_says_what_it_is() -> None:
    sample = sample_picture()
    plain, told = Study(sample.pixels, sample.source), Study(sample.pixels, sample.source, sequence="T1")
    flags = look_flag(plain, looks(T1, FLAIR, FLAIR))
    assert [(f.code, f.sentence.values["sequence"]) for f in flags] == [("unfamiliar_sequence", "FLAIR")]
    assert look_flag(plain, [*looks(T1), answer(None, None, tuple(T2), head=False)]) == []
    assert look_flag(told, looks(T2)) == []
    assert look_flag(Study(sample.pixels, replace(sample.source, modality="CT")), looks(T2)) == []
    assert look_flag(plain, [answer(None, None)]) == []


def test_a_picture_that_looks_like_ct_is_said_to_be_no_mri_unless_its_header_says_otherwise() -> None:
    sample = sample_picture()
    plain = Study(sample.pixels, replace(sample.source, modality=None))
    resonance = Study(sample.pixels, replace(sample.source, modality="MR"))
    assert [f.code for f in look_flag(plain, looks(CT))] == ["not_mri"]
    assert look_flag(resonance, looks(CT)) == []


def test_an_outline_contradicts_no_tumour_and_not_what_is_indeterminate() -> None:
    mask = np.zeros((1, 20, 20), bool)
    mask[0, 5:15, 5:15] = True
    outlined = measure(mask, mask.astype(np.float32), lambda _index: None, Geometry())

    def told(*probabilities: float) -> list[str]:
        finding = finding_from(np.array(probabilities), Calibration())
        return [flag.code for flag in contradiction_flags(finding, outlined)]

    assert told(0.2, 0.1, 0.1, 0.6) == ["outline_without_tumor"]
    assert told(0.25, 0.2, 0.1, 0.45) == []
