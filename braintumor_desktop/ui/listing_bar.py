"""Shown above the viewer while something long goes on beside the cases, such as looking through what was dropped."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from braintumor_desktop.language import tr


class ListingBar(QWidget):
    """What is being done, how far it is, and a way to stop it."""

    cancel_asked = Signal()

    def __init__(self, what: str = "", parent: QWidget | None = None) -> None:
        """what: what its button does, if it is not to stop looking through files."""
        super().__init__(parent)
        self.words = QLabel()
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(10)
        self.progress.setAccessibleName(tr("Progress"))
        self.cancel_button = QPushButton(tr("Cancel"))
        self.cancel_button.setToolTip(what or tr("Stop looking through the files (Esc)"))
        self.cancel_button.clicked.connect(self.cancel_asked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 2, 8, 2)
        layout.addWidget(self.words)
        layout.addWidget(self.progress, 1)
        layout.addWidget(self.cancel_button)
        self.hide()

    def show_progress(self, stage: str, share: float) -> None:
        """share: 0 to 1."""
        self.words.setText(tr("{stage}… {percent:.0f} %", stage=tr(stage), percent=100 * share))
        self.progress.setRange(0, 100 if share > 0 else 0)
        self.progress.setValue(round(100 * share))
        self.show()
