"""The system's dialog for a file or folder, answered by a test."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from braintumor_desktop.ui.main_window import MainWindow


def name_in_dialog(qtbot: QtBot, window: MainWindow, path: Path) -> None:
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    qtbot.waitExposed(dialog)
    dialog.filesSelected.emit([str(path)])
    dialog.fileSelected.emit(str(path))
    dialog.close()
