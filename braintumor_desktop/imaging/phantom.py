"""A synthetic head in the manner of a T1-weighted MRI after contrast: our sample, our test object, nobody's head.

The head is a formula: distances to surfaces in millimetres, roughened by seeded smooth noise, so that any plane at any
pixel size shows the same anatomy. Coordinates are RAS millimetres (x to the patient's right, y anterior, z
superior) from a point between the thalami. The same seed gives the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.imaging.smooth_noise import SmoothNoise

Array = NDArray[np.float32]
Point = tuple[Array, ...]
Plane = Literal["axial", "coronal", "sagittal"]

FIELD_OF_VIEW_MM = 230.0
_DEFAULT_POSITION = {"axial": 9.0, "coronal": -14.0, "sagittal": 5.0}
_CENTRE = np.array([0.0, -6.0, 8.0])  # of the head, and so of every picture

# Brightness of each tissue, fat near 1: the order of a post-contrast T1 (fat, vessels > white > grey > fluid > bone).
_AIR, _BONE, _FLUID, _MUSCLE, _SKIN, _FAT = 0.008, 0.05, 0.13, 0.34, 0.45, 0.86
_MARROW, _DURA, _GREY, _NUCLEUS, _WHITE, _VESSEL = 0.42, 0.40, 0.365, 0.43, 0.55, 0.88
_NOISE = 0.017  # standard deviation before the magnitude is taken


@dataclass(frozen=True)
class Lesion:
    """A ball-like lesion.

    center_mm: RAS; radius_mm: mean; kind: ``homogeneous``, or ``rim`` around a dark core; enhancing: bright as
    after contrast, else a little darker than white matter; irregularity: how far the surface strays from a
    ball, as a share of the radius (0: an exact ball).
    """

    center_mm: tuple[float, float, float] = (30.0, 20.0, 14.0)
    radius_mm: float = 14.0
    kind: Literal["homogeneous", "rim"] = "rim"
    enhancing: bool = True
    irregularity: float = 0.12


@dataclass(frozen=True, eq=False)
class PhantomVolume:
    """pixels: uint16 (slices, rows, columns), slices upwards, rows to posterior, columns to the patient's left;
    mask: bool, same shape, the lesion; spacing_mm: between slices, rows, columns;
    affine: (4, 4) from (column, row, slice) indices to RAS millimetres.
    """

    pixels: NDArray[np.uint16]
    mask: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]
    affine: NDArray[np.float64]
    seed: int
    lesion: Lesion | None


def make_volume(
    seed: int = 7,
    shape: tuple[int, int, int] = (160, 256, 256),
    spacing_mm: tuple[float, float, float] = (1.0, 0.9, 0.9),
    lesion: Lesion | None = None,
) -> PhantomVolume:
    """A whole head in axial slices; grey values up to about 1200."""
    slices, rows, columns = shape
    affine = np.diag([-spacing_mm[2], -spacing_mm[1], spacing_mm[0], 1.0])
    affine[:3, 3] = _CENTRE - affine[:3, :3] @ ((np.array([columns, rows, slices]) - 1) / 2)
    x, y, z = (affine[i, 3] + affine[i, i] * np.arange(n) for i, n in enumerate((columns, rows, slices)))
    pixels, mask = np.empty(shape, np.uint16), np.empty(shape, np.bool_)
    for index in range(slices):
        brightness, mask[index] = _render(seed, x, y, z[index : index + 1], lesion, index)
        pixels[index] = np.rint(brightness * 1000)
    return PhantomVolume(pixels, mask, spacing_mm, affine, seed, lesion)


def make_picture(
    seed: int = 7,
    size: int = 256,
    lesion: Lesion | None = None,
    plane: Plane = "axial",
    *,
    position_mm: float | None = None,
    bits: Literal[8, 16] = 8,
) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], NDArray[np.bool_]]:
    """One square slice of `FIELD_OF_VIEW_MM` and its lesion mask, both (size, size).

    Axial and coronal pictures show the patient's right on the left, sagittal ones the face on the left.
    position_mm: of the plane along its RAS normal; by default through the lesion's centre, if there is one.
    bits: 8 for uint8 of 0..255, 16 for uint16 of about 0..1200, as in a volume.
    """
    normal = {"sagittal": 0, "coronal": 1, "axial": 2}[plane]
    if position_mm is None:
        position_mm = lesion.center_mm[normal] if lesion else _DEFAULT_POSITION[plane]
    falling = -(np.arange(size) - (size - 1) / 2) * FIELD_OF_VIEW_MM / size
    axes = [falling + centre for centre in _CENTRE]
    axes[normal] = np.array([position_mm])
    brightness, mask = _render(seed, axes[0], axes[1], axes[2], lesion, 0)
    if bits == 16:
        return np.rint(brightness * 1000).astype(np.uint16), mask
    return np.rint(np.clip(brightness * 265, 0, 255)).astype(np.uint8), mask


@lru_cache(maxsize=2)
def _noise(seed: int) -> dict[str, SmoothNoise]:
    """The head's own irregularities; wavelengths in millimetres."""
    wavelengths = {"shape": 85.0, "fold": 19.0, "fine": 8.5, "texture": 11.0, "coil": 150.0, "lump": 24.0}
    return {
        name: SmoothNoise([seed, i], length, symmetric=name in ("shape", "fold"))
        for i, (name, length) in enumerate(wavelengths.items())
    }


def _render(
    seed: int, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64], lesion: Lesion | None, index: int
) -> tuple[Array, NDArray[np.bool_]]:
    """Brightness (rows, columns) and lesion mask of one plane: one of the coordinate vectors holds one value."""
    fields = {name: field.at(x, y, z) for name, field in _noise(seed).items()}
    shape = fields["shape"].shape
    grid = np.meshgrid(z, y, x, indexing="ij")
    planes = [a.reshape(shape).astype(np.float32) for a in reversed(grid)]
    # Most of a picture is air: anatomy is worked out for the points of the head alone.
    near = _head(planes, fields["shape"]) < 3
    point = tuple(plane[near] for plane in planes)
    noise = {name: field[near] for name, field in fields.items()}
    tissue, outside = _anatomy(point, noise)
    image, mask = np.full(shape, _AIR, np.float32), np.zeros(shape, np.bool_)
    if lesion is not None:
        mask[near] = _add_lesion(tissue, outside, point, noise, lesion)
    image[near] = tissue * (1 + 0.05 * noise["texture"] * (outside < 0))
    image *= np.exp(0.10 * fields["coil"])
    pixel_mm = min(float(np.ptp(v)) / (len(v) - 1) for v in (x, y, z) if len(v) > 1)
    image = cv2.GaussianBlur(image, (0, 0), max(0.35, 0.45 / pixel_mm)).reshape(shape)
    real, imaginary = np.random.default_rng([seed, 99, index]).standard_normal((2, *shape), dtype=np.float32) * _NOISE
    return np.hypot(image + real, imaginary), mask


def _anatomy(point: Point, noise: dict[str, Array]) -> tuple[Array, Array]:
    """Brightness without noise, and the signed distance in mm outwards from the surface of the brain."""
    _, y, z = point
    wobble = noise["shape"]
    # Cerebrum: an egg, wider behind, flat below; beneath it the cerebellum and the brain stem.
    egg = _ellipsoid(point, (0, -4, 12), (68 - 0.06 * (y + 4), 85, 62)) + 1.2 * wobble
    egg = np.maximum(egg, -(z + 24 + 0.15 * np.abs(y + 10)) + 2 * wobble)
    cerebellum = np.maximum(_ellipsoid(point, (0, -50, -36), (50, 33, 25)), y + 24)
    stem = _capsule(point, (0, -14, -8), (0, -26, -90), 12, 9)
    outside = np.minimum(egg, np.minimum(cerebellum, stem))
    image = _outer_layers(point, outside, noise)
    inner = outside < 1
    brain = _brain(
        tuple(p[inner] for p in point),
        -outside[inner],
        {name: field[inner] for name, field in noise.items()},
        cerebellum[inner] < np.minimum(egg, stem)[inner],
        stem[inner] < np.minimum(egg, cerebellum)[inner],
    )
    image[inner] = _blend(image[inner], brain, -outside[inner], 1.0)
    return image, outside


def _brain(
    point: Point, depth: Array, noise: dict[str, Array], in_cerebellum: NDArray[np.bool_], in_stem: NDArray[np.bool_]
) -> Array:
    x, y, z = point
    paired: Point = (np.abs(x), y, z)
    folds = np.where(in_stem, 20, _sulci(point, depth, noise))
    folds = np.where(in_cerebellum, 0.6 + 1.7 * np.abs(noise["fine"]) + 0.12 * depth, folds)
    cortex = np.minimum(depth, folds)
    brain = _blend(_blend(np.full_like(x, _FLUID), _GREY, cortex - 0.8, 1.0), _WHITE, cortex - 3.5, 1.6)
    for centre, radii in (((12, 22, 9), (5, 9, 9)), ((25, 4, 3), (6, 15, 9)), ((10, -13, 6), (8, 13, 9))):
        brain = _blend(brain, _NUCLEUS, -_ellipsoid(paired, centre, radii) - noise["texture"], 2.5)
    brain = _blend(brain, _FLUID, -_ventricles(paired, noise["shape"]), 1.4)
    brain = _blend(brain, _VESSEL, -_vessels(paired, noise), 1.2)
    veins = (noise["fine"] > 1.7) & (cortex < 2.0) & (depth < 12)
    return np.where(veins, brain + np.float32(0.30), brain)


def _head(point: Sequence[Array], wobble: Array) -> Array:
    """Signed distance to the skin, mm."""
    _, y, z = point
    below = np.where(z < 0, np.float32(150), np.float32(79))  # a neck instead of a chin
    return _ellipsoid(point, (0, -4, 12), (84 - 0.06 * (y + 4), 101, below)) + wobble


def _outer_layers(point: Point, outside: Array, noise: dict[str, Array]) -> Array:
    """Everything around the brain: fluid, dura, bone with marrow, muscle, fat, skin, air."""
    x, y, z = point
    depth = -_head(point, noise["shape"])
    bone = outside + 0.6 * noise["texture"]
    soft = _FAT + 0.10 * noise["texture"]
    temple = np.clip((np.abs(x) - 45) / 15, 0, 1) * np.clip((25 - np.abs(z)) / 25, 0, 1) * (np.abs(y - 10) < 45)
    muscle = np.clip(temple + np.clip((-z - 25) / 15, 0, 1) + 0.25 * noise["lump"] * (z < -20), 0, 1)
    soft = soft + (_MUSCLE + 0.05 * noise["texture"] - soft) * muscle * np.clip((depth - 4) / 2, 0, 1)
    image = _blend(np.full_like(x, _AIR), _SKIN, depth, 1.0)
    image = _blend(image, soft, depth - 1.8, 1.0)
    image = _blend(image, _BONE, 9.4 - bone, 1.2)
    marrow = _MARROW + 0.10 * noise["lump"] + 0.05 * noise["fine"]
    image = _blend(image, marrow, 1.5 + 0.3 * noise["lump"] - np.abs(bone - 6.4), 1.2)
    image = _blend(image, _DURA, 3.4 - outside, 0.9)
    image = _blend(image, _FLUID, 2.4 - outside, 0.9)
    sinus = np.hypot(x, 1.1 * (outside - 1.5)) - 3.6  # the superior sagittal sinus
    return _blend(image, np.where((z > 0) | (y < 0), _VESSEL, image), np.where(z > -15, -sinus, np.float32(-9)), 1.0)


def _sulci(point: Point, depth: Array, noise: dict[str, Array]) -> Array:
    """Distance in mm to the nearest cleft of the brain: where smooth noise changes sign, and the great fissures."""
    x, y, z = point
    side = np.abs(x)
    reach = np.clip(19 + 9 * noise["lump"] + 3 * noise["texture"], 5, 38)
    folds = np.abs(noise["fold"]) * 3.5 + np.maximum(depth - reach, 0) * 0.7 + 0.3 * np.abs(noise["fine"])
    joined = np.hypot((y + 4) / 42, (z - 5) / 19)  # corpus callosum and thalami join the hemispheres
    fissure = np.abs(x + 1.0 * noise["fold"]) + np.maximum(1 - joined, 0) * 60
    # The lateral fissure and, at its bottom, the insula.
    bend = noise["fold"] + 0.7 * noise["fine"]
    lateral = np.abs(y - 8 - 0.5 * z + 3 * noise["shape"] + 2 * bend) + np.maximum(39 - side, 0)
    insula = np.abs(side - 39 - 0.006 * (y - 4) ** 2 + 1.3 * bend)
    insula = insula + np.maximum(np.abs(y - 4) - 17, 0) + np.maximum(np.abs(z - 4) - 12, 0)
    nearest: Array = np.minimum(np.minimum(folds, fissure), np.minimum(lateral, insula))
    return nearest


def _ventricles(paired: Point, wobble: Array) -> Array:
    """Signed distance to the ventricles; `paired` holds |x| for x, so they come in pairs."""
    side, y, z = paired
    horn, body, atrium = (6, 16, 15), (10, -14, 19), (21, -36, 9)
    parts = [
        _capsule(paired, (13, 33, 5), horn, 3, 5),
        _capsule(paired, horn, body, 5, 5),
        _capsule(paired, body, atrium, 5, 6.5),
        _capsule(paired, atrium, (19, -56, 5), 6.5, 2),
        _capsule(paired, atrium, (33, -10, -13), 4.5, 2),
    ]
    third = np.maximum(side - 1.6, np.hypot(y + 6, z + 1) - 11)
    fourth = _ellipsoid(paired, (0, -36, -36), (7, 5, 8))
    nearest: Array = np.minimum(np.minimum.reduce(parts) + 0.8 * wobble, np.minimum(third, fourth))
    return nearest


def _vessels(paired: Point, noise: dict[str, Array]) -> Array:
    """Signed distance to choroid plexus and larger arteries, bright after contrast."""
    plexus = _capsule(paired, (17, -30, 12), (22, -38, 7), 2.0, 2.6) + 0.7 * noise["fine"]
    middle = _capsule(paired, (8, 8, -12), (40, 10, 2), 1.4, 1.2)
    branch = _capsule(paired, (40, 10, 2), (44, -12, 14), 1.2, 0.8)
    anterior = _capsule(paired, (1.5, 26, -8), (1.5, 46, 14), 1.2, 1.0)
    nearest: Array = np.minimum(np.minimum(plexus, middle), np.minimum(branch, anterior))
    return nearest


def _add_lesion(
    image: Array, outside: Array, point: Point, noise: dict[str, Array], lesion: Lesion
) -> NDArray[np.bool_]:
    """Paint the lesion into `image` and return its mask, which ends at the inner side of the skull."""
    offsets = [p - c for p, c in zip(point, lesion.center_mm, strict=True)]
    radius = np.sqrt(offsets[0] ** 2 + offsets[1] ** 2 + offsets[2] ** 2)
    rough = 0.7 * noise["lump"] + 0.3 * noise["texture"]
    edge = radius - lesion.radius_mm * (1 + lesion.irregularity * rough)
    within = outside < 2.0  # the lesion ends at the inner side of the skull
    swelling = np.clip(1 - edge / (0.8 * lesion.radius_mm), 0, 1) * np.clip(-outside / 4, 0, 1)
    image += swelling * np.clip(image - 0.36, 0, None) * -0.75  # water darkens white matter around it
    bright = 0.82 if lesion.enhancing else 0.36
    body = bright + 0.05 * noise["texture"] + 0.03 * noise["fine"]
    if lesion.kind == "rim":
        wall = max(2.0, 0.24 * lesion.radius_mm)
        body = _blend(body, 0.20 + 0.03 * noise["texture"], -edge - wall * (1 + 0.25 * noise["fine"]), 1.2)
    image[:] = np.where(within, _blend(image, body, -edge, 1.0), image)
    mask: NDArray[np.bool_] = (edge < 0) & within
    return mask


def _blend(under: Array, over: Array | float, inside_mm: NDArray[np.floating[Any]], soft_mm: float) -> Array:
    """`over` where inside_mm > 0, `under` elsewhere, mixed over soft_mm as partial volume mixes tissues."""
    share = np.clip(inside_mm / np.float32(soft_mm) + np.float32(0.5), 0, 1)
    mixed: Array = under + (over - under) * share
    return mixed


def _ellipsoid(
    point: Sequence[Array],
    centre: tuple[float, float, float],
    radii: tuple[float | Array, float | Array, float | Array],
) -> Array:
    """Signed distance along the ray from the centre, mm, negative inside."""
    dx, dy, dz = (p - c for p, c in zip(point, centre, strict=True))
    scaled = np.sqrt((dx / radii[0]) ** 2 + (dy / radii[1]) ** 2 + (dz / radii[2]) ** 2)
    length = np.sqrt(dx**2 + dy**2 + dz**2)
    distance: Array = length - length / np.maximum(scaled, np.float32(1e-3))
    return distance


def _capsule(
    point: Point, start: tuple[float, float, float], end: tuple[float, float, float], first: float, last: float
) -> Array:
    """Signed distance to a rod from start to end whose radius goes from first to last, mm."""
    dx, dy, dz = (p - c for p, c in zip(point, start, strict=True))
    ax, ay, az = (b - a for a, b in zip(start, end, strict=True))
    along = np.clip((dx * ax + dy * ay + dz * az) / (ax**2 + ay**2 + az**2), 0, 1)
    distance: Array = np.sqrt((dx - along * ax) ** 2 + (dy - along * ay) ** 2 + (dz - along * az) ** 2)
    distance -= first + (last - first) * along
    return distance
