"""How often the quality flags tell a fault made on purpose, and how often they tell it of pictures as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.inference.preprocess import find_frame
from braintumor_desktop.training.data import Row, array_study, independent_group, read_grey
from braintumor_desktop.training.metrics import mean_estimate

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Fault:
    """One fault. flag: its code among `QualityFlag`; make: grey picture (rows, columns) to the faulty one."""

    title: str
    flag: str
    make: Callable[[Grey], Any]


def _small(picture: Grey) -> Any:
    scale = 96 / find_frame(picture).side
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _compressed(picture: Grey) -> Any:
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 10])[1]
    return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)


def _moved(picture: Grey) -> Any:
    """Smeared along rows over 1/32 of the head's side, as by a motion during the acquisition."""
    width = max(3, round(find_frame(picture).side / 32))
    return cv2.blur(picture, (width, 1))


def _defocused(picture: Grey) -> Any:
    return cv2.GaussianBlur(picture, (0, 0), find_frame(picture).side / 100)


def _cropped(picture: Grey) -> Any:
    """Without the uppermost third of the head."""
    frame = find_frame(picture)
    return picture[max(0, round(frame.top + frame.side / 3)) :]


def _captioned(picture: Grey) -> Any:
    marked = picture.copy()
    size = picture.shape[0] / 512
    for line, words in enumerate(("DOE JANE 12/03/1961", "T1 +C  SE 4 IM 12")):
        place = (round(8 * size), round((24 + 24 * line) * size))
        cv2.putText(marked, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.7 * size, 255, max(1, round(2 * size)))
    return marked


def _overexposed(picture: Grey) -> Any:
    return np.clip(picture.astype(np.float32) * 4, 0, 255).astype(np.uint8)


FAULTS: tuple[Fault, ...] = (
    Fault("head of 96 pixels", "low_resolution", _small),
    Fault("JPEG quality 10", "compressed", _compressed),
    Fault("upper third of the head cut off", "cut_off", _cropped),
    Fault("two lines of text printed on it", "burnt_in_text", _captioned),
    Fault("four times as bright, clipped", "saturated", _overexposed),
    Fault("smeared along rows by 1/32 of the head", "blurred", _moved),
    Fault("Gaussian blur, σ 1/100 of the head", "blurred", _defocused),
    Fault("half turn", "upside_down", lambda picture: np.rot90(picture, 2)),
    Fault("mirrored top to bottom", "upside_down", lambda picture: picture[::-1]),
)


def how_flagged(analyzer: Analyzer, rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Shares flagged with the fault and without it, with intervals, by title. rows: pictures of heads."""
    pictures, groups = [read_grey(row.path) for row in rows], [independent_group(row) for row in rows]
    before = [_flags(analyzer, picture) for picture in pictures]
    return {
        fault.title: {
            "flag": fault.flag,
            "pictures": len(rows),
            "flagged": mean_estimate(groups, [fault.flag in _flags(analyzer, fault.make(p)) for p in pictures]),
            "flagged_without": mean_estimate(groups, [fault.flag in flags for flags in before]),
        }
        for fault in FAULTS
    }


def _flags(analyzer: Analyzer, picture: Grey) -> set[str]:
    return {flag.code for flag in analyzer.analyze(array_study(np.ascontiguousarray(picture))).quality.flags}
