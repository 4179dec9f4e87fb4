"""Outlines and probabilities as DICOM segmentations, laid on their source by SimpleITK, dcmqi and highdicom."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.study import Geometry, Study
from braintumor_desktop.imaging import load
from braintumor_desktop.imaging.orientation import LPS_TO_RAS
from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti
from braintumor_desktop.reporting import build_report, write_dicom
from braintumor_desktop.reporting.dicom.kinds import DicomKind
from dicom_files import edit, only
from dicom_objects import (
    changed,
    dcmqi,
    ellipsoid,
    faults,
    outlined,
    written,
)


def voxels_on(study: Study, image: sitk.Image) -> set[tuple[int, ...]]:
    """(slice, row, column) of the study's voxels that the set voxels of an image lie on; they must hit exactly."""
    assert study.geometry.affine is not None
    to_study = np.linalg.inv(LPS_TO_RAS @ study.geometry.affine)
    found = set()
    for k, j, i in np.argwhere(sitk.GetArrayFromImage(image) > 0).tolist():
        column, row, index, _ = to_study @ (*image.TransformIndexToPhysicalPoint((i, j, k)), 1.0)
        assert np.allclose((index, row, column), np.rint((index, row, column)), atol=1e-3)
        found.add((round(index), round(row), round(column)))
    return found


def test_the_outline_lies_on_the_source_voxel_by_voxel(series: Study, tmp_path: Path) -> None:
    mask = ellipsoid(series, (0.35, 0.4, 0.6)) | ellipsoid(series, (0.9, 0.7, 0.3))
    objects = written(outlined(series, mask), tmp_path, (DicomKind.SEGMENTATION,))
    assert list(objects) == ["seg"]
    read = voxels_on(series, sitk.ReadImage(tmp_path / "seg.dcm"))
    assert read == set(map(tuple, np.argwhere(mask).tolist()))
    assert objects["seg"].FrameOfReferenceUID == series.geometry.frame_of_reference_uid


def test_dcmqi_finds_each_lesion_on_the_source_voxel_by_voxel_and_reads_the_report(
    series: Study, tmp_path: Path
) -> None:
    masks = (ellipsoid(series, (0.3, 0.3, 0.3), 0.15), ellipsoid(series, (0.8, 0.7, 0.7), 0.1))
    written(outlined(series, *masks, lesions=True), tmp_path, (DicomKind.REPORT,))
    dcmqi(
        "segimage2itkimage", "--inputDICOM", tmp_path / "seg.dcm", "--outputDirectory", tmp_path, "--outputType", "nrrd"
    )
    for number, mask in enumerate(masks, 1):
        assert voxels_on(series, sitk.ReadImage(tmp_path / f"{number}.nrrd")) == set(
            map(tuple, np.argwhere(mask).tolist())
        )
    dcmqi("tid1500reader", "--inputDICOM", tmp_path / "sr.dcm", "--outputMetadata", tmp_path / "sr.json")
    said = json.loads((tmp_path / "sr.json").read_text())
    tracked = [group["TrackingIdentifier"] for group in said["Measurements"]]
    assert {"Lesion 1", "Lesion 2"} <= set(tracked)


def test_each_frame_names_the_slice_it_was_drawn_on(series: Study, tmp_path: Path) -> None:
    mask = ellipsoid(series, (0.4, 0.4, 0.6))
    written(outlined(series, mask), tmp_path, (DicomKind.SEGMENTATION,))
    segmentation = highdicom.seg.segread(tmp_path / "seg.dcm")
    uids = [str(header.SOPInstanceUID) for header in series.headers or ()]
    read = segmentation.get_pixels_by_source_instance(
        uids, [1], assert_missing_frames_are_empty=True, combine_segments=True
    )
    assert np.array_equal(read > 0, mask)


def test_a_nifti_volume_comes_back_as_slices_in_the_same_place(tmp_path: Path) -> None:
    path = write_nifti(make_volume(5, (6, 40, 48), (6.0, 5.0, 4.5)), tmp_path / "head.nii.gz")
    study = load(path)
    written(outlined(study, ellipsoid(study, (0.5, 0.4, 0.6))), tmp_path / "out", (DicomKind.SEGMENTATION,))
    again = only(*sorted((tmp_path / "out").glob("source-*.dcm"))).load()
    assert np.array_equal(again.pixels, study.pixels)
    assert again.geometry.affine is not None
    assert study.geometry.affine is not None
    assert np.allclose(again.geometry.affine, study.geometry.affine, atol=1e-4)


def test_probabilities_are_kept_to_one_part_in_255(series: Study, tmp_path: Path) -> None:
    mask = ellipsoid(series, (0.4, 0.4, 0.6))
    (stored,) = written(outlined(series, mask), tmp_path, (DicomKind.PROBABILITY,)).values()
    assert (stored.SegmentationType, stored.SegmentationFractionalType, stored.MaximumFractionalValue) == (
        "FRACTIONAL",
        "PROBABILITY",
        255,
    )
    used = np.flatnonzero(mask.any(axis=(1, 2)))
    planes = {
        tuple(np.round(f.PlanePositionSequence[0].ImagePositionPatient, 3)): i
        for i, f in enumerate(stored.PerFrameFunctionalGroupsSequence)
    }
    for index in used:
        place = tuple(np.round((series.headers or ())[index].ImagePositionPatient, 3))
        assert np.array_equal(stored.pixel_array[planes[place]], np.rint(mask[index] * 0.8 * 255))


def test_a_slice_thickness_that_is_unknown_stays_out(tmp_path: Path) -> None:
    (path,) = write_dicom_series(make_volume(5, (1, 40, 48), (6.0, 5.0, 4.5)), tmp_path / "in")
    edit(path, lambda dataset: delattr(dataset, "SliceThickness"))
    study = only(path).load()
    objects = written(outlined(study, ellipsoid(study, (0.5, 0.4, 0.6))), tmp_path / "out", (DicomKind.SEGMENTATION,))
    (measures,) = objects["seg"].SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert measures.PixelSpacing == [5.0, 4.5]
    assert "SliceThickness" not in measures


def test_nothing_to_outline_is_said_and_nothing_is_written(series: Study, tmp_path: Path) -> None:
    analysis = outlined(series, np.zeros(series.pixels.shape, np.bool_))
    with pytest.raises(BrainTumorError) as caught:
        write_dicom(build_report(analysis), analysis, tmp_path / "out", (DicomKind.SEGMENTATION,))
    assert caught.value.code is ErrorCode.EXPORT_FAILED
    assert not (tmp_path / "out").exists()
    assert set(written(analysis, tmp_path / "sr", (DicomKind.REPORT,))) == {"sr"}


def test_a_series_without_uids_gets_captures_of_its_own_in_its_place(series: Study, tmp_path: Path) -> None:
    stripped = changed(series, SOPInstanceUID=None, PatientName="Kept^Name")
    mask = ellipsoid(stripped, (0.4, 0.4, 0.6))
    objects = written(outlined(stripped, mask), tmp_path, (DicomKind.SEGMENTATION,))
    sources = {str(each.SOPInstanceUID) for stem, each in objects.items() if stem.startswith("source")}
    assert len(sources) == series.slices
    assert {str(item.ReferencedSOPInstanceUID) for item in objects["seg"].SourceImageSequence} <= sources
    assert str(objects["seg"].PatientName) == "Kept^Name"
    again = only(*sorted(tmp_path.glob("source-*.dcm"))).load()
    assert again.geometry.affine is not None
    assert series.geometry.affine is not None
    assert np.allclose(again.geometry.affine, series.geometry.affine, atol=1e-4)


def test_slices_without_a_place_have_a_segmentation_each(series: Study, tmp_path: Path) -> None:
    placeless = replace(series, geometry=Geometry(), places=None)
    mask = ellipsoid(placeless, (0.4, 0.4, 0.6))
    objects = written(outlined(placeless, mask), tmp_path, (DicomKind.REPORT,))
    used = np.flatnonzero(mask.any(axis=(1, 2)))
    segmentations = [each for stem, each in objects.items() if stem.startswith("seg")]
    assert len(segmentations) == len(used)
    for index, each in zip(used, segmentations, strict=True):
        (item,) = each.SourceImageSequence
        assert item.ReferencedSOPInstanceUID == (series.headers or ())[index].SOPInstanceUID
        assert np.array_equal(each.pixel_array > 0, mask[index])
        assert "FrameOfReferenceUID" not in each
        assert "PixelMeasuresSequence" not in each.SharedFunctionalGroupsSequence[0]
    for path in tmp_path.iterdir():
        assert faults(path) == []
