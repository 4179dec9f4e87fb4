"""The cases and the worker that serves them; the window shows what this says."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import Analysis, ModelIdentity
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging import Catalog, Entry, Limits, Problem, load_pasted
from braintumor_desktop.imaging.turning import UPRIGHT
from braintumor_desktop.language import tr
from braintumor_desktop.storage.readings import ReadingStore
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.case_tree import CaseModel
from braintumor_desktop.ui.keeping import Keeper
from braintumor_desktop.ui.reading import Loaded, Reader, SharedRead
from braintumor_desktop.ui.worker import AnalysisThread, AnalyzerFactory, Job

MEMORY_BUDGET_BYTES = 512 * 2**20
"""Pixels and maps kept for cases that are not shown; beyond it the oldest are let go, and analysed anew on demand."""


class Workspace(QObject):
    """Opens files, runs them through the worker and keeps their cases.

    ready_to_show: a newly opened case has its picture; changed: a case has another state, stage or answer;
    trouble: an error and the case it befell (None where it is no case's); model_changed: what the model is up to;
    model_trouble: why the model isn't ready, None once it is;
    opened: the paths that held something; open_already: the first case of an opening that held nothing new;
    passed_over: how many files were no pictures and only lay beside some.
    in_view: what the window holds besides the case shown; held: a case whose answer is about to be saved. Their pixels
    are kept as those of the shown one. reader_at_work: whether the reader types, draws or drags; the view stays then.
    """

    ready_to_show = Signal(object)
    changed = Signal(object)
    trouble = Signal(object, object)
    opened = Signal(list)
    open_already = Signal(object)
    passed_over = Signal(int)
    model_changed = Signal(str)
    model_trouble = Signal(object)

    def __init__(
        self,
        settings: Settings,
        analyzer_factory: AnalyzerFactory,
        store: ReadingStore,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.settings = settings
        self.keeper = Keeper(settings, store, self)
        self.keeper.trouble.connect(lambda error: self.trouble.emit(error, None))
        self.model = CaseModel(self)
        self.shown: Case | None = None
        self.in_view: Callable[[], Iterable[Case | None]] = lambda: ()
        self.reader_at_work: Callable[[], bool] = lambda: False
        self.held: Case | None = None
        self._ids = itertools.count(1)
        self._batch: set[int] = set()
        self._ever_listed: list[Entry] = []
        self._thread = AnalysisThread(analyzer_factory)
        self.reader = Reader(self)
        self.reader.listed.connect(self._listed)
        self.reader.trouble.connect(lambda error: self.trouble.emit(error, None))
        self.reader.loaded.connect(self._loaded)
        self.reader.unreadable.connect(self._unreadable)
        worker = self._thread.worker
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

    def settings_changed(self) -> None:
        """What waits is analysed as the settings are now, too."""
        for case in self.model.cases:
            if case.state is CaseState.WAITING:
                self._thread.worker.revise(self._job(case))
        self.warm_up()

    def warm_up(self) -> None:
        self.model_changed.emit(tr("Loading the model…"))
        self._thread.worker.warm_up(self.settings.model_id, self.settings.device)

    def stop(self) -> bool:
        """End all work. True once no thread runs."""
        self._batch.clear()
        self.keeper.keep(self.model.cases)
        for case in self.model.cases:
            case.load.ask_to_stop()
        stopped = self._thread.stop()
        return self.reader.shut() and stopped

    @property
    def running(self) -> bool:
        return self._thread.running

    @property
    def limits(self) -> Limits:
        return Limits(max_file_bytes=self.settings.max_file_mb * 2**20)

    def open_paths(self, paths: list[Path]) -> None:
        """Open files, archives, and everything under folders; what is open already is not opened twice."""
        self.reader.look_through([path.absolute() for path in paths], self.limits)

    def open_pasted(self, data: bytes) -> None:
        """Open an encoded picture from the clipboard or from another program's window."""
        number = 1 + sum(c.path is None and c.name.startswith(tr("pasted picture")) for c in self.model.cases)
        name = tr("pasted picture") if number == 1 else f"{tr('pasted picture')} {number}"
        limits = self.limits
        self._add([self._case(name, None, lambda _stopped: load_pasted(data, name, limits))])

    def open_made(self, name: str, make: Callable[[], Study]) -> None:
        """Open a study that the program makes itself, such as the phantom."""
        self._add([self._case(name, None, lambda _stopped: make())])

    def open_read(self, name: str, path: Path, read: Callable[[Callable[[], bool]], Study]) -> Case:
        """Open what is put together from several files. read: is given what says whether to stop."""
        case = self._case(name, path, read)
        self._add([case])
        return case

    def analyse(self, case: Case) -> None:
        """Analyse, or analyse again; what is known of the case stays until the new answer is there.

        What the listing found nothing in is listed anew, with all that lies in the same file.
        """
        if case.state.busy:
            return
        if case.problem is not None:
            self.reader.look_through([case.problem.input_file], self.limits, anew=True)
            return
        self._queue(case)
        if case is self.shown:
            self.fetch(case)
            self._thread.worker.hurry(case.id)

    def choose_volume(self, case: Case, volume: int) -> None:
        """Read another volume of a case that holds several, and analyse that. Nothing happens while it is busy."""
        entry, limits = case.entry, self.limits
        if entry is None or case.state.busy or volume == case.volume:
            return
        self.keeper.keep([case])
        case.let_go()
        case.forget_reading()
        case.volume, case.headline, case.first_window, case.window, case.thumbnail = volume, "", None, None, None
        case.load = SharedRead(lambda stopped: entry.load(limits, frame=volume, cancelled=stopped))
        self.analyse(case)

    def cancel(self, case: Case) -> None:
        """Stop reading and analysing it; of a series that had no answer yet, the slices analysed so far are kept."""
        if case.state.busy:
            self._thread.worker.cancel(case.id, keep_partial=not case.headline)
            if case.study is None:
                case.load.ask_to_stop()

    def remove(self, case: Case) -> None:
        self._thread.worker.cancel(case.id)
        case.load.ask_to_stop()
        self.keeper.keep([case])
        self.model.remove(case)

    def reset(self) -> None:
        """Forget all cases."""
        self._thread.worker.cancel_all()
        for case in self.model.cases:
            case.load.ask_to_stop()
        self._batch.clear()
        self.keeper.keep(self.model.cases)
        self.shown = None
        self._ever_listed.clear()
        self.model.clear()

    def show(self, case: Case | None) -> None:
        """Note which case the reader looks at: it goes first, and its pixels are kept."""
        self.shown = case
        self._batch.clear()
        if case is not None:
            self.fetch(case)
            self._thread.worker.hurry(case.id)

    def fetch(self, case: Case) -> None:
        """Bring a case that is to be looked at, with its answer; `changed` tells when they are there."""
        if case.state is CaseState.DONE and case.analysis is None:
            self._queue(case)
        if case.study is None and (case.state is not CaseState.FAILED or case.first_window is not None):
            self.reader.load(case.id, case.load)

    def _listed(self, paths: list[Path], catalog: Catalog, anew: bool) -> None:
        if not catalog.items:
            hint = phrase("Choose a folder that holds pictures.")
            self.trouble.emit(
                BrainTumorError(ErrorCode.FILE_NOT_FOUND, phrase("There are no files in that folder."), hint), None
            )
            return
        found = [item for item in catalog.items if isinstance(item, Entry) or not item.ignorable]
        found.sort(key=lambda item: isinstance(item, Problem))  # what can be looked at stands first
        if not found:
            words = phrase("None of the {count:,} files there holds a picture to analyse.", count=catalog.passed_over)
            hint = phrase("Choose the folder that holds the study, or the study's ZIP.")
            self.trouble.emit(BrainTumorError(ErrorCode.NOT_AN_IMAGE, words, hint), None)
            return
        if catalog.entries:
            self.opened.emit(paths)
        if catalog.passed_over:
            self.passed_over.emit(catalog.passed_over)
        there = self._open_already(found)
        new = self._new_of(found, paths, self._ever_listed if anew else [c.entry for c in there if c.entry is not None])
        self._ever_listed += [item for item in new if isinstance(item, Entry)]
        if new:
            self._add([self._case_of(item) for item in new])
        elif there and not anew:
            self.open_already.emit(there[0])

    def _open_already(self, found: list[Entry | Problem]) -> list[Case]:
        """The cases that are these, read from files that are as they were."""
        listed = {(item, item.stamps) for item in found if isinstance(item, Entry)}
        return [c for c in self.model.cases if c.entry is not None and (c.entry, c.entry.stamps) in listed]

    def _new_of(self, found: list[Entry | Problem], paths: list[Path], known: list[Entry]) -> list[Entry | Problem]:
        """What is not known. Problems in the list are told anew; those that are no more are taken off it."""
        left = Counter(known)
        gone = [c for c in self.model.cases if c.problem is not None and _lies_in(c.problem.input_file, paths)]
        new: list[Entry | Problem] = []
        for item in found:
            if isinstance(item, Entry) and left[item]:
                left[item] -= 1
            elif isinstance(item, Problem) and (still := next((c for c in gone if c.path == item.path), None)):
                gone.remove(still)
                still.problem, still.error = item, item.error
                self._tell(still)
                self.trouble.emit(item.error, still)
            else:
                new.append(item)
        for case in gone:
            self.remove(case)
        return new

    def _case_of(self, item: Entry | Problem) -> Case:
        limits = self.limits
        if isinstance(item, Entry):
            case = self._case(item.title, item.path, lambda stopped: item.load(limits, cancelled=stopped))
            case.entry = item
            return case

        def refuse(_stopped: Callable[[], bool]) -> Study:
            raise item.error

        case = self._case(item.path.name, item.path, refuse)
        case.problem, case.state, case.error = item, CaseState.FAILED, item.error
        return case

    def _case(self, name: str, path: Path | None, read: Callable[[Callable[[], bool]], Study]) -> Case:
        return Case(next(self._ids), name, path, SharedRead(read))

    def _add(self, cases: list[Case]) -> None:
        self._batch = {c.id for c in cases if c.error is None}
        self.model.add(cases)
        for case in cases:
            if case.error is None:
                self._submit(case)
            else:
                self.trouble.emit(case.error, case)
        first = next((c for c in cases if c.error is None), None)
        if first is not None and any(c.state.busy for c in self.model.cases if c not in cases):
            self.reader.load(first.id, first.load)  # the worker has others to finish before it
        self.changed.emit(cases[0])

    def _queue(self, case: Case) -> None:
        case.state, case.error, case.stage, case.fraction = CaseState.WAITING, None, "", 0.0
        self._submit(case)
        self._tell(case)

    def _submit(self, case: Case) -> None:
        case.in_job = case.study is not None
        self._thread.worker.submit(self._job(case))

    def _job(self, case: Case) -> Job:
        source = case.study if case.in_job and case.study is not None else case.load
        chosen = self.settings
        return Job(
            case.id, source, chosen.model_id, chosen.device, case.load_ms, cam=chosen.cam, mirrored=chosen.mirrored
        )

    def _tell(self, case: Case) -> None:
        self.model.touched(case)
        self.changed.emit(case)

    def _started(self, case_id: int) -> None:
        if (case := self.model.case(case_id)) is not None:
            case.state = CaseState.LOADING if case.study is None else CaseState.ANALYSING
            self._tell(case)

    def _loaded(self, case_id: int, loaded: Loaded) -> None:
        if (case := self.model.case(case_id)) is None or loaded.read is not case.load:
            return
        if case.study is not None:  # the worker and the reader both had it read, and it is one and the same
            if case.state is CaseState.LOADING:
                case.state = CaseState.ANALYSING
                self._tell(case)
            return
        case.study, case.load_ms, case.thumbnail = loaded.study, loaded.read.load_ms, loaded.thumbnail
        changed = self.keeper.restore(case)
        if changed:
            case.headline, case.first_window, case.window, case.turn = "", None, None, UPRIGHT
        case.window = case.window or loaded.window
        middle = loaded.study.slices // 2
        case.slice_index = middle if case.first_window is None else min(case.slice_index, loaded.study.slices - 1)
        case.first_slice = middle if case.first_window is None else case.first_slice
        case.first_window = loaded.window
        if case.state is CaseState.LOADING:
            case.state = CaseState.ANALYSING
        if changed:
            self.analyse(case)  # where no job does so already
        first = case_id in self._batch  # of a drop, that can be shown: it is shown, whatever comes of telling it
        self._tell(case)
        if first:
            self._batch.clear()
            self.ready_to_show.emit(case)
        self._trim()

    def _progressed(self, case_id: int, stage: str, fraction: float) -> None:
        if (case := self.model.case(case_id)) is not None and case.state.busy:
            case.stage, case.fraction = stage, fraction
            self._tell(case)

    def _done(self, case_id: int, analysis: Analysis) -> None:
        if (case := self.model.case(case_id)) is None:
            return
        first = case.analysis is None and not case.headline
        case.finish(analysis)
        left = case.slice_index != case.first_slice or case.measured.can_undo
        if first and not left and not (case is self.shown and self.reader_at_work()):
            case.slice_index = analysis.key_slice
        self._trim()
        self._tell(case)

    def _failed(self, case_id: int, error: BrainTumorError) -> None:
        if (case := self.model.case(case_id)) is not None:
            case.state, case.error = CaseState.FAILED, error
            if case.study is None:
                case.first_window = None  # no picture of it can be had, until the reader has it tried again
            self._tell(case)
            self.trouble.emit(error, case)
            self._trim()

    def _unreadable(self, case_id: int, error: BrainTumorError) -> None:
        """What the worker will come to tells the same; where it won't, this is the end of the case."""
        if (case := self.model.case(case_id)) is not None and not case.state.busy:
            self._failed(case_id, error)

    def _cancelled(self, case_id: int) -> None:
        if (case := self.model.case(case_id)) is not None:
            case.state = CaseState.DONE if case.headline else CaseState.CANCELLED  # its answer may have been let go
            self._tell(case)
            self._trim()

    def _model_ready(self, identity: ModelIdentity, device: str) -> None:
        self.model_trouble.emit(None)
        self.model_changed.emit(
            tr(
                "Model {id} {version} ready on {device}",
                id=identity.id,
                version=identity.version,
                device=device.upper(),
            )
        )

    def _not_ready(self, error: BrainTumorError) -> None:
        self.model_changed.emit(tr("The model is not ready"))
        self.model_trouble.emit(error)

    def _trim(self) -> None:
        """Let the oldest cases' pixels go when there are too many: a hundred patients must fit as well as one."""
        kept = (self.shown, self.held, *self.in_view())
        spare = [c for c in self.model.cases if c not in kept and c.can_let_go]
        excess = sum(c.held_bytes for c in spare) - MEMORY_BUDGET_BYTES
        for case in spare:
            if excess <= 0:
                return
            excess -= case.held_bytes
            case.let_go()


def _lies_in(file: Path, paths: list[Path]) -> bool:
    """Whether it is one of these files or lies in one of these folders."""
    return any(path in (file, *file.parents) for path in paths)
