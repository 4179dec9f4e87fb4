import numpy as np

from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.inference.picture_reading import Reading, SliceAnswer, read_picture
from braintumor_desktop.inference.preprocess import find_frame
from braintumor_desktop.models.manifest import Calibration


def reading(logits: list[float], *, inside: float) -> Reading:
    study = sample_picture()
    lesion = np.full((256, 256), 0.001, np.float32)
    lesion[100:140, 110:150] = inside
    lesion[200:240, 200:240] = 0.1 * inside
    answer = SliceAnswer(
        np.array(logits, np.float32), lesion, np.zeros((256, 256), np.float16), None, find_frame(study.pixels[0]), 1.0
    )
    return read_picture(study, answer, Calibration())


def test_a_named_tumour_gets_its_faint_outline_and_the_reader_is_told() -> None:
    found = reading([3, 0, 0, 0], inside=0.35)
    assert found.segmentation is not None
    assert found.segmentation.present
    assert [flag.code for flag in found.flags] == ["faint_outline"]
    rows, columns = np.nonzero(found.segmentation.mask[0])
    side = find_frame(sample_picture().pixels[0]).side
    assert rows.max() - rows.min() < 45 / 256 * side, "the second, less likely place is left out"
    assert columns.size > 0


def test_a_tumour_that_is_not_ruled_out_is_outlined_as_a_named_one() -> None:
    doubted = reading([0, 0, 0, 3], inside=0.35)
    assert doubted.finding.label == "no_tumor"
    assert doubted.segmentation is not None
    assert doubted.segmentation.present
    assert [flag.code for flag in doubted.flags] == ["faint_outline"]


def test_with_a_tumour_ruled_out_or_with_a_clear_outline_nothing_changes() -> None:
    none = reading([0, 0, 0, 8], inside=0.35)
    assert none.segmentation is not None
    assert not none.segmentation.present
    assert none.flags == []
    clear = reading([3, 0, 0, 0], inside=0.9)
    assert clear.segmentation is not None
    assert clear.segmentation.present
    assert clear.flags == []


def test_only_where_a_tumour_is_not_ruled_out_is_the_threshold_free_and_never_for_a_reference_model() -> None:
    def outlined(logits: list[float], *, fixed: bool) -> int:
        study = sample_picture()
        lesion = np.zeros((256, 256), np.float32)
        lesion[90:150, 90:150] = 0.4
        lesion[110:130, 110:130] = 0.9
        heat, frame = np.zeros((256, 256), np.float16), find_frame(study.pixels[0])
        answer = SliceAnswer(np.array(logits, np.float32), lesion, heat, None, frame, 1.0)
        found = read_picture(study, answer, Calibration(), fixed=fixed).segmentation
        assert found is not None
        return found.area_px

    core = outlined([0, 0, 0, 8], fixed=False)
    assert outlined([0, 0, 0, 3], fixed=True) == core
    assert outlined([3, 0, 0, 0], fixed=True) == core
    assert outlined([3, 0, 0, 0], fixed=False) > 5 * core
