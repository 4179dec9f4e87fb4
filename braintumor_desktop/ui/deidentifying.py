"""The switch for de-identified exports: one for all of them, in the menu, in save dialogs and in the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QGridLayout, QLabel, QWidget

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.language import tr
from braintumor_desktop.reporting.deidentification.pseudonyms import Pseudonyms
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui.case import Case

if TYPE_CHECKING:
    from braintumor_desktop.ui.main_window import MainWindow

SESSION = Pseudonyms()
"""While the program runs, the same image or patient gets the same pseudonym in every export."""


def label_of(case: Case, settings: Settings) -> str | None:
    """What the case is called in de-identified exports; None where the switch is off."""
    if not settings.deidentify_exports:
        return None
    series = None if case.entry is None else case.entry.series_uid
    return SESSION.label("case", f"{case.path}\0{case.name}\0{series}\0{case.volume}")


def stem_of(case: Case, settings: Settings) -> str:
    """The proposed start of an export's file name."""
    return label_of(case, settings) or case.stem


class DeidentifySwitch(QObject):
    """Keeps the setting, the menu's action, the badge in the status bar and the boxes of dialogs at one. badge: a label
    that is there while exports are de-identified."""

    changed = Signal(bool)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._settings = window.settings
        self.badge = QLabel(tr("De-identified exports"))
        self.badge.setToolTip(tr("What is saved names no patient; switch it off in the menu File"))
        self.badge.setStyleSheet("QLabel { background: #1f6f43; color: white; border-radius: 4px; padding: 1px 7px; }")
        self.badge.setVisible(self._settings.deidentify_exports)

    @property
    def on(self) -> bool:
        return self._settings.deidentify_exports

    def set_on(self, on: bool) -> None:
        self._settings.deidentify_exports = on
        self.badge.setVisible(on)
        self.changed.emit(on)

    def box(self, parent: QWidget) -> QCheckBox:
        """A check box for a dialog."""
        box = QCheckBox(tr("De-&identified: without patient, study, file name and reader"), parent)
        box.setToolTip(tr("For all exports, until it is switched off; text in the picture may remain"))
        box.setChecked(self.on)
        box.toggled.connect(self.set_on)
        return box

    def add_to(self, dialog: QFileDialog, proposed: Callable[[], str] | None = None) -> None:
        """Put the box below a file dialog; Qt's own, for the desktop's has no room for it.

        proposed: the name to propose, asked again when the box is changed.
        """
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        box = self.box(dialog)
        layout = dialog.layout()
        if isinstance(layout, QGridLayout):
            layout.addWidget(box, layout.rowCount(), 0, 1, layout.columnCount())
        if proposed is not None:
            box.toggled.connect(lambda _on: dialog.selectFile(proposed()))


def text_seen() -> BrainTumorError:
    """What the reader is told when a de-identified export may hold text that is part of the picture."""
    return BrainTumorError(
        ErrorCode.TEXT_IN_PICTURE,
        phrase("The picture may contain burnt-in text, and it is in the de-identified export as well."),
        phrase("Look at what was saved; in the settings such places can be made black."),
    )
