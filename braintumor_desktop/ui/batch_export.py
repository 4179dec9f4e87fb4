"""The reports of all open cases and one table of them, one after the other, while the window stays usable."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.language import tr
from braintumor_desktop.reporting import distinct_stems, error_line, json_line, table_rows, write_table
from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.deidentifying import label_of, stem_of
from braintumor_desktop.ui.exporting import Export, ExportKind, Outcome, export_of, without_identity, write

if TYPE_CHECKING:
    from braintumor_desktop.ui.main_window import MainWindow

TABLE_NAME = "summary.csv"


class BatchExport(QObject):
    """Writes ``<case>.pdf`` for each case and ``summary.csv`` to a folder.

    A case that is still being analysed is waited for, and one whose pixels were let go is analysed again; a case that
    failed is a row of the table. progressed: what is done and its share; ended: how it went, in one sentence.
    """

    progressed = Signal(str, float)
    ended = Signal(str)

    def __init__(self, window: MainWindow, folder: Path) -> None:
        super().__init__(window)
        self._window, self._folder = window, folder
        self._settings = replace(window.settings)  # all of it is as it was asked for, de-identified or not
        cases = [c for c in window.workspace.model.cases if c.state is not CaseState.CANCELLED]
        reports = [folder / f"{stem}.pdf" for stem in distinct_stems([stem_of(case, self._settings) for case in cases])]
        self._waiting = deque(zip(cases, reports, strict=True))
        self._all = len(cases)
        self._now: tuple[Case, Path] | None = None
        self._rows: list[dict[str, object]] = []
        self._saved = 0
        self._errors: list[BrainTumorError] = []
        self._cancelled = False
        self.paths = [*reports, folder / TABLE_NAME]

    @property
    def failed(self) -> bool:
        """Whether a file could not be saved."""
        return bool(self._errors)

    def begin(self) -> None:
        workspace = self._window.workspace
        workspace.changed.connect(self._case_changed)
        workspace.model.rowsRemoved.connect(self._case_removed)
        workspace.model.modelReset.connect(self._case_removed)
        self._next()

    def cancel(self) -> None:
        """Stop after the report that is being written."""
        self._cancelled = True
        if self._now is not None:
            self._next()

    def _next(self) -> None:
        """Go on to the next case that has a report, or is to be waited for; after the last one to the table."""
        workspace = self._window.workspace
        while self._waiting and not self._cancelled:
            done = self._all - len(self._waiting)
            case, path = self._waiting.popleft()
            if case not in workspace.model.cases:  # taken off the list meanwhile
                continue
            self.progressed.emit(
                tr("Saving report {number} of {count}", number=done + 1, count=self._all), done / self._all
            )
            self._now, workspace.held = (case, path), case
            if case.state is CaseState.DONE and case.analysis is None:
                workspace.analyse(case)
            if case.state.busy or self._write_report(case, path):
                return
        self._now = workspace.held = None
        self._write_table()

    def _write_report(self, case: Case, path: Path) -> bool:
        """Begin to write the report of a case that is no longer busy. False where there is none to write."""
        analysis, reading = case.analysis, case.reading
        if analysis is None:
            if case.error is not None:
                label = label_of(case, self._settings)
                path = case.path or Path(case.name)
                self._rows += table_rows(_nameless(case.error, label) if label else error_line(path, case.error))
            return False
        self._now = None
        export = export_of(case, ExportKind.PDF, path, self._settings)

        def save() -> Export:
            ready = without_identity(export, self._window.exporter.text_seen.emit)
            write(ready)
            return ready

        def written(outcome: Outcome) -> None:
            if isinstance(outcome, BrainTumorError):
                self._errors.append(outcome)
                failed = _nameless(outcome, export.label) if export.label else json_line(analysis)
                self._rows.extend(table_rows(failed, reader=None if export.label else export.note))
            else:
                self._saved += 1
                case.exported = case.exported if outcome.clean else reading  # what was typed stays behind
                report = Path(path.name) if outcome.clean else path  # its folder may be named after the patient
                self._rows.extend(table_rows(json_line(outcome.analysis), reader=outcome.note, report=report))
            self._next()

        self._window.exporter.run(save, written)
        return True

    def _case_changed(self, case: Case) -> None:
        if self._now is None or case is not self._now[0] or case.state.busy:
            return
        if not self._write_report(*self._now):
            self._next()

    def _case_removed(self) -> None:
        if self._now is not None and self._now[0] not in self._window.workspace.model.cases:
            self._next()

    def _write_table(self) -> None:
        rows, path = self._rows, self._folder / TABLE_NAME
        self._window.exporter.run(lambda: write_table(rows, path), self._finish)

    def _finish(self, outcome: Outcome) -> None:
        if isinstance(outcome, BrainTumorError):
            self._errors.append(outcome)
        self._window.workspace.changed.disconnect(self._case_changed)
        self._window.workspace.model.rowsRemoved.disconnect(self._case_removed)
        self._window.workspace.model.modelReset.disconnect(self._case_removed)
        if self._errors:
            first = self._errors[0]
            count = len(self._errors)
            several = phrase("{number} files could not be saved. The first: {first}", number=count, first=first.message)
            words = first.message if count == 1 else several
            self._window.show_error(BrainTumorError(first.code, words, first.hint))
        saved = tr("Saved {saved} of {all} reports to {folder}", saved=self._saved, all=self._all, folder=self._folder)
        self.ended.emit(f"{tr('Stopped.')} {saved}" if self._cancelled else saved)
        self.deleteLater()


def _nameless(error: BrainTumorError, label: str) -> dict[str, object]:
    """The line of a case that gave no report, as a de-identified table may hold it."""
    from braintumor_desktop.reporting.deidentification.analyses import without_names  # as slow as pydicom

    return error_line(Path(label), without_names(error, label))
