"""Planes through volumes of any affine, against SciPy's interpolation and SimpleITK's resampler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging.reformat import Plane, acquired, can_reformat, reformatted

PLANES = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)


def rotation(degrees: float, axis: int) -> NDArray[np.float64]:
    a, b = (k for k in range(3) if k != axis)
    turn = np.eye(3)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn[[a, a, b, b], [a, b, a, b]] = c, -s, s, c
    return turn


def affine_of(directions: NDArray[np.float64], sizes: tuple[float, float, float]) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(sizes)
    affine[:3, 3] = (-31.0, 42.5, -7.25)
    return affine


AXIAL = np.diag([-1.0, -1.0, 1.0])
SAGITTAL = np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
AFFINES = {
    "axial, thick slices": affine_of(AXIAL, (0.9, 0.9, 3.0)),
    "sagittal": affine_of(SAGITTAL, (1.0, 1.0, 2.0)),
    "oblique": affine_of(rotation(17, 0) @ rotation(-9, 2) @ AXIAL, (0.8, 1.1, 2.5)),
    "doubly oblique sagittal": affine_of(rotation(33, 1) @ rotation(12, 0) @ SAGITTAL, (1.0, 0.7, 1.6)),
}


def study_of(pixels: NDArray[Any], affine: NDArray[np.float64] | None) -> Study:
    source = Source(Path("x"), "0" * 64, 1, InputKind.NIFTI, "NIfTI-1", 16, lossy=False)
    return Study(pixels, source, Geometry(affine=affine))


def volume(dtype: Any = np.int16) -> NDArray[Any]:
    noise = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(14, 22, 26)), 1.2)
    return (2000 * noise).astype(dtype)


@pytest.mark.parametrize("name", AFFINES)
@pytest.mark.parametrize("plane", PLANES)
def test_planes_are_what_simpleitk_resamples(name: str, plane: Plane) -> None:
    pixels, affine = volume(np.float32), AFFINES[name]
    stack = reformatted(study_of(pixels, affine), plane)
    assert stack.affine is not None
    image = sitk.GetImageFromArray(pixels)
    _place(image, affine)
    wanted = sitk.GetImageFromArray(np.zeros((stack.slices, stack.rows, stack.columns), np.float32))
    _place(wanted, stack.affine)
    resampled = sitk.GetArrayFromImage(sitk.Resample(image, wanted, sitk.Transform(), sitk.sitkLinear, -9999.0))
    for index in (0, stack.slices // 3, stack.slices - 1):
        ours = stack.cut(pixels, index)
        known = resampled[index] != -9999.0
        np.testing.assert_allclose(ours[known], resampled[index][known], atol=2e-2)  # float32 weights, values to 2000
    assert (resampled != -9999.0).mean() > 0.3


def _place(image: sitk.Image, affine: NDArray[np.float64]) -> None:
    """SimpleITK counts in LPS."""
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    sizes = np.sqrt((lps[:3, :3] ** 2).sum(axis=0))
    image.SetOrigin([float(v) for v in lps[:3, 3]])
    image.SetSpacing([float(v) for v in sizes])
    image.SetDirection([float(v) for v in (lps[:3, :3] / sizes).ravel()])


@pytest.mark.parametrize("name", AFFINES)
def test_masks_are_cut_at_the_nearest_voxel_as_scipy_does(name: str) -> None:
    mask = volume() > 150
    stack = reformatted(study_of(volume(), AFFINES[name]), Plane.CORONAL)
    index = stack.slices // 2
    assert stack.to_volume is not None
    row, column = np.indices((stack.rows, stack.columns))
    grid = np.stack([column, row, np.full_like(row, index), np.ones_like(row)]).reshape(4, -1)
    places = (stack.to_volume @ grid)[:3][::-1]
    expected = ndimage.map_coordinates(mask.astype(np.uint8), places, order=0, mode="constant", cval=0)
    ours = stack.cut(mask, index, nearest=True)
    limits = np.array(mask.shape)[:, None] - 0.5
    clear = ((places > -0.5) & (places < limits)).all(axis=0) & (np.abs(places % 1 - 0.5) > 1e-6).all(axis=0)
    inner = clear & (places >= 0).all(axis=0) & (places <= limits - 0.5).all(axis=0)  # scipy ends at voxel centres
    np.testing.assert_array_equal(ours.ravel()[inner], expected[inner].astype(bool))
    assert inner.sum() > 100
    assert ours.dtype == np.bool_


@pytest.mark.parametrize("plane", PLANES)
def test_directions_that_a_header_rounds_are_straight(plane: Plane) -> None:
    """ImageOrientationPatient as Siemens scanners write it: right angles but for a rest of 2e-10."""
    right, down = np.array([1.0, -2.051034e-10, 0.0]), np.array([2.051034e-10, 1.0, -2.05103e-10])
    directions = np.diag([-1.0, -1.0, 1.0]) @ np.stack([right, down, np.cross(right, down)], axis=1)
    pixels = volume(np.float32)
    stack = reformatted(study_of(pixels, affine_of(directions, (0.9, 0.9, 3.0))), plane)
    assert stack.to_volume is not None
    row, column = np.indices((stack.rows, stack.columns))
    for index in (0, stack.slices // 2, stack.slices - 1):
        grid = np.stack([column, row, np.full_like(row, index), np.ones_like(row)]).reshape(4, -1)
        places = (stack.to_volume @ grid)[:3][::-1]
        expected = ndimage.map_coordinates(pixels, places, order=1, mode="nearest").reshape(row.shape)
        np.testing.assert_allclose(stack.cut(pixels, index), expected, atol=2e-2)  # float32 weights, values to 2000


@pytest.mark.parametrize("plane", PLANES)
def test_reformatted_planes_lie_as_the_radiological_convention_has_them(plane: Plane) -> None:
    stack = reformatted(study_of(volume(), AFFINES["oblique"]), plane)
    assert stack.orientation == {"Axial": ("L", "P"), "Coronal": ("L", "I"), "Sagittal": ("P", "I")}[plane.value]
    assert stack.spacing_mm == pytest.approx((0.8, 0.8))


def test_a_point_keeps_its_place_in_the_patient_through_every_plane() -> None:
    study = study_of(volume(), AFFINES["doubly oblique sagittal"])
    point = acquired(study).patient_point(8.5, 11.0, 6.0)
    assert point is not None
    for plane in PLANES:
        stack = reformatted(study, plane)
        place = stack.grid_point(point)
        assert place is not None
        back = stack.patient_point(*place)
        np.testing.assert_allclose(back, point, atol=1e-9)


@pytest.mark.parametrize("plane", PLANES)
def test_coarser_planes_are_the_same_planes_in_fewer_pixels(plane: Plane) -> None:
    pixels, affine = volume(np.float32), AFFINES["oblique"]
    fine = reformatted(study_of(pixels, affine), plane)
    coarse = fine.coarser(150)
    assert fine.slanted
    assert coarse.rows * coarse.columns <= 160
    assert coarse.slices == fine.slices
    for corner in ((-0.5, -0.5), (-0.5, 1.0), (1.0, -0.5)):  # the edges of the area, as shares of it
        ends = [
            stack.patient_point(
                *(
                    n - 0.5 if share == 1.0 else -0.5
                    for share, n in zip(corner, (stack.rows, stack.columns), strict=True)
                ),
                2,
            )
            for stack in (fine, coarse)
        ]
        assert ends[0] is not None
        assert ends[1] is not None
        np.testing.assert_allclose(ends[0], ends[1], atol=1e-9)
    assert coarse.affine is not None
    image, wanted = sitk.GetImageFromArray(pixels), sitk.GetImageFromArray(np.zeros((1, coarse.rows, coarse.columns)))
    index = coarse.slices // 2
    _place(image, affine)
    here = coarse.affine.copy()
    here[:3, 3] += index * here[:3, 2]
    _place(wanted, here)
    known = sitk.GetArrayFromImage(sitk.Resample(image, wanted, sitk.Transform(), sitk.sitkLinear, -9999.0))[0]
    inside = known != -9999.0
    np.testing.assert_allclose(coarse.cut(pixels, index)[inside], known[inside], atol=2e-2)
    assert inside.sum() > 40


def test_planes_with_few_pixels_and_those_as_acquired_are_not_made_coarser() -> None:
    study = study_of(volume(), AFFINES["oblique"])
    stack = reformatted(study, Plane.AXIAL)
    assert stack.coarser(10**6) is stack
    plain = acquired(study)
    assert plain.coarser(10) is plain
    assert not plain.slanted
    assert not reformatted(study_of(volume(), affine_of(AXIAL, (1.0, 1.0, 3.0))), Plane.SAGITTAL).slanted


@settings(max_examples=30, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    sizes=st.tuples(*[st.floats(0.3, 6.0)] * 3),
    plane=st.sampled_from(PLANES),
    place=st.tuples(*[st.floats(0.05, 0.95)] * 3),
)
def test_however_a_volume_lies_each_plane_shows_each_point_where_it_is(
    angles: tuple[float, float, float],
    sizes: tuple[float, float, float],
    plane: Plane,
    place: tuple[float, float, float],
) -> None:
    """The grey values of the volume are its own millimetres, so every sample tells where it was taken."""
    directions = rotation(angles[0], 0) @ rotation(angles[1], 1) @ rotation(angles[2], 2)
    affine = affine_of(directions, sizes)
    shape = (7, 9, 11)
    index = np.stack([*np.indices(shape)[::-1], np.ones(shape)])
    millimetres = np.einsum("ij,jabc->iabc", affine, index)[:3].astype(np.float32)
    study = study_of(millimetres[0], affine)
    stack = reformatted(study, plane)
    inside = np.array(place) * (np.array(shape) - 1)
    point = (affine @ (inside[2], inside[1], inside[0], 1.0))[:3]
    found = stack.grid_point(point)
    assert found is not None
    row, column, number = (round(value) for value in found)
    assert -1 <= row <= stack.rows
    assert -1 <= column <= stack.columns
    assert -1 <= number <= stack.slices
    back = stack.patient_point(*found)
    np.testing.assert_allclose(back, point, atol=1e-6)
    at = (min(max(row, 0), stack.rows - 1), min(max(column, 0), stack.columns - 1))
    number = min(max(number, 0), stack.slices - 1)
    where = stack.patient_point(*at, number)
    assert where is not None
    voxel = (np.linalg.inv(affine) @ np.append(where, 1.0))[:3]
    if ((voxel < 0) | (voxel > np.array(shape[::-1]) - 1)).any():
        return  # beyond the outermost centres values are held or the background's
    for axis in range(3):
        assert stack.cut(millimetres[axis], number)[at] == pytest.approx(where[axis], abs=1e-3)


def test_an_axial_volume_is_not_changed_by_its_own_plane() -> None:
    pixels = volume()
    stack = reformatted(study_of(pixels, affine_of(AXIAL, (1.0, 1.0, 3.0))), Plane.AXIAL)
    assert (stack.slices, stack.rows, stack.columns) == pixels.shape
    for index in range(stack.slices):
        np.testing.assert_array_equal(stack.cut(pixels, index), pixels[index])


@pytest.mark.parametrize(("pixels", "affine"), [(volume(), None), (volume()[:1], AFFINES["sagittal"])])
def test_without_an_affine_or_with_one_slice_there_is_nothing_to_reformat(pixels: Any, affine: Any) -> None:
    assert not can_reformat(study_of(pixels, affine))
