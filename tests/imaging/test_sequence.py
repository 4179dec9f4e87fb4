"""What a series is, from its names first and its timing second."""

from __future__ import annotations

import pytest

from braintumor_desktop.domain.study import MrSequence
from braintumor_desktop.imaging.sequence import SequenceFacts, recognise_sequence

T1, T1C, T2, FLAIR = MrSequence.T1, MrSequence.T1_POST_CONTRAST, MrSequence.T2, MrSequence.FLAIR
DWI, LOCALIZER = MrSequence.DWI, MrSequence.LOCALIZER


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("t1_mprage_sag_p2_iso", T1),
        ("anat-T1w", T1),
        ("3D BRAVO", T1),
        ("AX T1 PRE", T1),
        ("T1 FLAIR", T1),
        ("AX T1 FSE +C", T1C),
        ("SAG T1 post GAD", T1C),
        ("patient07_T1POST.nii.gz", T1C),
        ("BraTS_0001_t1ce.nii.gz", T1C),
        ("t1_se_cor_km", T1C),
        ("T1 POST OP", T1),
        ("post_op_T1.nii.gz", T1),
        ("T1 postoperative", T1),
        ("post-op T1 post gad", T1C),
        ("sub_T1_pre-op_gd", T1C),
        ("AX T1 W/O CONTRAST", T1),
        ("AX T1 W/O GAD FS", T1),
        ("AX T1W WO CONTRAST", T1),
        ("T1 ohne KM", T1),
        ("T1 vor KM", T1),
        ("T1 sans gado", T1),
        ("T1 avant gado", T1),
        ("T1 SIN GD", T1),
        ("T1 sem gado", T1),
        ("T1 pre-contrast", T1),
        ("T1 precontrast", T1),
        ("T1 C+", T1C),
        ("T1+C", T1C),
        ("T1 +C", T1C),
        ("AX T1 POST GD W/O FS", T1C),
        ("AX T1 WITH AND WITHOUT CONTRAST", T1),
        ("AX T1 W/O & W/ CONTRAST", T1),
        ("T1 +/- C", T1),
        ("sub-01_T2w", T2),
        ("Ax T2 FLAIR", FLAIR),
        ("t2_tirm_tra_dark-fluid", FLAIR),
        ("patient01_study1_FLAIR.nii.gz", FLAIR),
        ("BraTS-GLI-00000-000-t2f.nii.gz", FLAIR),
        ("ep2d_diff_3scan_trace_ADC", DWI),
        ("localizer", LOCALIZER),
        ("3-plane loc", LOCALIZER),
        ("T2* GRE", None),
        ("SWI_mIP", None),
        ("block", None),
        ("", None),
    ],
)
def test_names_that_people_give(name: str, expected: MrSequence | None) -> None:
    assert recognise_sequence(SequenceFacts(names=(name,))) is expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"scanning_sequence": ("SE",), "repetition_ms": 500, "echo_ms": 12}, T1),
        ({"scanning_sequence": ("SE",), "repetition_ms": 4000, "echo_ms": 95}, T2),
        ({"scanning_sequence": ("SE",), "repetition_ms": 2500, "echo_ms": 30}, None),  # proton density
        ({"scanning_sequence": ("SE", "IR"), "repetition_ms": 9000, "echo_ms": 120, "inversion_ms": 2500}, FLAIR),
        ({"scanning_sequence": ("GR", "IR"), "repetition_ms": 1900, "echo_ms": 2.5, "inversion_ms": 900}, T1),
        ({"scanning_sequence": ("GR",), "repetition_ms": 8, "echo_ms": 3}, T1),
        ({"scanning_sequence": ("GR",), "repetition_ms": 700, "echo_ms": 20}, None),
        ({"scanning_sequence": ("EP",), "repetition_ms": 3000, "echo_ms": 30}, None),
        ({"scanning_sequence": ("EP",), "repetition_ms": 6000, "echo_ms": 90, "b_value": 1000.0}, DWI),
        ({"contrast_weighting": "FLUID_ATTENUATED"}, FLAIR),
        ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, LOCALIZER),
    ],
)
def test_timing_and_type_where_names_are_silent(facts: dict[str, object], expected: MrSequence | None) -> None:
    assert recognise_sequence(SequenceFacts(modality="MR", **facts)) is expected  # type: ignore[arg-type]


def test_a_recorded_agent_makes_a_t1_post_contrast_but_no_other() -> None:
    def found(name: str, agent: str) -> MrSequence | None:
        return recognise_sequence(SequenceFacts(modality="MR", names=(name,), contrast_agent=agent))

    assert found("AX T1", "Gadovist 7 ml") is T1C
    for nothing in ("", "NONE", "N/A", "NO CONTRAST", "Without contrast", "none given", "0"):
        assert found("AX T1", nothing) is T1, nothing
    assert found("AX T1", "0.1 mmol/kg gadobutrol") is T1C
    for before in ("AX T1 PRE", "AX T1 W/O", "AX T1 W/O CONTRAST", "AX T1 PRE FS", "T1 vor KM", "T1 ohne"):
        assert found(before, "Gadovist 7 ml") is T1, before
    assert found("AX T1 W/O FS", "Gadovist 7 ml") is T1C
    assert found("AX T2", "Gadovist 7 ml") is T2


@pytest.mark.parametrize(
    ("description", "protocol", "agent", "expected"),
    [
        ("AX T1 POST GD", "MRI BRAIN WITH AND WITHOUT CONTRAST", "Gadavist", T1C),
        ("AX T1 POST GD", "MRI BRAIN WITHOUT CONTRAST", "", T1C),
        ("AX T1 PRE", "MRI BRAIN WITH CONTRAST", "Gadavist", T1),
        ("SAG T1", "BRAIN W/WO CONTRAST", "", T1),
        ("SAG T1", "BRAIN W & W/O CONTRAST", "Gadavist", T1C),
        ("SAG T1", "BRAIN W/O & W", "Gadavist", T1C),
        ("SAG T1", "BRAIN +/- GAD", "", T1),
        ("SAG T1", "CEREBRO CON Y SIN CONTRASTE", "Gadavist", T1C),
        ("SAG T1", "KOPF MIT UND OHNE KM", "", T1),
        ("SAG T1", "BRAIN POST GAD", "", T1C),
        ("SAG T1", "BRAIN W/O CONTRAST", "Gadavist", T1),
        ("", "AX T1 POST GD", "", T1C),
    ],
)
def test_before_or_after_contrast_is_as_the_series_says_and_only_then_as_its_protocol_does(
    description: str, protocol: str, agent: str, expected: MrSequence
) -> None:
    facts = SequenceFacts(modality="MR", names=(description, protocol), contrast_agent=agent)
    assert recognise_sequence(facts) is expected


def test_another_modality_has_no_sequence() -> None:
    assert recognise_sequence(SequenceFacts(modality="CT", names=("T1",))) is None
