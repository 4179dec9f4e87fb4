"""Which DICOM objects to export: a check box each, and the study they will stand in."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.language import tr
from braintumor_desktop.reporting.dicom.kinds import USUAL_KINDS, DicomKind, in_order
from braintumor_desktop.ui.deidentifying import DeidentifySwitch

_WORDS = {
    DicomKind.SEGMENTATION: (phrase("&Segmentation (SEG)"), phrase("The outline, one segment for each lesion")),
    DicomKind.PROBABILITY: (
        phrase("Pro&bability map (SEG, fractional)"),
        phrase("The model's map, pixel by pixel; large"),
    ),
    DicomKind.REPORT: (
        phrase("&Measurement report (SR)"),
        phrase("Probabilities and sizes in codes; brings the segmentation along"),
    ),
    DicomKind.CAPTURE: (phrase("&Key images (secondary capture)"), phrase("As in the report, for any viewer")),
    DicomKind.PDF: (phrase("&Report (encapsulated PDF)"), phrase("The whole report as a document")),
}


class DicomDialog(QDialog):
    """chosen: the kinds, when the reader goes on to choose the folder. boxes: by kind."""

    chosen = Signal(object)

    def __init__(self, analysis: Analysis, switch: DeidentifySwitch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Export DICOM objects"))
        self.boxes = {kind: self._box(kind, analysis) for kind in DicomKind}
        where = QLabel(_study_words(analysis, switch.on))
        where.setWordWrap(True)
        self.deidentified = switch.box(self)
        self.deidentified.toggled.connect(lambda on: where.setText(_study_words(analysis, on)))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go_on = self.buttons.addButton(tr("&Choose folder…"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(6)
        for kind, box in self.boxes.items():
            hint = QLabel(tr(_WORDS[kind][1]))
            hint.setContentsMargins(26, 0, 0, 6)
            hint.setEnabled(box.isEnabled())
            layout.addWidget(box)
            layout.addWidget(hint)
            box.toggled.connect(self._follow)
        layout.addSpacing(6)
        layout.addWidget(self.deidentified)
        layout.addWidget(where)
        layout.addSpacing(6)
        layout.addWidget(self.buttons)
        self._follow()

    @property
    def kinds(self) -> tuple[DicomKind, ...]:
        return tuple(kind for kind, box in self.boxes.items() if box.isChecked())

    def accept(self) -> None:
        self.chosen.emit(self.kinds)
        super().accept()

    def _box(self, kind: DicomKind, analysis: Analysis) -> QCheckBox:
        words, tip = _WORDS[kind]
        box = QCheckBox(tr(words))
        box.setToolTip(tr(tip))
        box.setAccessibleDescription(tr(tip))
        possible = kind in _possible(analysis)
        box.setEnabled(possible)
        box.setChecked(possible and kind in USUAL_KINDS)
        if not possible:
            box.setToolTip(tr("This analysis has none"))
        return box

    def _follow(self) -> None:
        """The measurement report points to the segmentation, so it comes along."""
        segmentation = self.boxes[DicomKind.SEGMENTATION]
        if segmentation.isEnabled() and self.boxes[DicomKind.REPORT].isChecked() and not segmentation.isChecked():
            segmentation.setChecked(True)
        self.go_on.setEnabled(bool(self.kinds))


def _possible(analysis: Analysis) -> Iterable[DicomKind]:
    found = analysis.segmentation
    lacking = set()
    if found is None or not found.present:
        lacking.add(DicomKind.SEGMENTATION)
    if found is None:
        lacking.add(DicomKind.PROBABILITY)
    return [kind for kind in in_order(DicomKind) if kind not in lacking]


def _study_words(analysis: Analysis, deidentified: bool) -> str:
    if deidentified:
        return tr("The objects name no patient and get new UIDs, so they don't point to the images as they are.")
    if analysis.study.headers:
        return tr(
            "The objects carry the patient's name and number as the images do and become new series of the same study."
        )
    return tr(
        "The file has no patient and no study: a small study of its own is made, with the pixels and without a patient."
    )
