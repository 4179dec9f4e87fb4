"""The window measured from inside: when it showed, when the first result came, how long it was ever deaf."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import cast

import psutil
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication

from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.heartbeat import Heartbeat
from braintumor_desktop.ui.main_window import MainWindow

REPEATS = 5
"""Analyses after the first, during which stalls are counted with everything loaded."""


@dataclass
class WindowFigures:
    """Times in milliseconds since the process began, memory in MiB (resident set).

    shown_cpu_ms, first_result_cpu_ms: processor time of all threads until then, which other programs on the machine
    lengthen far less than the time by the clock;
    stall_start_ms: longest stall of the event loop until the first result, torch's import included;
    stall_analysis_ms: longest one during further analyses; idle_mb: window shown, before torch;
    ready_mb: after the first result; failed: what went wrong, if anything.
    """

    shown_ms: float = 0.0
    first_result_ms: float = 0.0
    shown_cpu_ms: float = 0.0
    first_result_cpu_ms: float = 0.0
    stall_start_ms: float = 0.0
    stall_analysis_ms: float = 0.0
    idle_mb: float = 0.0
    ready_mb: float = 0.0
    failed: str | None = None


class Probe(QObject):
    """Watches one window from its first appearance to its close; `figures` hold what it saw.

    began: when the process was started, in seconds since the epoch, by the clock of whoever started it (the
    system's own record of it is only good to a second).
    """

    def __init__(self, window: MainWindow, began: float) -> None:
        super().__init__(window)
        self._began = began
        self.figures = WindowFigures()
        self._window = window
        self._process = psutil.Process()
        self._heartbeat = Heartbeat(parent=self)
        self._left = REPEATS
        cast(QGuiApplication, QGuiApplication.instance()).installEventFilter(self)  # the native window comes later
        window.workspace.changed.connect(self._changed)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The first time the window system shows the window, it is painted within that very event."""
        seen = super().eventFilter(watched, event)
        if event.type() == QEvent.Type.Expose and not self.figures.shown_ms:
            self.figures.shown_ms = -1.0
            QTimer.singleShot(0, self._shown)
        return bool(seen)

    def _shown(self) -> None:
        self.figures.shown_ms = self._since_start()
        self.figures.shown_cpu_ms = self._processor()
        self.figures.idle_mb = self._memory()
        self._heartbeat.start()

    def _changed(self, case: Case) -> None:
        if case.state is CaseState.FAILED:
            self.figures.failed = None if case.error is None else case.error.code.value
            self._window.close()
        if case.state is not CaseState.DONE:
            return
        self._heartbeat.stop()
        if not self.figures.first_result_ms:
            self.figures.first_result_ms = self._since_start()
            self.figures.first_result_cpu_ms = self._processor()
            self.figures.stall_start_ms = self._heartbeat.longest_ms
            self.figures.ready_mb = self._memory()
        else:
            self._left -= 1
            self.figures.stall_analysis_ms = max(self.figures.stall_analysis_ms, self._heartbeat.longest_ms)
        if self._left == 0:
            self._window.close()
            return
        QTimer.singleShot(100, lambda: self._again(case))  # the result is painted first, outside the count

    def _again(self, case: Case) -> None:
        self._heartbeat.start()
        self._window.workspace.analyse(case)

    def _since_start(self) -> float:
        return 1000 * (time.time() - self._began)

    def _processor(self) -> float:
        used = self._process.cpu_times()
        return 1000 * float(used.user + used.system)

    def _memory(self) -> float:
        return float(self._process.memory_info().rss) / 2**20
