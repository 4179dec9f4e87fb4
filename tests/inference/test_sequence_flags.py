"""The reader is told where a series is none that the model was made for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from braintumor_desktop.domain.study import InputKind, Source, Study
from braintumor_desktop.inference.quality import body_part_flag, sequence_flags


def study(sequence: str | None, modality: str | None, part: str | None = None) -> Study:
    source = Source(Path("x"), "0" * 64, 1, InputKind.DICOM, "DICOM", 16, None, modality=modality, body_part=part)
    return Study(np.zeros((1, 40, 40), np.uint16), source, sequence=sequence)


@pytest.mark.parametrize(
    ("sequence", "modality", "codes"),
    [
        ("FLAIR", "MR", ["other_sequence"]),
        ("T1", None, ["other_sequence"]),
        ("localizer", "MR", ["other_sequence"]),
        ("T1 post-contrast", "MR", []),
        (None, "MR", []),
        (None, None, []),
        (None, "CT", ["not_mri"]),
    ],
)
def test_other_sequences_and_modalities_are_flagged(
    sequence: str | None, modality: str | None, codes: list[str]
) -> None:
    flags = sequence_flags(study(sequence, modality))
    assert [flag.code for flag in flags] == codes
    for flag in flags:
        assert (sequence or modality or "") in flag.sentence


@pytest.mark.parametrize(
    ("part", "flagged"),
    [
        ("ABDOMEN", True),
        ("CSPINE", True),
        ("TSPINE", True),
        ("LSPINE", True),
        ("CHESTABDPELVIS", True),
        ("NECKCHEST", True),
        ("EXTREMITY", True),
        ("UPPERARM", True),
        ("FOREARM", True),
        ("LOWER LEG", True),
        ("HIPS", True),
        ("LEFT_HAND", True),
        ("KNEE2", True),
        ("LKNEE", True),
        ("RSHOULDER", True),
        ("EXTREMETY", True),
        ("HIPOFISIS", False),
        ("HIPÓFISIS", False),
        ("HIPOFISE", False),
        ("HIPPOCAMPUS", False),
        ("HIPOCAMPO", False),
        ("CARMEN", False),
        ("COLEGIO", False),
        ("VORHANDEN", False),
        ("VORSTELLUNG", False),
        ("HEADANDSPINE", False),
        ("HEAD", False),
        ("BRAIN", False),
        ("KOPF", False),
        (None, False),
    ],
)
def test_another_part_of_the_body_is_flagged(part: str | None, flagged: bool) -> None:
    flags = body_part_flag(study(None, "MR", part))
    assert [flag.code for flag in flags] == ["other_body_part"] * flagged
    assert all(part is not None and part in flag.sentence for flag in flags)
