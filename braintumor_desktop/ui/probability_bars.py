"""Four calibrated probabilities as bars; the number always stands beside the bar."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from braintumor_desktop.domain.findings import CLASS_TITLES, CLASSES, Finding, TumorClass
from braintumor_desktop.language import tr
from braintumor_desktop.reporting.figures import share_in_words


class ProbabilityBar(QWidget):
    """One class: title, value in words, and a bar below them. Emphasis is by weight of type, not by colour alone."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self.words = ""
        self._value = 0.0
        self._leads = False
        self._in_set = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(title)

    def sizeHint(self) -> QSize:
        return QSize(
            120 + self.fontMetrics().horizontalAdvance(tr("less than 0.1 %")), self.fontMetrics().height() + 16
        )

    def set_value(self, value: float | None, *, leads: bool, in_set: bool) -> None:
        """value: 0..1, None where the model can't tell; leads: the likeliest class; in_set: it can't be excluded."""
        self._value, self._leads, self._in_set = value or 0.0, leads, in_set
        self.words = tr("not told") if value is None else share_in_words(value)
        self.setAccessibleDescription(self.words + (", " + tr("in the prediction set") if in_set else ""))
        self.setToolTip(f"{self.title}: {self.words}" + ("; " + tr("the model can't exclude it") if in_set else ""))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        font = self.font()
        font.setBold(self._leads)
        painter.setFont(font)
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        line = self.fontMetrics().height()
        text = QRectF(0, 0, self.width(), line)
        title = f"{self.title}  ✓" if self._in_set else self.title
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.words)
        groove = QRectF(0, line + 3, self.width(), 7)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(QPalette.ColorRole.Mid))
        painter.drawRoundedRect(groove, 3.5, 3.5)
        if self._value > 0:
            painter.setClipRect(QRectF(0, groove.top(), max(2.0, self._value * groove.width()), groove.height()))
            role = QPalette.ColorRole.Highlight if self._leads else QPalette.ColorRole.PlaceholderText
            painter.setBrush(palette.color(role))
            painter.drawRoundedRect(groove, 3.5, 3.5)
        painter.end()


class ProbabilityBars(QWidget):
    """All four, in the fixed order of the classes, so that the eye finds each at its place."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self.bars: dict[TumorClass, ProbabilityBar] = {}
        for each in CLASSES:
            self.bars[each] = ProbabilityBar(tr(CLASS_TITLES[each]))
            layout.addWidget(self.bars[each])

    def show_finding(self, finding: Finding) -> None:
        for each, bar in self.bars.items():
            in_set = finding.prediction_set is not None and each in finding.prediction_set
            bar.set_value(finding.probabilities.get(each), leads=each is finding.top_class, in_set=in_set)
