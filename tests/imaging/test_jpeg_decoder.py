"""JPEG lossless, JPEG-LS and 12-bit JPEG inside DICOM, against SimpleITK, whose decoders are GDCM's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name
from imagecodecs import jpeg8_encode, jpegls_encode
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging import load
from braintumor_desktop.imaging.phantom import PhantomVolume
from dicom_files import edit

sitk.ProcessObject.SetGlobalWarningDisplay(False)
JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1 = (f"1.2.840.10008.1.2.4.{number}" for number in (51, 57, 70))
JPEG_LS, JPEG_LS_NEAR = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"


def compressed(path: Path, syntax: str, stream: bytes, *, bits: int, shape: tuple[int, int] = (40, 48)) -> Path:
    """A copy of a DICOM file with another pixel stream; SimpleITK then reads it as the reference."""

    def change(dataset: Dataset) -> None:
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, 0
        dataset.Rows, dataset.Columns = shape
        dataset.BitsAllocated = 8 if bits <= 8 else 16
        dataset.PixelData = encapsulate([stream])
        dataset["PixelData"].VR = "OB"

    return edit(path, change)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("predictor", [1, 4, 7])
def test_jpeg_lossless_gives_back_every_value(series: Path, bits: int, predictor: int) -> None:
    pixels = np.random.default_rng(bits).integers(0, 2**bits, (192, 160)).astype(np.uint8 if bits == 8 else np.uint16)
    stream = jpeg8_encode(pixels, lossless=True, predictor=predictor, bitspersample=bits)
    syntax = JPEG_LOSSLESS_SV1 if predictor == 1 else JPEG_LOSSLESS
    path = compressed(series / "0006.dcm", syntax, stream, bits=bits, shape=pixels.shape)
    assert np.array_equal(load(path).pixels[0], pixels)
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0], pixels)


@pytest.mark.parametrize(("syntax", "level"), [(JPEG_LS, 0), (JPEG_LS_NEAR, 3)])
def test_jpeg_ls_stays_within_its_bound(series: Path, phantom: PhantomVolume, syntax: str, level: int) -> None:
    stored = phantom.pixels[5].astype(np.uint16)
    path = compressed(series / "0006.dcm", syntax, jpegls_encode(stored, level=level), bits=12)
    shown = load(path).pixels[0]
    assert np.abs(shown.astype(int) - stored).max() <= level
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0], shown)


def test_twelve_bit_jpeg_gives_the_pixels_of_the_reference_decoder(series: Path, phantom: PhantomVolume) -> None:
    stream = jpeg8_encode(phantom.pixels[5].astype(np.uint16), level=90, bitspersample=12)
    # Encoders in use leave the end of the spectral selection 0 where sequential JPEG wants 63 (T.81, table B.3).
    scan = stream.index(b"\xff\xda")
    last = scan + 1 + int.from_bytes(stream[scan + 2 : scan + 4])
    for kept in (stream, stream[: last - 1] + b"\0\0" + stream[last + 1 :]):
        path = compressed(series / "0006.dcm", JPEG_EXTENDED, kept, bits=12)
        reference = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0]
        assert np.array_equal(load(path).pixels[0], reference)
        assert reference.max() > 255


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS_SV1, JPEG_LS])
def test_a_damaged_stream_is_refused(series: Path, phantom: PhantomVolume, syntax: str) -> None:
    stored = phantom.pixels[5].astype(np.uint16)
    whole = jpegls_encode(stored) if syntax == JPEG_LS else jpeg8_encode(stored, lossless=True, bitspersample=12)
    middle = len(whole) // 2
    broken = whole[:middle] + b"\xff\x84" + whole[middle + 2 :]
    with pytest.raises(BrainTumorError) as caught:
        load(compressed(series / "0006.dcm", syntax, broken, bits=12))
    assert caught.value.code is ErrorCode.DICOM_DAMAGED


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("missing", [3, 0.01, 0.5])
def test_a_jpeg_picture_that_ends_early_is_refused_even_with_an_end_marker(
    series: Path, phantom: PhantomVolume, lossless: bool, missing: float
) -> None:
    options = {"lossless": True, "predictor": 1} if lossless else {"level": 90}
    whole = jpeg8_encode(phantom.pixels[5].astype(np.uint16), bitspersample=12, **options)
    cut = 2 + (missing if missing > 1 else int(missing * len(whole)))
    syntax = JPEG_LOSSLESS_SV1 if lossless else JPEG_EXTENDED
    with pytest.raises(BrainTumorError) as caught:
        load(compressed(series / "0006.dcm", syntax, whole[:-cut] + b"\xff\xd9", bits=12))
    assert caught.value.code is ErrorCode.DICOM_DAMAGED
