"""Files that lie there already are replaced only when the reader says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from braintumor_desktop.language import tr


def save_with_ending(typed: Path, ending: str, window: QWidget, save: Callable[[Path], object]) -> None:
    """Save under the name that was typed, its ending made sure of: Qt adds none to a name with a dot in it.

    The file dialog has asked about the name as it was typed; where that becomes another one, it is asked about here.
    """
    path = typed.with_name(re.sub(rf"{re.escape(ending)}\Z", "", typed.name, flags=re.IGNORECASE) + ending)
    if path == typed or not path.exists():
        save(path)
    else:
        ask_to_replace(window, tr("Save"), path.name, lambda: save(path))


def ask_to_replace(window: QWidget, title: str, words: str, go_on: Callable[[], object]) -> None:
    """Put the question on the screen; go_on: called if the answer is yes. words: what lies there."""
    box = QMessageBox(window)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setText(words)
    box.setInformativeText(tr("Replace what is there?"))
    replace = box.addButton(tr("&Replace"), QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    replace.clicked.connect(go_on)
    box.open()
