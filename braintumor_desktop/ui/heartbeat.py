"""How long the event loop was ever deaf: the figure behind “the window never stalls”."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer


class Heartbeat(QObject):
    """Beats every `interval_ms` on the event loop of its thread and keeps the gaps between beats.

    A gap longer than the interval is time in which no click, key or paint was served. The beat itself costs
    some microseconds.
    """

    def __init__(self, interval_ms: int = 5, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._interval = interval_ms / 1000.0
        self._last = 0.0
        self._stalls: list[float] = []
        self._timer = QTimer(self, interval=interval_ms, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin anew."""
        self._stalls = []
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        """End; a stall that lasts until now counts too."""
        if self._timer.isActive():
            self._beat()
            self._timer.stop()

    def stalls_ms(self, longer_than: float = 0.0) -> list[float]:
        """All stalls above a bound in milliseconds, in the order they came."""
        return [1000.0 * s for s in self._stalls if 1000.0 * s > longer_than]

    @property
    def longest_ms(self) -> float:
        """The longest stall in milliseconds, 0 where there was none."""
        return 1000.0 * max(self._stalls, default=0.0)

    def _beat(self) -> None:
        now = time.perf_counter()
        late = now - self._last - self._interval
        self._last = now
        if late > 0.001:
            self._stalls.append(late)
