"""Whether the reader is at work on what is shown, so that nothing else may take its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit

if TYPE_CHECKING:
    from braintumor_desktop.ui.main_window import MainWindow


def reader_at_work(window: MainWindow) -> bool:
    """Whether the reader types, draws or drags."""
    dragged = any(viewer.dragged for viewer in window.area.viewers)
    return dragged or window.measuring.tool is not None or _types(window)


def leave_off(window: MainWindow) -> None:
    """What is opened from here on is shown, unless the reader types or draws on."""
    if _types(window):
        window.viewer.setFocus()
    if window.measuring.tool is not None:
        window.measuring.choose(None)


def _types(window: MainWindow) -> bool:
    return isinstance(window.focusWidget(), (QLineEdit, QPlainTextEdit))
