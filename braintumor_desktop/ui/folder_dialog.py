"""The system's dialog for one folder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget


class FolderDialog(QFileDialog):
    """Asks for a folder that is there, or for a new one.

    chosen: the folder, a Path. Where a path is typed, Qt's own dialog may name the folder it shows beside the typed
    one, and then sends no `fileSelected` at all; the innermost is what was meant.
    """

    chosen = Signal(object)

    def __init__(self, title: str, start: str, parent: QWidget) -> None:
        super().__init__(parent, title, start)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFileMode(QFileDialog.FileMode.Directory)
        self.setOption(QFileDialog.Option.ShowDirsOnly)
        self.filesSelected.connect(self._named)

    def _named(self, folders: list[str]) -> None:
        self.chosen.emit(max((Path(folder) for folder in folders), key=lambda folder: len(folder.parts)))
