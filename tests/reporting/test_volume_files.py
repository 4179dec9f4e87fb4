"""Masks and heat maps of series and volumes: NIfTI files that lie on their input voxel by voxel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name

from braintumor_desktop.domain.findings import (
    CLASSES,
    Analysis,
    Explanation,
    Finding,
    ModelIdentity,
    Quality,
    Segmentation,
    Timing,
)
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging import list_inputs, load
from braintumor_desktop.imaging.phantom import Lesion, PhantomVolume, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti
from braintumor_desktop.reporting import write_heatmap_nifti, write_mask_nifti

sitk.ProcessObject.SetGlobalWarningDisplay(False)


@pytest.fixture(scope="module")
def phantom() -> PhantomVolume:
    return make_volume(5, (12, 40, 48), (9.0, 5.0, 4.5), Lesion(radius_mm=20.0))


def analysis_of(study: Study, mask: np.ndarray) -> Analysis:
    heat = np.linspace(0, 1, mask.size, dtype=np.float32).reshape(mask.shape)
    return Analysis(
        study=study,
        model=ModelIdentity("neuro", "0", "0" * 64),
        device="cpu",
        finding=Finding("glioma", dict.fromkeys(CLASSES, 0.25)),
        quality=Quality(),
        segmentation=Segmentation(mask, heat, 0, int(mask[0].sum()), 0.0, None, None, None),
        explanation=Explanation("none", heat, None),
        slices=None,
        timing=Timing(0, 0, 0, 0),
    )


def test_the_mask_of_a_dicom_series_lies_where_the_series_lies(tmp_path: Path, phantom: PhantomVolume) -> None:
    write_dicom_series(phantom, tmp_path / "series")
    (entry,) = list_inputs([tmp_path / "series"]).entries
    path = write_mask_nifti(analysis_of(entry.load(), phantom.mask), tmp_path / "out", stem="x")
    assert path == tmp_path / "out" / "x.nii.gz"
    # Read back by someone else: grid, place and voxels are those of the series as SimpleITK reads it.
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path / "series")))
    series, mask = reader.Execute(), sitk.ReadImage(str(path))
    assert mask.GetSize() == series.GetSize()
    assert mask.GetSpacing() == pytest.approx(series.GetSpacing(), abs=1e-5)
    assert mask.GetOrigin() == pytest.approx(series.GetOrigin(), abs=1e-4)
    assert mask.GetDirection() == pytest.approx(series.GetDirection(), abs=1e-6)
    assert np.array_equal(sitk.GetArrayFromImage(mask), phantom.mask.astype(np.uint8))


@pytest.mark.parametrize("axes", [((0, 1), (1, 1), (2, 1)), ((2, -1), (0, 1), (1, -1)), ((1, -1), (2, 1), (0, -1))])
def test_the_mask_of_a_nifti_volume_has_its_axes_and_affine(
    tmp_path: Path, phantom: PhantomVolume, axes: tuple[tuple[int, int], ...]
) -> None:
    original = nibabel.load(write_nifti(phantom, tmp_path / "head.nii"))
    turned = original.as_reoriented(np.array(axes, float))
    nibabel.save(turned, tmp_path / "turned.nii.gz")
    study = load(tmp_path / "turned.nii.gz")
    bright = study.pixels > 400
    path = write_mask_nifti(analysis_of(study, bright), tmp_path, stem="mask")
    assert path is not None
    mask: Any = nibabel.load(path)
    assert mask.shape == turned.shape
    assert np.array_equal(mask.affine, nibabel.load(tmp_path / "turned.nii.gz").affine)
    assert np.array_equal(np.asarray(mask.dataobj) > 0, np.asarray(turned.dataobj) > 400)


def test_a_heat_map_keeps_its_values_to_one_part_in_255(tmp_path: Path, phantom: PhantomVolume) -> None:
    study = load(write_nifti(phantom, tmp_path / "head.nii"))
    analysis = analysis_of(study, phantom.mask)
    path = write_heatmap_nifti(analysis, tmp_path, stem="heat")
    assert path is not None
    assert analysis.explanation is not None
    back = np.asarray(nibabel.load(path).dataobj).transpose(2, 1, 0)
    np.testing.assert_allclose(back, analysis.explanation.heatmap, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize(
    ("lean_mm", "codes"),
    [
        (2.0, (1, 0)),
        (0.01, (1, 1)),  # 0.06 degrees, a rounded right angle: ITK reads it by qform only
    ],
)
def test_the_mask_of_a_leaning_stack_tells_one_place_only(
    tmp_path: Path, phantom: PhantomVolume, lean_mm: float, codes: tuple[int, int]
) -> None:
    write_dicom_series(phantom, tmp_path / "series")
    for path in (tmp_path / "series").iterdir():
        dataset = pydicom.dcmread(path)
        dataset.ImagePositionPatient[0] += lean_mm * int(dataset.InstanceNumber)
        dataset.save_as(path)
    (entry,) = list_inputs([tmp_path / "series"]).entries
    study = entry.load()
    analysis = analysis_of(study, phantom.mask)
    for path in (write_mask_nifti(analysis, tmp_path, stem="m"), write_heatmap_nifti(analysis, tmp_path, stem="h")):
        assert path is not None
        image: Any = nibabel.load(path)
        assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == codes
        assert study.geometry.affine is not None
        np.testing.assert_allclose(image.get_sform(), study.geometry.affine, atol=1e-4)  # 32 bits hold 1e-5 at 100 mm
        np.testing.assert_allclose(image.header.get_zooms(), nibabel.affines.voxel_sizes(study.geometry.affine), 1e-6)


def test_an_unknown_place_stays_unknown(tmp_path: Path, phantom: PhantomVolume) -> None:
    image = nibabel.Nifti1Image(phantom.pixels.transpose(2, 1, 0), None)
    image.header.set_zooms((4.5, 5.0, 9.0))
    nibabel.save(image, tmp_path / "head.nii")
    path = write_mask_nifti(analysis_of(load(tmp_path / "head.nii"), phantom.mask), tmp_path, stem="mask")
    assert path is not None
    header = nibabel.load(path).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)
    assert header.get_zooms() == (4.5, 5.0, 9.0)


def test_no_distance_is_invented_for_slices_that_lie_unevenly(tmp_path: Path, phantom: PhantomVolume) -> None:
    write_dicom_series(phantom, tmp_path / "series")
    (tmp_path / "series" / "0004.dcm").unlink()
    (entry,) = list_inputs([tmp_path / "series"]).entries
    path = write_mask_nifti(analysis_of(entry.load(), phantom.mask[1:]), tmp_path, stem="mask")
    assert path is not None
    header = nibabel.load(path).header
    assert header.get_zooms() == (1.0, 1.0, 1.0)
    assert header.get_xyzt_units() == ("unknown", "unknown")


def test_the_same_answer_gives_the_same_file(tmp_path: Path, phantom: PhantomVolume) -> None:
    analysis = analysis_of(load(write_nifti(phantom, tmp_path / "head.nii")), phantom.mask)
    first, second = (write_mask_nifti(analysis, tmp_path, stem=stem) for stem in ("a", "b"))
    assert first is not None
    assert second is not None
    assert first.read_bytes() == second.read_bytes()
