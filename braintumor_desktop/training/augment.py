"""Augmentation: what web pictures, scanners and hands do to a slice, and lesions taken out or put in."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Image = NDArray[np.float32]


def geometric(image: Image, region: Image, size: int, rng: Generator) -> tuple[Image, Image]:
    """One random affine and elastic warp of picture and region, to (size, size).

    Rotation up to 20° (a quarter turn now and then), zoom 0.8..1.3, anisotropy ±10 %, shift, mirror.
    """
    source = image.shape[0]
    angle = rng.uniform(-20, 20) + 90 * (rng.integers(1, 4) if rng.random() < 0.06 else 0)
    zoom = np.exp(rng.uniform(np.log(0.8), np.log(1.3))) * size / source
    reach = 0.06
    if rng.random() < 0.08:  # a partial field of view
        zoom, reach = zoom * rng.uniform(1.1, 1.6), 0.25
    stretch = np.exp(rng.uniform(-0.1, 0.1))
    turn = np.deg2rad(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = rotation @ np.diag([zoom * stretch, zoom / stretch])
    if rng.random() < 0.5:
        linear = linear @ np.diag([-1.0, 1.0])
    if rng.random() < 0.04:
        linear = linear @ np.diag([1.0, -1.0])
    centre = np.full(2, (source - 1) / 2)
    target = np.full(2, (size - 1) / 2) + rng.uniform(-reach, reach, 2) * size
    inverse = np.linalg.inv(linear)
    ys, xs = np.mgrid[0:size, 0:size].astype(np.float32)
    dx, dy = xs - target[0], ys - target[1]
    map_x = (inverse[0, 0] * dx + inverse[0, 1] * dy + centre[0]).astype(np.float32)
    map_y = (inverse[1, 0] * dx + inverse[1, 1] * dy + centre[1]).astype(np.float32)
    if rng.random() < 0.3:
        strength = rng.uniform(2, 6) * source / 256
        map_x += strength * _smooth_field(size, rng)
        map_y += strength * _smooth_field(size, rng)
    if zoom < 0.75:  # shrinking: smooth first, as the program's area averaging does
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / zoom)
    warped = cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR)
    moved = cv2.remap(region, map_x, map_y, cv2.INTER_LINEAR)
    return np.asarray(warped), np.asarray(moved > 0.5, dtype=np.float32)


def _smooth_field(size: int, rng: Generator, cells: int = 4) -> Image:
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC))


def photometric(image: Image, rng: Generator) -> Image:
    """Brightness, contrast, gamma, bias field, blur, sharpening, low resolution, noise, JPEG, text, borders.

    image: (size, size), 0..1; never inverted, as tissue contrast is the evidence.
    """
    size = image.shape[0]
    if rng.random() < 0.7:
        image = np.power(np.clip(image, 0, 1), np.exp(rng.uniform(-0.5, 0.5)))
    if rng.random() < 0.25:
        image = _tone_curve(image, rng)
    if rng.random() < 0.3:
        image = image * (1 + 0.25 * _smooth_field(size, rng, 3))
    if rng.random() < 0.15:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.15:
        small = int(size * rng.uniform(0.35, 0.8))
        image = cv2.resize(cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA), (size, size))
    if rng.random() < 0.15:
        soft = cv2.GaussianBlur(image, (0, 0), 1.5)
        image = image + rng.uniform(0.3, 1.2) * (image - soft)
    if rng.random() < 0.3:
        sigma = rng.uniform(0.01, 0.09)
        noise = rng.standard_normal((2, size, size)).astype(np.float32) * sigma
        image = np.hypot(image + noise[0], noise[1])
    if rng.random() < 0.7:
        image = (image - 0.5) * rng.uniform(0.7, 1.3) + 0.5 + rng.uniform(-0.12, 0.12)
        image = np.maximum(image, 0)
    if rng.random() < 0.15:
        quality = int(rng.integers(15, 70))
        coded = cv2.imencode(".jpg", _bytes(image), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32) / np.float32(255)
    if rng.random() < 0.08:
        image = _with_text(image, rng)
    if rng.random() < 0.06:
        image = _border(image, rng)
    return np.asarray(np.clip(image, 0, 1), dtype=np.float32)


def _tone_curve(image: Image, rng: Generator) -> Image:
    """A random rising curve of grey values: another scanner's contrast, never inverted."""
    steps = rng.dirichlet(np.full(6, 1.5))
    curve = 0.35 * np.linspace(0, 1, 7) + 0.65 * np.concatenate([[0.0], np.cumsum(steps)])
    return np.interp(image, np.linspace(0, 1, 7), curve).astype(np.float32)


def skull_off(image: Image, region: Image, rng: Generator) -> Image | None:
    """The head without its outer shell, as after skull stripping: a rim of random width turns black.

    image, region: (n, n), 0..1. None where the lesion would go with it. A likeness only: no brain is outlined.
    """
    head = cv2.morphologyEx((image > 0.08).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    padded = cv2.copyMakeBorder(head, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    depth = depth + rng.uniform(1, 4) * _smooth_field(image.shape[0], rng, 5)
    kept = (depth > rng.uniform(8, 24)).astype(np.float32)
    if (region * kept).sum() < 0.9 * region.sum() or kept.mean() < 0.12:
        return None
    return np.asarray(image * cv2.GaussianBlur(kept, (0, 0), 0.7), dtype=np.float32)


def _bytes(image: Image) -> NDArray[np.uint8]:
    return np.asarray(np.clip(image, 0, 1) * 255, dtype=np.uint8)


def _with_text(image: Image, rng: Generator) -> Image:
    size = image.shape[0]
    text = "".join(rng.choice(list("RLAP0123456789:./ mTE"), int(rng.integers(1, 14))))
    row = rng.uniform(0.04, 0.12) if rng.random() < 0.5 else rng.uniform(0.9, 1.0)
    corner = (int(rng.uniform(0, 0.8) * size), int(row * size))
    written = np.zeros((size, size), np.uint8)
    cv2.putText(written, text, corner, cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.25, 0.6), 255, 1)
    return np.maximum(image, written.astype(np.float32) / 255 * rng.uniform(0.6, 1))


def _border(image: Image, rng: Generator) -> Image:
    size = image.shape[0]
    framed = np.full_like(image, rng.choice([0.0, 0.0, rng.uniform(0, 1)]))
    edge = rng.integers(0, size // 8, 4)
    inner = (slice(edge[0], size - edge[1]), slice(edge[2], size - edge[3]))
    framed[inner] = image[inner]
    return framed


def remove_lesion(image: Image, region: Image, rng: Generator, lesion: Image | None = None) -> Image | None:
    """Cover a region with tissue of the same head: mirrored from the other side, or from nearby.

    image, region: (n, n), 0..1; lesion: what else than the region itself no tissue may be taken from. None where no
    clean piece of tissue was found. The seam is feathered. The same covering at a healthy place (`cover_elsewhere`)
    keeps the seam from being evidence of "no tumour".
    """
    core = cv2.dilate(region, np.ones((7, 7), np.float32))
    unclean = core if lesion is None else np.maximum(core, cv2.dilate(lesion, np.ones((7, 7), np.float32)))
    for _ in range(8):
        mirrored = rng.random() < 0.5
        flipped, blocked = (image[:, ::-1], unclean[:, ::-1]) if mirrored else (image, unclean)
        dy, dx = rng.integers(-70, 71, 2) if not mirrored else rng.integers(-8, 9, 2)
        donor = _shift(flipped, int(dx), int(dy))
        taken = _shift(blocked, int(dx), int(dy))
        inside = core > 0.5
        ring = (cv2.dilate(core, np.ones((13, 13), np.float32)) > 0.5) & ~inside
        if (taken[inside] > 0.5).any() or (donor[inside] < 0.08).mean() > 0.25 or not ring.any():
            continue
        gain = (image[ring].mean() + 0.02) / (donor[ring].mean() + 0.02)
        if not 0.6 < gain < 1.6 or donor[inside].std() > 1.5 * image[ring].std() + 0.03:
            continue  # scalp, sinus or eye: no tissue to cover a lesion with
        return _blend(image, np.clip(donor * gain, 0, 1), core)
    return None


def cover_elsewhere(image: Image, region: Image, rng: Generator) -> Image:
    """The same covering as `remove_lesion`, of an ellipse away from the lesion; the label stays."""
    size = image.shape[0]
    for _ in range(6):
        spot = np.zeros_like(region)
        centre = tuple(int(v) for v in rng.integers(size // 4, 3 * size // 4, 2))
        axes = tuple(int(v) for v in rng.integers(8, 30, 2))
        cv2.ellipse(spot, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        if (spot * region).any():
            continue
        covered = remove_lesion(image, spot, rng, lesion=region)
        if covered is not None:
            covered[region > 0.5] = image[region > 0.5]
            return covered
    return image


def transplant(host: Image, donor: Image, region: Image, rng: Generator) -> tuple[Image, Image] | None:
    """Put the donor's lesion into a tumour-free head at the same place of the framed head.

    Returns the picture and the lesion's region, or None where it would lie in air.
    """
    if rng.random() < 0.5:
        donor, region = donor[:, ::-1], region[:, ::-1]
    dy, dx = (int(v) for v in rng.integers(-10, 11, 2))
    donor, region = _shift(donor, dx, dy), _shift(region, dx, dy)
    inside = region > 0.5
    around = (cv2.dilate(region, np.ones((15, 15), np.float32)) > 0.5) & ~inside
    if inside.sum() < 30 or (host[inside] < 0.08).mean() > 0.15:
        return None
    scaled = donor * np.clip((host[around].mean() + 0.02) / (donor[around].mean() + 0.02), 0.6, 1.8)
    return _blend(host, np.clip(scaled, 0, 1), cv2.dilate(region, np.ones((3, 3), np.float32))), region


def hollow(image: Image, region: Image, rng: Generator) -> Image | None:
    """The lesion with a dark core and a rim that takes up contrast, as with necrosis or a cyst; its region stays.

    image, region: (n, n), 0..1. None where the lesion is too small for a core, or no tissue lies around it.
    """
    lesion = region > 0.5
    depth = cv2.distanceTransform(lesion.astype(np.uint8), cv2.DIST_L2, 5)
    around = (cv2.dilate(region, np.ones((13, 13), np.float32)) > 0.5) & ~lesion & (image > 0.08)
    deepest = float(depth.max())
    if deepest < 6 or not around.any():
        return None
    size = image.shape[0]
    tissue = float(np.median(image[around]))
    width = rng.uniform(0.15, 0.5) * deepest * np.exp(rng.uniform(0, 0.4) * _smooth_field(size, rng, 8))
    core = np.clip((depth - width) / rng.uniform(1, 3), 0, 1)
    rim = np.clip(depth / 1.5, 0, 1) * (1 - core)
    texture = image - cv2.GaussianBlur(image, (0, 0), 4.0)
    dark = tissue * (rng.uniform(0.3, 0.9) + 0.1 * _smooth_field(size, rng, 6)) + rng.uniform(0.2, 0.8) * texture
    bright = np.maximum(tissue * rng.uniform(1.15, 1.9) + texture - image, 0)
    return np.asarray(np.clip((image + rim * bright) * (1 - core) + dark * core, 0, 1), dtype=np.float32)


def _shift(image: Image, dx: int, dy: int) -> Image:
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    return np.asarray(cv2.warpAffine(np.ascontiguousarray(image), matrix, image.shape[::-1]))


def _blend(under: Image, over: Image, where: Image) -> Image:
    alpha = np.clip(cv2.GaussianBlur(where.astype(np.float32), (0, 0), 2.0), 0, 1)
    alpha[where > 0.5] = np.maximum(alpha[where > 0.5], 0.6)
    return np.asarray(under * (1 - alpha) + over * alpha, dtype=np.float32)
