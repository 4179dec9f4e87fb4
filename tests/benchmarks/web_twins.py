"""Which web pictures of val have a twin that the index doesn't know? Lists pairs to be told by eye; takes seconds.

    python tests/benchmarks/web_twins.py DATA [--least 0.65]

DATA is the shared data folder. Framed heads of 64 x 64 are compared after local normalisation, so that another window
hardly counts, as they are and mirrored, by correlation. Pairs of one group are left out. Those in
``training/web_twins.csv`` are marked; read side by side, all pairs above 0.85 were twins, some as low as 0.67, and CT
heads that have nothing in common reach 0.8.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.inference.preprocess import find_frame, normalise, resample
from braintumor_desktop.training.data import WEB_TWINS, read_grey, read_rows

SIDE, SIGMA = 64, 4


def described(path: Path) -> NDArray[np.float32]:
    pixels = read_grey(path)
    head = normalise(resample(pixels, find_frame(pixels), SIDE))
    detail = head - cv2.GaussianBlur(head, (0, 0), SIGMA)
    return np.asarray(detail / (np.sqrt(cv2.GaussianBlur(detail**2, (0, 0), SIGMA)) + np.float32(0.03)))


def rows_of(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.linalg.norm(flat, axis=1, keepdims=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--least", type=float, default=0.65)
    options = parser.parse_args()
    with WEB_TWINS.open(newline="") as file:
        known = {(row["group"], row["twin"]) for row in csv.DictReader(file)}
    with (options.data / "web" / "index.csv").open(newline="") as file:
        own = {options.data / "web" / row["file"]: (row["group"], row["split"]) for row in csv.DictReader(file)}
    paths = [row.path for row in read_rows(options.data) if row.source != "cheng"]
    pictures = np.stack([described(path) for path in paths])
    groups, splits = zip(*(own[path] for path in paths), strict=True)
    val = [k for k, split in enumerate(splits) if split == "val"]
    everything = rows_of(pictures)
    flips = (slice(None), slice(None, None, -1))
    alike = np.max([rows_of(pictures[val][:, v, h]) @ everything.T for v in flips for h in flips], axis=0)
    best: dict[tuple[str, str, str], float] = {}
    for k, row in zip(val, alike, strict=True):
        for j in np.flatnonzero(row >= options.least):
            pair = groups[k], groups[j], splits[j]
            if groups[j] != groups[k] and not (splits[j] == "val" and groups[j] < groups[k]):
                best[pair] = max(best.get(pair, 0.0), float(row[j]))
    print("| group of val | twin | split of twin | alike | in the table |\n|---|---|---|---|---|")
    for (group, twin, split), value in sorted(best.items(), key=lambda each: -each[1]):
        print(f"| {group} | {twin} | {split} | {value:.3f} | {'yes' if (group, twin) in known else 'no'} |")


if __name__ == "__main__":
    main()
