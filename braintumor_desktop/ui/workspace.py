"""The cases and the worker that serves them; the window shows what this says."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import Analysis, ModelIdentity
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging import Limits, load, load_pasted
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.case_list import CaseListModel
from braintumor_desktop.ui.worker import AnalysisThread, AnalyzerFactory, Job, Loaded

MEMORY_BUDGET_BYTES = 512 * 2**20
"""Pixels and maps kept for cases that are not shown; beyond it the oldest are let go, and analysed anew on demand."""


class Workspace(QObject):
    """Opens files, runs them through the worker and keeps their cases.

    ready_to_show: a newly opened case has its picture; changed: a case has another state, stage or answer;
    trouble: an error and the case it befell (None where it is no case's); model_changed: what the model is up to.
    """

    ready_to_show = Signal(object)
    changed = Signal(object)
    trouble = Signal(object, object)
    opened = Signal(list)
    model_changed = Signal(str)

    def __init__(self, settings: Settings, analyzer_factory: AnalyzerFactory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.model = CaseListModel(self)
        self.shown: Case | None = None
        self._ids = itertools.count(1)
        self._batch: set[int] = set()
        self._thread = AnalysisThread(analyzer_factory)
        worker = self._thread.worker
        worker.found.connect(self._found)
        worker.job_started.connect(self._started)
        worker.loaded.connect(self._loaded)
        worker.progress.connect(self._progressed)
        worker.done.connect(self._done)
        worker.failed.connect(self._failed)
        worker.cancelled.connect(self._cancelled)
        worker.model_ready.connect(self._model_ready)
        worker.not_ready.connect(self._not_ready)

    def start(self) -> None:
        """Start the worker; it fetches torch and the model while the window is already usable."""
        self._thread.start()

    def warm_up(self) -> None:
        self.model_changed.emit("Loading the model…")
        self._thread.worker.warm_up(self.settings.model_id, self.settings.device)

    def stop(self) -> bool:
        """End all work. True once no thread runs."""
        self._batch.clear()
        return self._thread.stop()

    @property
    def running(self) -> bool:
        return self._thread.running

    @property
    def limits(self) -> Limits:
        return Limits(max_file_bytes=self.settings.max_file_mb * 2**20)

    def open_paths(self, paths: list[Path]) -> None:
        """Open files, and all files under folders."""
        self._thread.worker.find(paths)

    def open_pasted(self, data: bytes) -> None:
        """Open an encoded picture from the clipboard or from another program's window."""
        number = 1 + sum(c.path is None and c.name.startswith("pasted") for c in self.model.cases)
        name = "pasted picture" if number == 1 else f"pasted picture {number}"
        self._add([(name, None, partial(load_pasted, data, name, self.limits))])

    def open_made(self, name: str, make: Callable[[], Study]) -> None:
        """Open a study that the program makes itself, such as the phantom."""
        self._add([(name, None, make)])

    def analyse(self, case: Case) -> None:
        """Analyse, or analyse again; what is known of the case stays until the new answer is there."""
        if case.state.busy:
            return
        case.state, case.error, case.stage, case.fraction = CaseState.WAITING, None, "", 0.0
        self._submit(case)
        self._tell(case)

    def cancel(self, case: Case) -> None:
        if case.state.busy:
            self._thread.worker.cancel(case.id)

    def remove(self, case: Case) -> None:
        self._thread.worker.cancel(case.id)
        self.model.remove(case)

    def reset(self) -> None:
        """Forget all cases."""
        self._thread.worker.cancel_all()
        self._batch.clear()
        self.shown = None
        self.model.clear()

    def show(self, case: Case | None) -> None:
        """Note which case the reader looks at: it goes first, and its pixels are kept."""
        self.shown = case
        self._batch.clear()
        if case is None:
            return
        if case.state is CaseState.DONE and case.analysis is None:
            self.analyse(case)
        self._thread.worker.hurry(case.id)

    def _found(self, files: list[Path]) -> None:
        if not files:
            hint = "Choose a folder that holds pictures."
            self.trouble.emit(
                BrainTumorError(ErrorCode.FILE_NOT_FOUND, "There are no files in that folder.", hint), None
            )
            return
        self.opened.emit(files)
        self._add([(f.name, f, partial(load, f, self.limits)) for f in files])

    def _add(self, entries: list[tuple[str, Path | None, Callable[[], Study]]]) -> None:
        cases = [Case(next(self._ids), name, path, read) for name, path, read in entries]
        self._batch = {c.id for c in cases}
        self.model.add(cases)
        for case in cases:
            self._submit(case)
        self.changed.emit(cases[0])

    def _submit(self, case: Case) -> None:
        source = case.study if case.study is not None else case.load
        job = Job(case.id, source, self.settings.model_id, self.settings.device, case.load_ms)
        self._thread.worker.submit(job)

    def _tell(self, case: Case) -> None:
        self.model.touched(case)
        self.changed.emit(case)

    def _started(self, case_id: int) -> None:
        if (case := self.model.case(case_id)) is not None:
            case.state = CaseState.LOADING if case.study is None else CaseState.ANALYSING
            self._tell(case)

    def _loaded(self, case_id: int, loaded: Loaded) -> None:
        if (case := self.model.case(case_id)) is None:
            return
        case.study, case.load_ms, case.thumbnail = loaded.study, loaded.load_ms, loaded.thumbnail
        case.first_window = loaded.window
        case.window = case.window or loaded.window
        case.slice_index = min(case.slice_index, loaded.study.slices - 1)
        case.state = CaseState.ANALYSING
        self._tell(case)
        if case_id in self._batch:  # the first of a drop that can be shown is shown
            self._batch.clear()
            self.ready_to_show.emit(case)

    def _progressed(self, case_id: int, stage: str, fraction: float) -> None:
        if (case := self.model.case(case_id)) is not None and case.state.busy:
            case.stage, case.fraction = stage, fraction
            self._tell(case)

    def _done(self, case_id: int, analysis: Analysis) -> None:
        if (case := self.model.case(case_id)) is None:
            return
        first = case.analysis is None and not case.headline
        case.finish(analysis)
        if first:
            case.slice_index = analysis.key_slice
        self._trim()
        self._tell(case)

    def _failed(self, case_id: int, error: BrainTumorError) -> None:
        if (case := self.model.case(case_id)) is not None:
            case.state, case.error = CaseState.FAILED, error
            self._tell(case)
            self.trouble.emit(error, case)

    def _cancelled(self, case_id: int) -> None:
        if (case := self.model.case(case_id)) is not None:
            case.state = CaseState.DONE if case.analysis is not None else CaseState.CANCELLED
            self._tell(case)

    def _model_ready(self, identity: ModelIdentity, device: str) -> None:
        self.model_changed.emit(f"Model {identity.id} {identity.version} ready on {device.upper()}")

    def _not_ready(self, error: BrainTumorError) -> None:
        self.model_changed.emit("The model is not ready")
        self.trouble.emit(error, None)

    def _trim(self) -> None:
        """Let the oldest cases' pixels go when there are too many: a hundred patients must fit as well as one."""
        spare = [c for c in self.model.cases if c is not self.shown and c.state is CaseState.DONE]
        excess = sum(c.held_bytes for c in spare) - MEMORY_BUDGET_BYTES
        for case in spare:
            if excess <= 0:
                return
            excess -= case.held_bytes
            case.let_go()
