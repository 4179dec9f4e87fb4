"""``braintumor deidentify IN OUT``: files without identity, and what to look at before passing them on."""

from __future__ import annotations

import sys
from pathlib import Path

from braintumor_desktop.commands.own_settings import limits_of, own_settings
from braintumor_desktop.commands.terminal import ProgressBar, complain
from braintumor_desktop.imaging.burnt_in_text import MAY_HOLD_TEXT
from braintumor_desktop.reporting.deidentification.batch import RECORD, Outcome, deidentify
from braintumor_desktop.reporting.deidentification.dicom_headers import Dates


def run(source: Path, target: Path, *, dates: str = "remove", blank_text: bool = False) -> int:
    """Returns 0, or 1 where some input could not be treated; the others are still written.

    Raises BrainTumorError where the run can't begin or a file can't be written.
    """
    bar = ProgressBar(0, "files")

    def show(done: int, count: int) -> None:
        nonlocal bar
        if done == 1:
            bar = ProgressBar(count, "files")
        bar.show(done)

    limits = limits_of(own_settings())
    outcome = deidentify(source, target, dates=Dates(dates), blank_text=blank_text, progress=show, limits=limits)
    bar.clear()
    for path, error in outcome.failed:
        complain(str(path), error)
    for place in outcome.texts:
        sys.stderr.write(f"{place}: {MAY_HOLD_TEXT}{'; the places were made black' if blank_text else ''}\n")
    print(_summary(outcome))
    return 1 if outcome.failed else 0


def _summary(outcome: Outcome) -> str:
    written = outcome.written
    parts = [
        f"{outcome.count} files written: {len(written['dicom'])} DICOM, {len(written['volumes'])} NIfTI,"
        f" {len(written['pictures'])} pictures.",
        f"{len(outcome.failed)} could not be treated and were left out." if outcome.failed else "",
        f"{outcome.passed_over} files of other kinds were left out." if outcome.passed_over else "",
        f"{len(outcome.texts)} {MAY_HOLD_TEXT}: look at them." if outcome.texts else "",
        f"{RECORD} says what was done. Faces in head scans remain, and no method is a guarantee: check before sharing.",
    ]
    return "\n".join(part for part in parts if part)
