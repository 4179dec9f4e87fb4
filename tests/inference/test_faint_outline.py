import numpy as np

from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.inference.picture_reading import Reading, SliceAnswer, read_picture
from braintumor_desktop.inference.preprocess import find_frame
from braintumor_desktop.models.manifest import Calibration


def reading(logits: list[float], *, inside: float) -> Reading:
    study = sample_picture()
    lesion = np.full((256, 256), 0.05, np.float32)
    lesion[100:140, 110:150] = inside
    lesion[200:206, 200:206] = inside
    answer = SliceAnswer(
        np.array(logits, np.float32), lesion, np.zeros((256, 256), np.float16), None, find_frame(study.pixels[0])
    )
    return read_picture(study, answer, Calibration())


def test_a_named_tumour_gets_its_faint_outline_and_the_reader_is_told() -> None:
    found = reading([3, 0, 0, 0], inside=0.35)
    assert found.segmentation is not None
    assert found.segmentation.present
    assert [flag.code for flag in found.flags] == ["faint_outline"]
    rows, columns = np.nonzero(found.segmentation.mask[0])
    side = find_frame(sample_picture().pixels[0]).side
    assert rows.max() - rows.min() < 45 / 256 * side, "the small second place is left out"
    assert columns.size > 0


def test_without_a_tumour_named_or_with_a_clear_outline_nothing_changes() -> None:
    none = reading([0, 0, 0, 3], inside=0.35)
    assert none.segmentation is not None
    assert not none.segmentation.present
    assert none.flags == []
    clear = reading([3, 0, 0, 0], inside=0.9)
    assert clear.segmentation is not None
    assert clear.segmentation.present
    assert clear.flags == []
