"""Each bad input ends in one typed error with its own code, sentence and hint; nothing else ever escapes."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging import Limits, load, load_pasted


@pytest.fixture(autouse=True)
def silent_decoders(capfd: pytest.CaptureFixture[str]) -> Any:
    yield
    assert capfd.readouterr() == ("", "")


def refusal(path: Path, limits: Limits = Limits()) -> BrainTumorError:  # noqa: B008 - frozen
    with pytest.raises(BrainTumorError) as caught:
        load(path, limits)
    error = caught.value
    assert error.message.endswith(".")
    assert error.hint.endswith(".")
    assert path.stem not in error.message  # a file's name may be a patient's
    return error


def picture(side: int = 48) -> Image.Image:
    rows, columns = np.mgrid[:side, :side]
    waves = 120 + 60 * np.sin(columns / 5) + 60 * np.cos(rows / 7)
    noise = np.random.default_rng(0).normal(0, 6, (side, side))
    return Image.fromarray((waves + noise).clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, format_name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def colour() -> Image.Image:
    grey = np.asarray(picture())
    return Image.fromarray(np.dstack([grey, grey[::-1], grey[:, ::-1]]))


@cache
def samples() -> dict[str, bytes]:
    deep = Image.fromarray(np.asarray(picture()).astype(np.uint16) * 200)
    alpha = colour()
    alpha.putalpha(picture())
    return {
        "jpeg": encoded(picture(), "JPEG"),
        "jpeg colour progressive": encoded(colour(), "JPEG", progressive=True),
        "jpeg cmyk": encoded(colour().convert("CMYK"), "JPEG"),
        "png": encoded(picture(), "PNG"),
        "png palette": encoded(colour().quantize(50), "PNG"),
        "png 16": encoded(deep, "PNG"),
        "png alpha": encoded(alpha, "PNG"),
        "bmp": encoded(picture(), "BMP"),
        "bmp colour": encoded(colour(), "BMP"),
        "bmp 1": encoded(picture().convert("1"), "BMP"),
        "tiff": encoded(picture(), "TIFF"),
        "tiff 16 deflate": encoded(deep, "TIFF", compression="tiff_adobe_deflate"),
        "tiff lzw": encoded(colour(), "TIFF", compression="tiff_lzw"),
        "tiff jpeg": encoded(colour(), "TIFF", compression="jpeg"),
        "tiff fax": encoded(picture().convert("1"), "TIFF", compression="group4"),
        "tiff pages": encoded(picture(), "TIFF", save_all=True, append_images=[picture().rotate(90), picture()]),
        "webp": encoded(colour(), "WEBP"),
        "webp lossless": encoded(alpha, "WEBP", lossless=True),
        "gif": encoded(picture(), "GIF"),
    }


def test_a_missing_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent.png").code is ErrorCode.FILE_NOT_FOUND


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file" / "absent.png").code is ErrorCode.FILE_NOT_FOUND


def test_a_broken_link(tmp_path: Path) -> None:
    (tmp_path / "pointer.png").symlink_to(tmp_path / "nowhere")
    assert refusal(tmp_path / "pointer.png").code is ErrorCode.FILE_NOT_FOUND


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    assert refusal(tmp_path / "zero\0byte.png").code in (ErrorCode.FILE_UNREADABLE, ErrorCode.FILE_NOT_FOUND)


def test_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path).code is ErrorCode.IS_DIRECTORY


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Miller.png")
    assert refusal(tmp_path / "Miller.png").code is ErrorCode.FILE_UNREADABLE


def test_a_file_without_the_right_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "locked.png"
    path.write_bytes(samples()["png"])

    def denied(*_args: Any, **_kwargs: Any) -> None:
        raise PermissionError(13, "Permission denied")

    # The administrator may read everything, so the system's answer is played.
    monkeypatch.setattr(Path, "open", denied)
    error = refusal(path)
    assert error.code is ErrorCode.FILE_UNREADABLE
    assert "right" in error.message


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "Miller.png").touch()
    assert refusal(tmp_path / "Miller.png").code is ErrorCode.FILE_EMPTY


def test_a_file_over_the_limit_is_refused_and_one_at_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "Miller.png"
    path.write_bytes(samples()["png"])
    size = path.stat().st_size
    assert refusal(path, Limits(max_file_bytes=size - 1)).code is ErrorCode.FILE_TOO_LARGE
    assert load(path, Limits(max_file_bytes=size)).rows == 48


def test_a_huge_file_is_refused_by_its_size_alone(tmp_path: Path) -> None:
    path = tmp_path / "Miller.png"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: reading it would take for ever
    assert refusal(path).code is ErrorCode.FILE_TOO_LARGE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7\n%...", "a PDF document"),
        (b"PK\x03\x04" + bytes(60), "a ZIP archive"),
        (gzip.compress(b"hello" * 100, mtime=0), "a gzip archive"),
        (b"just a few words\n", "a text file"),
        (("für Ärzte\n" * 600).encode(), "a text file"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"MZ" + bytes(200), "a program"),
        (b"\0\0\0\x18ftypisom" + bytes(100), "a video"),
        (b"RIFF\0\0\0\0WAVEfmt " + bytes(100), "recording"),
        (bytes(5000), "zero bytes"),
        (b"BM is how this text begins, and it is not a bitmap", "a text file"),
        (bytes(range(200, 256)) * 9, "unknown kind"),
    ],
)
def test_content_that_is_no_picture_is_named_by_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    for ending, code in ((".JPG", ErrorCode.RENAMED_NOT_IMAGE), (".dat", ErrorCode.NOT_AN_IMAGE)):
        path = tmp_path / f"Miller{ending}"
        path.write_bytes(content)
        error = refusal(path)
        assert error.code is code
        assert words in error.message


def nifti(size: int, mark: bytes, at: int) -> bytes:
    header = bytearray(600)
    header[:4] = size.to_bytes(4, "little")
    header[at : at + 4] = mark
    return bytes(header)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(100), "HEIC"),
        (b"\0\0\0\x18ftypavif" + bytes(100), "AVIF"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"<svg/>", "SVG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100), "JPEG 2000"),
        (b"8BPS" + bytes(100), "Photoshop"),
        (b"NRRD0004\n" + bytes(100), "NRRD"),
    ],
)
def test_an_image_format_that_is_not_read_is_named(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / "Miller.png"
    path.write_bytes(content)
    error = refusal(path)
    assert error.code is ErrorCode.UNSUPPORTED_FORMAT
    assert name in error.message
    assert "not read" in error.message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bytes(128) + b"DICM" + bytes(100), ErrorCode.DICOM_DAMAGED),
        (nifti(348, b"n+1\0", 344), ErrorCode.NIFTI_DAMAGED),
        (nifti(540, b"n+2\0", 4), ErrorCode.NIFTI_DAMAGED),
        (gzip.compress(nifti(348, b"n+1\0", 344), mtime=0), ErrorCode.NIFTI_DAMAGED),
    ],
)
def test_a_medical_format_without_sense_in_it_is_damaged(tmp_path: Path, content: bytes, code: ErrorCode) -> None:
    path = tmp_path / "Miller.png"
    path.write_bytes(content)
    assert refusal(path).code is code


def test_a_pixel_type_that_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "Miller.tif"
    Image.new("LAB", (48, 48), (100, 20, 30)).save(path)
    assert refusal(path).code is ErrorCode.UNSUPPORTED_FORMAT


def test_sixteen_bit_colour_stored_plane_by_plane_is_refused(tmp_path: Path) -> None:
    planes = np.random.default_rng(1).integers(0, 65536, (3, 48, 60), dtype=np.uint16)
    path = tmp_path / "Miller.tif"
    tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
    assert refusal(path).code is ErrorCode.UNSUPPORTED_FORMAT
    tifffile.imwrite(path, planes.transpose(1, 2, 0), photometric="rgb", planarconfig="contig")
    assert load(path).source.bits == 16


@pytest.mark.parametrize("format_name", ["GIF", "PNG", "WEBP"])
def test_an_animation(tmp_path: Path, format_name: str) -> None:
    path = tmp_path / "Miller.png"
    picture().convert("RGB").save(path, format_name, save_all=True, append_images=[colour()])
    assert refusal(path).code is ErrorCode.IMAGE_ANIMATED


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(99)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def bmp_header(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("header", [png_header, bmp_header])
@pytest.mark.parametrize("sides", [(60_000, 60_000), (2**31 - 1, 64), (64, 2**30)])
def test_too_many_pixels_are_refused_by_the_header_alone(
    tmp_path: Path, header: Callable[[int, int], bytes], sides: tuple[int, int]
) -> None:
    path = tmp_path / "Miller.png"
    path.write_bytes(header(*sides))
    assert refusal(path).code is ErrorCode.IMAGE_TOO_MANY_PIXELS


def test_the_pixel_limit_counts_all_pages(tmp_path: Path) -> None:
    path = tmp_path / "Miller.tif"
    path.write_bytes(samples()["tiff pages"])
    assert refusal(path, Limits(max_pixels=3 * 48 * 48 - 1)).code is ErrorCode.IMAGE_TOO_MANY_PIXELS
    assert load(path, Limits(max_pixels=3 * 48 * 48)).slices == 3


@pytest.mark.parametrize("size", [(31, 400), (400, 31), (1, 1)])
def test_a_picture_under_32_pixels_on_a_side(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "Miller.png"
    Image.effect_noise(size, 50).save(path)
    assert refusal(path).code is ErrorCode.IMAGE_TOO_SMALL


def test_a_picture_of_32_pixels_on_a_side_is_read(tmp_path: Path) -> None:
    path = tmp_path / "Miller.png"
    Image.effect_noise((32, 32), 50).save(path)
    assert load(path).pixels.shape == (1, 32, 32)


@pytest.mark.parametrize("image", [Image.new("L", (64, 64), 77), Image.new("RGBA", (64, 64), (9, 200, 30, 0))])
def test_a_blank_picture(tmp_path: Path, image: Image.Image) -> None:
    path = tmp_path / "Miller.png"
    image.save(path)
    assert refusal(path).code is ErrorCode.IMAGE_BLANK


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_numbers(tmp_path: Path, value: float) -> None:
    pixels = np.asarray(picture()).astype(np.float32)
    pixels[3, 4] = value
    path = tmp_path / "Miller.tif"
    Image.fromarray(pixels).save(path)
    assert refusal(path).code is ErrorCode.IMAGE_CORRUPT


def test_damaged_png_data(tmp_path: Path) -> None:
    data = bytearray(samples()["png"])
    data[len(data) // 2] ^= 0xFF
    path = tmp_path / "Miller.png"
    path.write_bytes(data)
    assert refusal(path).code is ErrorCode.IMAGE_CORRUPT


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_copy_that_stopped_in_reserved_space_counts_as_cut(tmp_path: Path, kind: str) -> None:
    data = samples()[kind]
    path = tmp_path / "Miller"
    path.write_bytes(data[: len(data) * 2 // 3] + bytes(len(data)))
    assert refusal(path).code is ErrorCode.IMAGE_TRUNCATED


@pytest.mark.parametrize("progressive", [False, True])
def test_a_film_behind_a_jpeg_is_no_part_of_it(tmp_path: Path, progressive: bool) -> None:
    whole = encoded(picture(), "JPEG", progressive=progressive)
    (tmp_path / "Miller.jpg").write_bytes(whole + b"\0\0\0\x18ftypmp42" + b"\xff\xda\x12\x34" * 9)
    (tmp_path / "plain.jpg").write_bytes(whole)
    assert np.array_equal(load(tmp_path / "Miller.jpg").pixels, load(tmp_path / "plain.jpg").pixels)
    cut = tmp_path / "Meyer.jpg"
    thumbnail = b"\xff\xe1" + (2 + len(whole)).to_bytes(2, "big") + whole  # its end is not the picture's
    cut.write_bytes(whole[:2] + thumbnail + whole[2 : len(whole) * 3 // 4])
    assert refusal(cut).code is ErrorCode.IMAGE_TRUNCATED


@pytest.mark.parametrize("kind", list(samples()))
def test_a_file_cut_anywhere_in_its_pixels_is_called_truncated(tmp_path: Path, kind: str) -> None:
    data = samples()[kind]
    path = tmp_path / "Miller"
    for share in (0.3, 0.5, 0.8, 0.95):
        path.write_bytes(data[: int(len(data) * share)])
        assert refusal(path).code is ErrorCode.IMAGE_TRUNCATED


@settings(deadline=None, max_examples=400)
@given(kind=st.sampled_from(list(samples())), share=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_refused_or_shows_every_pixel(kind: str, share: float) -> None:
    data = samples()[kind]
    try:
        study = load_pasted(data[: int(len(data) * share)])
    except BrainTumorError:
        return
    np.testing.assert_array_equal(study.pixels, load_pasted(data).pixels)


# Where (as a share of the file or of its header), which bit, and whether in the header.
FLIP = st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7), st.booleans())


@settings(deadline=None, max_examples=400)
@given(
    kind=st.sampled_from(list(samples())),
    flips=st.lists(FLIP, min_size=1, max_size=8),
)
def test_flipped_bits_raise_nothing_but_the_typed_error(kind: str, flips: list[tuple[float, int, bool]]) -> None:
    data = bytearray(samples()[kind])
    for place, bit, in_header in flips:
        data[int(place * (min(len(data), 120) if in_header else len(data)))] ^= 1 << bit
    try:
        study = load_pasted(bytes(data), limits=Limits(max_pixels=1_000_000))
    except BrainTumorError:
        return
    assert study.pixels.size <= 1_000_000


MARKS = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM" + bytes(12) + b"\x28\0\0\0", b"II*\0", b"MM\0*", b"II+\0"]
MARKS += [b"GIF89a", b"RIFF\x40\0\0\0WEBPVP8 ", b"\x1f\x8b\x08", b""]


@settings(deadline=None, max_examples=400)
@given(mark=st.sampled_from(MARKS), rest=st.binary(max_size=400))
@example(mark=b"\xff\xd8\xff", rest=b"")
@example(mark=b"\x89PNG\r\n\x1a\n", rest=b"\0\0\0\0IHDR")
def test_arbitrary_bytes_raise_nothing_but_the_typed_error(mark: bytes, rest: bytes) -> None:
    with pytest.raises(BrainTumorError):
        load_pasted(mark + rest)
