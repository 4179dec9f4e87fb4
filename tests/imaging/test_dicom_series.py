"""DICOM series as they come: shuffled, renamed, incomplete, mixed."""

from __future__ import annotations

import dataclasses
import random
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import (
    generate_uid,
)

from braintumor_desktop.imaging import list_inputs, load
from braintumor_desktop.imaging.phantom import PhantomVolume, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from dicom_files import edit, only


def test_a_series_reads_back_from_shuffled_renamed_scattered_files(
    tmp_path: Path, series: Path, phantom: PhantomVolume
) -> None:
    files = sorted(series.iterdir())
    random.Random(3).shuffle(files)
    for number, file in enumerate(files):
        folder = tmp_path / "disc" / f"{number % 3}" / "deep"
        folder.mkdir(parents=True, exist_ok=True)
        # Names without order or ending, and instance numbers that say nothing either.
        edit(file, lambda d: setattr(d, "InstanceNumber", 7), to=folder / f"{number * 7919 % 1000}")
    entry = only(tmp_path / "disc")
    assert (entry.slices, entry.rows, entry.columns, entry.files) == (12, 40, 48, 12)
    study = entry.load()
    assert np.array_equal(study.pixels, phantom.pixels)
    np.testing.assert_allclose(study.geometry.affine, phantom.affine, atol=1e-5)
    assert study.geometry.slice_spacing_mm == pytest.approx(9.0)
    assert study.geometry.pixel_spacing_mm == (5.0, 4.5)
    assert study.geometry.orientation == ("L", "P")
    assert np.diff(study.geometry.slice_positions_mm or ()).tolist() == pytest.approx([9.0] * 11)
    assert study.notes == ()
    assert study.sequence == "T1 post-contrast"
    assert study.window == (0.0, 899.0)
    assert study.source.synthetic
    assert study.source.path == tmp_path / "disc"
    assert [header.SOPInstanceUID for header in study.headers or ()] == [
        pydicom.dcmread(path).SOPInstanceUID for path in sorted(series.iterdir())
    ]


def test_the_same_series_has_the_same_hash_whatever_its_files_are_called(tmp_path: Path, series: Path) -> None:
    (tmp_path / "renamed").mkdir()
    for number, file in enumerate(sorted(series.iterdir())):
        shutil.copy(file, tmp_path / "renamed" / f"{99 - number}")
    assert only(series).load().source.sha256 == only(tmp_path / "renamed").load().source.sha256


def test_one_file_alone_is_its_slice(series: Path, phantom: PhantomVolume) -> None:
    study = load(series / "0005.dcm")
    assert np.array_equal(study.pixels[0], phantom.pixels[4])
    assert study.geometry.slice_spacing_mm is None
    np.testing.assert_allclose((study.geometry.affine @ [1, 2, 0, 1])[:3], (phantom.affine @ [1, 2, 4, 1])[:3])  # type: ignore[operator]


def test_a_missing_slice_is_noticed_and_no_place_invented(series: Path) -> None:
    (series / "0004.dcm").unlink()
    study = only(series).load()
    assert "1 slice is missing: after slice 3 the next lies 18.0 mm away." in study.notes
    assert study.geometry.affine is None
    assert study.geometry.slice_spacing_mm is None
    assert study.geometry.pixel_spacing_mm == (5.0, 4.5)
    assert np.diff(study.geometry.slice_positions_mm or ()).max() == pytest.approx(18.0)


def test_every_second_slice_missing_is_noticed(series: Path) -> None:
    for number in range(2, 13, 2):
        (series / f"{number:04d}.dcm").unlink()
    study = only(series).load()
    assert study.geometry.slice_spacing_mm == pytest.approx(18.0)
    assert any("Slices lie 18.00 mm apart, but were acquired every 9.00 mm" in note for note in study.notes)


def test_uneven_spacing_is_noticed(series: Path) -> None:
    def move(dataset: Dataset) -> None:
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, z + 2.5]

    edit(series / "0007.dcm", move)
    study = only(series).load()
    assert "Slices are unevenly spaced: 6.50 to 11.50 mm apart." in study.notes
    assert study.geometry.affine is None


def moved(series: Path, name: str, by_mm: float) -> None:
    def move(dataset: Dataset) -> None:
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, z + by_mm]

    edit(series / name, move)


def test_a_place_that_is_off_by_a_little_more_than_rounding_is_uneven_spacing(series: Path) -> None:
    moved(series, "0007.dcm", 0.3)
    study = only(series).load()
    assert "Slices are unevenly spaced: 8.70 to 9.30 mm apart." in study.notes
    assert study.geometry.affine is None


def test_rounded_positions_are_evenly_spaced(tmp_path: Path) -> None:
    thin = make_volume(5, (24, 40, 48), (1.04, 5.0, 4.5))
    write_dicom_series(thin, tmp_path / "thin")

    def rounded(dataset: Dataset) -> None:
        dataset.ImagePositionPatient = [round(float(value), 1) for value in dataset.ImagePositionPatient]

    for path in (tmp_path / "thin").iterdir():
        edit(path, rounded)
    study = only(tmp_path / "thin").load()
    assert study.notes == ()
    assert study.geometry.affine is not None
    assert study.geometry.slice_spacing_mm == pytest.approx(1.04, abs=0.01)


def test_moments_whose_places_are_rounded_in_another_way_are_volumes_at_one_place(
    series: Path, phantom: PhantomVolume
) -> None:
    for path in sorted(series.iterdir()):

        def later(dataset: Dataset) -> None:
            dataset.SOPInstanceUID = generate_uid()
            dataset.InstanceNumber += 100
            x, y, z = dataset.ImagePositionPatient
            dataset.ImagePositionPatient = [x, y, z + 0.02]

        edit(path, later, to=series / f"later {path.name}")
    entry = only(series)
    assert (entry.slices, entry.frames) == (12, 2)
    study = entry.load()
    assert np.array_equal(study.pixels, phantom.pixels)
    assert study.geometry.affine is not None


def test_echo_times_with_other_digits_are_one_stack_and_two_echoes_are_two(series: Path) -> None:
    for number, path in enumerate(sorted(series.iterdir())):
        edit(path, lambda dataset: setattr(dataset, "EchoTime", (10, 10.004, 10.008)[number % 3]))  # noqa: B023
    assert only(series).slices == 12
    for path in sorted(series.iterdir())[::2]:
        edit(path, lambda dataset: setattr(dataset, "EchoTime", 12.5))
    assert [entry.slices for entry in list_inputs([series]).entries] == [6, 6]


def test_gaps_between_slices_are_said(series: Path) -> None:
    for path in series.iterdir():
        edit(path, lambda d: setattr(d, "SliceThickness", 7.5))
    assert "Between slices there are gaps of 1.5 mm." in only(series).load().notes


def test_the_series_description_tells_before_or_after_contrast_before_the_protocol_is_asked(series: Path) -> None:
    for path in series.iterdir():

        def name(dataset: Dataset) -> None:
            dataset.SeriesDescription = "AX T1 W/O CONTRAST"
            dataset.ProtocolName = "MRI BRAIN WITH CONTRAST"
            dataset.ContrastBolusAgent = "Gadavist"

        edit(path, name)
    assert only(series).load().sequence == "T1"


def test_a_leaning_stack_is_said(series: Path) -> None:
    for path in series.iterdir():

        def lean(dataset: Dataset) -> None:
            x, y, z = dataset.ImagePositionPatient
            dataset.ImagePositionPatient = [x, y + 0.2 * z, z]

        edit(path, lean)
    study = only(series).load()
    assert "The stack leans: slices are shifted sideways by 11.3 degrees." in study.notes  # atan 0.2
    assert study.geometry.affine is not None


def test_a_copied_file_is_left_out_and_said(series: Path) -> None:
    shutil.copy(series / "0003.dcm", series / "copy of 0003.dcm")
    study = only(series).load()
    assert study.slices == 12
    assert "1 copy of a slice was left out." in study.notes


def test_the_same_files_given_twice_are_one_series_without_a_word(series: Path) -> None:
    study = only(series, series / "0003.dcm", series).load()
    assert study.slices == 12
    assert study.notes == ()


def test_a_second_slice_at_one_place_is_said(series: Path, phantom: PhantomVolume) -> None:
    def another(dataset: Dataset) -> None:
        dataset.SOPInstanceUID = generate_uid()
        dataset.InstanceNumber = 99

    edit(series / "0003.dcm", another, to=series / "again.dcm")
    study = only(series).load()
    assert np.array_equal(study.pixels, phantom.pixels)
    assert any(note.startswith("1 slice lies where another already is") for note in study.notes)


def test_volumes_at_the_same_places_are_frames(series: Path, phantom: PhantomVolume) -> None:
    for path in sorted(series.iterdir()):

        def later(dataset: Dataset) -> None:
            dataset.SOPInstanceUID = generate_uid()
            dataset.AcquisitionNumber = 2
            dataset.PixelData = (dataset.pixel_array + 100).astype("<u2").tobytes()

        edit(path, later, to=series / f"b{path.name}")
    entry = only(series)
    assert (entry.slices, entry.frames) == (12, 2)
    assert np.array_equal(entry.load().pixels, phantom.pixels)
    assert np.array_equal(entry.load(frame=1).pixels, phantom.pixels + 100)


@pytest.mark.parametrize(
    "change",
    [
        {"EchoTime": 90.0},
        {"ImageType": ["DERIVED", "SECONDARY", "ADC"]},
        {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]},
        {"DiffusionBValue": 1000.0},
        {"PixelSpacing": [2.5, 2.25]},
    ],
)
def test_stacks_that_share_a_series_are_told_apart(series: Path, change: dict[str, Any]) -> None:
    for path in sorted(series.iterdir())[:4]:

        def differ(dataset: Dataset) -> None:
            dataset.SOPInstanceUID = generate_uid()
            for keyword, value in change.items():
                setattr(dataset, keyword, value)

        edit(path, differ, to=series / f"x{path.name}")
    entries = list_inputs([series]).entries
    # The slices that were turned where they are lie at one place along their new normal: four volumes of one.
    assert sorted((entry.slices or 0) * entry.frames for entry in entries) == [4, 12]
    assert len(entries) == 2
    assert all(any("mixes 2 stacks" in note for note in entry.notes) for entry in entries)
    assert [entry.title[-8:] for entry in entries] == ["(1 of 2)", "(2 of 2)"]


@pytest.mark.parametrize(
    ("creator", "tag", "vr", "value"),
    [
        ("SIEMENS MR HEADER", 0x0019100C, "IS", "1000"),
        ("SIEMENS MR HEADER", 0x0019100C, "UN", b"1000"),
        ("Philips Imaging DD 001", 0x20011003, "FL", 1000.0),
        ("Philips Imaging DD 001", 0x20011003, "UN", struct.pack("<f", 1000.0)),
        ("MMCPrivate", 0x00291030, "FD", 1000.0),
        ("GEMS_PARM_01", 0x00431039, "IS", [1000001000, 8, 0, 0]),
        ("GEMS_PARM_01", 0x00431039, "UN", b"1000\\8\\0\\0 "),
    ],
)
def test_b_values_in_vendors_own_elements_tell_stacks_apart(
    series: Path, creator: str, tag: int, vr: str, value: Any
) -> None:
    for path in sorted(series.iterdir())[:4]:

        def weigh(dataset: Dataset) -> None:
            dataset.SOPInstanceUID = generate_uid()
            dataset.ScanningSequence = "EP"
            dataset.add_new(tag & 0xFFFF0000 | 0x10, "LO", creator)
            dataset.add_new(tag, vr, value)

        edit(path, weigh, to=series / f"x{path.name}")
    weighted, plain = sorted(list_inputs([series]).entries, key=lambda entry: entry.slices or 0)
    assert (weighted.slices, plain.slices) == (4, 12)
    assert weighted.sequence == "DWI"
    assert plain.sequence != "DWI"


def test_another_use_of_that_element_is_no_b_value(series: Path) -> None:
    def fill(dataset: Dataset) -> None:
        dataset.add_new(0x00430010, "LO", "GEMS_PARM_01")
        dataset.add_new(0x00431039, "IS", [7, 8, 0, 0])

    for path in sorted(series.iterdir())[:4]:
        edit(path, fill)
    (entry,) = list_inputs([series]).entries
    assert entry.sequence != "DWI"


def test_a_localizer_of_three_planes_is_three_stacks_and_named(tmp_path: Path, series: Path) -> None:
    planes = ([1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1])
    folder = tmp_path / "scout"
    folder.mkdir()
    for number, plane in enumerate(planes):

        def turn(dataset: Dataset, plane: list[int] = plane) -> None:
            dataset.ImageOrientationPatient = plane
            dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
            dataset.SOPInstanceUID = generate_uid()

        edit(series / "0006.dcm", turn, to=folder / f"{number}")
    studies = [entry.load() for entry in list_inputs([folder]).entries]
    assert [study.geometry.orientation for study in studies] == [("L", "P"), ("L", "I"), ("P", "I")]
    for study in studies:
        assert study.sequence == "localizer"
        assert any("no diagnostic series" in note for note in study.notes)
        assert any("mixes 3 stacks of 3 planes" in note for note in study.notes)


def test_slices_of_another_size_are_another_stack(series: Path) -> None:
    def crop(dataset: Dataset) -> None:
        pixels = dataset.pixel_array[:36, :36]
        dataset.Rows = dataset.Columns = 36
        dataset.PixelData = pixels.tobytes()

    edit(series / "0001.dcm", crop)
    assert [(e.rows, e.columns, e.slices) for e in list_inputs([series]).entries] == [(36, 36, 1), (40, 48, 11)]


def test_files_without_uids_are_one_series_a_folder(series: Path) -> None:
    for path in series.iterdir():

        def strip(dataset: Dataset) -> None:
            del dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID

        edit(path, strip)
    study = only(series).load()
    assert study.slices == 12
    assert study.series_uid is None


def test_slices_without_a_place_are_shown_by_number(series: Path, phantom: PhantomVolume) -> None:
    for path in series.iterdir():

        def strip(dataset: Dataset) -> None:
            del dataset.ImagePositionPatient, dataset.ImageOrientationPatient

        edit(path, strip)
    study = only(series).load()
    assert np.array_equal(study.pixels, phantom.pixels)
    assert study.geometry.affine is None
    assert study.geometry.orientation is None
    assert any("does not say where its slices lie" in note for note in study.notes)


@pytest.mark.parametrize(
    ("between", "thickness", "told"),
    [(9.0, 9.0, 9.0), (9.0, None, 9.0), (0.0, 9.0, None), (-9.0, 9.0, None), (1.5, 7.5, None)],
)
def test_a_distance_that_can_t_be_that_of_slices_is_not_taken_for_it(
    series: Path, between: float, thickness: float | None, told: float | None
) -> None:
    for path in series.iterdir():

        def strip(dataset: Dataset) -> None:
            del dataset.ImagePositionPatient
            dataset.SpacingBetweenSlices, dataset.SliceThickness = between, thickness

        edit(path, strip)
    assert only(series).load().geometry.slice_spacing_mm == told


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10_000))
def test_a_series_in_any_plane_lies_where_the_reference_puts_it(seed: int) -> None:
    phantom = make_volume(5, (6, 40, 48), (9.0, 5.0, 4.5))
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3] = np.sign(np.linalg.det(turn)) * turn @ phantom.affine[:3]
    with tempfile.TemporaryDirectory() as folder:
        files = write_dicom_series(dataclasses.replace(phantom, affine=affine), Path(folder) / "series")
        study = only(Path(folder)).load()
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames([str(file) for file in files])
        image = reader.Execute()
    assert np.array_equal(study.pixels, sitk.GetArrayFromImage(image))
    expected = np.eye(4)
    expected[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    expected[:3, 3] = image.GetOrigin()
    # The files hold six decimals of the directions: 5e-7 over 240 mm, and SimpleITK recomputes its own.
    np.testing.assert_allclose(study.geometry.affine, np.diag([-1, -1, 1, 1]) @ expected, atol=1e-3)
    np.testing.assert_allclose(study.geometry.affine, affine, atol=1e-3)
    assert study.notes == ()


def test_slices_that_all_have_one_uid_are_no_copies(series: Path, phantom: PhantomVolume) -> None:
    for path in series.iterdir():
        edit(path, lambda dataset: setattr(dataset, "SOPInstanceUID", "1.2.3.4.5"))
    shutil.copy(series / "0003.dcm", series / "copy of 0003.dcm")
    study = only(series).load()
    assert np.array_equal(study.pixels, phantom.pixels)
    assert study.notes == ("1 copy of a slice was left out.",)


@pytest.mark.parametrize(("degrees", "stacks"), [(0.002, 1), (0.3, 12)])
def test_slices_that_turn_are_no_stack_but_rounding_is_no_turn(series: Path, degrees: float, stacks: int) -> None:
    for number, path in enumerate(sorted(series.iterdir())):
        turned = np.radians(degrees * number)

        def turn(dataset: Dataset, across: float = np.cos(turned), up: float = np.sin(turned)) -> None:
            dataset.ImageOrientationPatient = [1, 0, 0, 0, round(across, 8), round(up, 8)]

        edit(path, turn)
    assert len(list_inputs([series]).entries) == stacks


@pytest.mark.parametrize("value", [[12, 34], "abcdef", "1.5"])
def test_a_moment_that_is_no_number_makes_no_file_damaged(series: Path, value: Any) -> None:
    def change(dataset: Dataset) -> None:
        with pydicom.config.disable_value_validation():
            dataset.add_new("TemporalPositionIdentifier", "LO", value if isinstance(value, str) else "12\\34")

    assert load(edit(series / "0006.dcm", change)).slices == 1
