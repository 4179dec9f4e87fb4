"""The synthetic head: repeatable, with the anatomy and the lesion it promises, and written as valid files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging import load
from braintumor_desktop.imaging.phantom import FIELD_OF_VIEW_MM, Lesion, PhantomVolume, make_picture, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti, write_png

BALL = Lesion(center_mm=(30.0, 10.0, 20.0), radius_mm=15.0, kind="homogeneous", irregularity=0.0)


@pytest.fixture(scope="module")
def volume() -> PhantomVolume:
    return make_volume(5, (36, 64, 72), (4.5, 3.5, 3.0), BALL)


def test_the_same_seed_gives_the_same_pixels_in_another_process() -> None:
    code = (
        "import hashlib; from braintumor_desktop.imaging.phantom import *;"
        "print(hashlib.sha256(make_picture(4, 96, Lesion())[0].tobytes()).hexdigest())"
    )
    root = Path(__file__).parents[2]
    runs = [
        subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert len(runs[0]) == 65
    assert runs[0] == runs[1]


def test_other_seeds_give_other_heads() -> None:
    first, second = (make_picture(seed, 96)[0].astype(int) for seed in (1, 2))
    # Far more than noise, which is about 4 grey values here.
    assert np.abs(first - second).mean() > 8


def test_the_head_lies_on_a_dark_background() -> None:
    pixels, mask = make_picture(3, 128)
    assert pixels.dtype == np.uint8
    assert not mask.any()
    corner = pixels[:12, :12]
    assert corner.mean() < 12
    assert 0.3 < (pixels > 40).mean() < 0.8


def test_tissues_are_as_bright_as_on_a_t1_after_contrast() -> None:
    volume = make_volume(3, (3, 230, 230), (1.0, 1.0, 1.0))
    inverse = np.linalg.inv(volume.affine)

    def brightness(*ras: float) -> float:
        column, row, _ = np.rint((inverse @ (*ras, 8.0, 1.0))[:3]).astype(int)
        return float(np.median(volume.pixels[:, row - 1 : row + 2, column - 1 : column + 2]))

    ventricle, white, thalamus = brightness(11, 28), brightness(20, -20), brightness(10, -13)
    assert ventricle < thalamus < white
    assert volume.pixels[:, 60:170, 60:170].max() > white  # vessels and plexus


def test_noise_of_the_background_is_that_of_a_magnitude_image() -> None:
    pixels, _ = make_picture(3, 256, bits=16)
    air = pixels[:24, :24].astype(float)
    # Rayleigh: mean / standard deviation = sqrt(pi / (4 - pi)) = 1.91; Rician with a little signal lies above.
    assert air.mean() / air.std() == pytest.approx(2.0, abs=0.25)


def test_the_lesion_of_a_volume_is_a_ball_at_its_place(volume: PhantomVolume) -> None:
    voxel = float(np.prod(volume.spacing_mm))
    analytic = 4 / 3 * np.pi * BALL.radius_mm**3
    # Counting voxel centres errs by about the square root of the voxels on the surface: under 4 % here.
    assert volume.mask.sum() * voxel == pytest.approx(analytic, rel=0.04)
    slices, rows, columns = np.nonzero(volume.mask)
    centre = volume.affine @ [columns.mean(), rows.mean(), slices.mean(), 1.0]
    np.testing.assert_allclose(centre[:3], BALL.center_mm, atol=0.5)


def test_the_lesion_of_a_picture_is_a_disc_at_its_place() -> None:
    size = 230
    _, mask = make_picture(5, size, BALL)
    # One pixel is one millimetre; 94 pixels on the edge err by about their square root, 1.4 % of the area.
    assert mask.sum() == pytest.approx(np.pi * BALL.radius_mm**2, rel=0.02)
    row, column = (index.mean() for index in np.nonzero(mask))
    # The patient's right (positive x) is on the left, the front (positive y) on top; the middle shows y = -6.
    assert column == pytest.approx((FIELD_OF_VIEW_MM - 1) / 2 - 30.0, abs=0.2)
    assert row == pytest.approx((FIELD_OF_VIEW_MM - 1) / 2 - 16.0, abs=0.2)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_every_plane_through_the_lesion_shows_it(plane: str) -> None:
    pixels, mask = make_picture(5, 115, BALL, plane)  # type: ignore[arg-type]
    assert mask.sum() * 4 == pytest.approx(np.pi * BALL.radius_mm**2, rel=0.03)
    assert pixels[mask].mean() > 1.2 * pixels[~mask][pixels[~mask] > 60].mean()


def test_a_rim_lesion_has_a_dark_core() -> None:
    lesion = Lesion(BALL.center_mm, 16.0, "rim", irregularity=0.0)
    pixels, mask = make_picture(5, 230, lesion, bits=16)
    row, column = (int(index.mean()) for index in np.nonzero(mask))
    core = pixels[row - 4 : row + 5, column - 4 : column + 5].mean()
    assert core < 0.5 * pixels[mask].max()
    assert pixels[mask].max() > 1.4 * np.median(pixels[110:120, 150:160])


def test_a_lesion_without_enhancement_is_darker_than_white_matter() -> None:
    enhancing, plain = (
        make_picture(5, 128, Lesion(BALL.center_mm, 15.0, "homogeneous", enhancing=on, irregularity=0.0))
        for on in (True, False)
    )
    assert plain[0][plain[1]].mean() < 0.6 * enhancing[0][enhancing[1]].mean()


def test_a_lesion_never_reaches_beyond_the_skull() -> None:
    healthy, _ = make_picture(5, 128, position_mm=20.0)
    _, mask = make_picture(5, 128, Lesion((62.0, 0.0, 20.0), 25.0, irregularity=0.0))
    assert mask.sum() > 0
    assert healthy[mask].min() > 0
    assert mask.sum() < 0.8 * np.pi * 25.0**2 / (FIELD_OF_VIEW_MM / 128) ** 2


def test_a_picture_and_a_volume_show_the_same_anatomy() -> None:
    picture, _ = make_picture(6, 115, position_mm=8.0, bits=16)
    volume = make_volume(6, (1, 115, 115), (2.0, 2.0, 2.0))
    similar = np.corrcoef(picture.ravel(), volume.pixels[0].ravel())[0, 1]
    assert similar > 0.99  # all but the noise


@pytest.mark.parametrize("bits", [8, 16])
def test_the_written_picture_is_read_back_as_synthetic(tmp_path: Path, bits: int) -> None:
    pixels, _ = make_picture(5, 96, bits=bits)  # type: ignore[arg-type]
    study = load(write_png(pixels, tmp_path / "phantom.png", seed=5))
    np.testing.assert_array_equal(study.pixels[0], pixels)
    assert study.source.synthetic
    assert study.source.bits == bits


def test_the_dicom_series_reads_back_with_its_geometry(tmp_path: Path, volume: PhantomVolume) -> None:
    files = write_dicom_series(volume, tmp_path / "series")
    datasets = [pydicom.dcmread(path) for path in files]
    assert len(datasets) == 36
    np.testing.assert_array_equal([dataset.pixel_array for dataset in datasets], volume.pixels)
    first, last = datasets[0], datasets[-1]
    assert str(first.PatientName) == "SYNTHETIC^PHANTOM"
    assert first.Modality == "MR"
    assert "synthetic" in first.SeriesDescription
    assert first.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert first.SOPClassUID == pydicom.uid.MRImageStorage
    assert len({dataset.SOPInstanceUID for dataset in datasets}) == 36
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        (uid,) = {dataset[keyword].value for dataset in datasets}
        assert pydicom.uid.UID(uid).is_valid
        assert uid.startswith("2.25.")
    # Standard axial orientation: rows run to the patient's left, columns to posterior, slices upwards.
    assert list(first.ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]
    assert [float(v) for v in first.PixelSpacing] == [3.5, 3.0]
    step = np.subtract(last.ImagePositionPatient, first.ImagePositionPatient) / 35
    np.testing.assert_allclose(step, [0, 0, 4.5])
    assert float(first.SliceThickness) == 4.5
    # PS3.3 equation C.7.6.2.1-1 gives the lesion's place in LPS.
    slices, rows, columns = (index.mean() for index in np.nonzero(volume.mask))
    place = np.array(first.ImagePositionPatient) + step * slices + [3.0 * columns, 3.5 * rows, 0]
    np.testing.assert_allclose(place, [-BALL.center_mm[0], -BALL.center_mm[1], BALL.center_mm[2]], atol=0.5)


def test_the_same_volume_gets_the_same_uids(tmp_path: Path, volume: PhantomVolume) -> None:
    first, second = (write_dicom_series(volume, tmp_path / name)[0].read_bytes() for name in ("a", "b"))
    assert first == second
    other = make_volume(6, (1, 64, 72), (4.5, 3.5, 3.0), BALL)
    (path,) = write_dicom_series(other, tmp_path / "c")
    assert pydicom.dcmread(path).SeriesInstanceUID != pydicom.dcmread(tmp_path / "a" / "0001.dcm").SeriesInstanceUID


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_the_nifti_file_reads_back_with_its_affine(tmp_path: Path, volume: PhantomVolume, ending: str) -> None:
    image = nibabel.load(write_nifti(volume, tmp_path / f"phantom{ending}"))
    np.testing.assert_allclose(image.affine, volume.affine)
    np.testing.assert_allclose(image.get_qform(), volume.affine, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(image.dataobj).transpose(2, 1, 0), volume.pixels)
    np.testing.assert_allclose(image.header.get_zooms(), (3.0, 3.5, 4.5))
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    assert b"synthetic" in image.header["descrip"].tobytes()


def test_writing_where_nothing_may_be_written_is_a_typed_error(tmp_path: Path, volume: PhantomVolume) -> None:
    pixels, _ = make_picture(5, 32)
    with pytest.raises(BrainTumorError) as caught:
        write_png(pixels, tmp_path / "absent" / "phantom.png", seed=5)
    assert caught.value.code is ErrorCode.EXPORT_FAILED
    (tmp_path / "file").touch()
    with pytest.raises(BrainTumorError):
        write_dicom_series(volume, tmp_path / "file")
    with pytest.raises(BrainTumorError):
        write_nifti(volume, tmp_path / "absent" / "phantom.nii")
