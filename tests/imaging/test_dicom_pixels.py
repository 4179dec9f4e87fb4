"""DICOM files of every pixel kind: encodings, bits, look-up tables, colours, enhanced multi-frame."""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from braintumor_desktop.domain.errors import ErrorCode
from braintumor_desktop.imaging import list_inputs, load
from braintumor_desktop.imaging.codecs import missing_codecs
from braintumor_desktop.imaging.phantom import PhantomVolume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from dicom_files import edit, refusal


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


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_values_in_the_upper_bits_are_read_from_there(series: Path, signed: bool, packed: bool) -> None:
    low = -2048 if signed else 0
    values = np.random.default_rng(1).integers(low, low + 4096, (40, 48))
    values[0, :2] = low, low + 4095

    def change(dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 15, int(signed)
        noise = np.random.default_rng(2).integers(0, 16, values.shape)
        dataset.PixelData = (values << 4 | noise).astype("<i2" if signed else "<u2").tobytes()
        if packed:
            dataset.compress(RLELossless, generate_instance_uid=False)

    np.testing.assert_array_equal(load(edit(series / "0006.dcm", change)).pixels[0], values)


@pytest.mark.parametrize("high", [7, 16])
def test_of_impossible_upper_bits_the_lowest_are_read(series: Path, high: int) -> None:
    values = np.random.default_rng(1).integers(-2048, 2048, (40, 48))
    values[0, :2] = -2048, 2047

    def change(dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, high, 1
        dataset.PixelData = (values & 0x0FFF | 0x4000).astype("<u2").tobytes()

    np.testing.assert_array_equal(load(edit(series / "0006.dcm", change)).pixels[0], values)


def test_a_drawing_in_unused_bits_of_the_pixels_lies_over_them_and_not_in_them(
    series: Path, phantom: PhantomVolume
) -> None:
    drawing = np.zeros((40, 48), np.uint16)
    drawing[5:9, 10:30] = 1

    def change(dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.PixelData = (dataset.pixel_array | drawing << 14).astype("<u2").tobytes()
        dataset.add_new(0x60000010, "US", 40)
        dataset.add_new(0x60000011, "US", 48)
        dataset.add_new(0x60000050, "SS", [1, 1])
        dataset.add_new(0x60000100, "US", 16)
        dataset.add_new(0x60000102, "US", 14)

    study = load(edit(series / "0006.dcm", change))
    assert study.graphics is not None
    assert np.array_equal(study.graphics[0], drawing == 1)
    assert study.pixels.max() < 4096
    edit(series / "0006.dcm", lambda dataset: setattr(dataset[0x60000102], "value", 11))  # a bit of the pixels' own
    assert load(series / "0006.dcm").graphics is None


@pytest.mark.parametrize("fault", ["short", "empty", "no rows", "no origin"])
def test_a_faulty_drawing_is_left_out_with_a_note_and_another_stays(
    series: Path, phantom: PhantomVolume, fault: str
) -> None:
    drawing = np.zeros((40, 48), np.uint8)
    drawing[5:9, 10:30] = 1

    def change(dataset: Dataset) -> None:
        for group in (0x60000000, 0x60020000):
            dataset.add_new(group | 0x0010, "US", 40)
            dataset.add_new(group | 0x0011, "US", 48)
            dataset.add_new(group | 0x0050, "SS", [1, 1])
            dataset.add_new(group | 0x0100, "US", 1)
            dataset.add_new(group | 0x0102, "US", 0)
            dataset.add_new(group | 0x3000, "OW", np.packbits(drawing, bitorder="little").tobytes())
        if fault in ("short", "empty"):
            dataset[0x60003000].value = b"\1\0" * 10 if fault == "short" else b""
        else:
            del dataset[0x60000010 if fault == "no rows" else 0x60000050]

    study = load(edit(series / "0006.dcm", change))
    assert np.array_equal(study.pixels[0], phantom.pixels[5])
    assert study.graphics is not None
    assert np.array_equal(study.graphics[0], drawing == 1)
    assert "Drawings of the device in the file are damaged; they were left out." in study.notes


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


def test_white_as_zero_in_32_bits_keeps_every_step(series: Path, phantom: PhantomVolume) -> None:
    def invert(dataset: Dataset) -> None:
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 32, 32, 31
        dataset.PhotometricInterpretation = "MONOCHROME1"
        dataset.PixelData = (4095 - phantom.pixels[5].astype("<u4")).tobytes()

    turned = load(edit(series / "0006.dcm", invert)).pixels[0]
    assert np.array_equal(turned + 4095, phantom.pixels[5])


@pytest.mark.parametrize(
    ("photometric", "padding", "limit"),
    [("MONOCHROME2", -32768, None), ("MONOCHROME2", 32767, None), ("MONOCHROME1", 30_000, 32_000)],
)
def test_padding_is_as_dark_as_the_darkest_pixel(
    series: Path, phantom: PhantomVolume, photometric: str, padding: int, limit: int | None
) -> None:
    def pad(dataset: Dataset) -> None:
        dataset.PixelRepresentation, dataset.PhotometricInterpretation = 1, photometric
        stored = phantom.pixels[5].astype("<i2") + 5
        if photometric == "MONOCHROME1":
            stored = 4000 - stored
        stored[:8] = padding
        if limit is not None:
            stored[3] = limit
            dataset.add_new("PixelPaddingRangeLimit", "SS", limit)
        dataset.add_new("PixelPaddingValue", "SS", padding)
        dataset.PixelData = stored.tobytes()

    pixels = load(edit(series / "0006.dcm", pad)).pixels[0]
    inside = phantom.pixels[5][8:].astype(int)
    assert np.array_equal(pixels[8:] - pixels[8:].min(), inside - inside.min())
    assert (pixels[:8] == pixels[8:].min()).all()


def test_a_padding_value_of_the_wrong_sign_is_known(series: Path) -> None:
    def pad(dataset: Dataset) -> None:
        dataset.PixelRepresentation = 1
        stored = dataset.pixel_array.astype("<i2")
        stored[:8] = -2000
        dataset.add_new("PixelPaddingValue", "US", 63536)
        dataset.PixelData = stored.tobytes()

    assert load(edit(series / "0006.dcm", pad)).pixels[0].min() >= 0


@pytest.mark.parametrize("padding", [65535, 32767, 256, 63536])
def test_a_padding_value_that_pixels_of_8_bits_cannot_hold_changes_none(series: Path, padding: int) -> None:
    stored = np.random.default_rng(0).integers(0, 256, (40, 48), np.uint8)

    def pad(dataset: Dataset) -> None:
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = stored.tobytes()
        dataset["PixelData"].VR = "OB"
        dataset.add_new("PixelPaddingValue", "US", padding)

    assert np.array_equal(load(edit(series / "0006.dcm", pad)).pixels[0], stored)


@pytest.mark.parametrize(("vr", "value"), [("US", [0, 5]), ("LO", "none"), ("OB", b"\1\2\3\4"), ("FD", float("nan"))])
def test_a_padding_value_that_is_none_is_passed_over(
    series: Path, phantom: PhantomVolume, vr: str, value: object
) -> None:
    path = edit(series / "0006.dcm", lambda dataset: dataset.add_new("PixelPaddingValue", vr, value))
    assert np.array_equal(load(path).pixels[0], phantom.pixels[5])


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

    def drawn_over(dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit = 7, 6
        dataset.PixelData = (index | 0x80).tobytes()

    drawn = load(edit(tmp_path / "palette", drawn_over, to=tmp_path / "drawn"))
    np.testing.assert_array_equal(drawn.pixels, study.pixels)

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
