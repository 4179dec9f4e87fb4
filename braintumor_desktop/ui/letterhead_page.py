"""The settings' page for reports: paper, and the clinic's name, address, logo and footer."""

from __future__ import annotations

import base64
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.language import tr
from braintumor_desktop.reporting import prepare_logo, read_logo
from braintumor_desktop.storage.settings import CLINIC_LENGTHS, Settings

_LOGO_HEIGHT = 48


class LetterheadPage(QWidget):
    """Edits its part of `settings` when asked to `apply`."""

    def __init__(self, settings: Settings, paper: QComboBox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._logo = settings.clinic_logo
        self.name = QLineEdit(settings.clinic_name, maxLength=CLINIC_LENGTHS["clinic_name"])
        self.name.setAccessibleName(tr("Name of the clinic"))
        self.address = _text(settings.clinic_address, tr("Address of the clinic"), lines=3)
        self.footer = _text(settings.clinic_footer, tr("Text below every page"), lines=2)
        self.logo = QLabel()
        self.logo.setAccessibleName(tr("Logo of the clinic"))
        self.logo.setMinimumHeight(_LOGO_HEIGHT)
        self.choose = QPushButton(tr("C&hoose…"))
        self.choose.setAccessibleName(tr("Choose the logo's file"))
        self.choose.clicked.connect(self._ask)
        self.remove = QPushButton(tr("&Remove"))
        self.remove.setAccessibleName(tr("Remove the logo"))
        self.remove.clicked.connect(lambda: self._show_logo(""))
        self.trouble = QLabel()
        self.trouble.setWordWrap(True)
        self.trouble.hide()
        logo = QHBoxLayout()
        logo.addWidget(self.logo, 1)
        logo.addWidget(self.choose)
        logo.addWidget(self.remove)
        note = QLabel(tr("Printed on every report; all may be empty. De-identified reports leave it out."))
        note.setWordWrap(True)
        form = QFormLayout(self)
        form.setVerticalSpacing(10)
        form.addRow(tr("&Paper of PDF reports"), paper)
        form.addRow(tr("Clinic &name"), self.name)
        form.addRow(tr("&Address"), self.address)
        form.addRow(tr("Logo"), logo)
        form.addRow("", self.trouble)
        form.addRow(tr("&Footer"), self.footer)
        form.addRow(note)
        self._show_logo(self._logo)

    def apply(self) -> None:
        """Put what the reader entered into the settings."""
        self._settings.clinic_name = self.name.text().strip()
        self._settings.clinic_address = self.address.toPlainText().strip()[: CLINIC_LENGTHS["clinic_address"]]
        self._settings.clinic_footer = self.footer.toPlainText().strip()[: CLINIC_LENGTHS["clinic_footer"]]
        self._settings.clinic_logo = self._logo

    def take_logo(self, path: Path) -> None:
        """Use a picture file as the logo, or say why it can't be."""
        try:
            self._show_logo(base64.b64encode(prepare_logo(path)).decode())
        except BrainTumorError as error:
            self.trouble.setText(f"{tr(error.message)} {tr(error.hint)}")
            self.trouble.show()

    def _ask(self) -> None:
        dialog = QFileDialog(self, tr("Logo of the clinic"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setNameFilter(tr("Pictures (*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.webp *.gif)"))
        dialog.fileSelected.connect(lambda file: self.take_logo(Path(file)))
        dialog.open()

    def _show_logo(self, logo: str) -> None:
        content = read_logo(logo)
        self._logo = logo if content else ""
        self.trouble.hide()
        self.remove.setEnabled(bool(content))
        picture = QPixmap()
        if content and picture.loadFromData(content):
            self.logo.setPixmap(picture.scaledToHeight(_LOGO_HEIGHT, Qt.TransformationMode.SmoothTransformation))
        else:
            self.logo.setText(tr("none"))


def _text(content: str, name: str, *, lines: int) -> QPlainTextEdit:
    box = QPlainTextEdit(content)
    box.setAccessibleName(name)
    box.setTabChangesFocus(True)
    box.setFixedHeight(lines * box.fontMetrics().height() + 14)
    return box
