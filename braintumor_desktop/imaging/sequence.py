"""What weighting a series has, from what its header says; the names people give come first, then the timing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from braintumor_desktop.domain.phrases import Phrase, phrase
from braintumor_desktop.domain.study import MrSequence

LOCALIZER_NOTE = phrase("A localizer: it shows where slices were planned, and is no diagnostic series.")


@dataclass(frozen=True)
class SequenceFacts:
    """What a header tells. Times in milliseconds, b_value in s/mm²; None or empty where it is silent.

    names: the series' own description first, then protocol and pulse sequence names, which often are those of the whole
    examination; contrast_weighting: DICOM's AcquisitionContrast.
    """

    modality: str = ""
    names: tuple[str, ...] = ()
    image_type: tuple[str, ...] = ()
    contrast_weighting: str = ""
    contrast_agent: str = ""
    scanning_sequence: tuple[str, ...] = ()
    repetition_ms: float | None = None
    echo_ms: float | None = None
    inversion_ms: float | None = None
    b_value: float | None = None


# Underscores and digits hug these words in series names, so "word" here means "not inside a longer run of letters".
def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{'|'.join(alternatives)})(?![a-z])")


_LOCALIZER = _words(r"loca?li[sz]er", "scout", "survey", "loc", r"3[ -]?plane", "smartbrain")
_DIFFUSION = _words("dwi", "dti", "adc", "diff", "diffusion", "tracew?", r"ep2d_diff\w*", "resolve")
_FLAIR = _words("flair", "t2f", r"dark[ _-]?fluid", "darkfl")
_OTHER = _words(r"t2[ _]?\*", "t2star", "swi", "swan", "perf", "perfusion", "dsc", "dce", "asl", "tof", "bold", "fmri")
_OTHER_ENDING = re.compile(r"t2\*|t2[ _]?star")
_T1 = _words("t1[a-z]{0,2}", "t1post", r"mp[ _-]?rage", "spgr", "fspgr", "bravo", "tfl3d", "vibe", "mprage", "t1tfe")
_T2 = _words("t2[a-z]{0,2}")
_AGENT = r"(?:[ _./-]*(?:con(?:traste?)?|kontrast(?:mittel)?|km|gd|gado?|gadolini(?:um|o)|injection|iv))"
# What else a series can be without.
_NOT_FAT = r"(?![a-z])(?![ _./-]*(?:fs|fat|fat[ _-]?sat|fett\w*|sat|mtc?)(?![a-z]))"
_BEFORE = _words(
    rf"(?:pre(?![ _-]*sat)|native?){_AGENT}*",
    rf"(?:without|w[ /]?o|ohne|sans){_NOT_FAT}{_AGENT}*",
    rf"(?:no|non|vor|avant|sin|sem){_AGENT}+",
)
_WITH, _WITHOUT = "(?:with|w|mit|avec|con|com)", "(?:without|w/?o|ohne|sans|sin|sem)"
_AND = "(?:and|or|und|oder|et|ou|[ye]|[^a-z0-9])"
_BOTH = re.compile(rf"(?<![a-z0-9])(?:{_WITH}{_AND}*{_WITHOUT}|{_WITHOUT}{_AND}+{_WITH})(?![a-z])|\+ ?/ ?-|±")
_AFTER = _words("post", "gd", "gad", "gado", "contrast", "km", "ce", "t1c", "t1ce", "t1gd", "t1post", "postcontrast")
_OPERATION = _words(r"(?:pre|post)[ _-]*op(?:[eé]r[a-zé]*)?")
_PLUS = re.compile(r"\+ ?(?:c|gd|gad|km)(?![a-z])|(?<![a-z])c\+")
_NO_AGENT = re.compile(rf"|n|n[/.]?a\.?|0|-+|(?:no|none|not|nil|{_WITHOUT}|keine?s?)(?![a-z]).*", re.DOTALL)

_WEIGHTINGS = {
    "T1": MrSequence.T1,
    "T2": MrSequence.T2,
    "FLUID_ATTENUATED": MrSequence.FLAIR,
    "DIFFUSION": MrSequence.DWI,
}


def from_name_note(sequence: MrSequence) -> Phrase:
    return phrase("NIfTI tells no sequence; {sequence} is taken from the file's name.", sequence=phrase(sequence.value))


def other_notes(notes: Iterable[str]) -> tuple[str, ...]:
    """Without those on the sequence, which hold no longer where the reader says what it is."""
    on_sequence = {LOCALIZER_NOTE, *map(from_name_note, MrSequence)}
    return tuple(note for note in notes if note not in on_sequence)


def recognise_sequence(facts: SequenceFacts) -> MrSequence | None:
    """The weighting, or None where the header doesn't tell or names one that the program has no word for."""
    if facts.modality not in ("MR", ""):
        return None
    text = " | ".join(facts.names).lower()
    if "LOCALIZER" in facts.image_type or _LOCALIZER.search(text):
        return MrSequence.LOCALIZER
    if (facts.b_value or 0) > 0 or "DIFFUSION" in facts.image_type or _DIFFUSION.search(text):
        return MrSequence.DWI
    if _OTHER.search(text) or _OTHER_ENDING.search(text):
        return None
    found = _by_name(text, facts) or _WEIGHTINGS.get(facts.contrast_weighting) or _by_timing(facts)
    return MrSequence.T1_POST_CONTRAST if found is MrSequence.T1 and _after_contrast(facts) else found


def _by_name(text: str, facts: SequenceFacts) -> MrSequence | None:
    if _FLAIR.search(text):
        # "T1 FLAIR" is a T1-weighted inversion recovery: its echo is short.
        short = facts.echo_ms is not None and facts.echo_ms < 40
        return MrSequence.T1 if _T1.search(text) and (short or facts.echo_ms is None) else MrSequence.FLAIR
    t1, t2 = _T1.search(text), _T2.search(text)
    if bool(t1) == bool(t2):
        return None
    return MrSequence.T1 if t1 else MrSequence.T2


def _by_timing(facts: SequenceFacts) -> MrSequence | None:
    """Usual ranges of brain protocols at 1.5 and 3 T (Westbrook, MRI in Practice, 5th ed., ch. 2 and 5).

    Long TR and TE with a long inversion time: FLAIR; long TR and TE: T2; short TR and TE: T1. Between them: unknown.
    """
    tr, te, ti = facts.repetition_ms, facts.echo_ms, facts.inversion_ms
    if not tr or not te or "EP" in facts.scanning_sequence:
        return None
    inversion = "IR" in facts.scanning_sequence or bool(ti)
    if inversion and ti is not None and 1500 <= ti <= 3000 and te >= 70 and tr >= 4000:
        return MrSequence.FLAIR
    if inversion and ti is not None and 300 <= ti <= 1200 and te < 20:
        return MrSequence.T1
    if inversion:
        return None
    if "GR" in facts.scanning_sequence:
        return MrSequence.T1 if tr < 50 and te < 8 else None
    if "SE" in facts.scanning_sequence:
        if tr >= 2000 and te >= 70:
            return MrSequence.T2
        if tr < 1000 and te <= 30:
            return MrSequence.T1
    return None


def _after_contrast(facts: SequenceFacts) -> bool:
    """As the first name says that says it; where none does, whether a contrast agent is recorded."""
    for name in facts.names:
        if (said := _said_after_contrast(name.lower())) is not None:
            return said
    return not _NO_AGENT.fullmatch(facts.contrast_agent.strip().lower())


def _said_after_contrast(name: str) -> bool | None:
    """None where the name says neither, or both as an order for an examination with and without contrast does."""
    if _BOTH.search(name):
        return None
    rest, before = _BEFORE.subn(" ", _OPERATION.sub(" ", name))
    after = bool(_AFTER.search(rest) or _PLUS.search(rest))
    return None if bool(before) == after else after
