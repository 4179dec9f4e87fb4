"""Every picture format, depth and mode, written by Pillow or OpenCV and read back."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from braintumor_desktop.domain.study import InputKind
from braintumor_desktop.imaging import find_inputs, load, load_pasted

ROWS, COLUMNS = 40, 50


@pytest.fixture(autouse=True)
def silent_decoders(capfd: pytest.CaptureFixture[str]) -> Any:
    """No decoder may write to the reader's terminal."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def grey() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    return (3 * rows + 2 * columns).astype(np.uint8)


@pytest.fixture
def colour(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack([grey, grey[::-1], 255 - grey], axis=-1)


def luma(colours: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(colours[..., :3].astype(np.float64) @ [0.299, 0.587, 0.114])


def saved(image: Image.Image, path: Path, format_name: str, **options: Any) -> Path:
    image.save(path, format_name, **options)
    return path


@pytest.mark.parametrize("ending", [".jpg", ".dcm", ".pdf", ""])
@pytest.mark.parametrize("format_name", ["PNG", "BMP", "TIFF", "GIF"])
def test_grey_pixels_come_back_exactly_whatever_the_ending(
    tmp_path: Path, grey: NDArray[np.uint8], format_name: str, ending: str
) -> None:
    study = load(saved(Image.fromarray(grey), tmp_path / f"picture{ending}", format_name))
    assert study.pixels.dtype == np.uint8
    np.testing.assert_array_equal(study.pixels, grey[None])
    assert (study.source.format, study.source.bits, study.source.lossy) == (format_name, 8, False)
    assert not study.source.colour
    assert study.notes == ()


def test_provenance_is_recorded_and_no_geometry_is_invented(tmp_path: Path, grey: NDArray[np.uint8]) -> None:
    path = saved(Image.fromarray(grey), tmp_path / "a.png", "PNG", dpi=(72, 72))
    study = load(path)
    assert study.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert study.source.size_bytes == path.stat().st_size
    assert study.source.kind is InputKind.PICTURE
    assert study.source.path == path
    assert not study.source.pasted
    assert not study.source.synthetic
    assert study.geometry.pixel_spacing_mm is None
    assert study.geometry.orientation is None


@pytest.mark.parametrize(
    ("format_name", "options", "lossy"),
    [
        ("PNG", {}, False),
        ("BMP", {}, False),
        ("TIFF", {}, False),
        ("TIFF", {"compression": "tiff_lzw"}, False),
        ("TIFF", {"compression": "packbits"}, False),
        ("TIFF", {"compression": "tiff_adobe_deflate"}, False),
        ("WEBP", {"lossless": True}, False),
        ("JPEG", {"quality": 100, "subsampling": 0}, True),
        ("JPEG", {"quality": 100, "subsampling": 0, "progressive": True}, True),
        ("WEBP", {"quality": 100}, True),
        ("TIFF", {"compression": "jpeg", "quality": 100}, True),
    ],
)
def test_colour_is_reduced_to_luma(
    tmp_path: Path, colour: NDArray[np.uint8], format_name: str, options: dict[str, Any], lossy: bool
) -> None:
    study = load(saved(Image.fromarray(colour), tmp_path / "x", format_name, **options))
    # Rounding to whole numbers; lossy compression of a steep colour ramp (4:2:0 in WebP and TIFF) costs some levels.
    np.testing.assert_allclose(study.pixels[0], luma(colour), atol=12 if lossy else 0.51)
    assert study.source.colour
    assert study.source.lossy is lossy


def test_grey_stored_as_rgb_does_not_count_as_colour(tmp_path: Path, grey: NDArray[np.uint8]) -> None:
    study = load(saved(Image.fromarray(np.dstack([grey] * 3)), tmp_path / "x", "PNG"))
    np.testing.assert_array_equal(study.pixels[0], grey)
    assert not study.source.colour


def test_one_slightly_tinted_pixel_of_a_lossless_picture_counts_as_colour(
    tmp_path: Path, grey: NDArray[np.uint8]
) -> None:
    pixels = np.dstack([grey] * 3)
    pixels[5, 5] = (100, 101, 100)
    assert load(saved(Image.fromarray(pixels), tmp_path / "x", "PNG")).source.colour


def test_the_first_picture_of_a_multi_picture_jpeg_is_read(tmp_path: Path, colour: NDArray[np.uint8]) -> None:
    path = tmp_path / "x.jpg"
    Image.fromarray(colour).save(path, "MPO", save_all=True, append_images=[Image.fromarray(255 - colour)], quality=100)
    np.testing.assert_allclose(load(path).pixels[0], luma(colour), atol=12)


@pytest.mark.parametrize("format_name", ["JPEG", "TIFF"])
def test_cmyk_is_read_as_the_colours_it_prints(tmp_path: Path, colour: NDArray[np.uint8], format_name: str) -> None:
    options = {"quality": 100, "subsampling": 0} if format_name == "JPEG" else {}
    study = load(saved(Image.fromarray(colour).convert("CMYK"), tmp_path / "x", format_name, **options))
    np.testing.assert_allclose(study.pixels[0], luma(colour), atol=4 if format_name == "JPEG" else 0.51)


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "BMP", "GIF"])
def test_palettes_are_looked_up(tmp_path: Path, grey: NDArray[np.uint8], format_name: str) -> None:
    image = Image.fromarray(grey // 2)
    image.putpalette([v for i in range(256) for v in (255 - i, i, i // 2)])
    entries = np.array([(255 - i, i, i // 2) for i in range(256)])
    study = load(saved(image, tmp_path / "x", format_name))
    np.testing.assert_allclose(study.pixels[0], luma(entries[grey // 2]), atol=0.51)
    assert study.source.bits == 8
    assert study.source.colour


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "BMP"])
def test_one_bit_pictures_become_black_and_white(tmp_path: Path, grey: NDArray[np.uint8], format_name: str) -> None:
    study = load(saved(Image.fromarray(grey > 90), tmp_path / "x", format_name))
    np.testing.assert_array_equal(study.pixels[0], np.where(grey > 90, 255, 0))


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_fax_compressed_tiff_is_read(tmp_path: Path, grey: NDArray[np.uint8], compression: str) -> None:
    study = load(saved(Image.fromarray(grey > 90), tmp_path / "x", "TIFF", compression=compression))
    np.testing.assert_array_equal(study.pixels[0], np.where(grey > 90, 255, 0))


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "WEBP"])
def test_transparency_is_laid_over_black(tmp_path: Path, colour: NDArray[np.uint8], format_name: str) -> None:
    alpha = np.linspace(0, 255, COLUMNS).astype(np.uint8)[None].repeat(ROWS, axis=0)
    options = {"lossless": True, "exact": True} if format_name == "WEBP" else {}
    study = load(saved(Image.fromarray(np.dstack([colour, alpha])), tmp_path / "x", format_name, **options))
    np.testing.assert_allclose(study.pixels[0], luma(colour) * alpha / 255, atol=1.01)  # rounded twice
    assert any("over black" in note for note in study.notes)


def test_opaque_alpha_changes_nothing_and_is_not_mentioned(tmp_path: Path, grey: NDArray[np.uint8]) -> None:
    image = Image.merge("LA", [Image.fromarray(grey), Image.new("L", (COLUMNS, ROWS), 255)])
    study = load(saved(image, tmp_path / "x", "PNG"))
    np.testing.assert_array_equal(study.pixels[0], grey)
    assert study.notes == ()


@pytest.mark.parametrize("mode", ["L", "P", "I;16"])
def test_a_colour_keyed_as_transparent_turns_black(tmp_path: Path, grey: NDArray[np.uint8], mode: str) -> None:
    image = Image.fromarray(grey.astype(np.uint16) if mode == "I;16" else grey)
    if mode == "P":
        image.putpalette([v for i in range(256) for v in (i, i, i)])
    study = load(saved(image, tmp_path / "x", "PNG", transparency=90))
    np.testing.assert_array_equal(study.pixels[0], np.where(grey == 90, 0, grey))


@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_range(tmp_path: Path, grey: NDArray[np.uint8], format_name: str) -> None:
    deep = grey.astype(np.uint16) * 257
    study = load(saved(Image.fromarray(deep), tmp_path / "x", format_name))
    assert study.pixels.dtype == np.uint16
    np.testing.assert_array_equal(study.pixels[0], deep)
    assert study.source.bits == 16


def test_big_endian_tiff_keeps_its_range(tmp_path: Path, grey: NDArray[np.uint8]) -> None:
    deep = grey.astype(np.uint16) * 250
    study = load(saved(Image.fromarray(deep.astype(">u2")), tmp_path / "x", "TIFF"))
    assert (tmp_path / "x").read_bytes()[:2] == b"MM"
    np.testing.assert_array_equal(study.pixels[0], deep)


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour_becomes_sixteen_bit_luma(tmp_path: Path, ending: str, channels: int) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (ROWS, COLUMNS, channels), dtype=np.uint16)
    path = tmp_path / f"x{ending}"
    cv2.imwrite(str(path), deep[..., [2, 1, 0, 3][:channels]])
    study = load(path)
    share = deep[..., 3] / 65535 if channels == 4 else 1.0
    # The integer weights are good to 2⁻¹⁶, which is one level of 65,536, and the result is rounded.
    np.testing.assert_allclose(study.pixels[0], luma(deep) * share, atol=1.6)
    assert study.pixels.dtype == np.uint16
    assert study.source.colour
    assert study.source.bits == 16


def test_pages_of_sixteen_bit_colour_each_keep_their_own_pixels(tmp_path: Path) -> None:
    pages = list(np.random.default_rng(1).integers(0, 65536, (3, ROWS, COLUMNS, 3), dtype=np.uint16))
    cv2.imwritemulti(str(tmp_path / "x.tif"), [page[..., ::-1] for page in pages])
    study = load(tmp_path / "x.tif")
    np.testing.assert_allclose(study.pixels, [luma(page) for page in pages], atol=1.6)


def test_float_tiff_keeps_its_values(tmp_path: Path, grey: NDArray[np.uint8]) -> None:
    values = grey.astype(np.float32) / 7 - 10
    study = load(saved(Image.fromarray(values), tmp_path / "x", "TIFF"))
    assert study.pixels.dtype == np.float32
    np.testing.assert_array_equal(study.pixels[0], values)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_signed_tiff_keeps_its_values(tmp_path: Path, grey: NDArray[np.uint8], bits: int) -> None:
    values = (grey.astype(np.int16) - 128).astype(np.int8) if bits == 8 else grey.astype(np.int16) * 100 - 9000
    study = load(written_tiff(tmp_path, values, sample_format=2))
    assert study.pixels.dtype == np.int16
    np.testing.assert_array_equal(study.pixels[0], values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_zero_tiff_is_inverted(tmp_path: Path, grey: NDArray[np.uint8], dtype: type) -> None:
    values = grey.astype(dtype)
    study = load(written_tiff(tmp_path, values, photometric=0))
    np.testing.assert_array_equal(study.pixels[0], np.iinfo(dtype).max - values)


def test_unsigned_32_bit_tiff_becomes_float(tmp_path: Path, grey: NDArray[np.uint8]) -> None:
    values = grey.astype(np.uint32) * 2**24
    study = load(written_tiff(tmp_path, values))
    np.testing.assert_array_equal(study.pixels[0], values.astype(np.float32))


def written_tiff(folder: Path, values: NDArray[Any], *, photometric: int = 1, sample_format: int = 1) -> Path:
    """An uncompressed one-strip little-endian TIFF, by the letter of TIFF 6.0, of kinds that Pillow can't write."""
    rows, columns = values.shape
    bits = values.dtype.itemsize * 8
    entries = [
        (256, 4, columns),
        (257, 4, rows),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, rows),
        (279, 4, values.nbytes),
        (339, 3, sample_format),
    ]
    directory = len(entries).to_bytes(2, "little")
    for tag, kind, value in entries:
        directory += tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + (1).to_bytes(4, "little")
        directory += value.to_bytes(4, "little")
    path = folder / "written.tif"
    start = (8 + values.nbytes).to_bytes(4, "little")
    path.write_bytes(b"II*\0" + start + values.tobytes() + directory + bytes(4))
    return path


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (5, lambda a: a.T),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: np.rot90(a, 2).T),
        (8, lambda a: np.rot90(a, 1)),
    ],
)
def test_the_orientation_tag_is_obeyed(
    tmp_path: Path, grey: NDArray[np.uint8], format_name: str, orientation: int, turn: Any
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}.get(format_name, {})
    study = load(saved(Image.fromarray(grey), tmp_path / "x", format_name, exif=exif, **options))
    assert study.pixels.shape == (1, *turn(grey).shape)
    np.testing.assert_allclose(study.pixels[0], turn(grey), atol=3 if format_name == "JPEG" else 0)
    assert any("orientation tag" in note for note in study.notes) == (orientation != 1)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_pages_of_one_size_become_slices(tmp_path: Path, grey: NDArray[np.uint8], compression: str | None) -> None:
    pages = [grey, grey[::-1].copy(), 255 - grey]
    first, *others = (Image.fromarray(page) for page in pages)
    study = load(saved(first, tmp_path / "x", "TIFF", save_all=True, append_images=others, compression=compression))
    np.testing.assert_array_equal(study.pixels, pages)


def test_of_pages_of_different_size_only_the_first_is_shown_and_a_note_says_so(
    tmp_path: Path, grey: NDArray[np.uint8]
) -> None:
    other = Image.fromarray(grey[:, :40].copy())
    study = load(saved(Image.fromarray(grey), tmp_path / "x", "TIFF", save_all=True, append_images=[other]))
    np.testing.assert_array_equal(study.pixels, grey[None])
    assert any("2 pages" in note for note in study.notes)


def test_a_thumbnail_page_is_left_out(tmp_path: Path, grey: NDArray[np.uint8]) -> None:
    thumbnail = Image.fromarray(grey[::2, ::2].copy())
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    study = load(saved(Image.fromarray(grey), tmp_path / "x", "TIFF", save_all=True, append_images=[thumbnail]))
    np.testing.assert_array_equal(study.pixels, grey[None])
    assert study.notes == ()


def test_a_pasted_picture_is_known_by_its_pixels(grey: NDArray[np.uint8]) -> None:
    encodings = []
    for level in (0, 9):
        buffer = io.BytesIO()
        Image.fromarray(grey).save(buffer, "PNG", compress_level=level)
        encodings.append(buffer.getvalue())
    first, second = (load_pasted(data, "from the clipboard") for data in encodings)
    np.testing.assert_array_equal(first.pixels[0], grey)
    assert first.source.pasted
    assert first.name == "from the clipboard"
    assert encodings[0] != encodings[1]
    assert first.source.sha256 == second.source.sha256


def test_loaded_pixels_cannot_be_written_to(tmp_path: Path, grey: NDArray[np.uint8]) -> None:
    study = load(saved(Image.fromarray(grey), tmp_path / "x", "PNG"))
    with pytest.raises(ValueError, match="read-only"):
        study.pixels[0, 0, 0] = 1


def test_folders_are_searched_in_input_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/1.png", "b/deep/er/3.png", "b/.hidden", "b/.git/x.png", "b/Thumbs.db", "a.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    missing = tmp_path / "missing.png"
    found = find_inputs([missing, tmp_path / "b", tmp_path / "a.png", tmp_path / "b" / ".hidden"])
    expected = ["missing.png", "b/1.png", "b/2.png", "b/deep/er/3.png", "a.png", "b/.hidden"]
    assert [path.relative_to(tmp_path).as_posix() for path in found] == expected


def test_importing_the_room_loads_no_heavy_library() -> None:
    # What only stands for a library until something of it is asked for is not loaded.
    code = (
        "import sys, braintumor_desktop.imaging; import braintumor_desktop.deferred as d;"
        "print(*{name.split('.')[0] for name, m in sys.modules.items() if not isinstance(m, d.Deferred)})"
    )
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert not {"pydicom", "nibabel", "torch", "PIL", "cv2", "PySide6"} & set(result.stdout.split())


@pytest.mark.shared_data
def test_the_shared_pictures_load(shared_data: Path) -> None:
    pictures = sorted((shared_data / "web" / "images").glob("*.jpg"))
    assert pictures
    for path in pictures[:: max(1, len(pictures) // 60)]:
        study = load(path)
        with Image.open(path) as image:
            assert sorted(study.pixels.shape[1:]) == sorted(image.size)
        assert study.pixels.dtype == np.uint8
        # Some are PNG under the name of a JPEG.
        assert study.source.lossy is (study.source.format == "JPEG")
