"""Pixels and answers beyond the budget are let go, and come back when they are looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData
from pytestqt.qtbot import QtBot

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.ui import workspace as workspace_module
from braintumor_desktop.ui.case import CaseState
from braintumor_desktop.ui.main_window import MainWindow

Drop = Callable[[MainWindow, QMimeData], bool]
Files = Callable[..., QMimeData]
Settled = Callable[[MainWindow], bool]


def test_pixels_beyond_the_memory_budget_are_let_go_and_come_back_on_demand(
    qtbot: QtBot,
    opened: MainWindow,
    picture: Path,
    stack: Path,
    monkeypatch: Any,
    drop: Drop,
    files: Files,
    settled: Settled,
) -> None:
    monkeypatch.setattr(workspace_module, "MEMORY_BUDGET_BYTES", 0)
    drop(opened, files(stack))
    qtbot.waitUntil(lambda: settled(opened) and len(opened.workspace.model.cases) == 2)
    first = opened.workspace.model.cases[0]
    assert first.analysis is None
    assert first.status_line == "Glioma, 90.0 %"
    opened.case_panel.choose(first)
    qtbot.waitUntil(lambda: first.analysis is not None and opened.viewer.study is first.study)


def test_what_waits_or_failed_keeps_no_pixels_beyond_the_budget_and_is_read_again_when_shown(
    qtbot: QtBot,
    window: MainWindow,
    analyzer: Any,
    picture: Path,
    monkeypatch: Any,
    drop: Drop,
    files: Files,
    settled: Settled,
) -> None:
    monkeypatch.setattr(workspace_module, "MEMORY_BUDGET_BYTES", 0)
    copies = [picture.with_name(name) for name in ("a.png", "b.png", "c.png")]
    for copy in copies:
        copy.write_bytes(picture.read_bytes())
    analyzer.gate = threading.Event()
    drop(window, files(*copies))
    qtbot.waitUntil(lambda: analyzer.began.is_set() and window.viewer.study is not None)
    first, second, third = window.workspace.model.cases
    for shown, gone in ((second, third), (third, second), (second, third)):
        window.case_panel.choose(shown)
        qtbot.waitUntil(lambda shown=shown: window.viewer.study is shown.study is not None)
        assert (shown.state, gone.state) == (CaseState.WAITING, CaseState.WAITING)
        assert gone.study is None
    assert first.study is not None  # the analysis under way is not disturbed
    analyzer.fail_with = BrainTumorError(ErrorCode.MODEL_DAMAGED, "The weights are damaged.", "Install again.")
    analyzer.gate.set()
    qtbot.waitUntil(lambda: settled(window))
    assert [case.study is None for case in (first, second, third)] == [True, False, True]
    window.case_panel.choose(first)
    qtbot.waitUntil(lambda: window.viewer.study is first.study is not None)
    assert (first.state, window.pages.currentWidget()) == (CaseState.FAILED, window.area)
    picture.with_name("c.png").unlink()
    window.case_panel.choose(third)
    qtbot.waitUntil(lambda: third.error is not None and third.error.code is ErrorCode.FILE_NOT_FOUND)
    assert "does not exist" in window.empty_page.detail.text()
