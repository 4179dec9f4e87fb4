"""How right are volume and diameters of a lesion of known size? Prints a table; run it by hand, it takes minutes.

    python tests/benchmarks/phantom_series.py [--thickness 1 3 6] [--plane axial …] [--radius 14] [--kind homogeneous]

A synthetic head at 1 mm is resampled to slices of each thickness in each plane, every slice the mean over its thickness
as a scanner's is. Only slices up to 22 mm beyond the lesion are analysed; slices lie unevenly about its centre.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging.phantom import Lesion, PhantomVolume, make_volume
from braintumor_desktop.inference import Analyzer
from braintumor_desktop.inference.planes import Volume

TILT_DEGREES = 40.0
# Columns: towards the right edge, the bottom edge and the next slice, in RAS.
_TILT = np.radians(TILT_DEGREES)
PLANES = {
    "axial": np.diag([-1.0, -1.0, 1.0]),
    "coronal": np.array([[-1.0, 0, 0], [0, 0, -1], [0, -1, 0]]),
    "sagittal": np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]),
    "oblique": np.array([[1, 0, 0], [0, np.cos(_TILT), -np.sin(_TILT)], [0, np.sin(_TILT), np.cos(_TILT)]])
    @ np.diag([-1.0, -1.0, 1.0]),
}
SIZE, PIXEL_MM, MARGIN_MM, HEAD_CENTRE = 256, 0.9, 22.0, np.array([0.0, -6.0, 8.0])


def series(head: PhantomVolume, volume: Volume, lesion: Lesion, turned: NDArray[Any], thickness: float) -> Study:
    """Slices of one plane through the lesion."""
    slices = int(2 * (lesion.radius_mm + MARGIN_MM) / thickness)
    affine = np.eye(4)
    affine[:3, :3] = turned * np.array([PIXEL_MM, PIXEL_MM, thickness])
    along = (np.array(lesion.center_mm) - HEAD_CENTRE) @ turned[:, 2] + 0.37 * thickness
    middle = HEAD_CENTRE + turned[:, 2] * along
    affine[:3, 3] = middle - affine[:3, :3] @ np.array([(SIZE - 1) / 2, (SIZE - 1) / 2, (slices - 1) / 2])
    to_head, shape, layers = np.linalg.inv(head.affine) @ affine, (slices, SIZE, SIZE), max(1, round(thickness))
    pixels = np.zeros(shape, np.float32)
    for index in range(slices):
        for layer in range(layers):
            shift = np.eye(4)
            shift[2, 3] = (layer + 0.5) / layers - 0.5
            pixels[index] += volume.slice(index, shape, to_head @ shift) / layers
    whole = np.rint(pixels).astype(np.uint16)
    source = Source(Path("phantom"), "0" * 64, whole.nbytes, InputKind.NIFTI, "phantom", 16, False, synthetic=True)
    return Study(whole, source, Geometry((PIXEL_MM, PIXEL_MM), thickness, None, affine))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--thickness", type=float, nargs="+", default=[1.0, 3.0, 6.0])
    parser.add_argument("--plane", nargs="+", choices=list(PLANES), default=list(PLANES))
    parser.add_argument("--radius", type=float, default=14.0)
    parser.add_argument("--kind", choices=["homogeneous", "rim"], default="homogeneous")
    options = parser.parse_args()
    lesion = Lesion(radius_mm=options.radius, kind=options.kind, irregularity=0.0)
    head = make_volume(7, (180, 256, 256), (1.0, 0.9, 0.9), lesion)
    volume, analyzer = Volume(head.pixels), Analyzer.open("neuro", "cpu")
    true_ml, true_mm = 4 / 3 * np.pi * options.radius**3 / 1000, 2 * options.radius
    print(f"{options.kind} ball of {true_mm:g} mm, {true_ml:.2f} ml, model {analyzer.identity.sha256[:12]}\n")
    print("| plane | slices of | lesions | volume | longest | perpendicular | centre off | seconds |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for plane in options.plane:
        for thickness in options.thickness:
            study = series(head, volume, lesion, PLANES[plane], thickness)
            began = time.perf_counter()
            found = analyzer.analyze(study).segmentation
            seconds = time.perf_counter() - began
            said = f"| {plane} | {thickness:g} mm | {len(found.lesions) if found else 0} |"
            if found is None or not found.lesions or found.lesions[0].diameters is None:
                print(f"{said} not found | | | | {seconds:.0f} |", flush=True)
                continue
            first, size = found.lesions[0], found.lesions[0].diameters
            off = np.linalg.norm(np.subtract(first.center_mm or (np.nan,) * 3, lesion.center_mm))
            print(
                f"{said} {100 * ((first.volume_ml or 0) / true_ml - 1):+.1f} % |"
                f" {(size.longest.length_mm or 0) - true_mm:+.1f} mm |"
                f" {(size.perpendicular.length_mm or 0) - true_mm:+.1f} mm | {off:.1f} mm | {seconds:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
