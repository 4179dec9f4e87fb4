"""The settings the reader can change, in one small dialog that nothing waits for."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.inference.cam_methods import CAM_TITLES
from braintumor_desktop.language import available_languages, tr
from braintumor_desktop.models.manifest import read_manifest
from braintumor_desktop.storage.settings import APPEARANCES, DEVICES, PAPERS, Settings
from braintumor_desktop.ui.letterhead_page import LetterheadPage
from braintumor_desktop.ui.localisation import SYSTEM
from braintumor_desktop.ui.overlay_bar import COLORMAP_TITLES

_DEVICE_TITLES = {"auto": phrase("Automatic"), "cpu": phrase("Processor (CPU)"), "cuda": phrase("Graphics card (CUDA)")}
_APPEARANCE_TITLES = {"dark": phrase("Dark"), "light": phrase("Light"), "system": phrase("As the desktop")}


class SettingsDialog(QDialog):
    """Edits `settings` in place when accepted.

    forget_asked: clear the recent files now; clear_readings_asked: delete all kept readings now.
    """

    forget_asked = Signal()
    clear_readings_asked = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Settings"))
        self._settings = settings
        self.model = _choice(tr("Model"), _models(settings.model_id), settings.model_id)
        self.device = _choice(tr("Device"), {d: tr(_DEVICE_TITLES[d]) for d in DEVICES}, settings.device)
        self.cam = _choice(tr("Heat map by"), {m.value: title for m, title in CAM_TITLES.items()}, settings.cam)
        self.mirrored = QCheckBox(tr("Average with the mirror image"))
        self.mirrored.setChecked(settings.mirrored)
        self.mirrored.setToolTip(
            tr("The mean of each slice and its mirror image: slower, and mostly a little better; for neuro only")
        )
        self.paper = _choice(tr("Paper of PDF reports"), {p: p for p in PAPERS}, settings.paper)
        self.colormap = _choice(
            tr("Colours of the heat map"), {c: tr(title) for c, title in COLORMAP_TITLES.items()}, settings.colormap
        )
        looks = {a: tr(_APPEARANCE_TITLES[a]) for a in APPEARANCES}
        self.appearance = _choice(tr("Appearance"), looks, settings.appearance)
        languages = {SYSTEM: tr("As the desktop"), **available_languages()}
        self.language = _choice(tr("Language"), languages, settings.language)
        self.language.setToolTip(tr("Used from the next start on, in the window and in reports"))
        self.max_file = QSpinBox(minimum=1, maximum=4096, value=settings.max_file_mb, suffix=tr(" MB"))
        self.max_file.setAccessibleName(tr("Largest file to open"))
        self.max_file.setToolTip(tr("Larger files are refused before they cost memory"))
        self.hide_names = QCheckBox(tr("Hide the names of recent files"))
        self.hide_names.setChecked(settings.hide_recent_names)
        self.forget = QPushButton(tr("Clear recent files"))
        self.forget.clicked.connect(self.forget_asked)
        self.forget.clicked.connect(lambda: self.forget.setEnabled(False))
        self.forget.setEnabled(bool(settings.recent))
        self.keep_readings = QCheckBox(tr("Keep measurements, verdicts and comments"))
        self.keep_readings.setChecked(settings.keep_readings)
        self.keep_readings.setToolTip(tr("They are there again when the same series is opened on this computer"))
        self.clear_readings = QPushButton(tr("Delete all that was kept"))
        self.clear_readings.clicked.connect(self._ask_to_clear)
        self.deidentify = QCheckBox(tr("De-identify all exports"))
        self.deidentify.setChecked(settings.deidentify_exports)
        self.blank_text = QCheckBox(tr("Make places black in them that may hold burnt-in text"))
        self.blank_text.setChecked(settings.blank_text)
        self.blank_text.setToolTip(tr("Text is found by its look; some is missed, and now and then it is no text"))
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.addRow(tr("&Model"), self.model)
        form.addRow(tr("&Device"), self.device)
        form.addRow("", self.mirrored)
        form.addRow(tr("&Heat map by"), self.cam)
        form.addRow(tr("&Colours of the heat map"), self.colormap)
        form.addRow(tr("&Largest file to open"), self.max_file)
        form.addRow(tr("&Appearance"), self.appearance)
        form.addRow(tr("Lan&guage"), self.language)
        form.addRow(tr("Privacy"), self.hide_names)
        form.addRow("", self.forget)
        form.addRow("", self.keep_readings)
        form.addRow("", self.clear_readings)
        form.addRow("", self.deidentify)
        form.addRow("", self.blank_text)
        note = QLabel(
            tr(
                "A new model, device or kind of heat map is used from the next analysis on, "
                "a new language from the next start on."
            )
        )
        note.setWordWrap(True)
        note.setMinimumHeight(2 * note.fontMetrics().lineSpacing() + 4)  # a form asks for one line only
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(14)
        form.addRow(note)
        general = QWidget()
        general.setLayout(form)
        self.letterhead = LetterheadPage(settings, self.paper)
        pages = QTabWidget()
        pages.addTab(general, tr("General"))
        pages.addTab(self.letterhead, tr("Reports"))
        layout.addWidget(pages)
        layout.addWidget(buttons)

    def _ask_to_clear(self) -> None:
        """Nobody can bring them back."""
        words = tr("Delete the kept measurements, verdicts and comments of all cases? This can't be undone.")
        buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel
        question = QMessageBox(QMessageBox.Icon.Question, tr("Delete all that was kept"), words, buttons, self)
        question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        question.accepted.connect(self.clear_readings_asked)
        question.accepted.connect(lambda: self.clear_readings.setEnabled(False))
        question.open()

    def accept(self) -> None:
        self._settings.model_id = self.model.currentData()
        self._settings.device = self.device.currentData()
        self._settings.cam = self.cam.currentData()
        self._settings.mirrored = self.mirrored.isChecked()
        self._settings.paper = self.paper.currentData()
        self._settings.colormap = self.colormap.currentData()
        self._settings.appearance = self.appearance.currentData()
        self._settings.language = self.language.currentData()
        self._settings.max_file_mb = self.max_file.value()
        self._settings.hide_recent_names = self.hide_names.isChecked()
        self._settings.keep_readings = self.keep_readings.isChecked()
        self._settings.deidentify_exports = self.deidentify.isChecked()
        self._settings.blank_text = self.blank_text.isChecked()
        self.letterhead.apply()
        super().accept()


def _choice(name: str, titles: dict[str, str], chosen: str) -> QComboBox:
    box = QComboBox()
    for value, title in titles.items():
        box.addItem(title, value)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.setAccessibleName(name)
    return box


def _models(chosen: str) -> dict[str, str]:
    """Models of the manifest; without one, at least what is set."""
    try:
        return {row.id: f"{row.id} {row.version}" for row in read_manifest().values()}
    except BrainTumorError:
        return {chosen: chosen}
