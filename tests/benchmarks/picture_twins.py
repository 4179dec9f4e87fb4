"""Which pictures of different groups, patients or folds show one slice? Lists pairs to be told by eye; some 20 minutes.

    python tests/benchmarks/picture_twins.py DATA [--least 0.5] [--pairs val|folds]

DATA is the shared data folder. Points of interest (SIFT; Lowe, IJCV 2004) of each picture, as it is and mirrored, are
looked up among those of all others; pictures that share several, laid on each other by the affine map that most of
these agree on (RANSAC), are compared by the correlation of what stands out locally. So cut out, turned, stretched,
mirrored and newly windowed copies are found. ``val``: pictures of val and those they have twins among, in val or train;
``folds``: Cheng slices of different folds. Those in ``training/twins.csv`` are marked.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.training.data import TWINS, Row, read_grey, read_rows

SIDE, POINTS, NEIGHBOURS, ALIKE, FEWEST = 400, 400, 8, 0.6, 6


def drawn(row: Row) -> NDArray[np.uint8]:
    grey = read_grey(row.path)
    scale = SIDE / max(grey.shape)
    sized = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return np.asarray(cv2.createCLAHE(2, (8, 8)).apply(sized), np.uint8)


def described(grey: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Places (n, 2) and descriptors (n, 128), roots of shares as in RootSIFT (Arandjelovic et al., CVPR 2012)."""
    points, vectors = cv2.SIFT_create(nfeatures=POINTS).detectAndCompute(grey, None)
    if vectors is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
    shares = vectors / np.maximum(vectors.sum(axis=1, keepdims=True), 1e-6)
    return np.array([p.pt for p in points], np.float32), np.sqrt(shares).astype(np.float32)


def detail(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.5)
    high = values - cv2.GaussianBlur(values, (0, 0), 12)
    return np.asarray(high / (np.sqrt(cv2.GaussianBlur(high**2, (0, 0), 12)) + 4), np.float32)


def laid_on(one: NDArray[np.uint8], other: NDArray[np.uint8], matrix: NDArray[np.float64]) -> float:
    """Correlation of local detail of `other` and of `one` moved onto it, where both show tissue."""
    size = other.shape[::-1]
    moved = cv2.warpAffine(one, matrix, size)
    inside = (cv2.warpAffine(np.full_like(one, 255), matrix, size) > 128) & ((moved > 25) | (other > 25))
    if inside.mean() < 0.05:
        return -1.0
    return float(np.corrcoef(detail(moved)[inside], detail(other)[inside])[0, 1])


def twins(asked: list[Row], among: list[Row]) -> Iterator[tuple[Row, Row, int, float, bool]]:
    """Pairs of different groups with the number of points that agree, the correlation, and whether mirrored."""
    greys = [drawn(row) for row in among]
    features = [described(grey) for grey in greys]
    owner = np.repeat(np.arange(len(among)), [len(vectors) for _, vectors in features])
    place = np.concatenate([points for points, _ in features])
    index = cv2.flann.Index(np.concatenate([vectors for _, vectors in features]), {"algorithm": 1, "trees": 4})
    for number, row in enumerate(asked):
        if sys.stderr.isatty() or number % 100 == 0:
            sys.stderr.write(f"\r{number}/{len(asked)}")
        for mirrored in (False, True):
            grey = drawn(row)
            grey = np.ascontiguousarray(grey[:, ::-1]) if mirrored else grey
            points, vectors = described(grey)
            if len(vectors) < FEWEST:
                continue
            near, squares = index.knnSearch(vectors, NEIGHBOURS, params={"checks": 64})
            votes: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for mine, theirs in zip(*np.nonzero(squares < ALIKE**2), strict=True):
                votes[int(owner[near[mine, theirs]])].append((int(mine), int(near[mine, theirs])))
            for other, pairs in votes.items():
                if among[other].group == row.group or len(pairs) < FEWEST:
                    continue
                mine, theirs = np.array(pairs).T
                matrix, agree = cv2.estimateAffine2D(points[mine], place[theirs], ransacReprojThreshold=5)
                if matrix is None or int(agree.sum()) < FEWEST:
                    continue
                longest, shortest = np.linalg.svd(matrix[:, :2])[1]
                if longest < 4 and shortest > 0.25 and longest < 2 * shortest:
                    yield row, among[other], int(agree.sum()), laid_on(grey, greys[other], matrix), mirrored


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--least", type=float, default=0.5)
    parser.add_argument("--pairs", choices=("val", "folds"), default="val")
    options = parser.parse_args()
    with TWINS.open(newline="") as file:
        known = {frozenset((row["group"], row["twin"])) for row in csv.DictReader(file)}
    rows = read_rows(options.data)
    if options.pairs == "folds":
        rows = [row for row in rows if row.source == "cheng"]
        asked = rows
    else:
        asked = [row for row in rows if row.split != "train"]
    best: dict[frozenset[str], tuple[Row, Row, int, float, bool]] = {}
    for found in twins(asked, rows):
        one, other, points, alike, _ = found
        key = frozenset((one.group, other.group))
        if (options.pairs == "folds" and one.fold == other.fold) or (one.patient and one.patient == other.patient):
            continue
        if alike >= options.least and (key not in best or points > best[key][2]):
            best[key] = found
    print("\n| group | split | twin | split | points | alike | mirrored | in the table |\n" + "|---" * 8 + "|")
    for key, (one, other, points, alike, mirrored) in sorted(best.items(), key=lambda each: -each[1][2]):
        cells = (
            *(f"{one.group} {one.path.name}", one.split, f"{other.group} {other.path.name}", other.split),
            *(points, f"{alike:.2f}", "yes" if mirrored else "no", "yes" if key in known else "no"),
        )
        print(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
