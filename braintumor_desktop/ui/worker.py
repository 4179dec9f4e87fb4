"""All analysing, on one thread of its own, one job after the other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from braintumor_desktop.domain.errors import Cancelled
from braintumor_desktop.domain.findings import Analysis, ModelIdentity
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Study
from braintumor_desktop.ui.reading import Loaded, SharedRead, throttled, typed_error


class Analyzes(Protocol):
    """What the worker needs of an `inference.Analyzer`."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def device(self) -> str: ...

    cam: str
    mirrored: bool

    def analyze(
        self,
        study: Study,
        *,
        load_ms: float = 0.0,
        progress: Callable[[str, float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        keep_partial: Callable[[], bool] = ...,
    ) -> Analysis: ...


AnalyzerFactory = Callable[[str, str], Analyzes]
"""(model id, device) → an analyzer; called on the worker's thread."""


@dataclass(frozen=True)
class Job:
    """One case to analyse: either how to load it, or the study itself where it is loaded already."""

    case_id: int
    source: SharedRead | Study
    model_id: str
    device: str
    load_ms: float = 0.0
    cam: str = "grad-cam"
    mirrored: bool = True


@dataclass(eq=False)
class _Running:
    """The job under way, and what was asked of it meanwhile."""

    case_id: int
    stop: threading.Event = field(default_factory=threading.Event)
    keep_partial: bool = False


class Worker(QObject):
    """Drains a queue of jobs on the thread it was moved to.

    Its public methods may be called from any thread; every signal but `cancelled` of a job that had not begun comes
    from the worker's thread. Each job ends in exactly one of `done`, `failed` or `cancelled`; `loaded` comes before,
    as soon as there is a picture to show.
    """

    model_ready = Signal(object, str)
    not_ready = Signal(object)
    job_started = Signal(int)
    loaded = Signal(int, object)
    progress = Signal(int, object, float)
    done = Signal(int, object)
    failed = Signal(int, object)
    cancelled = Signal(int)
    _wake = Signal()

    def __init__(self, analyzer_factory: AnalyzerFactory) -> None:
        super().__init__()
        self._factory = analyzer_factory
        self._analyzer: Analyzes | None = None
        self._opened: tuple[str, str] | None = None
        self._lock = threading.Lock()
        self._queue: deque[tuple[int | None, Callable[[], None]]] = deque()
        self._running: _Running | None = None
        self._shut = threading.Event()
        self._wake.connect(self._drain, Qt.ConnectionType.QueuedConnection)

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._put(job.case_id, partial(self._run, job))

    def revise(self, job: Job) -> None:
        """Put a job in the place of the one that waits for the same case; nothing happens where that has begun."""
        with self._lock:
            for place, (case_id, _) in enumerate(self._queue):
                if case_id == job.case_id:
                    self._queue[place] = (case_id, partial(self._run, job))

    def warm_up(self, model_id: str, device: str) -> None:
        """Load torch and the model before the first picture asks for them."""
        self._put(None, partial(self._warm_up, model_id, device))

    def hurry(self, case_id: int) -> None:
        """Take this job next."""
        with self._lock:
            for entry in self._queue:
                if entry[0] == case_id:
                    self._queue.remove(entry)
                    self._queue.appendleft(entry)
                    return

    def cancel(self, case_id: int, *, keep_partial: bool = False) -> None:
        """Drop a waiting job, or ask the running one to stop.

        keep_partial: of a series, what was analysed so far is kept: the job then ends in `done`.
        """
        with self._lock:
            if self._running is not None and self._running.case_id == case_id:
                self._running.keep_partial = keep_partial
                self._running.stop.set()
                return
            waiting = [entry for entry in self._queue if entry[0] == case_id]
            for entry in waiting:
                self._queue.remove(entry)
        if waiting:
            self.cancelled.emit(case_id)

    def cancel_all(self) -> None:
        """Drop all waiting jobs without a word, and ask the running one to stop."""
        with self._lock:
            self._queue = deque(entry for entry in self._queue if entry[0] is None)
            if self._running is not None:
                self._running.keep_partial = False
                self._running.stop.set()

    def shut(self) -> None:
        """Ask everything to stop, for good."""
        self._shut.set()
        with self._lock:
            self._queue.clear()

    def _put(self, case_id: int | None, task: Callable[[], None]) -> None:
        if self._shut.is_set():
            return
        with self._lock:
            self._queue.append((case_id, task))
        self._wake.emit()

    @Slot()
    def _drain(self) -> None:
        """One task a call, so that the thread's event loop can hear `quit` in between."""
        with self._lock:
            if self._shut.is_set() or not self._queue:
                return
            case_id, task = self._queue.popleft()
            self._running = None if case_id is None else _Running(case_id)
        try:
            task()
        finally:
            with self._lock:
                self._running = None

    def _run(self, job: Job) -> None:
        self.job_started.emit(job.case_id)
        try:
            self.done.emit(job.case_id, self._analysis(job))
        except Cancelled:
            self.cancelled.emit(job.case_id)
        except Exception as error:  # noqa: BLE001 - nothing may vanish: the reader sees it, typed
            self.failed.emit(job.case_id, typed_error(error))

    def _analysis(self, job: Job) -> Analysis:
        study, load_ms = self._study(job)
        self._stop_if_asked()
        if self._opened != (job.model_id, job.device):
            self.progress.emit(job.case_id, phrase("Loading the model"), 0.0)
        analyzer = self._open(job.model_id, job.device)
        analyzer.cam, analyzer.mirrored = job.cam, job.mirrored
        self._stop_if_asked()
        analysis = analyzer.analyze(
            study,
            load_ms=load_ms,
            progress=throttled(partial(self.progress.emit, job.case_id)),
            cancelled=self._asked_to_stop,
            keep_partial=self._asked_to_keep,
        )
        if not self._asked_to_keep():
            self._stop_if_asked()
        return analysis

    def _study(self, job: Job) -> tuple[Study, float]:
        if isinstance(job.source, Study):
            return job.source, job.load_ms
        self.progress.emit(job.case_id, phrase("Loading"), 0.0)
        get = job.source.asked()
        self._stop_if_asked()  # after that: whoever cancels in between is heard by one of the two
        study = get()
        self.loaded.emit(job.case_id, Loaded.of(study, job.source))
        return study, job.source.load_ms

    def _warm_up(self, model_id: str, device: str) -> None:
        try:
            was_open = self._opened == (model_id, device)
            analyzer = self._open(model_id, device)
            if was_open:
                self.model_ready.emit(analyzer.identity, analyzer.device)
        except Exception as error:  # noqa: BLE001 - as in _run
            self.not_ready.emit(typed_error(error))

    def _open(self, model_id: str, device: str) -> Analyzes:
        if self._analyzer is None or self._opened != (model_id, device):
            self._analyzer = self._opened = None
            self._analyzer = self._factory(model_id, device)
            self._opened = (model_id, device)
            self.model_ready.emit(self._analyzer.identity, self._analyzer.device)
        return self._analyzer

    def _asked_to_stop(self) -> bool:
        running = self._running
        return self._shut.is_set() or (running is not None and running.stop.is_set())

    def _asked_to_keep(self) -> bool:
        running = self._running
        return not self._shut.is_set() and running is not None and running.keep_partial

    def _stop_if_asked(self) -> None:
        if self._asked_to_stop():
            raise Cancelled


class AnalysisThread:
    """The worker with its thread. The owner calls `stop` before it goes."""

    def __init__(self, analyzer_factory: AnalyzerFactory) -> None:
        self.worker = Worker(analyzer_factory)
        self._thread = QThread()
        self._thread.setObjectName("analysis")
        self.worker.moveToThread(self._thread)

    def start(self) -> None:
        self._thread.start(QThread.Priority.LowPriority)

    @property
    def running(self) -> bool:
        return self._thread.isRunning()

    def stop(self, wait_ms: int = 15_000) -> bool:
        """Ask, wait, quit. True once the thread has ended; False if it does not within `wait_ms`."""
        self.worker.shut()
        self._thread.quit()
        return not self._thread.isRunning() or self._thread.wait(wait_ms)
