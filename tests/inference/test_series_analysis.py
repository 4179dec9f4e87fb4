"""Whole series through the network: phantoms with a lesion of known size, and heads without one."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from braintumor_desktop.domain.errors import Cancelled
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging import load
from braintumor_desktop.imaging.head import head_mask
from braintumor_desktop.imaging.phantom import Lesion, make_volume
from braintumor_desktop.inference import Analyzer
from braintumor_desktop.inference.analyzer import BATCH
from braintumor_desktop.inference.planes import Volume
from braintumor_desktop.inference.preprocess import find_frame
from braintumor_desktop.inference.quality import LOW_RESOLUTION_PX
from braintumor_desktop.reporting import write_mask_nifti

LESION = Lesion(center_mm=(30.0, 20.0, 14.0), radius_mm=14.0, kind="homogeneous", irregularity=0.0)
TRUE_ML = 4 / 3 * np.pi * LESION.radius_mm**3 / 1000
SPACING = 6.0


def series(pixels: np.ndarray, affine: np.ndarray) -> Study:
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    source = Source(Path("made"), "0" * 64, pixels.nbytes, InputKind.NIFTI, "made", 16, False, synthetic=True)
    known = Geometry((float(steps[1]), float(steps[0])), float(steps[2]), ("L", "P"), affine)
    return Study(pixels, source, known)


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer.open("neuro", "cpu")


@pytest.fixture(scope="module")
def axial() -> Study:
    volume = make_volume(7, (26, 200, 200), (SPACING, 1.15, 1.15), LESION)
    return series(volume.pixels, volume.affine)


@pytest.fixture(scope="module")
def found(analyzer: Analyzer, axial: Study) -> Analysis:
    return analyzer.analyze(axial)


def assert_the_lesion_is_found(analysis: Analysis) -> None:
    """The one lesion, at its place and as large as it is: volume within 10 %, diameter within 2 mm."""
    assert analysis.finding.tumor_probability > 0.8
    assert analysis.segmentation is not None
    (lesion,) = analysis.segmentation.lesions
    assert lesion.center_mm == pytest.approx(LESION.center_mm, abs=2.0)
    assert lesion.volume_ml == pytest.approx(TRUE_ML, rel=0.10)
    assert lesion.volume_ml == pytest.approx(analysis.segmentation.volume_ml)
    assert lesion.diameters is not None
    assert lesion.diameters.longest.length_mm == pytest.approx(2 * LESION.radius_mm, abs=2.0)
    assert lesion.measurable is True


def test_an_axial_series_gives_the_lesion_where_it_is_and_as_large_as_it_is(found: Analysis) -> None:
    assert_the_lesion_is_found(found)
    assert found.slices is not None
    assert found.complete
    assert len(found.slices) == found.study.slices
    assert found.key_slices is not None
    assert found.key_slices.largest == found.key_slice
    assert found.slices[found.key_slice].area_px == max(s.area_px for s in found.slices)
    assert found.finding.coverage is None  # calibrated on slices, which says nothing about series


def test_maps_of_a_series_take_a_byte_a_pixel_and_agree_with_the_mask(found: Analysis) -> None:
    assert found.segmentation is not None
    assert found.explanation is not None
    probability, mask = found.segmentation.probability, found.segmentation.mask
    assert probability.nbytes == found.explanation.heatmap.nbytes == found.study.pixels.size
    key = found.key_slice
    assert probability[key].dtype == np.float32
    assert probability[key][mask[key]].min() > 0.49
    assert found.explanation.heatmap[key].max() <= 1


def test_an_oblique_series_is_analysed_in_a_straight_plane_and_answered_on_its_own_grid(
    analyzer: Analyzer, tmp_path: Path
) -> None:
    head = make_volume(7, (180, 231, 207), (1.0, 1.0, 1.0), LESION)  # coarser, the ball is blurred, and larger
    angle = np.radians(40)
    affine = np.eye(4)
    turned = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine[:3, :3] = turned @ np.diag([-1.2, -1.2, 4.0])
    shape = (38, 187, 187)
    affine[:3, 3] = np.array([0, -6, 8]) - affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    matrix, volume = np.linalg.inv(head.affine) @ affine, Volume(head.pixels)
    within = np.linspace(-0.4, 0.4, 5)  # a slice is the mean over its thickness, as a scanner's is
    slices = [np.mean([volume.slice(i + part, shape, matrix) for part in within], axis=0) for i in range(shape[0])]
    pixels = np.rint(slices).astype(np.uint16)
    analysis = analyzer.analyze(series(pixels, affine))
    assert "resampled_plane" in [flag.code for flag in analysis.quality.flags]
    assert_the_lesion_is_found(analysis)
    assert analysis.segmentation is not None
    assert analysis.segmentation.mask.shape == shape
    # The exported mask, read by someone else, has its centre of mass where the lesion is in the patient.
    path = write_mask_nifti(analysis, tmp_path, stem="mask")
    image = nibabel.load(path)
    voxels = np.argwhere(np.asarray(image.dataobj) > 0)
    assert np.allclose(image.affine, affine, atol=1e-3)
    assert nibabel.affines.apply_affine(image.affine, voxels).mean(axis=0) == pytest.approx(LESION.center_mm, abs=2.5)


def test_a_written_series_gives_a_mask_that_lies_on_the_file(
    analyzer: Analyzer, found: Analysis, tmp_path: Path
) -> None:
    """Stored sagittally reversed, as scanners may: the study turns it upright, the mask goes back voxel by voxel."""
    study = found.study
    assert study.geometry.affine is not None
    stored = study.pixels.transpose(2, 1, 0)[::-1]
    affine = study.geometry.affine @ np.array(
        [[-1, 0, 0, stored.shape[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], float
    )
    nibabel.save(nibabel.Nifti1Image(stored, affine), tmp_path / "head.nii.gz")
    analysis = analyzer.analyze(load(tmp_path / "head.nii.gz"))
    image = nibabel.load(write_mask_nifti(analysis, tmp_path, stem="mask"))
    assert np.allclose(image.affine, affine)
    assert found.segmentation is not None
    assert np.array_equal(np.asarray(image.dataobj) > 0, found.segmentation.mask.transpose(2, 1, 0)[::-1])


def test_a_head_without_a_lesion_has_no_tumour(analyzer: Analyzer) -> None:
    volume = make_volume(11, (26, 180, 180), (SPACING, 1.28, 1.28), None)
    analysis = analyzer.analyze(series(volume.pixels, volume.affine))
    assert analysis.finding.label == "no_tumor"
    assert analysis.segmentation is not None
    assert not analysis.segmentation.present
    assert analysis.segmentation.lesions == ()
    assert analysis.segmentation.volume_ml == 0.0


def test_a_stopped_series_keeps_what_was_analysed_where_that_is_wanted(analyzer: Analyzer, axial: Study) -> None:
    heard: list[str] = []
    asked = iter([False, False, True])
    analysis = analyzer.analyze(
        axial,
        progress=lambda stage, _: heard.append(stage),
        cancelled=lambda: next(asked, True),
        keep_partial=lambda: True,
    )
    assert analysis.slices is not None
    assert not analysis.complete
    assert [s.index for s in analysis.slices] == list(range(2 * BATCH))
    assert "partly_analysed" in [flag.code for flag in analysis.quality.flags]
    assert analysis.segmentation is not None
    assert not analysis.segmentation.mask[2 * BATCH :].any()
    assert heard[:2] == ["Analysing slice 1 of 26", f"Analysing slice {BATCH + 1} of 26"]
    with pytest.raises(Cancelled):
        analyzer.analyze(axial, cancelled=lambda: True, keep_partial=lambda: True)


def test_measuring_can_be_cancelled_and_tells_how_far_it_is(analyzer: Analyzer, axial: Study) -> None:
    heard: list[tuple[str, float]] = []

    def hear(stage: str, share: float) -> None:
        heard.append((stage, share))

    analyzer.analyze(axial, progress=hear)
    shares = [share for stage, share in heard if stage == "Measuring"]
    assert len(shares) > 2
    assert shares == sorted(shares)
    assert shares[-1] <= 1
    with pytest.raises(Cancelled):
        analyzer.analyze(axial, progress=hear, cancelled=lambda: heard[-1][0] == "Measuring")


def test_an_oblique_series_stopped_before_any_of_its_own_slices_is_complete_gives_no_answer(analyzer: Analyzer) -> None:
    angle = np.radians(40)
    affine = np.eye(4)
    turned = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine[:3, :3] = turned @ np.diag([-1.0, -1.0, 3.0])
    pixels = np.random.default_rng(3).integers(0, 900, (60, 160, 160)).astype(np.uint16)
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        analyzer.analyze(series(pixels, affine), cancelled=lambda: next(asked, True), keep_partial=lambda: True)


def test_the_same_series_gives_the_same_bits_twice(analyzer: Analyzer, found: Analysis) -> None:
    again = analyzer.analyze(found.study)
    assert (again.finding, again.slices, again.key_slices) == (found.finding, found.slices, found.key_slices)
    assert again.segmentation is not None
    assert found.segmentation is not None
    assert again.segmentation.lesions == found.segmentation.lesions
    assert np.array_equal(np.asarray(again.segmentation.probability), np.asarray(found.segmentation.probability))


@pytest.mark.shared_data
def test_lesions_of_multiple_sclerosis_are_not_called_a_tumour(analyzer: Analyzer, shared_data: Path) -> None:
    """A subject that training never saw; single slices of it look like tumour to the network."""
    study = load(shared_data / "volumes" / "ms_longitudinal" / "patient12_study1_T1W.nii.gz")
    analysis = analyzer.analyze(study)
    assert analysis.slices is not None
    assert max(s.tumor_probability for s in analysis.slices) > 0.5
    assert analysis.finding.label == "no_tumor"
    assert analysis.segmentation is not None
    assert not analysis.segmentation.present


def test_a_series_whose_key_slice_shows_little_of_the_head_is_judged_by_a_great_section(
    analyzer: Analyzer,
) -> None:
    top = Lesion(center_mm=(10.0, 5.0, 62.0), radius_mm=11.0, kind="homogeneous", irregularity=0.0)
    volume = make_volume(7, (26, 154, 154), (SPACING, 1.5, 1.5), top)
    analysis = analyzer.analyze(series(volume.pixels, volume.affine))
    sides = [find_frame(each).side for each in volume.pixels]
    assert sides[analysis.key_slice] < LOW_RESOLUTION_PX < max(sides)
    assert "low_resolution" not in [flag.code for flag in analysis.quality.flags]


def test_noise_at_the_end_of_a_stack_is_not_what_quality_is_judged_by(analyzer: Analyzer) -> None:
    volume = make_volume(7, (26, 154, 154), (SPACING, 1.5, 1.5), None)
    pixels = volume.pixels.copy()
    pixels[-2:] = 0
    pixels[-2:, :, 12:-12] = np.random.default_rng(3).integers(20, 40, pixels[-2:, :, 12:-12].shape)
    filled = head_mask(pixels[-1])
    assert filled is not None
    assert filled.sum() > max(int(mask.sum()) for each in pixels[:-2] if (mask := head_mask(each)) is not None)
    codes = [flag.code for flag in analyzer.analyze(series(pixels, volume.affine)).quality.flags]
    assert "cut_off" not in codes
