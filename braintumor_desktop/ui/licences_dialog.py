"""Help → Licences: every work the program is made of, with its licence in full."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QPlainTextEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.language import tr
from braintumor_desktop.licences import Notice, notices

_LEAD = phrase(
    "The program is under the Apache License 2.0. It is made of the works below, each under its own licence. "
    "Their code is unchanged; Qt and other libraries under the LGPL are separate files that you may replace."
)


class LicencesDialog(QDialog):
    """A list of works at the left, the licence of the chosen one at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Licences"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._notices = notices()
        lead = QLabel(tr(_LEAD))
        lead.setWordWrap(True)
        self.works = QListWidget()
        self.works.setAccessibleName(tr("Works the program is made of"))
        self.works.addItems([_line(notice) for notice in self._notices])
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName(tr("Licence of the chosen work"))
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        split = QSplitter()
        split.addWidget(self.works)
        split.addWidget(self.text)
        split.setStretchFactor(1, 1)
        split.setSizes([260, 640])
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(lead)
        layout.addWidget(split, 1)
        layout.addWidget(buttons)
        self.resize(940, 600)
        self.works.currentRowChanged.connect(self._show)
        self.works.setCurrentRow(0)

    def _show(self, row: int) -> None:
        notice = self._notices[row]
        self.text.setPlainText(f"{notice.licence}\n\n{notice.text.strip() or tr('No text came with it.')}")


def _line(notice: Notice) -> str:
    return f"{notice.name} {notice.version}".rstrip()
