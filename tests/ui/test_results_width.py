"""The results need no more width than their panel has, however large the desktop's letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.results_panel import ResultsPanel


def needed_by(results: ResultsPanel) -> int:
    """The least width of what a panel shows."""
    return results.widget().minimumSizeHint().width()


def test_the_results_need_no_more_width_than_their_panel_has(opened: MainWindow) -> None:
    """There is no scroll bar to the right: what is wider is cut off."""
    assert "0.81" in {label.text() for label in opened.results.findChildren(QLabel)}
    assert needed_by(opened.results) <= opened.results.viewport().width()


@pytest.fixture
def large_text() -> Iterator[None]:
    """A desktop whose letters are nearly twice as large as usual."""
    usual = QApplication.font()
    large = QFont(usual)
    large.setPointSizeF(16)
    QApplication.setFont(large)
    yield
    QApplication.setFont(usual)


@pytest.mark.usefixtures("large_text")
def test_large_text_hides_no_probability(
    qtbot: QtBot,
    window: MainWindow,
    stack: Path,
    drop: Callable[..., bool],
    files: Callable[..., QMimeData],
    settled: Callable[..., bool],
) -> None:
    drop(window, files(stack))
    qtbot.waitUntil(lambda: settled(window) and window.slice_strip.isVisible())
    results, strip, view = window.results, window.slice_strip, window.case_panel.view
    qtbot.waitUntil(lambda: results.bars.isVisible() and results.viewport().width() >= needed_by(results))
    first, second = strip.bar_centre(0).x(), strip.bar_centre(1).x()
    assert first - (second - first) / 2 >= strip.fontMetrics().horizontalAdvance("100 %")
    row = view.visualRect(window.workspace.model.index_of(window.workspace.model.cases[0]))
    assert row.height() >= 3 * view.fontMetrics().height()
