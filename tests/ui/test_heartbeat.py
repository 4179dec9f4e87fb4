"""The heartbeat sees how long the event loop was deaf."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from braintumor_desktop.ui.heartbeat import Heartbeat


def test_a_blocked_event_loop_is_measured(qtbot: QtBot) -> None:
    heartbeat = Heartbeat()
    heartbeat.start()

    def block() -> None:
        end = time.perf_counter() + 0.12
        while time.perf_counter() < end:
            pass

    QTimer.singleShot(20, block)
    qtbot.waitUntil(lambda: heartbeat.longest_ms > 100)
    heartbeat.stop()
    stalls = heartbeat.stalls_ms(longer_than=100)  # more than one where the machine itself pauses
    assert max(stalls) == heartbeat.longest_ms


def test_a_stall_that_lasts_to_the_end_counts(qtbot: QtBot) -> None:
    heartbeat = Heartbeat()
    heartbeat.start()
    end = time.perf_counter() + 0.05
    while time.perf_counter() < end:
        pass
    heartbeat.stop()
    assert heartbeat.longest_ms > 40
