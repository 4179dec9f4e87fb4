"""The reports of all open cases and one table of them, one after the other, while the window stays usable."""

from __future__ import annotations

from collections import deque
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
        cases = [c for c in window.workspace.model.cases if c.state is not CaseState.CANCELLED]
        reports = [
            folder / f"{stem}.pdf" for stem in distinct_stems([stem_of(case, window.settings) for case in cases])
        ]
        self._waiting = deque(zip(cases, reports, strict=True))
        self._all = len(cases)
        self._now: tuple[Case, Path] | None = None
        self._rows: list[dict[str, object]] = []
        self._saved = 0
        self._errors: list[BrainTumorError] = []
        self._cancelled = False
        self.paths = [*reports, folder / TABLE_NAME]

    def begin(self) -> None:
        workspace = self._window.workspace
        workspace.changed.connect(self._case_changed)
        workspace.model.rowsRemoved.connect(self._case_removed)
        self._next()

    def cancel(self) -> None:
        """Stop after the report that is being written."""
        self._cancelled = True
        if self._now is not None and self._now[0].analysis is None:
            self._next()

    def _next(self) -> None:
        cases = self._window.workspace.model.cases
        while self._waiting and self._waiting[0][0] not in cases:  # taken off the list meanwhile
            self._waiting.popleft()
        if self._cancelled or not self._waiting:
            self._now = self._window.workspace.held = None
            self._write_table()
            return
        done = self._all - len(self._waiting)
        self.progressed.emit(
            tr("Saving report {number} of {count}", number=done + 1, count=self._all), done / self._all
        )
        self._now = case, _ = self._waiting.popleft()
        self._window.workspace.held = case
        if case.state is CaseState.DONE and case.analysis is None:
            self._window.workspace.analyse(case)
        self._take()

    def _take(self) -> None:
        """Write the report of the case whose turn it is, if it can be."""
        if self._now is None or self._now[0].state.busy:
            return
        case, path = self._now
        analysis, reading = case.analysis, case.reading
        if analysis is None:
            if case.error is not None:
                label = label_of(case, self._window.settings)
                self._rows += table_rows(error_line(Path(label) if label else case.path or Path(case.name), case.error))
            self._next()
            return
        self._now = None
        export = export_of(case, ExportKind.PDF, path, self._window.settings)

        def save() -> Export:
            ready = without_identity(export, self._window.exporter.text_seen.emit)
            write(ready)
            return ready

        def written(outcome: Outcome) -> None:
            if isinstance(outcome, BrainTumorError):
                self._errors.append(outcome)
                failed = error_line(Path(export.label), outcome) if export.label else json_line(analysis)
                self._rows.extend(table_rows(failed, reader=None if export.label else export.note))
            else:
                self._saved += 1
                case.exported = case.exported if outcome.clean else reading  # what was typed stays behind
                report = Path(path.name) if outcome.clean else path  # its folder may be named after the patient
                self._rows.extend(table_rows(json_line(outcome.analysis), reader=outcome.note, report=report))
            self._next()

        self._window.exporter.run(save, written)

    def _case_changed(self, case: Case) -> None:
        if self._now is not None and case is self._now[0]:
            self._take()

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
        if self._errors:
            first = self._errors[0]
            count = len(self._errors)
            several = phrase("{number} files could not be saved. The first: {first}", number=count, first=first.message)
            words = first.message if count == 1 else several
            self._window.show_error(BrainTumorError(first.code, words, first.hint))
        saved = tr("Saved {saved} of {all} reports to {folder}", saved=self._saved, all=self._all, folder=self._folder)
        self.ended.emit(f"{tr('Stopped.')} {saved}" if self._cancelled else saved)
        self.deleteLater()
