"""Pictures that are no brain MRI, to see whether the program notices: drawn, photographed, or of other body parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from braintumor_desktop.domain.study import Study
from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.inference.quality import FAMILIAR
from braintumor_desktop.training.data import array_study
from braintumor_desktop.training.metrics import auroc

Grey = NDArray[np.uint8]

EACH = 20
"""Drawn pictures of each kind."""


def strangers(data: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """(kind, (rows, columns) grey). data: the data folder, for its CT, shoulder and liver; photographs: scikit-image's.

    What is drawn is a likeness only; real X-rays, knees and the like are not at hand.
    """
    rng = np.random.default_rng(0)
    for kind, draw in (
        ("noise", _noise),
        ("chart", _chart),
        ("page of text", _page),
        ("smooth shapes", _shapes),
        ("limb, drawn", _limb),
        ("chest, drawn", _chest),
        ("disc phantom", _disc_phantom),
    ):
        for _ in range(EACH):
            yield kind, draw(rng)
    yield "blank", np.zeros((256, 256), np.uint8)
    yield "blank", np.full((256, 256), 200, np.uint8)
    yield "gradient", np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    yield from _photographs()
    yield from _other_parts(data)


def _noise(rng: Generator) -> Grey:
    size = int(rng.integers(128, 512))
    grey = rng.integers(0, 256, (size, size)).astype(np.uint8)
    return grey if rng.random() < 0.5 else np.asarray(cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.5, 4)), np.uint8)


def _chart(rng: Generator) -> Grey:
    canvas = np.full((300, 400), 255, np.uint8)
    cv2.line(canvas, (30, 20), (30, 270), 0, 1)
    cv2.line(canvas, (30, 270), (390, 270), 0, 1)
    if rng.random() < 0.5:
        for bar in range(int(rng.integers(4, 9))):
            top = 270 - int(rng.integers(20, 240))
            cv2.rectangle(canvas, (40 + bar * 42, top), (70 + bar * 42, 270), int(rng.integers(0, 200)), -1)
    else:
        ys = 150 + np.cumsum(rng.normal(0, 12, 36)).astype(int)
        cv2.polylines(canvas, [np.stack([35 + np.arange(36) * 10, ys], 1).astype(np.int32)], False, 0, 2)
    cv2.putText(canvas, "Quarter", (150, 292), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 0, 1)
    return canvas


def _page(rng: Generator) -> Grey:
    canvas = np.full((420, 320), int(rng.integers(220, 256)), np.uint8)
    letters = list("abcdefghijklmnopqrstuvwxyz     ")
    for line in range(24):
        text = "".join(rng.choice(letters, 34))
        cv2.putText(canvas, text, (14, 24 + line * 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, int(rng.integers(0, 60)), 1)
    return canvas if rng.random() < 0.5 else np.asarray(255 - canvas, np.uint8)


def _shapes(rng: Generator) -> Grey:
    canvas = np.zeros((256, 256), np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        centre, axes = (tuple(int(v) for v in rng.integers(low, high, 2)) for low, high in ((50, 200), (10, 90)))
        cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, int(rng.integers(60, 256)), -1)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 4)), np.uint8)


def _speckled(grey: NDArray[np.float32], rng: Generator) -> Grey:
    """With texture and Rician noise, as a scanner's."""
    texture = cv2.GaussianBlur(rng.standard_normal(grey.shape).astype(np.float32), (0, 0), 3) * 40
    noise = rng.standard_normal((2, *grey.shape)).astype(np.float32) * 6
    return np.asarray(np.clip(np.hypot(grey * (1 + texture / 255) + noise[0], noise[1]), 0, 255), np.uint8)


def _limb(rng: Generator) -> Grey:
    """Two bones with marrow in muscle under fat: a lower leg or forearm."""
    grey = np.zeros((300, 300), np.float32)
    cv2.ellipse(grey, (150, 150), (125, int(rng.integers(95, 125))), 0, 0, 360, 210, -1)
    cv2.ellipse(grey, (150, 150), (108, int(rng.integers(78, 90))), 0, 0, 360, 80, -1)
    for radius in (int(rng.integers(28, 42)), int(rng.integers(12, 22))):
        centre = tuple(int(v) for v in rng.integers(100, 200, 2))
        cv2.circle(grey, centre, radius, 10, -1)
        cv2.circle(grey, centre, int(radius * 0.72), 190, -1)
    return _speckled(grey, rng)


def _chest(rng: Generator) -> Grey:
    """Two dark lungs, a bright heart and ribs: a chest radiograph."""
    grey = np.full((300, 300), 150, np.float32)
    for side in (-1, 1):
        centre = (150 + side * int(rng.integers(55, 75)), 150)
        cv2.ellipse(grey, centre, (int(rng.integers(40, 52)), int(rng.integers(90, 115))), side * 8, 0, 360, 40, -1)
    cv2.ellipse(grey, (165, 190), (45, 60), 20, 0, 360, 190, -1)
    for rib in range(9):
        cv2.ellipse(grey, (150, 40 + rib * 26), (110, 34), 0, 20, 160, 120, 5)
    return _speckled(grey, rng)


def _disc_phantom(rng: Generator) -> Grey:
    """A cylinder of water with inserts, as for quality control."""
    grey = np.zeros((256, 256), np.float32)
    cv2.circle(grey, (128, 128), int(rng.integers(90, 118)), 170, -1)
    for _ in range(int(rng.integers(3, 12))):
        centre = tuple(int(v) for v in rng.integers(70, 186, 2))
        cv2.circle(grey, centre, int(rng.integers(4, 16)), int(rng.choice([10, 90, 240])), -1)
    return _speckled(grey, rng)


def _photographs() -> Iterator[tuple[str, Grey]]:
    """The pictures that come with scikit-image, but for its own phantom of a head; none where it isn't installed."""
    try:
        import skimage
    except ImportError:
        return
    folder = Path(skimage.__file__).parent / "data"
    for path in sorted([*folder.glob("*.png"), *folder.glob("*.jpg")]):
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if grey is not None and path.stem != "phantom":
            yield "photograph and the like", np.asarray(grey, np.uint8)


def _other_parts(data: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """A chest CT, a shoulder MRI and a liver MRI of the DICOM samples, whole and in four overlapping parts each."""
    import pydicom

    for name, kind in (
        ("wg04/CT1_RLE", "chest CT"),
        ("wg04/MR2_RLE", "shoulder MRI"),
        ("enhanced/MR-SIEMENS-DICOM-WithOverlays.dcm", "liver MRI"),
    ):
        path = data / "dicom" / name
        if path.is_file():
            pixels = pydicom.dcmread(path).pixel_array
            yield kind, pixels
            rows, columns = (2 * side // 3 for side in pixels.shape)
            yield from ((kind, pixels[y:, x:][:rows, :columns]) for y in (0, rows // 2) for x in (0, columns // 2))


def how_strange(analyzer: Analyzer, data: Path, brains: Iterable[tuple[str, Study]]) -> dict[str, Any] | None:
    """Strangeness of strangers against brains; None where the model can't judge.

    brains: (kind, slice) of brain MRI that training never saw. Gives the area under the ROC curve, and for each kind
    the number, the share flagged as unfamiliar and the median score.
    """
    scores: dict[str, dict[str, list[float]]] = {"strangers": {}, "brains": {}}
    others = ((kind, array_study(pixels)) for kind, pixels in strangers(data))
    for side, pictures in (("brains", brains), ("strangers", others)):
        for kind, study in pictures:
            score = analyzer.analyze(study).quality.ood_score
            if score is None:
                return None
            scores[side].setdefault(kind, []).append(score)

    def flagged(values: list[float]) -> float:
        return float(np.mean(np.array(values) >= FAMILIAR))

    every = {side: np.concatenate([np.array(v) for v in kinds.values()]) for side, kinds in scores.items()}
    both = np.concatenate([every["strangers"], every["brains"]])
    return {
        "auroc": auroc(np.arange(len(both)) < len(every["strangers"]), both),
        "brains_flagged": float((every["brains"] >= FAMILIAR).mean()),
        "strangers_flagged": float((every["strangers"] >= FAMILIAR).mean()),
        **{
            side: {
                kind: {"pictures": len(v), "flagged": flagged(v), "median": float(np.median(v))}
                for kind, v in kinds.items()
            }
            for side, kinds in scores.items()
        },
    }
