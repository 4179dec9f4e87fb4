"""DICOM objects of inputs whose headers or values are odd."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging import load
from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.reporting import build_report, write_dicom
from braintumor_desktop.reporting.dicom.kinds import DicomKind
from dicom_files import edit, only
from dicom_objects import ellipsoid, faults, outlined


def written(study: Study, folder: Path, kind: DicomKind) -> dict[str, pydicom.Dataset]:
    analysis = outlined(study, ellipsoid(study, (0.5, 0.4, 0.6)))
    paths = write_dicom(build_report(analysis), analysis, folder, (kind,))
    return {path.stem: pydicom.dcmread(path) for path in paths}


@pytest.mark.parametrize(
    ("keyword", "value", "told"),
    [
        ("PatientBirthDate", "00010101", "00010101"),
        ("StudyDate", "00010101", "00010101"),
        ("StudyTime", "235959.5", "235959.5"),
        ("StudyTime", "240000", ""),
        ("StudyTime", "250000", ""),
        ("StudyTime", "2360", ""),
    ],
)
def test_dates_and_times_that_stand_for_none_hinder_no_export(
    tmp_path: Path, keyword: str, value: str, told: str
) -> None:
    (path,) = write_dicom_series(make_volume(5, (1, 40, 48), (6.0, 5.0, 4.5)), tmp_path / "in")
    with pydicom.config.disable_value_validation():
        edit(path, lambda dataset: setattr(dataset, keyword, value))
    objects = written(only(path).load(), tmp_path / "out", DicomKind.SEGMENTATION)
    assert objects["seg"][keyword].value == told


@pytest.mark.parametrize("largest", [1.0, 0.003, 6.0])
def test_captures_of_small_fractions_are_shown_in_all_their_greys(tmp_path: Path, largest: float) -> None:
    head = make_volume(5, (3, 40, 48), (6.0, 5.0, 4.5)).pixels.T
    values = (head / head.max() * largest).astype(np.float32)
    nib.save(nib.Nifti1Image(values, np.diag((4.5, 5.0, 6.0, 1.0))), tmp_path / "in.nii")
    study = load(tmp_path / "in.nii")
    capture = written(study, tmp_path / "out", DicomKind.SEGMENTATION)["source-002"]
    assert faults(tmp_path / "out" / "source-002.dcm") == []
    shown = apply_voi_lut(apply_modality_lut(capture.pixel_array, capture), capture)
    np.testing.assert_allclose(shown, study.pixels[1], atol=largest / 60000)
    low, high = only(*sorted((tmp_path / "out").glob("source-*.dcm"))).load().window or (0.0, 0.0)
    assert (low, high) == pytest.approx((study.pixels.min(), study.pixels.max()), abs=1e-6 * largest)


def test_objects_of_slices_that_share_one_uid_refer_to_captures_of_their_own(tmp_path: Path) -> None:
    write_dicom_series(make_volume(5, (4, 40, 48), (6.0, 5.0, 4.5)), tmp_path / "in")
    for path in (tmp_path / "in").iterdir():
        edit(path, lambda dataset: setattr(dataset, "SOPInstanceUID", "1.2.3.4.5"))
    objects = written(only(tmp_path / "in").load(), tmp_path / "out", DicomKind.SEGMENTATION)
    sources = [str(each.SOPInstanceUID) for stem, each in objects.items() if stem.startswith("source")]
    assert len(set(sources)) == 4
    assert {str(item.ReferencedSOPInstanceUID) for item in objects["seg"].SourceImageSequence} <= set(sources)
