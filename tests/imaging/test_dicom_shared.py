"""Shared DICOM files against an independent reader (SimpleITK, whose DICOM part is GDCM), to the voxel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.study import Geometry, InputKind
from braintumor_desktop.imaging import list_inputs, load

pytestmark = pytest.mark.shared_data
sitk.ProcessObject.SetGlobalWarningDisplay(False)

WG04 = ["CT1", "MR1", "MR2", "MR4"]
LOSSLESS = ["J2KR", "JLSL", "JPLL", "RLE"]
LOSSY = {"J2KI": "JPEG 2000", "JLSN": "JPEG-LS near-lossless", "JPLY": "JPEG"}


def sitk_affine(image: sitk.Image) -> np.ndarray:
    """(4, 4) from (column, row, slice) to RAS mm."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def assert_same_place(geometry: Geometry, image: sitk.Image, *, slices: int) -> None:
    assert geometry.affine is not None
    assert geometry.pixel_spacing_mm == pytest.approx(image.GetSpacing()[1::-1], abs=1e-6)
    expected = sitk_affine(image)
    axes = [0, 1, 2, 3] if slices > 1 else [0, 1, 3]  # a single slice's third column is its thickness
    np.testing.assert_allclose(geometry.affine[:, axes], expected[:, axes], atol=2e-4)


@pytest.mark.parametrize("name", WG04)
@pytest.mark.parametrize("syntax", [*LOSSLESS, *LOSSY])
def test_every_transfer_syntax_gives_the_reference_pixels(shared_data: Path, name: str, syntax: str) -> None:
    path = shared_data / "dicom" / "wg04" / f"{name}_{syntax}"
    if not path.exists():
        pytest.skip("there is no such file")
    study = load(path)
    image = sitk.ReadImage(str(path))
    expected = sitk.GetArrayFromImage(image).astype(np.float64)
    assert study.source.kind is InputKind.DICOM
    assert study.pixels.shape == expected.shape
    slope = float(image.GetMetaData("0028|1053")) if image.HasMetaDataKey("0028|1053") else 1.0
    # 12-bit JPEG decoders may differ by one stored value (T.81, A.3.3); all else is exact but for float32.
    tolerance = 2.01 * slope if syntax == "JPLY" else 1e-3
    shown = np.ones(expected.shape, np.bool_)
    if image.HasMetaDataKey("0028|0120"):
        shown = expected != float(image.GetMetaData("0028|0120")) * slope + float(image.GetMetaData("0028|1052"))
        assert not shown.all()
        assert (study.pixels[~shown] == study.pixels[shown].min()).all(), "padding is as dark as the darkest pixel"
    assert np.abs(study.pixels - expected)[shown].max() <= tolerance
    assert_same_place(study.geometry, image, slices=1)
    if syntax in LOSSY:
        assert study.source.lossy
        assert study.source.lossy_method == LOSSY[syntax]
    else:
        assert not study.source.lossy


@pytest.mark.parametrize("name", WG04)
def test_all_lossless_syntaxes_show_one_picture(shared_data: Path, name: str) -> None:
    pictures = [load(shared_data / "dicom" / "wg04" / f"{name}_{syntax}") for syntax in LOSSLESS]
    for other in pictures[1:]:
        assert np.array_equal(pictures[0].pixels, other.pixels)


def test_the_defaced_head_is_one_series_in_the_reference_order(shared_data: Path) -> None:
    folder = shared_data / "dicom" / "t1_series_implicit_le"
    (entry,) = list_inputs([folder]).entries
    study = entry.load()
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    assert study.pixels.dtype == np.int16
    assert np.array_equal(study.pixels, sitk.GetArrayFromImage(image))
    assert_same_place(study.geometry, image, slices=192)
    assert study.geometry.slice_spacing_mm == pytest.approx(image.GetSpacing()[2], abs=1e-5)
    assert study.geometry.orientation == ("L", "P")
    assert study.sequence == "T1"
    # The shared folder holds every second slice of the original; its headers still tell the first distance.
    assert "Slices lie 1.33 mm apart, but were acquired every 0.67 mm: the slices between are missing." in study.notes


def test_the_nine_mosaics_show_one_picture_as_slices(shared_data: Path) -> None:
    folder = shared_data / "dicom" / "transfer_syntaxes_siemens_epi"
    studies = [load(folder / f"{number}.dcm") for number in range(1, 10)]
    first = studies[0]
    assert first.pixels.shape == (35, 64, 64)
    for other in studies[1:]:
        assert np.array_equal(first.pixels, other.pixels)
        assert np.array_equal(first.geometry.affine, other.geometry.affine)
    mosaic = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "1.dcm")))[0]
    assert np.array_equal(first.pixels[0], mosaic[:64, :64])
    assert np.array_equal(first.pixels[8], mosaic[64:128, 128:192])


def test_a_mosaic_lies_where_dcm2niix_puts_it(shared_data: Path) -> None:
    study = load(shared_data / "dicom" / "transfer_syntaxes_siemens_epi" / "1.dcm")
    # The affine that dcm2niix v1.0.20220720 writes for this file; it counts rows from below.
    dcm2niix = np.array(
        [
            [-3.25, 3.250000038259134e-16, -3.8879768499760497e-17, 104.0],
            [3.250000038259134e-16, 3.2309906482696533, -0.38879767060279846, -58.68431091308594],
            [0.0, 0.3509978950023651, 3.5789432525634766, -84.79803466796875],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    from_above = dcm2niix.copy()
    from_above[:, 1] = -dcm2niix[:, 1]
    from_above[:, 3] = dcm2niix @ [0, 63, 0, 1]
    np.testing.assert_allclose(study.geometry.affine, from_above, atol=1e-4)


def test_mosaics_of_one_series_are_volumes_to_choose_from(shared_data: Path) -> None:
    (entry,) = list_inputs([shared_data / "dicom" / "transfer_syntaxes_siemens_epi"]).entries
    assert (entry.slices, entry.frames) == (35, 9)
    first, last = entry.load(), entry.load(frame=8)
    assert "The series holds 9 volumes at the same place; number 9 is shown." in last.notes
    assert np.array_equal(first.pixels, last.pixels)
    with pytest.raises(BrainTumorError) as caught:
        entry.load(frame=9)
    assert caught.value.code is ErrorCode.FRAME_UNKNOWN


@pytest.mark.parametrize("syntax", ["", "_RLE", "_big_endian", "_jpeg_2k_lossless", "_jpeg_ls_lossless"])
def test_an_enhanced_file_is_a_stack_of_its_frames(shared_data: Path, syntax: str) -> None:
    study = load(shared_data / "dicom" / "enhanced" / f"emri_small{syntax}.dcm")
    image = sitk.ReadImage(str(shared_data / "dicom" / "enhanced" / "emri_small.dcm"))
    assert np.array_equal(study.pixels, sitk.GetArrayFromImage(image))
    assert study.sequence == "T1"
    # It tells no position of its frames, and none is invented; the distance between them it does tell.
    assert study.geometry.affine is None
    assert study.geometry.orientation is None
    assert study.geometry.slice_spacing_mm == 1.2
    assert any("does not say where its slices lie" in note for note in study.notes)


def test_a_truncated_jpeg_2000_has_its_own_error_alone_and_in_a_folder(shared_data: Path) -> None:
    path = shared_data / "dicom" / "enhanced" / "emri_small_jpeg_2k_lossless_too_short.dcm"
    with pytest.raises(BrainTumorError) as caught:
        load(path)
    assert caught.value.code is ErrorCode.IMAGE_TRUNCATED
    assert "JPEG 2000" in caught.value.message
    assert [(p.path, p.error.code) for p in list_inputs([path.parent]).problems] == [(path, ErrorCode.IMAGE_TRUNCATED)]


def test_drawings_of_the_device_are_kept_apart(shared_data: Path) -> None:
    path = shared_data / "dicom" / "enhanced" / "MR-SIEMENS-DICOM-WithOverlays.dcm"
    study = load(path)
    assert np.array_equal(study.pixels, sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
    assert study.graphics is not None
    assert study.graphics.shape == study.pixels.shape
    assert 0 < study.graphics.sum() < 1000
    assert study.window == (55.0, 844.0)  # centre 450, width 790: PS3.3 C.11.2.1.2 has 449.5 ± 394.5
    assert study.sequence == "T1 post-contrast"
    assert any("drawings" in note for note in study.notes)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("dcmqi_sr.dcm", "report"),
        ("dcmqi_seg.dcm", "Segmentation"),
        ("dcmqi_liver_seg.dcm", "Segmentation"),
        ("dcmqi_rwvm.dcm", "Real World Value Mapping"),
    ],
)
def test_objects_without_a_picture_are_named_and_refused(shared_data: Path, name: str, what: str) -> None:
    with pytest.raises(BrainTumorError) as caught:
        load(shared_data / "dicom" / "derived" / name)
    assert caught.value.code is ErrorCode.DICOM_NOT_AN_IMAGE
    assert what in caught.value.message


def test_a_computed_tomogram_is_said_to_be_no_mri(shared_data: Path) -> None:
    study = load(shared_data / "dicom" / "wg04" / "CT1_J2KR")
    assert study.source.modality == "CT"
    assert study.sequence is None
    assert "This is no MRI: the file's modality is CT." in study.notes


def test_no_patient_name_stands_in_what_a_study_prints(shared_data: Path) -> None:
    study = load(shared_data / "dicom" / "wg04" / "MR1_J2KR")
    assert study.headers is not None
    name = str(study.headers[0].PatientName)
    assert name
    assert name not in repr(study)
    assert "PixelData" not in study.headers[0]
