"""The report before it is saved or printed: the pages themselves, as they will lie on paper."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QKeySequence, QPixmap, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from braintumor_desktop.language import tr, tr_count

SCREEN_DPI = 150
_STEP = 1.25
_SMALLEST, _LARGEST = 0.4, 3.0


class ReportPreview(QDialog):
    """Shows pages below each other. save_asked, print_asked: the buttons."""

    save_asked = Signal()
    print_asked = Signal()

    def __init__(self, pages: list[QImage], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Report preview"))
        self._pages = pages
        self._zoom = 1.0
        self.words = QLabel(tr_count("{count} page", "{count} pages", len(pages)))
        self.save = QPushButton(tr("&Save as PDF…"))
        self.print = QPushButton(tr("&Print…"))
        self.close_button = QPushButton(tr("&Close"))
        larger, smaller = QPushButton(tr("&Larger")), QPushButton(tr("S&maller"))
        self.save.clicked.connect(self.save_asked)
        self.print.clicked.connect(self.print_asked)
        self.close_button.clicked.connect(self.reject)
        larger.clicked.connect(lambda: self.zoom(_STEP))
        smaller.clicked.connect(lambda: self.zoom(1 / _STEP))
        for keys, button in (("Ctrl+S", self.save), ("Ctrl+P", self.print), ("Ctrl++", larger), ("Ctrl+-", smaller)):
            QShortcut(QKeySequence(keys), self, button.click)
            button.setToolTip(keys)
        bar = QHBoxLayout()
        bar.addWidget(self.words)
        bar.addStretch(1)
        for button in (smaller, larger, self.print, self.save, self.close_button):
            bar.addWidget(button)
        self.save.setDefault(True)
        paper = QWidget()
        column = QVBoxLayout(paper)
        column.setSpacing(12)
        self.labels = []
        for number in range(1, len(pages) + 1):
            label = QLabel()
            label.setFrameShape(QFrame.Shape.Box)
            label.setAccessibleName(tr("Page {number} of {count}", number=number, count=len(pages)))
            column.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
            self.labels.append(label)
        column.addStretch(1)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setWidget(paper)
        self.area.setAccessibleName(tr("Pages of the report"))
        layout = QVBoxLayout(self)
        layout.addLayout(bar)
        layout.addWidget(self.area, 1)
        self.resize(self._first_size())
        self.area.setFocus()

    def zoom(self, factor: float) -> None:
        """1 is as wide as the dialog."""
        self._zoom = min(max(self._zoom * factor, _SMALLEST), _LARGEST)
        self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._draw()

    def _draw(self) -> None:
        ratio = self.devicePixelRatioF()
        room = self.area.width() - 60
        for page, label in zip(self._pages, self.labels, strict=True):
            width = max(100, round(room * self._zoom * ratio))
            shown = QPixmap.fromImage(page.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation))
            shown.setDevicePixelRatio(ratio)
            label.setPixmap(shown)

    def _first_size(self) -> QSize:
        """Tall, and never beyond the screen."""
        screen = QGuiApplication.primaryScreen().availableSize()
        return QSize(min(880, screen.width() - 40), min(1000, screen.height() - 60))
