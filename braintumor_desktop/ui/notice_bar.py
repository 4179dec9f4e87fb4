"""What went wrong, in the window and out of the way: sentence, next step, code. Nothing waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.language import tr
from braintumor_desktop.ui.case import Case


class NoticeBar(QFrame):
    """Shows the latest error above the viewer until it is closed, retried or replaced."""

    retry_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case: Case | None = None
        self._of_model = False
        self._problems = 0
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._icon = QLabel()
        self.sentence = self._words()
        bold = self.sentence.font()
        bold.setBold(True)
        self.sentence.setFont(bold)
        self.hint = self._words()
        self.code = self._words()
        small = self.code.font()
        small.setPointSizeF(0.85 * small.pointSizeF())
        self.code.setFont(small)
        words = QVBoxLayout()
        words.setSpacing(2)
        for label in (self.sentence, self.hint, self.code):
            words.addWidget(label)
        self.retry = QPushButton(tr("Retry"))
        self.retry.setToolTip(tr("Try this file again"))
        self.retry.clicked.connect(self._retry)
        self.close_button = QPushButton(tr("Dismiss"))
        self.close_button.setToolTip(tr("Put this message away"))
        self.close_button.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.hide()

    def show_error(self, error: BrainTumorError, case: Case | None) -> None:
        """Show an error; with its case it can be retried from here."""
        another = not self.isHidden() and not (case is not None and case is self._case)
        self._problems = self._problems + 1 if another else 1
        self._case, self._of_model = case, False
        name = f"{case.name}: " if case is not None else ""
        count = tr("{count} problems, the latest:", count=self._problems) + " " if self._problems > 1 else ""
        self.sentence.setText(count + name + tr(error.message))
        self.hint.setText(tr(error.hint))
        self.code.setText(tr("Code: {code}", code=error.code.value))
        self.retry.setVisible(case is not None)
        self.setAccessibleName(f"{tr(error.message)} {tr(error.hint)}")
        self._colour()
        self.show()

    def show_model_error(self, error: BrainTumorError | None) -> None:
        """Show why the model isn't ready; None puts that message away, and no other."""
        if error is not None:
            self.show_error(error, None)
            self._of_model = True
        elif self._of_model:
            self.hide()

    def hide_for(self, case: Case | None) -> None:
        """Put the message away if it is about this case."""
        if case is not None and case is self._case:
            self.hide()

    def hide_unless_about(self, cases: Sequence[Case]) -> None:
        """Put the message away if it is about a case that is none of these."""
        if self._case is not None and self._case not in cases:
            self.hide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and not self.isHidden():
            self._colour()

    def _colour(self) -> None:
        """A quiet amber that suits a light window as well as a dark one."""
        dark = self.palette().color(QPalette.ColorRole.WindowText).lightness() > 127
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(74, 58, 20) if dark else QColor(255, 243, 205))
        self.setPalette(palette)
        size = self.style().pixelMetric(QStyle.PixelMetric.PM_LargeIconSize)
        icon = self.style().standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning)
        self._icon.setPixmap(icon.pixmap(size, size))

    def _retry(self) -> None:
        if self._case is not None:
            self.hide()
            self.retry_asked.emit(self._case)

    @staticmethod
    def _words() -> QLabel:
        label = QLabel()
        label.setWordWrap(True)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)  # however long a file's name is
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label
