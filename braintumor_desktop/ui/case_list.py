"""The list at the left: thumbnail, name and state of each case."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from braintumor_desktop.language import tr
from braintumor_desktop.ui.case import Case, CaseState

_Index = QModelIndex | QPersistentModelIndex
BACKGROUND = QColor(16, 17, 19)
_ROOT = QModelIndex()
_THUMBNAIL = 48
_MARGIN = 8


def grey_image(pixels: NDArray[np.uint8]) -> QImage:
    """uint8 (rows, columns) as a QImage with its own memory."""
    pixels = np.ascontiguousarray(pixels)
    rows, columns = pixels.shape
    return QImage(pixels.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()


class CaseListModel(QAbstractListModel):
    """The cases in the order they came."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cases: list[Case] = []
        self._thumbnails: dict[int, QPixmap] = {}

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.cases)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        case = self.cases[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return case.name
            case Qt.ItemDataRole.UserRole:
                return case
            case Qt.ItemDataRole.DecorationRole:
                return self._thumbnail(case)
            case Qt.ItemDataRole.AccessibleTextRole:
                return ", ".join(words for words in (case.name, case.facts) if words) + f": {case.status_line}"
            case Qt.ItemDataRole.ToolTipRole:
                hint = f"\n{tr(case.error.hint)}" if case.error is not None else ""
                study = "" if case.entry is None else case.entry.study_title
                where = "" if case.path is None else str(case.path)
                lines = [case.name, study, case.facts, where, f"{case.status_line}{hint}"]
                return "\n".join(line for line in lines if line)
        return None

    def add(self, cases: list[Case]) -> None:
        first = len(self.cases)
        self.beginInsertRows(QModelIndex(), first, first + len(cases) - 1)
        self.cases += cases
        self.endInsertRows()

    def remove(self, case: Case) -> None:
        row = self.cases.index(case)
        self.beginRemoveRows(QModelIndex(), row, row)
        del self.cases[row]
        self._thumbnails.pop(case.id, None)
        self.endRemoveRows()

    def clear(self) -> None:
        self.beginResetModel()
        self.cases, self._thumbnails = [], {}
        self.endResetModel()

    def case(self, case_id: int) -> Case | None:
        """The case of that number, None once it was removed."""
        return next((c for c in self.cases if c.id == case_id), None)

    def touched(self, case: Case) -> None:
        """Tell the view that a case looks different now."""
        index = self.index(self.cases.index(case))
        self.dataChanged.emit(index, index)

    def _thumbnail(self, case: Case) -> QPixmap | None:
        if case.thumbnail is not None and case.id not in self._thumbnails:
            self._thumbnails[case.id] = QPixmap.fromImage(grey_image(case.thumbnail))
        return self._thumbnails.get(case.id)


class CaseDelegate(QStyledItemDelegate):
    """Draws a row: picture, name, and the state in words (never by colour alone)."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(160, _THUMBNAIL + 2 * _MARGIN)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        case: Case = index.data(Qt.ItemDataRole.UserRole)
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        rect: QRect = option.rect
        palette: QPalette = option.palette
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        text = palette.color(QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text)
        faint = QColor(text)
        faint.setAlphaF(0.75)
        painter.save()
        self._draw_thumbnail(painter, QRect(rect.left() + _MARGIN, rect.top() + _MARGIN, _THUMBNAIL, _THUMBNAIL), index)
        left = rect.left() + 2 * _MARGIN + _THUMBNAIL
        width = rect.right() - _MARGIN - left
        font: QFont = option.font
        line = option.fontMetrics.height()
        facts = case.facts
        top = rect.top() + (rect.height() - (3 if facts else 2) * line - 4) // 2
        painter.setFont(font)
        painter.setPen(text)
        name = painter.fontMetrics().elidedText(case.name, Qt.TextElideMode.ElideMiddle, width)
        painter.drawText(QRect(left, top, width, line), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(faint)
        if facts:
            top += line
            words = painter.fontMetrics().elidedText(facts, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRect(left, top, width, line), Qt.AlignmentFlag.AlignVCenter, words)
        status_left = left
        if case.state is CaseState.FAILED:
            icon = style.standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning)
            icon.paint(painter, QRect(left, top + line + 4, line, line))
            status_left = left + line + 4
        status_width = rect.right() - _MARGIN - status_left
        status = painter.fontMetrics().elidedText(case.status_line, Qt.TextElideMode.ElideRight, status_width)
        painter.drawText(QRect(status_left, top + line + 4, status_width, line), Qt.AlignmentFlag.AlignVCenter, status)
        if case.state in (CaseState.LOADING, CaseState.ANALYSING):
            bar = QRect(left, rect.bottom() - 5, width, 3)
            painter.fillRect(bar, palette.color(QPalette.ColorRole.Mid))
            bar.setWidth(max(3, round(width * case.fraction)))
            painter.fillRect(bar, text if chosen else palette.color(QPalette.ColorRole.Highlight))
        painter.restore()

    def _draw_thumbnail(self, painter: QPainter, frame: QRect, index: _Index) -> None:
        painter.fillRect(frame, BACKGROUND)
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        if pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            size = pixmap.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(frame.topLeft(), size)
            place.moveCenter(frame.center())
            painter.drawPixmap(place, pixmap)


class CasePanel(QWidget):
    """The list with its title and buttons."""

    chosen = Signal(object)
    open_asked = Signal()
    retry_asked = Signal(object)
    remove_asked = Signal(object)

    def __init__(self, model: CaseListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.view = QListView()
        self.view.setModel(model)
        self.view.setItemDelegate(CaseDelegate(self.view))
        self.view.setUniformItemSizes(True)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setAccessibleName(tr("Cases"))
        self.view.setAccessibleDescription(tr("Opened files with the state of their analysis"))
        self.view.selectionModel().currentChanged.connect(self._current_changed)
        self.title = QLabel(tr("Cases"))
        bold = self.title.font()
        bold.setBold(True)
        self.title.setFont(bold)
        self.open_button = QPushButton(tr("&Open…"))
        self.open_button.setToolTip(tr("Open MRI pictures"))
        self.retry_button = QPushButton(tr("Re&try"))
        self.retry_button.setToolTip(tr("Try the failed or cancelled case again"))
        self.remove_button = QPushButton(tr("Remove"))
        self.remove_button.setToolTip(tr("Take the case off the list; the file stays as it is"))
        self.open_button.clicked.connect(self.open_asked)
        self.retry_button.clicked.connect(self._retry)
        self.remove_button.clicked.connect(self._remove)
        buttons = QHBoxLayout()
        for button in (self.open_button, self.retry_button, self.remove_button):
            button.setMinimumWidth(40)
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 0, 8)
        layout.addWidget(self.title)
        layout.addWidget(self.view, 1)
        layout.addLayout(buttons)
        self.refresh()

    @property
    def current(self) -> Case | None:
        row = self.view.currentIndex().row()
        return self._model.cases[row] if 0 <= row < len(self._model.cases) else None

    def choose(self, case: Case) -> None:
        """Make a case the current one; `chosen` follows if it was another."""
        self.view.setCurrentIndex(self._model.index(self._model.cases.index(case)))

    def step(self, by: int) -> None:
        """Go `by` cases down the list, stopping at its ends."""
        row = self.view.currentIndex().row() + by
        if self._model.cases:
            self.view.setCurrentIndex(self._model.index(min(max(row, 0), len(self._model.cases) - 1)))

    def refresh(self) -> None:
        """Bring title and buttons up to date."""
        cases = self._model.cases
        busy = sum(c.state.busy for c in cases)
        self.title.setText(
            tr("Cases ({ready} of {count} ready)", ready=len(cases) - busy, count=len(cases))
            if busy
            else tr("Cases ({count})", count=len(cases))
        )
        current = self.current
        self.retry_button.setEnabled(current is not None and current.state in (CaseState.FAILED, CaseState.CANCELLED))
        self.remove_button.setEnabled(current is not None)

    def _current_changed(self) -> None:
        self.refresh()
        self.chosen.emit(self.current)

    def _retry(self) -> None:
        if self.current is not None:
            self.retry_asked.emit(self.current)

    def _remove(self) -> None:
        if self.current is not None:
            self.remove_asked.emit(self.current)
