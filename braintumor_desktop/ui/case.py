"""One row of the list: a file that was dropped, what became of it, and how the reader looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.domain.findings import INDETERMINATE, Analysis, SliceMaps
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.reader_measurements import MeasurementHistory
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging import Entry, Problem
from braintumor_desktop.imaging.sequence import other_notes
from braintumor_desktop.imaging.turning import UPRIGHT, Turn
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.inference.quality import sequence_flags
from braintumor_desktop.language import tr
from braintumor_desktop.reporting.figures import share_in_words
from braintumor_desktop.storage.readings import Reading, Verdict
from braintumor_desktop.ui.reading import SharedRead


class CaseState(Enum):
    """Where a case stands; the value is what the list says."""

    WAITING = phrase("Waiting")
    LOADING = phrase("Loading")
    ANALYSING = phrase("Analysing")
    DONE = phrase("Done")
    FAILED = phrase("Failed")
    CANCELLED = phrase("Cancelled")

    @property
    def busy(self) -> bool:
        return self in (CaseState.WAITING, CaseState.LOADING, CaseState.ANALYSING)


@dataclass(eq=False)
class Case:
    """A study on its way through the program.

    load: reads the pixels, raises BrainTumorError; path: None where there is no file (pasted, phantom);
    entry, problem: what the listing said of it; volume: which of several at the same place; facts: that in a few words;
    headline, thumbnail: stay when `study` and `analysis` are let go to save memory;
    in_job: whether the job it waits for holds its pixels; first_window, first_slice: what is shown at first;
    window, slice_index, turn, measured, verdicts, comment, correction: the reader's; `correction` is the sequence, in a
    tuple of one once it was corrected; reading_key, kept: under which name, and what, of it lies on disk;
    exported: what of it is in a file that the reader saved; signed_by, signed_on: who says so, and on which day; never
    kept, because another reader may sit there next time.
    """

    id: int
    name: str
    path: Path | None
    load: SharedRead
    entry: Entry | None = None
    problem: Problem | None = None
    state: CaseState = CaseState.WAITING
    stage: str = ""
    fraction: float = 0.0
    study: Study | None = None
    in_job: bool = False
    load_ms: float = 0.0
    first_window: Window | None = None
    window: Window | None = None
    slice_index: int = 0
    volume: int = 0
    first_slice: int = 0
    turn: Turn = UPRIGHT
    measured: MeasurementHistory = field(default_factory=MeasurementHistory, repr=False)
    thumbnail: NDArray[np.uint8] | None = field(default=None, repr=False)
    analysis: Analysis | None = None
    headline: str = ""
    error: BrainTumorError | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    comment: str = ""
    correction: tuple[()] | tuple[str | None] = ()
    reading_key: str = ""
    kept: Reading = field(default_factory=Reading, repr=False)
    exported: Reading | None = field(default=None, repr=False)
    signed_by: str = ""
    signed_on: date | None = None

    @property
    def status_line(self) -> str:
        """The state in a few words."""
        if self.state is CaseState.ANALYSING and self.stage:
            return f"{tr(self.stage)}…"
        if self.state is CaseState.DONE:
            return self.headline
        if self.state is CaseState.FAILED and self.error is not None:
            return tr(self.error.message)
        return f"{tr(self.state.value)}…" if self.state.busy else tr(self.state.value)

    @property
    def facts(self) -> str:
        """Sequence, slices and what else tells one series from another; empty for a picture."""
        if self.study is not None:
            sequence, slices = self.study.sequence, self.study.slices
        elif self.entry is not None:
            sequence, slices = self.entry.sequence, self.entry.slices or 0
        else:
            return ""
        words = [tr(sequence) if sequence else "", tr("{slices} slices", slices=slices) if slices > 1 else ""]
        if self.entry is not None and self.entry.frames > 1:
            words.append(tr("volume {number} of {frames}", number=self.volume + 1, frames=self.entry.frames))
        words.append(tr("sequence not known") if self.entry is not None and not sequence else "")
        series = self.entry is not None and self.entry.slices is not None
        return " · ".join(word for word in words if word) if series or slices > 1 else ""

    @property
    def stem(self) -> str:
        """A file name, without ending, for what is exported of it."""
        return self.entry.stem if self.entry is not None else Path(self.name).stem

    @property
    def verdict(self) -> Verdict | None:
        """On the answer that is shown."""
        return None if self.analysis is None else self.verdicts.get(_answer_key(self.analysis))

    @verdict.setter
    def verdict(self, verdict: Verdict | None) -> None:
        if self.analysis is not None:
            self.verdicts.pop(_answer_key(self.analysis), None)
            if verdict is not None:
                self.verdicts[_answer_key(self.analysis)] = verdict

    @property
    def reading(self) -> Reading:
        """What the reader drew, said and corrected, to be kept."""
        corrected = self.correction[0] if self.correction else None
        drawn, said = self.measured.current, self.comment.strip()
        return Reading(drawn, dict(self.verdicts), said, corrected, bool(self.correction))

    def take_reading(self, kept: Reading) -> None:
        """Go on where an earlier reading ended."""
        self.measured = MeasurementHistory(kept.measurements)
        self.verdicts, self.comment = dict(kept.verdicts), kept.comment
        if kept.sequence_corrected:
            self.correct_sequence(kept.sequence)

    def forget_reading(self) -> None:
        """Begin anew, with what the sequence is: other pixels come, and what is kept of these stays."""
        self.measured, self.verdicts, self.comment = MeasurementHistory(), {}, ""
        self.signed_by, self.signed_on, self.exported = "", None, None
        self.reading_key, self.kept = "", self.reading
        if self.correction:  # it goes along, so nothing is lost of it
            self.exported = self.reading

    def correct_sequence(self, sequence: str | None) -> None:
        """What the reader says the sequence is, wherever it is shown from now on."""
        self.correction = (sequence,)
        self.apply_correction()

    def apply_correction(self) -> None:
        """The corrected sequence in the study, and in the answer to it."""
        if self.study is None or not self.correction:
            return
        if not self.study.sequence_corrected or self.study.sequence != self.correction[0]:
            notes = other_notes(self.study.notes)
            self.study = replace(self.study, sequence=self.correction[0], sequence_corrected=True, notes=notes)
        if self.analysis is not None and self.analysis.study is not self.study:
            old, quality = sequence_flags(self.analysis.study), self.analysis.quality
            flags = (*sequence_flags(self.study), *(flag for flag in quality.flags if flag not in old))
            self.analysis = replace(self.analysis, study=self.study, quality=replace(quality, flags=flags))

    def finish(self, analysis: Analysis) -> None:
        """Take the answer in."""
        finding = analysis.finding
        self.state, self.stage, self.fraction, self.error = CaseState.DONE, "", 1.0, None
        self.analysis = analysis
        self.apply_correction()
        self.headline = f"{tr(finding.title)}, {share_in_words(finding.top_probability)}"
        if finding.types_known and finding.label == INDETERMINATE:
            share = tr("{percent:.0f} %", percent=100 * finding.tumor_probability)
            self.headline = tr("{finding}, tumour {share}", finding=tr(finding.title), share=share)
        if analysis.quality.in_distribution is False:
            self.headline = f"⚠ {self.headline}"  # a certain answer on a shoulder must not look like any other
        if analysis.slices is not None and not analysis.complete:
            done, all_of_it = len(analysis.slices), analysis.study.slices
            self.headline += " · " + tr("{count} of {slices} slices", count=done, slices=all_of_it)

    @property
    def held_bytes(self) -> int:
        """Memory of the pixels and maps it holds."""
        arrays: list[NDArray[Any] | SliceMaps] = [self.study.pixels] if self.study is not None else []
        if self.analysis is not None:
            if self.analysis.segmentation is not None:
                arrays += [self.analysis.segmentation.mask, self.analysis.segmentation.probability]
            if self.analysis.explanation is not None:
                arrays.append(self.analysis.explanation.heatmap)
        return sum(a.nbytes for a in arrays)

    @property
    def can_let_go(self) -> bool:
        """Whether what it holds comes back by itself: no job works on it, and no answer is older than a failure."""
        if self.state is CaseState.WAITING:
            return self.analysis is None and not self.in_job
        return self.state is CaseState.DONE or (self.analysis is None and not self.state.busy)

    def let_go(self) -> None:
        """Drop pixels and maps; pixels are read again when they are needed, and an answer comes by analysing again."""
        self.study = self.analysis = None


def _answer_key(analysis: Analysis) -> str:
    """What tells an answer from the other ones to the same pixels: the weights, and what was made of them."""
    hurried = any(flag.code == "not_mirrored" for flag in analysis.quality.flags)
    part = f"+{len(analysis.slices)}" if analysis.slices and not analysis.complete else ""
    return f"{analysis.model.sha256}{'+not_mirrored' if hurried else ''}{part}"
