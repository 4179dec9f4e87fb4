"""The system's dialog for one folder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QDir, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget


class FolderDialog(QFileDialog):
    """Asks for a folder that is there, or for a new one.

    chosen: the folder, a Path. Where a path is typed, Qt's own dialog also names folders that it passed on the way, and
    then sends no `fileSelected`: what stands in its line is what was meant.
    """

    chosen = Signal(object)

    def __init__(self, title: str, start: str, parent: QWidget) -> None:
        super().__init__(parent, title, start)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFileMode(QFileDialog.FileMode.Directory)
        self.setOption(QFileDialog.Option.ShowDirsOnly)
        self.filesSelected.connect(self._named)

    def _named(self, folders: list[str]) -> None:
        line = self.findChild(QLineEdit, "fileNameEdit")  # not there where the dialog is the desktop's
        typed = line.text() if isinstance(line, QLineEdit) else ""
        place = Path(QDir.cleanPath(self.directory().absoluteFilePath(typed)))
        self.chosen.emit(place if typed and place.is_dir() else Path(folders[-1]))
