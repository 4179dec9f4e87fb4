"""DICOM files that can't be read: each one typed error."""

from __future__ import annotations

import io
import random
import tracemalloc
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging import Limits, Problem, list_inputs, load
from braintumor_desktop.imaging.dicom_header import read_header
from braintumor_desktop.imaging.files import FileRef, Files
from dicom_files import edit, only, refusal


def test_an_image_without_pixels(series: Path) -> None:
    def strip(dataset: Dataset) -> None:
        del dataset.PixelData

    assert refusal(edit(series / "0006.dcm", strip)).code is ErrorCode.DICOM_NO_PIXELS


def test_a_syntax_that_is_not_read_is_named(series: Path) -> None:
    def mpeg(dataset: Dataset) -> None:
        dataset.NumberOfFrames = 25  # in one fragment
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


@pytest.mark.parametrize("frames", [2, 3000, 2**31 - 1])
@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless, DeflatedExplicitVRLittleEndian]
)
def test_fewer_pixels_than_the_number_of_frames_says(series: Path, syntax: UID, frames: int) -> None:
    """Told before a header is made for each of them, which would fill the memory."""

    def change(dataset: Dataset) -> None:
        if syntax == RLELossless:
            dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.NumberOfFrames = frames

    path = edit(series / "0006.dcm", change)
    tracemalloc.start()
    try:
        catalog = list_inputs([path])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * 2**20
    if syntax != DeflatedExplicitVRLittleEndian or frames > 10**6:  # what is deflated is counted when it is loaded
        assert [problem.error.code for problem in catalog.problems] == [ErrorCode.IMAGE_TRUNCATED]
    assert refusal(path).code is ErrorCode.IMAGE_TRUNCATED


@pytest.mark.parametrize("frames", [1, 3])
def test_pixels_of_an_odd_number_of_bytes_are_whole(series: Path, frames: int) -> None:
    def change(dataset: Dataset) -> None:
        dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 33, 35, frames
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = (bytes(range(231)) * 5 * frames).ljust(33 * 35 * frames + 1, b"\0")

    assert load(edit(series / "0006.dcm", change)).pixels.shape == (frames, 33, 35)


def test_halved_colours_are_whole_with_two_samples_a_pixel(series: Path) -> None:
    def change(dataset: Dataset) -> None:
        dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
        dataset.PhotometricInterpretation = "YBR_FULL_422"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = bytes(range(240)) * (40 * 48 * 2 // 240)

    path = edit(series / "0006.dcm", change)
    assert load(path).pixels.shape == (1, 40, 48)
    edit(path, lambda dataset: setattr(dataset, "PixelData", dataset.PixelData[:-2]))
    assert refusal(path).code is ErrorCode.IMAGE_TRUNCATED


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


def test_reading_leaves_alone_what_other_threads_warn_of(series: Path) -> None:
    """Warnings quote names: filters, which all threads share, must not come and go while others work."""
    filters = list(warnings.filters)
    during = []

    class Watched(io.BytesIO):
        def read(self, *size: int | None) -> bytes:
            during.append(list(warnings.filters))
            return super().read(*size)

    data = (series / "0006.dcm").read_bytes()
    assert read_header(Watched(data), len(data))
    assert during
    assert all(each == filters for each in during)


@pytest.mark.parametrize("megabytes", [1, 64])
def test_a_deflated_file_that_unpacks_to_far_more_is_refused(series: Path, megabytes: int) -> None:
    def swell(dataset: Dataset) -> None:
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        dataset.add_new(0xFFFCFFFC, "OB", bytes(megabytes * 2**20))  # Data Set Trailing Padding

    path = edit(series / "0006.dcm", swell)
    assert path.stat().st_size < 2**20
    found = [item.error.code if isinstance(item, Problem) else item.slices for item in list_inputs([path]).items]
    assert found == [1 if megabytes == 1 else ErrorCode.FILE_TOO_LARGE]


@pytest.mark.parametrize("bits", [65, 65535])
def test_nonsense_in_bits_stored_is_a_damaged_file(series: Path, bits: int) -> None:
    path = edit(series / "0006.dcm", lambda dataset: setattr(dataset, "BitsStored", bits))
    assert refusal(path).code is ErrorCode.DICOM_DAMAGED


def test_a_file_takes_the_memory_of_its_size_and_not_of_the_largest_allowed(series: Path) -> None:
    path = series / "0006.dcm"
    with Files() as files:
        tracemalloc.start()
        data = files.read(FileRef(path), 2**30)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert data == path.read_bytes()
    assert peak < 2**20 + 2 * len(data)
