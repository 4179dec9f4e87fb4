"""DICOM files that can't be read: each one typed error."""

from __future__ import annotations

import random
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging import Limits, load
from dicom_files import edit, only, refusal


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
