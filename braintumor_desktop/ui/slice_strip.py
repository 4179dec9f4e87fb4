"""The strip below the viewer for a stack: the tumour probability of each slice; a click goes there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from braintumor_desktop.domain.findings import SliceFinding
from braintumor_desktop.language import tr
from braintumor_desktop.reporting.figures import share_in_words
from braintumor_desktop.ui.layers import CONTOUR
from braintumor_desktop.ui.viewer import BACKGROUND

_MARGIN = 8
_AXIS = QColor(215, 219, 224)
_GRID = QColor(70, 74, 80)
_BAR = QColor(86, 180, 233)


class SliceStrip(QWidget):
    """One bar a slice, as high as its tumour probability; the current slice framed, slices with an outline marked."""

    slice_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._count = 0
        self._current = 0
        self._findings: dict[int, SliceFinding] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Slices"))
        self.setMouseTracking(False)

    def sizeHint(self) -> QSize:
        lines = 3.5 * self.fontMetrics().height()  # of the scale two and the halves beyond its ends, and the foot
        return QSize(400, max(84, round(lines) + 10))

    def show_slices(self, count: int, findings: Sequence[SliceFinding] | None) -> None:
        """How many slices there are and what was found on those analysed; None before the analysis."""
        self._count, self._findings = count, {finding.index: finding for finding in findings or ()}
        self._describe()
        self.update()

    def set_current(self, index: int) -> None:
        self._current = index
        self._describe()
        self.update()

    def slice_at(self, x: float) -> int:
        """The slice under a widget coordinate, the nearest one outside of the bars."""
        index = int((x - self._chart.left()) / (self._chart.width() / max(1, self._count)))
        return min(max(index, 0), self._count - 1)

    def bar_centre(self, index: int) -> QPointF:
        """Where to click for a slice."""
        return self._bar(index).center()

    @property
    def _chart(self) -> QRectF:
        line = self.fontMetrics().height()
        top = _MARGIN / 2 + line / 2
        height = self.height() - top - line - 6
        left = self._scale_width
        return QRectF(left, top, max(1.0, self.width() - left - _MARGIN), height)

    @property
    def _scale_width(self) -> int:
        return self.fontMetrics().horizontalAdvance("100 %") + 6

    def _bar(self, index: int) -> QRectF:
        chart = self._chart
        width = chart.width() / max(1, self._count)
        return QRectF(chart.left() + index * width, chart.top(), width, chart.height())

    def _describe(self) -> None:
        words = tr("Slice {number} of {slices}", number=self._current + 1, slices=self._count)
        finding = self._findings.get(self._current)
        if finding is not None:
            words += ", " + tr("tumour probability {share}", share=share_in_words(finding.tumor_probability))
        self.setAccessibleDescription(words)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), BACKGROUND)
        chart, line = self._chart, self.fontMetrics().height()
        for share, words in ((0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")):
            y = chart.bottom() - share * chart.height()
            painter.setPen(QPen(_GRID, 1))
            painter.drawLine(QPointF(chart.left(), y), QPointF(chart.right(), y))
            painter.setPen(_AXIS)
            box = QRectF(0, y - line / 2, chart.left() - 6, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        self._paint_bars(painter)
        painter.setPen(_AXIS)
        title = tr("Tumour probability by slice") if self._findings else tr("Slices")
        foot = QRectF(chart.left(), chart.bottom() + 4, chart.width(), line)
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, title)
        painter.drawText(
            foot,
            Qt.AlignmentFlag.AlignRight,
            tr("Slice {number} of {slices}", number=self._current + 1, slices=self._count),
        )
        if self.hasFocus():
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_bars(self, painter: QPainter) -> None:
        for finding in self._findings.values():
            bar = self._bar(finding.index)
            gap = 1.0 if bar.width() > 4 else 0.0
            height = max(1.0, finding.tumor_probability * bar.height())
            painter.fillRect(QRectF(bar.left() + gap, bar.bottom() - height, bar.width() - 2 * gap, height), _BAR)
            if finding.area_px:  # a notch on the base line: here the model draws an outline
                painter.fillRect(QRectF(bar.left() + gap, bar.bottom() + 1, bar.width() - 2 * gap, 3), CONTOUR)
        if self._count:
            painter.setPen(QPen(Qt.GlobalColor.white, 1.4))
            bar = self._bar(self._current)
            painter.drawRect(bar if bar.width() >= 3 else bar.adjusted(-1, 0, 1, 0))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._choose(event)

    def _choose(self, event: QMouseEvent) -> None:
        if self._count and event.buttons() & Qt.MouseButton.LeftButton:
            self.slice_chosen.emit(self.slice_at(event.position().x()))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and self._findings:
            number = self.slice_at(event.pos().x())
            finding = self._findings.get(number)
            if finding is None:
                QToolTip.showText(event.globalPos(), tr("Slice {number}: not analysed", number=number + 1), self)
                return True
            outline = tr("outline of {area_px:,} px", area_px=finding.area_px) if finding.area_px else tr("no outline")
            probability = share_in_words(finding.tumor_probability)
            words = tr("Slice {number}: tumour probability {share}", number=finding.index + 1, share=probability)
            words += "" if finding.area_px is None else f", {outline}"
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)
