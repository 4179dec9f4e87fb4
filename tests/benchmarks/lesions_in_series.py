"""Which lesions of real patients does a whole series show? Prints a table; run it by hand, it takes minutes.

    python tests/benchmarks/lesions_in_series.py DATA HEAD [HEAD …] [--thickness 1 3 5 6]
    python tests/benchmarks/lesions_in_series.py --free HEAD [HEAD …] [--thickness 1 3 5 6]

DATA is the shared data folder; HEAD a file or folder with a whole tumour-free head in T1, slices of about 1 mm. The
largest lesion of each patient of Cheng val, which training never saw, is put into one of the heads at 1 mm: a body with
the lesion's section in its middle, smaller ones above and below. Slices are the means over their thickness, as a
scanner's are, up to 30 mm beyond the lesion. --free looks at whole heads as they are, in three planes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.findings import Analysis, TumorClass
from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging import list_inputs
from braintumor_desktop.inference import Analyzer
from braintumor_desktop.inference.planes import PLANES, lay_grid, resample_to
from braintumor_desktop.training.data import Row, read_grey, read_rows

Array = NDArray[Any]
AXIAL, MARGIN_MM = 2, 30.0
DONOR_MM = 250.0
"""Width of a Cheng picture, which names no size."""


def fine_slices(head: Study, axis: int) -> tuple[Array, Array]:
    """float32 slices across one patient axis, 1 mm apart, and their affine."""
    assert head.geometry.affine is not None
    grid = lay_grid(head.geometry.affine, head.pixels.shape, axis, 1.0)
    pixels = resample_to(head.pixels.astype(np.float32), grid)
    return np.clip(pixels / np.percentile(pixels, 99.9), 0, 1), head.geometry.affine @ grid.to_volume


def thick_series(fine: Array, affine: Array, thickness: int) -> Study:
    """Each slice the mean of `thickness` fine ones."""
    count = len(fine) // thickness
    pixels = fine[: count * thickness].reshape(count, thickness, *fine.shape[1:]).mean(axis=1)
    whole = np.rint(2000 * pixels).astype(np.uint16)
    own = affine.copy()
    own[:3, 3] += own[:3, 2] * (thickness - 1) / 2
    own[:3, 2] *= thickness
    pixel_mm = float(np.linalg.norm(own[:3, 0]))
    source = Source(Path("made"), "0" * 64, whole.nbytes, InputKind.NIFTI, "made", 16, False, synthetic=True)
    return Study(whole, source, Geometry((pixel_mm, pixel_mm), float(thickness), None, own))


def largest_lesions(data: Path) -> list[Row]:
    """One picture a patient of Cheng val."""
    best: dict[str, tuple[int, Row]] = {}
    for row in read_rows(data):
        if row.source == "cheng" and row.split == "val" and row.mask is not None:
            mask = read_grey(row.mask) > 127
            share = int(1e6 * mask.mean())
            best[row.patient] = max(best.get(row.patient, (0, row)), (share, row), key=lambda pair: pair[0])
    return [row for _, (_, row) in sorted(best.items())]


def put_in(fine: Array, pixel_mm: float, row: Row, rng: np.random.Generator) -> tuple[Array, Array]:
    """Axial slices with the lesion, and the mask of it: (slices, rows, columns)."""
    assert row.mask is not None
    image, mask = read_grey(row.path).astype(np.float32) / 255, (read_grey(row.mask) > 127).astype(np.float32)
    donor_mm = DONOR_MM / image.shape[1]
    rows, columns = np.nonzero(mask)
    radius = max(6.0, np.sqrt(mask.sum() / np.pi) * donor_mm)
    near, far = (cv2.dilate(mask, np.ones((2 * k + 1,) * 2)) for k in (round(2 / donor_mm), round(10 / donor_mm)))
    around = image[(far > near) & (image > 0.15 * np.percentile(image, 99))]
    where = np.argwhere(fine > 0.15)
    low, high = np.percentile(where, [2, 98], axis=0)
    middle = (low + high) / 2
    center = np.array(
        [
            high[0] - rng.uniform(45, 65),
            middle[1] + rng.uniform(-30, 35) / pixel_mm,
            middle[2] + rng.choice([-1, 1]) * rng.uniform(18, 38) / pixel_mm,
        ]
    )
    image = cv2.GaussianBlur(image, (0, 0), 0.6 / donor_mm)
    soft = cv2.GaussianBlur(mask, (0, 0), 1.2 / donor_mm)
    filled, truth = fine.copy(), np.zeros(fine.shape, np.bool_)
    v, u = np.mgrid[: fine.shape[1], : fine.shape[2]].astype(np.float32)
    host = fine[round(center[0])][np.hypot(v - center[1], u - center[2]) * pixel_mm < radius + 5]
    host = host[host > 0.2]
    contrast = float(np.clip(_spread(host) / max(_spread(around), 1e-3), 0.3, 3.0))
    for index in range(max(0, int(center[0] - radius)), min(len(fine), int(center[0] + radius) + 2)):
        size = np.sqrt(max(0.0, 1 - ((index - center[0]) / (radius + 0.5)) ** 2))
        if size < 0.25:
            continue
        x = ((u - center[2]) * pixel_mm / size / donor_mm + columns.mean()).astype(np.float32)
        y = ((v - center[1]) * pixel_mm / size / donor_mm + rows.mean()).astype(np.float32)
        weight = cv2.remap(soft, x, y, cv2.INTER_LINEAR)
        value = np.median(host) + contrast * (cv2.remap(image, x, y, cv2.INTER_LINEAR) - np.median(around))
        filled[index] = (1 - weight) * fine[index] + weight * np.clip(value, 0, 1)
        truth[index] = weight > 0.5
    return filled, truth


def _spread(values: Array) -> float:
    low, high = np.percentile(values, [16, 84])
    return float(high - low) / 2


def with_lesions(data: Path, heads: list[Study]) -> Iterator[tuple[Row, Array, Array, Array]]:
    """Row, fine slices about the lesion, their affine, and where the lesion is in them."""
    made = [fine_slices(head, AXIAL) for head in heads]
    for number, row in enumerate(largest_lesions(data)):
        fine, affine = made[number % len(made)]
        filled, truth = put_in(fine, float(np.linalg.norm(affine[:3, 0])), row, np.random.default_rng(number))
        held = np.flatnonzero(truth.any(axis=(1, 2)))
        first, last = max(0, int(held[0] - MARGIN_MM)), int(held[-1] + MARGIN_MM)
        moved = affine.copy()
        moved[:3, 3] += moved[:3, 2] * first
        yield row, filled[first:last], moved, truth[first:last]


def overlap(analysis: Analysis, truth: Array, thickness: int) -> float:
    """Dice of all that is outlined."""
    mask = analysis.segmentation.mask if analysis.segmentation is not None else None
    count = len(truth) // thickness
    true = truth[: count * thickness].reshape(count, thickness, *truth.shape[1:]).mean(axis=1) > 0.5
    return 0.0 if mask is None else float(2 * (mask & true).sum() / (mask.sum() + true.sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    parser.add_argument("--free", action="store_true")
    parser.add_argument("--thickness", type=int, nargs="+", default=[1, 3, 5, 6])
    options = parser.parse_args()
    files = options.paths if options.free else options.paths[1:]
    heads = [(path.name, list_inputs([path]).entries[0].load()) for path in files]
    analyzer = Analyzer.open("neuro", "cpu")
    print(f"neuro {analyzer.identity.version}, weights {analyzer.identity.sha256[:12]}\n")
    if options.free:
        print("| head | plane | slices of | finding | tumour | outlines shown | slices called tumour |")
        print("|---|---|---|---|---|---|---|", flush=True)
        for name, head in heads:
            for axis, plane in enumerate(PLANES):
                fine, affine = fine_slices(head, axis)
                for thickness in options.thickness:
                    found = analyzer.analyze(thick_series(fine, affine, thickness))
                    slices, lesions = found.slices or (), found.segmentation.lesions if found.segmentation else ()
                    called = sum(each.tumor_probability > 0.5 for each in slices)
                    print(
                        f"| {name} | {plane} | {thickness} mm | {found.finding.label} | "
                        f"{found.finding.tumor_probability:.2f} | {len(lesions)} | {called} of {len(slices)} |",
                        flush=True,
                    )
        return
    told: dict[int, list[tuple[bool, bool, bool, bool, float]]] = {thickness: [] for thickness in options.thickness}
    for row, fine, affine, truth in with_lesions(options.paths[0], [head for _, head in heads]):
        for thickness in options.thickness:
            found = analyzer.analyze(thick_series(fine, affine, thickness))
            suspected = any(each.tumor_probability > 0.5 for each in found.slices or ())
            doubted = any(flag.code == "outlines_doubted" for flag in found.quality.flags)
            tumor = found.finding.tumor_probability > 0.5 and not doubted
            typed = row.label != TumorClass.PITUITARY and found.finding.label == row.label
            told[thickness].append((suspected, tumor, typed, doubted, overlap(found, truth, thickness)))
    typable = sum(row.label != TumorClass.PITUITARY for row in largest_lesions(options.paths[0]))
    print(
        "| slices of | series | with a slice called tumour | called tumour | of the right type | mean Dice of these | "
        "outlined with a doubt | mean Dice of these |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for thickness, rows in told.items():
        suspected, tumor, typed, doubted, dice = (np.array(column) for column in zip(*rows, strict=True))
        print(
            f"| {thickness} mm | {len(rows)} | {suspected.sum()} | {tumor.sum()} | {typed.sum()} of {typable} | "
            f"{dice[tumor].mean():.2f} | {doubted.sum()} | {dice[doubted].mean():.2f} |"
        )


if __name__ == "__main__":
    main()
