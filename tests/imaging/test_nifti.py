"""NIfTI volumes: upright, in place, and every fault with its own error."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name
from hypothesis import example, given, settings
from hypothesis import strategies as st

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging import Limits, list_inputs, load
from braintumor_desktop.imaging.phantom import PhantomVolume, make_volume
from braintumor_desktop.imaging.phantom_files import write_nifti

sitk.ProcessObject.SetGlobalWarningDisplay(False)


@cache
def head() -> PhantomVolume:
    return make_volume(5, (34, 40, 48), (6.0, 5.0, 4.5))


@pytest.fixture(scope="module")
def phantom() -> PhantomVolume:
    return head()


def save(path: Path, data: np.ndarray, affine: Any, change: Callable[[Any], None] = lambda _header: None) -> Path:
    image = nibabel.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    change(image.header)
    nibabel.save(image, path)
    return path


def refusal(path: Path, limits: Limits = Limits()) -> BrainTumorError:  # noqa: B008 - frozen
    with pytest.raises(BrainTumorError) as caught:
        load(path, limits)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_the_phantom_reads_back_with_its_geometry(tmp_path: Path, phantom: PhantomVolume, ending: str) -> None:
    study = load(write_nifti(phantom, tmp_path / f"head{ending}"))
    assert np.array_equal(study.pixels, phantom.pixels)
    np.testing.assert_allclose(study.geometry.affine, phantom.affine, atol=1e-4)
    assert study.geometry.slice_spacing_mm == pytest.approx(6.0)
    assert study.geometry.pixel_spacing_mm == pytest.approx((5.0, 4.5))
    assert study.geometry.orientation == ("L", "P")
    assert study.source.lossy is None


TURNS = [
    (order, flips) for order in itertools.permutations(range(3)) for flips in itertools.product((False, True), repeat=3)
]


@settings(deadline=None, max_examples=60)
@given(
    turn=st.sampled_from(TURNS),
    tilt=st.tuples(*[st.floats(-20, 20)] * 3),
    shift=st.tuples(*[st.floats(-50, 50)] * 3),
)
def test_however_a_volume_is_stored_it_stands_upright_and_each_voxel_keeps_its_place(
    turn: tuple[tuple[int, ...], tuple[bool, ...]], tilt: tuple[float, ...], shift: tuple[float, ...]
) -> None:
    phantom = head()
    order, flips = turn
    # Tilt and move the head as a whole, then store its axes in another order and direction.
    affine = rotation(*tilt, shift) @ phantom.affine
    expected = affine.copy()
    data = phantom.pixels.transpose(2, 1, 0)
    matrix = np.eye(4)[[*order, 3]].T
    stored = data.transpose(order)
    for axis, flipped in enumerate(flips):
        if flipped:
            stored = np.flip(stored, axis)
            # Index i of the file is n - 1 - i of the unflipped axis.
            turned = np.eye(4)
            turned[axis, axis], turned[axis, 3] = -1, stored.shape[axis] - 1
            matrix = matrix @ turned
    with tempfile.TemporaryDirectory() as folder:
        study = load(save(Path(folder) / "head.nii", np.ascontiguousarray(stored), affine @ matrix))
    # The axial stack comes back whatever was done to it: same pixels, same order, same place, never mirrored.
    assert np.array_equal(study.pixels, phantom.pixels)
    np.testing.assert_allclose(study.geometry.affine, expected, atol=1e-3)
    assert study.geometry.orientation == ("L", "P")
    assert study.stored_grid is not None
    assert np.array_equal(study.stored_grid.to_file(study.pixels), stored)
    np.testing.assert_allclose(study.stored_grid.affine, affine @ matrix, atol=1e-3)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), turn=st.sampled_from(TURNS))
def test_turned_in_any_way_each_voxel_keeps_its_place_and_value(
    seed: int, turn: tuple[tuple[int, ...], tuple[bool, ...]]
) -> None:
    phantom = head()
    rotated, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3] = rotated @ phantom.affine[:3]  # mirrored ones too: some files are stored so
    order, flips = turn
    original = nibabel.Nifti1Image(phantom.pixels.transpose(2, 1, 0), affine)
    stored = original.as_reoriented(np.array([(a, -1 if f else 1) for a, f in zip(order, flips, strict=True)], float))
    with tempfile.TemporaryDirectory() as folder:
        nibabel.save(stored, Path(folder) / "head.nii")
        study = load(Path(folder) / "head.nii")
    placed = study.geometry.affine
    assert placed is not None
    assert np.linalg.det(placed[:3, :3]) > 0  # never a mirror image on screen
    assert study.slices == 34  # across the widest spacing
    slices, rows, columns = (index.ravel() for index in np.indices(study.pixels.shape)[:, ::3, ::5, ::7])
    ras = placed @ np.stack([columns, rows, slices, np.ones_like(rows)])
    column, row, level = np.rint(np.linalg.solve(affine, ras)[:3]).astype(int)
    assert np.array_equal(study.pixels[slices, rows, columns], phantom.pixels[level, row, column])
    letters = study.geometry.orientation or ("", "")
    pairs = ["RL", "AP", "SI"]
    axes = [next(a for a, pair in enumerate(pairs) if each in pair) for each in letters]
    assert axes[0] != axes[1]
    for edge, (axis, each) in enumerate(zip(axes, letters, strict=True)):
        assert (placed[axis, edge] > 0) == (each == pairs[axis][0])


def rotation(x: float, y: float, z: float, shift: tuple[float, ...]) -> np.ndarray:
    result = np.eye(4)
    for axis, degrees in enumerate((x, y, z)):
        turn = np.eye(4)
        one, two = [a for a in range(3) if a != axis]
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn[one, one], turn[two, two], turn[one, two], turn[two, one] = cosine, cosine, -sine, sine
        result = result @ turn
    result[:3, 3] = shift
    return result


@pytest.mark.parametrize(
    ("spacing", "slices", "orientation"),
    [
        ((1.0, 1.0, 3.0), 34, ("L", "P")),  # axial
        ((1.0, 3.0, 1.0), 40, ("L", "I")),  # coronal
        ((3.0, 1.0, 1.0), 48, ("P", "I")),  # sagittal, face to the left
        ((1.0, 1.0, 1.0), 34, ("L", "P")),  # isotropic: axial
    ],
)
def test_slices_are_those_of_the_acquisition_plane_in_radiological_view(
    tmp_path: Path, phantom: PhantomVolume, spacing: tuple[float, ...], slices: int, orientation: tuple[str, str]
) -> None:
    study = load(save(tmp_path / "x.nii", phantom.pixels.transpose(2, 1, 0), np.diag([*spacing, 1.0])))
    assert study.slices == slices
    assert study.geometry.orientation == orientation
    assert study.geometry.slice_spacing_mm == max(spacing)


def test_the_header_may_name_the_slice_axis(tmp_path: Path, phantom: PhantomVolume) -> None:
    path = save(tmp_path / "x.nii", phantom.pixels.transpose(2, 1, 0), np.eye(4), lambda h: h.set_dim_info(slice=0))
    assert load(path).geometry.orientation == ("P", "I")


def test_slope_and_intercept_are_applied(tmp_path: Path, phantom: PhantomVolume) -> None:
    path = save(tmp_path / "x.nii", phantom.pixels.transpose(2, 1, 0).astype(np.int16), phantom.affine)
    data = bytearray(path.read_bytes())
    data[112:120] = np.array([0.5, -10.0], "<f4").tobytes()  # scl_slope, scl_inter
    path.write_bytes(data)
    study = load(path)
    assert study.pixels.dtype == np.float32
    np.testing.assert_array_equal(study.pixels, phantom.pixels * 0.5 - 10.0)
    np.testing.assert_array_equal(study.pixels, sitk.GetArrayFromImage(sitk.ReadImage(str(path))))


@pytest.mark.parametrize("sort", ["<u1", ">i2", "<u2", "<i4", ">f4", "<f8", "<i8"])
def test_every_number_type_keeps_its_values(tmp_path: Path, phantom: PhantomVolume, sort: str) -> None:
    data = (phantom.pixels.transpose(2, 1, 0) % 250).astype(sort)
    image = nibabel.Nifti1Image(data, phantom.affine, dtype=data.dtype)
    if sort[0] == ">":
        image = nibabel.Nifti1Image(data, phantom.affine, image.header.as_byteswapped(">"))
    nibabel.save(image, tmp_path / "x.nii")
    study = load(tmp_path / "x.nii")
    assert np.array_equal(study.pixels, phantom.pixels % 250)


def test_nifti_2_is_read(tmp_path: Path, phantom: PhantomVolume) -> None:
    nibabel.save(nibabel.Nifti2Image(phantom.pixels.transpose(2, 1, 0), phantom.affine), tmp_path / "x.nii.gz")
    study = load(tmp_path / "x.nii.gz")
    assert np.array_equal(study.pixels, phantom.pixels)
    np.testing.assert_allclose(study.geometry.affine, phantom.affine)


def test_a_volume_with_a_qform_only_lies_where_it_says(tmp_path: Path, phantom: PhantomVolume) -> None:
    affine = rotation(10, -5, 3, (4, 5, 6)) @ phantom.affine

    def qform_only(header: Any) -> None:
        header.set_qform(affine, code=1)
        header.set_sform(None, code=0)

    study = load(save(tmp_path / "x.nii", phantom.pixels.transpose(2, 1, 0), affine, qform_only))
    np.testing.assert_allclose(study.geometry.affine, affine, atol=1e-3)


def test_a_volume_without_a_place_has_no_letters(tmp_path: Path, phantom: PhantomVolume) -> None:
    image = nibabel.Nifti1Image(phantom.pixels.transpose(2, 1, 0), None)
    image.header.set_zooms((4.5, 5.0, 6.0))
    nibabel.save(image, tmp_path / "x.nii")
    study = load(tmp_path / "x.nii")
    assert study.geometry.affine is None
    assert study.geometry.orientation is None
    assert study.geometry.pixel_spacing_mm == (5.0, 4.5)
    assert study.geometry.slice_spacing_mm == 6.0
    assert any("left and right are unknown" in note for note in study.notes)


def test_a_volume_that_says_nothing_of_its_voxels_has_no_millimetres(tmp_path: Path, phantom: PhantomVolume) -> None:
    image = nibabel.Nifti1Image(phantom.pixels.transpose(2, 1, 0), None)
    nibabel.save(image, tmp_path / "silent.nii")
    silent = load(tmp_path / "silent.nii")
    assert (silent.geometry.pixel_spacing_mm, silent.geometry.slice_spacing_mm) == (None, None)
    assert silent.slices == 34
    image.header.set_xyzt_units("mm")
    nibabel.save(image, tmp_path / "told.nii")
    assert load(tmp_path / "told.nii").geometry.pixel_spacing_mm == (1.0, 1.0)


def placed(path: Path, sizes: tuple[float, ...], sform: Any, qform: Any = None, qfac: float = 1.0) -> Path:
    """A volume whose header says of its place and sizes just this."""
    image = nibabel.Nifti1Image(head().pixels.transpose(2, 1, 0), None)
    image.header.set_xyzt_units("mm")
    image.header.set_qform(qform, code=0 if qform is None else 1)
    image.header.set_sform(sform, code=0 if sform is None else 2)
    image.header["pixdim"][1:4] = sizes
    nibabel.save(image, path)
    data = bytearray(path.read_bytes())
    data[76:80] = np.array(qfac, "<f4").tobytes()  # pixdim[0]
    path.write_bytes(data)
    return path


def test_voxel_sizes_that_contradict_each_other_are_not_believed(tmp_path: Path) -> None:
    study = load(placed(tmp_path / "x.nii", (0.47, 0.47, 5.0), np.eye(4)))
    geometry = study.geometry
    assert (geometry.pixel_spacing_mm, geometry.slice_spacing_mm) == (None, None)
    assert (geometry.affine, geometry.orientation) == (None, None)
    assert any("millimetres, left and right are unknown" in note for note in study.notes)
    thick = np.diag([0.47, 0.47, 5.0, 1.0])
    assert load(placed(tmp_path / "silent.nii", (1, 1, 1), thick)).geometry.slice_spacing_mm == pytest.approx(5.0)
    assert load(placed(tmp_path / "near.nii", (0.473, 0.47, 5), thick)).geometry.orientation == ("L", "P")


def test_a_template_s_place_gives_way_to_the_scanner_s(tmp_path: Path) -> None:
    scanner = np.diag([-0.47, 0.47, 5.0, 1.0])
    path = placed(tmp_path / "x.nii", (0.47, 0.47, 5.0), np.diag([-0.42, 0.42, 4.5, 1.0]), scanner, qfac=-1.0)
    data = bytearray(path.read_bytes())
    data[254:256] = np.array(4, "<i2").tobytes()  # sform_code
    path.write_bytes(data)
    study = load(path)
    assert study.geometry.pixel_spacing_mm == pytest.approx((0.47, 0.47))
    assert study.geometry.orientation == ("L", "P")
    assert not any("contradict" in note for note in study.notes)


def test_a_sheared_template_s_place_gives_way_and_another_sheared_one_does_not(tmp_path: Path) -> None:
    scanner, sheared = np.diag([-0.47, 0.47, 5.0, 1.0]), np.diag([-0.42, 0.42, 4.5, 1.0])
    sheared[0, 1] = 0.1
    path = placed(tmp_path / "x.nii", (0.47, 0.47, 5.0), sheared, scanner, qfac=-1.0)
    assert refusal(path).code is ErrorCode.AFFINE_SHEARED
    data = bytearray(path.read_bytes())
    data[254:256] = np.array(4, "<i2").tobytes()  # sform_code
    path.write_bytes(data)
    geometry = load(path).geometry
    assert geometry.pixel_spacing_mm == pytest.approx((0.47, 0.47))
    assert geometry.orientation == ("L", "P")
    data[252:254] = np.array(0, "<i2").tobytes()  # qform_code
    path.write_bytes(data)
    assert refusal(path).code is ErrorCode.AFFINE_SHEARED


def test_sides_that_contradict_each_other_have_no_letters(tmp_path: Path) -> None:
    sizes = (0.47, 0.47, 5.0)
    one, mirrored = np.diag([-0.47, 0.47, 5.0, 1.0]), np.diag([0.47, 0.47, 5.0, 1.0])
    study = load(placed(tmp_path / "x.nii", sizes, mirrored, one, qfac=-1.0))
    assert (study.geometry.affine, study.geometry.orientation) == (None, None)
    assert study.geometry.pixel_spacing_mm == pytest.approx((0.47, 0.47))
    assert any("left and right are unknown" in note for note in study.notes)
    assert load(placed(tmp_path / "alike.nii", sizes, one, one, qfac=-1.0)).geometry.orientation == ("L", "P")


def test_a_qform_whose_factor_is_zero_is_right_handed(tmp_path: Path) -> None:
    affine = np.diag([0.47, 0.47, 5.0, 1.0])
    zero = load(placed(tmp_path / "zero.nii", (0.47, 0.47, 5.0), None, affine, qfac=0.0))
    one = load(placed(tmp_path / "one.nii", (0.47, 0.47, 5.0), None, affine, qfac=1.0))
    np.testing.assert_array_equal(zero.geometry.affine, one.geometry.affine)
    np.testing.assert_array_equal(zero.pixels, one.pixels)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_voxel_sizes_that_are_no_numbers_are_unknown(tmp_path: Path, number: float) -> None:
    in_plane = load(placed(tmp_path / "x.nii", (number, 1.0, 5.0), None)).geometry
    assert (in_plane.pixel_spacing_mm, in_plane.slice_spacing_mm) == (None, 5.0)
    across = load(placed(tmp_path / "y.nii", (1.0, 1.0, number), None)).geometry
    assert (across.pixel_spacing_mm, across.slice_spacing_mm) == ((1.0, 1.0), None)


def test_a_flood_of_bytes_after_the_last_voxel_is_not_unpacked(tmp_path: Path, phantom: PhantomVolume) -> None:
    plain = save(tmp_path / "x.nii", phantom.pixels.transpose(2, 1, 0), phantom.affine).read_bytes()
    path = tmp_path / "x.nii.gz"
    path.write_bytes(gzip.compress(plain + bytes(2**20)))
    assert np.array_equal(load(path).pixels, phantom.pixels)
    path.write_bytes(gzip.compress(plain) + 80 * gzip.compress(bytes(2**20)))
    assert refusal(path).code is ErrorCode.NIFTI_DAMAGED


def test_one_volume_of_several_is_chosen(tmp_path: Path, phantom: PhantomVolume) -> None:
    several = np.stack([phantom.pixels.transpose(2, 1, 0) + 100 * number for number in range(3)], axis=3)
    path = save(tmp_path / "x.nii.gz", several, phantom.affine)
    first = load(path)
    assert np.array_equal(first.pixels, phantom.pixels)
    assert "The file holds 3 volumes; number 1 is shown." in first.notes
    (entry,) = list_inputs([path]).entries
    assert (entry.frames, entry.slices, entry.rows, entry.columns) == (3, 34, 40, 48)
    assert np.array_equal(entry.load(frame=2).pixels, phantom.pixels + 200)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(tmp_path: Path, phantom: PhantomVolume, value: float) -> None:
    data = phantom.pixels.transpose(2, 1, 0).astype(np.float32)
    data[3, 4, 5] = value
    assert refusal(save(tmp_path / "x.nii", data, phantom.affine)).code is ErrorCode.VOLUME_NOT_FINITE


def test_a_constant_volume_is_blank(tmp_path: Path) -> None:
    path = save(tmp_path / "x.nii", np.full((40, 40, 5), 7, np.int16), np.eye(4))
    assert refusal(path).code is ErrorCode.IMAGE_BLANK


def test_a_sheared_affine(tmp_path: Path, phantom: PhantomVolume) -> None:
    sheared = phantom.affine.copy()
    sheared[0, 1] = 1.0
    path = save(tmp_path / "x.nii", phantom.pixels.transpose(2, 1, 0), sheared, lambda h: h.set_qform(None, code=0))
    assert refusal(path).code is ErrorCode.AFFINE_SHEARED


@pytest.mark.parametrize("number", [0.0, np.nan])
def test_an_affine_of_zeros_or_no_numbers(tmp_path: Path, phantom: PhantomVolume, number: float) -> None:
    path = save(tmp_path / "x.nii", phantom.pixels.transpose(2, 1, 0), phantom.affine)
    data = bytearray(path.read_bytes())
    data[280:328] = np.full(12, number, "<f4").tobytes()  # srow_x, srow_y, srow_z
    path.write_bytes(data)
    assert refusal(path).code is ErrorCode.AFFINE_INVALID


def test_colours_are_not_read(tmp_path: Path) -> None:
    colour = np.zeros((40, 40, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert refusal(save(tmp_path / "x.nii", colour, np.eye(4))).code is ErrorCode.UNSUPPORTED_FORMAT


def test_a_volume_beyond_the_limits(tmp_path: Path, phantom: PhantomVolume) -> None:
    path = write_nifti(phantom, tmp_path / "x.nii")
    assert refusal(path, Limits(max_volume_pixels=1000)).code is ErrorCode.IMAGE_TOO_MANY_PIXELS
    assert refusal(path, Limits(max_volume_bytes=1000)).code is ErrorCode.FILE_TOO_LARGE
    assert load(path, Limits(max_file_bytes=1000)).slices == 34  # that limit is for pictures


@settings(deadline=None, max_examples=40)
@given(kept=st.floats(0.0, 0.999), packed=st.booleans())
def test_a_cut_file_never_shows_half_a_volume(kept: float, packed: bool) -> None:
    rng = np.random.default_rng(0)
    whole = nibabel.Nifti1Image(rng.integers(0, 99, (34, 33, 4), np.uint8), np.eye(4)).to_bytes()
    whole = gzip.compress(whole, mtime=0) if packed else whole
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.nii"
        path.write_bytes(whole[: int(kept * len(whole))])
        with pytest.raises(BrainTumorError):
            load(path)


@settings(deadline=None, max_examples=150)
@given(at=st.integers(0, 351), value=st.integers(0, 255))
@example(at=111, value=95)  # voxels said to begin beyond what a file can hold
def test_a_damaged_header_raises_nothing_but_the_typed_error(at: int, value: int) -> None:
    rng = np.random.default_rng(0)
    data = bytearray(nibabel.Nifti1Image(rng.integers(0, 99, (34, 33, 4), np.uint8), np.eye(4)).to_bytes())
    data[at] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.nii"
        path.write_bytes(data)
        with contextlib.suppress(BrainTumorError):
            assert load(path).pixels.size < 10**8


@pytest.mark.shared_data
def test_shared_volumes_lie_where_the_reference_puts_them(shared_data: Path) -> None:
    paths = sorted((shared_data / "volumes").glob("*/*.nii.gz"))
    assert paths
    for path in paths:
        study = load(path)
        image = sitk.ReadImage(str(path))
        assert study.geometry.affine is not None
        slices, rows, columns = (index.ravel() for index in np.indices(study.pixels.shape)[:, ::5, ::37, ::41])
        ras = study.geometry.affine @ np.stack([columns, rows, slices, np.ones_like(rows)])
        direction = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
        lps = np.diag([-1.0, -1.0, 1.0]) @ ras[:3]
        index = np.linalg.solve(direction, lps - np.array(image.GetOrigin())[:, None])
        # The headers hold float32 quaternions: 0.02 voxels at the far end of 320.
        nearest = np.rint(index).astype(int)
        assert np.abs(index - nearest).max() < 0.02
        expected = sitk.GetArrayFromImage(image)[nearest[2], nearest[1], nearest[0]]
        assert np.array_equal(study.pixels[slices, rows, columns], expected)
        assert study.geometry.orientation == ("L", "P")
        assert (
            study.sequence
            == {"FLAIR": "FLAIR", "T1W": "T1", "T1POST": "T1 post-contrast"}[path.name.split(".")[0].rsplit("_", 1)[1]]
        )
