"""What is said of series without a tumour? Prints a table; run it by hand with the shared data, it takes minutes.

    python tests/benchmarks/tumour_free_series.py DATA [--pictures FOLDER]

DATA is the shared data folder. Every volume and the DICOM head in it are analysed as whole series. Slices called tumour
are those with a probability above 0.5, smoothed with their nearest neighbours; outlines dropped are candidates that the
rule of the series turned down. --pictures saves the slice with the highest probability of each series, with what was
outlined.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.imaging import list_inputs
from braintumor_desktop.imaging.windowing import apply_window, robust_window
from braintumor_desktop.inference import Analyzer
from braintumor_desktop.training.data import HELD_OUT_VOLUMES


def row(name: str, analysis: Analysis) -> str:
    slices, found = analysis.slices or (), analysis.segmentation
    called = sum(each.tumor_probability > 0.5 for each in slices)
    codes = [flag.code for flag in analysis.quality.flags]
    dropped = next((flag.sentence for flag in analysis.quality.flags if flag.code == "outlines_dropped"), "")
    keys = analysis.key_slices
    return " | ".join(
        [
            f"| {name}",
            "no" if name.startswith(HELD_OUT_VOLUMES) or not name.startswith("patient") else "yes",
            analysis.finding.label,
            f"{analysis.finding.tumor_probability:.2f}",
            str(len(found.lesions) if found else 0),
            f"{called} of {len(slices)}",
            dropped.rsplit("slice ", 1)[-1].rstrip(".") if dropped else "none",
            "yes" if "suspicious_slices" in codes else "no",
            "" if keys is None else f"{keys.most_confident + 1}, {keys.most_uncertain + 1}",
            f"{analysis.timing.total / 1000:.0f} |",
        ]
    )


def picture(analysis: Analysis, path: Path) -> None:
    """The most suspicious slice, its probability map in red beside it."""
    slices = analysis.slices or ()
    index = max(slices, key=lambda each: each.tumor_probability).index
    plane = analysis.study.pixels[index]
    grey = cv2.cvtColor(apply_window(plane, robust_window(plane)), cv2.COLOR_GRAY2BGR)
    marked = grey.copy()
    if analysis.segmentation is not None:
        marked[..., 2] = np.maximum(marked[..., 2], (255 * analysis.segmentation.probability[index]).astype(np.uint8))
    cv2.imwrite(str(path), np.hstack([grey, marked]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    volumes = sorted((options.data / "volumes").rglob("*.nii.gz"))
    analyzer = Analyzer.open("neuro", "cpu")
    print(f"neuro {analyzer.identity.version}, weights {analyzer.identity.sha256[:12]}\n")
    print(
        "| series | in training | finding | tumour | outlines shown | slices called tumour |"
        " outlines dropped on slices | run of slices flagged | most, least certain | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for path in [*volumes, options.data / "dicom" / "t1_series_implicit_le"]:
        for entry in list_inputs([path]).entries:
            analysis = analyzer.analyze(entry.load())
            name = path.name.removesuffix(".nii.gz")
            print(row(name, analysis), flush=True)
            if options.pictures is not None:
                options.pictures.mkdir(parents=True, exist_ok=True)
                picture(analysis, options.pictures / f"{name}.png")


if __name__ == "__main__":
    main()
