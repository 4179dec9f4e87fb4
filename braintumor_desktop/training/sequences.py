"""Which sequence web pictures were taken with, or CT, and whether the program notices what it knows less."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from braintumor_desktop.domain.study import Study
from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.training.data import Row, array_study, read_grey

WARNINGS = ("unfamiliar_sequence", "not_mri")
TABLE = Path(__file__).parent / "sequences.csv"


def read_sequences(split: str) -> dict[str, str]:
    """Near-duplicate group of web pictures to one of `domain.study.HEAD_LOOKS`.

    One of us, no radiologist, told them by eye. Left out are pictures of which that could not be told.
    """
    with TABLE.open(newline="") as file:
        return {row["group"]: row["sequence"] for row in csv.DictReader(file) if row["split"] == split}


def known_sequences(
    cheng: Iterable[Row], web: Iterable[Row], healthy: Iterable[tuple[str, Study]]
) -> Iterator[tuple[str, Study]]:
    """(collection and sequence, slice) of val pictures. healthy: series and slices of the heads without a tumour."""
    yield from (("Cheng val, T1 after contrast", array_study(read_grey(row.path))) for row in cheng)
    told = read_sequences("val")
    yield from ((f"web val, {told[r.group]}", array_study(read_grey(r.path))) for r in web if r.group in told)
    for series, study in healthy:
        name = "FLAIR" if "FLAIR" in series else "T1"
        origin = "the defaced head" if series.startswith("t1_series") else "multiple sclerosis"
        yield f"{origin}, {name}", study


def how_warned(analyzer: Analyzer, pictures: Iterable[tuple[str, Study]]) -> dict[str, Any] | None:
    """For each kind the number of pictures and the share warned of; None where the model can't judge.

    pictures: (kind, slice), without any header.
    """
    warned: dict[str, list[bool]] = {}
    for kind, study in pictures:
        quality = analyzer.analyze(study).quality
        if quality.ood_score is None:
            return None
        warned.setdefault(kind, []).append(any(flag.code in WARNINGS for flag in quality.flags))
    return {kind: {"pictures": len(v), "warned": sum(v) / len(v)} for kind, v in warned.items()}
