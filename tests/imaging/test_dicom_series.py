"""DICOM series as they come: shuffled, renamed, incomplete, mixed; and files of every pixel kind."""

from __future__ import annotations

import dataclasses
import io
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    generate_uid,
)

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging import Entry, Limits, list_inputs, load
from braintumor_desktop.imaging.codecs import missing_codecs
from braintumor_desktop.imaging.phantom import Lesion, PhantomVolume, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series


@pytest.fixture(scope="module")
def phantom() -> PhantomVolume:
    return make_volume(5, (12, 40, 48), (9.0, 5.0, 4.5), Lesion(radius_mm=20.0))


@pytest.fixture
def series(tmp_path: Path, phantom: PhantomVolume) -> Path:
    write_dicom_series(phantom, tmp_path / "series")
    return tmp_path / "series"


def only(*paths: Path) -> Entry:
    catalog = list_inputs(paths)
    assert not catalog.problems
    (entry,) = catalog.entries
    return entry


def edit(path: Path, change: Callable[[Dataset], None], *, to: Path | None = None) -> Path:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(to or path)
    return to or path


def refusal(path: Path, limits: Limits = Limits()) -> BrainTumorError:  # noqa: B008 - frozen
    with pytest.raises(BrainTumorError) as caught:
        load(path, limits)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value


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


def test_gaps_between_slices_are_said(series: Path) -> None:
    for path in series.iterdir():
        edit(path, lambda d: setattr(d, "SliceThickness", 7.5))
    assert "Between slices there are gaps of 1.5 mm." in only(series).load().notes


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
    assert sorted(entry.slices or 0 for entry in entries) == [4, 12] or "ImageOrientationPatient" in change
    assert len(entries) == 2
    assert all(any("mixes 2 stacks" in note for note in entry.notes) for entry in entries)
    assert [entry.title[-8:] for entry in entries] == ["(1 of 2)", "(2 of 2)"]


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


# Pixels


def test_every_plain_encoding_gives_the_same_pixels(tmp_path: Path, series: Path) -> None:
    expected = load(series / "0006.dcm").pixels
    dataset = pydicom.dcmread(series / "0006.dcm")
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(tmp_path / "implicit")
    big = pydicom.dcmread(series / "0006.dcm")
    big.PixelData = big.pixel_array.astype(">u2").tobytes()
    big.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    big["PixelData"].VR = "OW"
    pydicom.dcmwrite(tmp_path / "big", big, implicit_vr=False, little_endian=False, force_encoding=True)
    run = pydicom.dcmread(series / "0006.dcm")
    run.compress(RLELossless, generate_instance_uid=False)
    run.save_as(tmp_path / "rle")
    deflated = pydicom.dcmread(series / "0006.dcm")
    deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    deflated.save_as(tmp_path / "deflated")
    jpeg2000 = pydicom.dcmread(series / "0006.dcm")
    jpeg2000.compress(JPEG2000Lossless, generate_instance_uid=False)
    jpeg2000.save_as(tmp_path / "jpeg2000")
    for name in ("implicit", "big", "rle", "deflated", "jpeg2000"):
        assert np.array_equal(load(tmp_path / name).pixels, expected), name


def test_a_file_from_before_part_10_is_read(tmp_path: Path, series: Path) -> None:
    dataset = pydicom.dcmread(series / "0006.dcm")
    bare = Dataset()
    bare.update(dict(dataset.items()))
    pydicom.dcmwrite(tmp_path / "bare", bare, implicit_vr=True, little_endian=True, enforce_file_format=False)
    data = (tmp_path / "bare").read_bytes()
    assert b"DICM" not in data[:200]
    assert np.array_equal(load(tmp_path / "bare").pixels, load(series / "0006.dcm").pixels)


@pytest.mark.parametrize(
    ("bits", "signed", "slope", "intercept", "sort"),
    [
        (12, False, 1, 0, np.uint16),
        (16, False, 1, 0, np.uint16),
        (12, True, 1, 0, np.int16),
        (12, False, 1, -1024, np.int16),
        (16, False, 1, -1024, np.float32),  # whole numbers, but too many for a 16-bit type
        (12, False, 0.5, 3, np.float32),
        (7, False, 1, 0, np.uint8),
    ],
)
def test_bits_sign_and_rescale(
    series: Path, bits: int, signed: bool, slope: float, intercept: float, sort: type[np.generic]
) -> None:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    stored = np.random.default_rng(1).integers(low, high + 1, (40, 48))
    stored[0, :2] = low, high

    def change(dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, int(signed)
        dataset.RescaleSlope, dataset.RescaleIntercept = slope, intercept
        # What lies above the stored bits is not the pixel's: files keep overlays there.
        noise = np.random.default_rng(2).integers(0, 2, stored.shape) << min(bits, 15)
        kept = stored & (2**bits - 1)
        dataset.PixelData = (kept | (noise if bits < 16 else 0)).astype("<u2").tobytes()

    study = load(edit(series / "0006.dcm", change))
    assert study.pixels.dtype == sort
    np.testing.assert_array_equal(study.pixels[0], stored * slope + intercept)


def test_white_as_zero_is_turned_round_with_its_window(series: Path, phantom: PhantomVolume) -> None:
    def invert(dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.PhotometricInterpretation = "MONOCHROME1"
        dataset.PixelData = (4095 - dataset.pixel_array).astype("<u2").tobytes()
        dataset.WindowCenter, dataset.WindowWidth = 4095 - 450 + 1, 900

    study = load(edit(series / "0006.dcm", invert))
    assert np.array_equal(study.pixels[0], phantom.pixels[5])
    assert study.window == pytest.approx((0.0, 899.0), abs=1.0)
    assert any("turned round" in note for note in study.notes)


def test_a_look_up_table_in_place_of_a_window_gives_its_range(series: Path) -> None:
    def table(dataset: Dataset) -> None:
        del dataset.WindowCenter, dataset.WindowWidth
        lut = Dataset()
        lut.add_new(0x00283002, "US", [256, 100, 8])
        lut.add_new(0x00283006, "OW", bytes(512))
        dataset.VOILUTSequence = [lut]

    assert load(edit(series / "0006.dcm", table)).window == (100.0, 355.0)


def test_a_modality_look_up_table_is_applied(series: Path, phantom: PhantomVolume) -> None:
    def table(dataset: Dataset) -> None:
        lut = Dataset()
        lut.add_new(0x00283002, "US", [2048, 0, 16])
        lut.add_new(0x00283004, "LO", "US")
        lut.add_new(0x00283006, "OW", (np.arange(2048) * 3 + 7).astype("<u2").tobytes())
        dataset.ModalityLUTSequence = [lut]

    study = load(edit(series / "0006.dcm", table))
    assert np.array_equal(study.pixels[0], phantom.pixels[5].astype(int) * 3 + 7)


def test_pixels_of_floats_keep_their_values_and_must_be_numbers(series: Path, phantom: PhantomVolume) -> None:
    values = phantom.pixels[5].astype(np.float32) / 7

    def floats(dataset: Dataset) -> None:
        del dataset.PixelData, dataset.PixelRepresentation, dataset.BitsStored, dataset.HighBit
        dataset.BitsAllocated = 32
        dataset.FloatPixelData = values.astype("<f4").tobytes()

    path = edit(series / "0006.dcm", floats)
    assert np.array_equal(load(path).pixels[0], values)
    values[3, 3] = np.nan
    assert refusal(edit(series / "0005.dcm", floats)).code is ErrorCode.VOLUME_NOT_FINITE


def test_every_promised_codec_is_installed() -> None:
    assert missing_codecs() == []


def test_palettes_and_colours_become_luma(tmp_path: Path, series: Path) -> None:
    index = np.tile(np.arange(48, dtype=np.uint8), (40, 1))

    def palette(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation = "PALETTE COLOR"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = index.tobytes()
        for colour, factor in (("Red", 1000), ("Green", 510), ("Blue", 0)):
            tag = pydicom.datadict.tag_for_keyword(f"{colour}PaletteColorLookupTableDescriptor")
            dataset.add_new(tag, "US", [48, 0, 16])
            table = (np.arange(48) * factor).astype("<u2").tobytes()
            setattr(dataset, f"{colour}PaletteColorLookupTableData", table)

    study = load(edit(series / "0006.dcm", palette, to=tmp_path / "palette"))
    assert study.source.colour
    np.testing.assert_array_equal(study.pixels[0], np.rint(index * (0.299 * 1000 + 0.587 * 510)))

    def rgb(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation, dataset.SamplesPerPixel, dataset.PlanarConfiguration = "RGB", 3, 0
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = np.stack([index, index * 2, index * 0], axis=2).tobytes()

    study = load(edit(series / "0006.dcm", rgb, to=tmp_path / "rgb"))
    assert study.pixels.dtype == np.uint8
    np.testing.assert_array_equal(study.pixels[0], np.rint(index * (0.299 + 2 * 0.587)))


def test_colour_jpeg_becomes_luma(tmp_path: Path, series: Path) -> None:
    grey = np.tile(np.linspace(20, 230, 48).astype(np.uint8), (40, 1))
    colour = np.stack([grey, 250 - grey, np.full_like(grey, 90)], axis=2)
    buffer = io.BytesIO()
    Image.fromarray(colour).save(buffer, "JPEG", quality=95)

    def jpeg(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "YBR_FULL_422", 3
        dataset.PlanarConfiguration = 0
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        dataset.PixelData = pydicom.encaps.encapsulate([buffer.getvalue()])
        dataset["PixelData"].is_undefined_length = True

    study = load(edit(series / "0006.dcm", jpeg, to=tmp_path / "jpeg"))
    assert study.source.colour
    assert study.source.lossy
    assert study.source.lossy_method == "JPEG"
    # Luma survives the conversion and JPEG of this quality to a few grey values.
    assert np.abs(study.pixels[0] - colour @ np.array([0.299, 0.587, 0.114])).max() < 5


def test_an_enhanced_file_is_ordered_by_its_frames_positions(tmp_path: Path, phantom: PhantomVolume) -> None:
    path = enhanced(phantom, tmp_path / "enhanced.dcm")
    study = load(path)
    assert np.array_equal(study.pixels, phantom.pixels)
    np.testing.assert_allclose(study.geometry.affine, phantom.affine, atol=1e-5)
    assert study.geometry.slice_spacing_mm == pytest.approx(9.0)
    assert study.window == (-0.5, 99.5)  # LINEAR_EXACT would be 0 to 100, the default is half a grey value lower


def test_the_stacks_of_an_enhanced_file_are_told_apart(tmp_path: Path, phantom: PhantomVolume) -> None:
    def second_echo(frame: int, group: Dataset) -> None:
        group.MREchoSequence = [Dataset()]
        group.MREchoSequence[0].EffectiveEchoTime = 10.0 if frame % 2 else 90.0

    entries = list_inputs([enhanced(phantom, tmp_path / "enhanced.dcm", second_echo)]).entries
    assert [entry.slices for entry in entries] == [6, 6]
    assert {tuple(e.load().pixels[:, 20, 20]) for e in entries} == {
        tuple(phantom.pixels[1::2, 20, 20]),
        tuple(phantom.pixels[::2, 20, 20]),
    }


def enhanced(
    phantom: PhantomVolume, path: Path, change: Callable[[int, Dataset], None] = lambda _frame, _group: None
) -> Path:
    """The phantom as one Enhanced MR file whose frames come in no order."""
    folder = path.parent / "classic"
    classic = [pydicom.dcmread(file) for file in write_dicom_series(phantom, folder)]
    shutil.rmtree(folder)
    dataset = classic[0]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    order = list(range(len(classic)))
    random.Random(1).shuffle(order)
    shared, window, measures, plane = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = dataset.PixelSpacing, dataset.SliceThickness
    plane.ImageOrientationPatient = dataset.ImageOrientationPatient
    window.WindowCenter, window.WindowWidth = 50, 101
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    shared.FrameVOILUTSequence = [window]
    dataset.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for frame in order:
        group, position = Dataset(), Dataset()
        position.ImagePositionPatient = classic[frame].ImagePositionPatient
        group.PlanePositionSequence = [position]
        change(frame, group)
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    for keyword in (
        *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"),
        *("SpacingBetweenSlices", "WindowCenter", "WindowWidth"),
    ):
        delattr(dataset, keyword)
    dataset.NumberOfFrames = len(order)
    dataset.PixelData = phantom.pixels[order].astype("<u2").tobytes()
    dataset.save_as(path)
    return path


# Faults


def test_an_image_without_pixels(series: Path) -> None:
    def strip(dataset: Dataset) -> None:
        del dataset.PixelData

    assert refusal(edit(series / "0006.dcm", strip)).code is ErrorCode.DICOM_NO_PIXELS


def test_a_syntax_that_is_not_read_is_named(series: Path) -> None:
    def mpeg(dataset: Dataset) -> None:
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.MPEG4HP41
        dataset.PixelData = pydicom.encaps.encapsulate([b"\0" * 100])
        dataset["PixelData"].is_undefined_length = True

    error = refusal(edit(series / "0006.dcm", mpeg))
    assert error.code is ErrorCode.DICOM_UNSUPPORTED_SYNTAX
    assert "MPEG-4" in error.message


def test_pixels_cut_short(series: Path) -> None:
    data = (series / "0006.dcm").read_bytes()
    (series / "0006.dcm").write_bytes(data[:-100])
    assert refusal(series / "0006.dcm").code is ErrorCode.IMAGE_TRUNCATED


@pytest.mark.parametrize("kept", [140, 300, 700, 1000])
def test_a_header_cut_short(series: Path, kept: int) -> None:
    (series / "0006.dcm").write_bytes((series / "0006.dcm").read_bytes()[:kept])
    assert refusal(series / "0006.dcm").code in (ErrorCode.DICOM_DAMAGED, ErrorCode.DICOM_NO_PIXELS)


def test_fewer_pixels_than_rows_and_columns_say(series: Path) -> None:
    def taller(dataset: Dataset) -> None:
        dataset.Rows = 41

    assert refusal(edit(series / "0006.dcm", taller)).code is ErrorCode.IMAGE_TRUNCATED


def test_a_blank_slice(series: Path) -> None:
    def blank(dataset: Dataset) -> None:
        dataset.PixelData = bytes(40 * 48 * 2)

    assert refusal(edit(series / "0006.dcm", blank)).code is ErrorCode.IMAGE_BLANK


def test_a_series_beyond_the_limit(series: Path) -> None:
    with pytest.raises(BrainTumorError) as caught:
        only(series).load(Limits(max_volume_pixels=1000))
    assert caught.value.code is ErrorCode.IMAGE_TOO_MANY_PIXELS


def test_a_file_that_vanished_since_the_listing_is_told_with_its_slice(series: Path) -> None:
    entry = only(series)
    (series / "0003.dcm").unlink()
    with pytest.raises(BrainTumorError) as caught:
        entry.load()
    assert caught.value.code is ErrorCode.FILE_NOT_FOUND
    assert caught.value.message.startswith("Slice 3 of 12: ")


def test_random_damage_raises_nothing_but_the_typed_error(series: Path) -> None:
    whole = (series / "0006.dcm").read_bytes()
    rng = random.Random(4)
    path = series / "damaged"
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(132, 1600)] = rng.randrange(256)
        path.write_bytes(data)
        try:
            study = load(path)
        except BrainTumorError:
            continue
        assert study.pixels.ndim == 3
