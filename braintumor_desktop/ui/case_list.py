"""The tree at the left: studies, and thumbnail, name and state of each of their series."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from braintumor_desktop.language import tr
from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.case_tree import CaseModel, Index, StudyRow

BACKGROUND = QColor(16, 17, 19)
_THUMBNAIL = 48
_MARGIN = 8
_INDENT = 10


class CaseDelegate(QStyledItemDelegate):
    """Draws a row: picture, name, and the state in words (never by colour alone)."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        if isinstance(index.data(Qt.ItemDataRole.UserRole), StudyRow):
            return QSize(160, option.fontMetrics.height() + _MARGIN)
        return QSize(160, max(_THUMBNAIL + 2 * _MARGIN, 3 * option.fontMetrics.height() + 4 + _MARGIN))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        case: Case | StudyRow = index.data(Qt.ItemDataRole.UserRole)
        if isinstance(case, StudyRow):
            _draw_study(painter, option, case)
            return
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
        metrics, line = option.fontMetrics, option.fontMetrics.height()
        status_left = left + (line + 4 if case.state is CaseState.FAILED else 0)
        status_width = rect.right() - _MARGIN - status_left
        lines, status = status_lines(metrics, case, status_width, room=1 if case.facts else 2)
        top = rect.top() + (rect.height() - (1 + bool(case.facts) + lines) * line - 4) // 2
        painter.setFont(font)
        painter.setPen(text)
        name = metrics.elidedText(case.name, Qt.TextElideMode.ElideMiddle, width)
        painter.drawText(QRect(left, top, width, line), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(faint)
        if case.facts:
            top += line
            words = metrics.elidedText(case.facts, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRect(left, top, width, line), Qt.AlignmentFlag.AlignVCenter, words)
        top += line + 4
        if case.state is CaseState.FAILED:
            icon = style.standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning)
            icon.paint(painter, QRect(left, top, line, line))
        painter.drawText(QRect(status_left, top, status_width, lines * line), Qt.TextFlag.TextWordWrap, status)
        if case.state in (CaseState.LOADING, CaseState.ANALYSING):
            bar = QRect(left, rect.bottom() - 5, width, 3)
            painter.fillRect(bar, palette.color(QPalette.ColorRole.Mid))
            bar.setWidth(max(3, round(width * case.fraction)))
            painter.fillRect(bar, text if chosen else palette.color(QPalette.ColorRole.Highlight))
        painter.restore()

    def _draw_thumbnail(self, painter: QPainter, frame: QRect, index: Index) -> None:
        painter.fillRect(frame, BACKGROUND)
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        if pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            size = pixmap.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(frame.topLeft(), size)
            place.moveCenter(frame.center())
            painter.drawPixmap(place, pixmap)


def status_lines(metrics: QFontMetrics, case: Case, width: int, room: int) -> tuple[int, str]:
    """How many lines the state takes, and its words, shortened where they need more than `room` lines."""
    status, line = case.status_line, metrics.height()
    # an answer loses its middle, so that class and probability both stay
    elide = Qt.TextElideMode.ElideMiddle if case.state is CaseState.DONE else Qt.TextElideMode.ElideRight
    for share in (100, 1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7):  # of the room, as lines break before their ends
        words = metrics.elidedText(status, elide, round(share * room * width))
        wrapped = metrics.boundingRect(QRect(0, 0, width, 1000), Qt.TextFlag.TextWordWrap, words)
        if wrapped.width() <= width and wrapped.height() <= room * line:
            return max(1, round(wrapped.height() / line)), words
    return 1, metrics.elidedText(status, elide, width)


def _draw_study(painter: QPainter, option: QStyleOptionViewItem, study: StudyRow) -> None:
    option.widget.style().drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
    chosen = bool(option.state & QStyle.StateFlag.State_Selected)
    font = QFont(option.font)
    font.setBold(True)
    painter.save()
    painter.setFont(font)
    painter.setPen(option.palette.color(QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text))
    rect = option.rect.adjusted(2, 0, -_MARGIN, 0)
    words = painter.fontMetrics().elidedText(study.title, Qt.TextElideMode.ElideMiddle, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, words)
    painter.restore()


class CasePanel(QWidget):
    """The tree with its title and buttons."""

    chosen = Signal(object)
    open_asked = Signal()
    retry_asked = Signal(object)
    remove_asked = Signal(object)

    def __init__(self, model: CaseModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shown: Case | None = None
        self._vacant = 0
        self.view = QTreeView()
        self.view.setModel(model)
        self.view.setItemDelegate(CaseDelegate(self.view))
        self.view.setHeaderHidden(True)
        self.view.setIndentation(_INDENT)
        self.view.setExpandsOnDoubleClick(True)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setAccessibleName(tr("Cases"))
        self.view.setAccessibleDescription(tr("Opened files with the state of their analysis"))
        self.view.selectionModel().currentChanged.connect(self._current_changed)
        model.rowsInserted.connect(lambda parent, first, _last: self.view.expand(model.index(first, 0, parent)))
        model.rowsAboutToBeRemoved.connect(self._about_to_be_removed)
        model.rowsRemoved.connect(self._removed)
        model.modelReset.connect(self._current_changed)
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
        """The case chosen; None where it is a study or nothing."""
        row = self._model.at(self.view.currentIndex())
        return row if isinstance(row, Case) else None

    def choose(self, case: Case) -> None:
        """Make a case the current one; `chosen` follows if it was another."""
        self.view.setCurrentIndex(self._model.index_of(case))

    def step(self, by: int) -> None:
        """Go `by` cases down the tree, stopping at its ends."""
        cases, row = self._model.cases, self._model.at(self.view.currentIndex())
        if not cases:
            return
        if isinstance(row, StudyRow):  # its first series comes after it
            at = cases.index(row.cases[0]) + by - (by > 0)
        else:
            at = (cases.index(row) if row is not None else -1) + by
        self.choose(cases[min(max(at, 0), len(cases) - 1)])

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
        if not isinstance(self._model.at(self.view.currentIndex()), StudyRow):  # a study is no picture to show
            self._shown = self.current
            self.chosen.emit(self._shown)

    def _about_to_be_removed(self, parent: QModelIndex, first: int, _last: int) -> None:
        row = self._model.at(self._model.index(first, 0, parent))
        case = row.cases[0] if isinstance(row, StudyRow) else row
        self._vacant = 0 if case is None else self._model.cases.index(case)

    def _removed(self) -> None:
        """The case that takes the place of the one that was shown; Qt might choose a study."""
        cases = self._model.cases
        if cases and self._shown not in cases:
            self.choose(cases[min(self._vacant, len(cases) - 1)])
        self.refresh()

    def _retry(self) -> None:
        if self.current is not None:
            self.retry_asked.emit(self.current)

    def _remove(self) -> None:
        if self.current is not None:
            self.remove_asked.emit(self.current)
