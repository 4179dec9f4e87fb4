"""The viewer: one slice of a study with its overlays, and the mouse and keys that move it.

Mouse: wheel zooms to the cursor (in a stack the wheel goes through the slices and Ctrl+wheel zooms); left or middle
drag pans; right drag sets the window (across: width, up and down: level); double click fits.
Keys: arrows, Page Up, Page Down, Home and End go through the slices; Space held down hides all overlays.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.ui.annotations import draw_annotations
from braintumor_desktop.ui.colour_bar import draw_colour_bar
from braintumor_desktop.ui.layers import (
    Layers,
    draw_contour,
    draw_diameters,
    draw_fill,
    draw_grey,
    draw_heatmap,
    outline_path,
    pyramid,
)
from braintumor_desktop.ui.view_transform import STEP, ViewTransform

BACKGROUND = QColor(16, 17, 19)
_SHARP_FROM = 6.0  # screen pixels a picture pixel from which single pixels are shown as squares
_NOTCH = 120  # wheel units of one notch, Qt's own


class _Drag(Enum):
    PAN = auto()
    WINDOW = auto()


class Viewer(QWidget):
    """Shows what it is given; keeps zoom, pan and which overlays are on."""

    window_changed = Signal(object)
    slice_asked = Signal(int)
    view_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = Layers()
        self.invert = False
        self._study: Study | None = None
        self._analysis: Analysis | None = None
        self._window = Window(0.0, 255.0)
        self._slice = 0
        self._levels: list[NDArray[Any]] = []
        self._outline: QPainterPath | None = None
        self._transform = ViewTransform(1, 1, QSizeF(1, 1))
        self._fitted = True
        self._drag: tuple[_Drag, QPointF, Window, ViewTransform] | None = None
        self._wheel = 0
        self._peeking = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 200)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Picture")

    def sizeHint(self) -> QSize:
        return QSize(700, 560)

    @property
    def study(self) -> Study | None:
        return self._study

    @property
    def window_level(self) -> Window:
        """The grey-value window as it is shown."""
        return self._window

    @property
    def slice_index(self) -> int:
        return self._slice

    @property
    def transform(self) -> ViewTransform:
        return self._transform

    def show_study(self, study: Study, window: Window, slice_index: int) -> None:
        """Another study, fitted; its analysis follows when there is one."""
        self._study, self._analysis, self._window = study, None, window
        row_mm, column_mm = study.geometry.pixel_spacing_mm or (1.0, 1.0)
        self._transform = ViewTransform(study.rows, study.columns, QSizeF(self.size()), aspect=row_mm / column_mm)
        self._go_to(slice_index)
        self.setAccessibleDescription(f"{study.name}, {study.columns} by {study.rows} pixels, {study.slices} slices")
        self.fit()

    def show_analysis(self, analysis: Analysis | None) -> None:
        """The overlays of the study shown; None takes them away."""
        self._analysis, self._outline = analysis, None
        self.update()

    def clear(self) -> None:
        self._study = self._analysis = self._outline = None
        self._levels = []
        self.setAccessibleDescription("No picture")
        self.update()

    def show_slice(self, index: int) -> None:
        self._go_to(index)
        self.update()

    def set_window(self, window: Window) -> None:
        if window != self._window:
            self._window = window
            self.window_changed.emit(window)
            self.update()

    def set_invert(self, invert: bool) -> None:
        self.invert = invert
        self.update()

    def fit(self) -> None:
        """All of the picture, as large as it goes."""
        self._fitted = True
        self._move(self._transform.fitted(margin=8.0))

    def one_to_one(self) -> None:
        """One picture pixel on one pixel of the screen, high-density screens included."""
        zoom = 1.0 / self.devicePixelRatioF()
        self._fitted = False
        self._move(self._transform.zoomed(zoom / self._transform.zoom, self._middle))

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        self._fitted = False
        self._move(self._transform.zoomed(factor, about if about is not None else self._middle))

    def peek(self, on: bool) -> None:
        """Hide all overlays for as long as it is on."""
        self._peeking = on
        self.update()

    @property
    def _middle(self) -> QPointF:
        return QPointF(self.width() / 2, self.height() / 2)

    def _move(self, transform: ViewTransform) -> None:
        self._transform = transform
        self.view_changed.emit()
        self.update()

    def _go_to(self, index: int) -> None:
        if self._study is not None:
            self._slice = min(max(index, 0), self._study.slices - 1)
            self._levels = pyramid(self._study.pixels[self._slice])
            self._outline = None

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), BACKGROUND)
        if self._study is not None:
            self._paint_picture(painter, self._study)
        painter.end()

    def _paint_picture(self, painter: QPainter, study: Study) -> None:
        matrix, visible = self._transform.matrix, self._transform.visible()
        scale = self._transform.zoom * self.devicePixelRatioF()
        if not visible.isEmpty():
            painter.save()
            painter.setTransform(matrix, combine=True)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < _SHARP_FROM)
            draw_grey(painter, self._levels, visible, scale, self._window, self.invert)
            if not self._peeking:
                self._paint_maps(painter, visible, scale)
            painter.restore()
            if not self._peeking:
                self._paint_lines(painter)
        font = QFont(self.font())
        area = QRectF(self.rect())
        draw_annotations(painter, area, font, study, self._slice, self._window, self._transform.zoom, self.invert)
        shows_heat = self._analysis is not None and self._analysis.explanation is not None and not self._peeking
        if self.layers.heatmap and shows_heat:
            draw_colour_bar(painter, area, self.layers.colormap)

    def _paint_maps(self, painter: QPainter, visible: QRectF, scale: float) -> None:
        if self._analysis is None:
            return
        explanation, segmentation = self._analysis.explanation, self._analysis.segmentation
        if self.layers.heatmap and explanation is not None:
            draw_heatmap(painter, explanation.heatmap[self._slice], visible, scale, self.layers)
        if self.layers.fill and segmentation is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            draw_fill(painter, segmentation.mask[self._slice], visible, scale, self.layers.fill_opacity)

    def _paint_lines(self, painter: QPainter) -> None:
        segmentation = None if self._analysis is None else self._analysis.segmentation
        if segmentation is None:
            return
        matrix = self._transform.matrix
        if self._outline is None:
            self._outline = outline_path(segmentation.mask[self._slice])
        if self.layers.contour:
            draw_contour(painter, self._outline, matrix, self.layers.contour_opacity)
        on_key_slice = segmentation.slice_index == self._slice
        if self.layers.diameters and on_key_slice and segmentation.diameters is not None:
            painter.setFont(self.font())
            draw_diameters(painter, segmentation.diameters, matrix)

    # Mouse, wheel and keys

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._transform = self._transform.resized(QSizeF(self.size()))
        if self._fitted:
            self.fit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        kinds = {
            Qt.MouseButton.LeftButton: _Drag.PAN,
            Qt.MouseButton.MiddleButton: _Drag.PAN,
            Qt.MouseButton.RightButton: _Drag.WINDOW,
        }
        kind = kinds.get(event.button())
        if kind is not None and self._study is not None and self._drag is None:
            self._drag = (kind, event.position(), self._window, self._transform)
            self.setCursor(Qt.CursorShape.ClosedHandCursor if kind is _Drag.PAN else Qt.CursorShape.SizeAllCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            return
        kind, start, window, transform = self._drag
        by = event.position() - start
        if kind is _Drag.PAN:
            self._fitted = False
            self._move(transform.moved(by))
        else:
            self.set_window(self._dragged_window(window, by))

    def _dragged_window(self, window: Window, by: QPointF) -> Window:
        """A drag over the widget's width or height changes the window by twice its width at the start of the drag."""
        width = window.width * max(0.01, 1.0 + 2.0 * by.x() / self.width())
        return Window.of(window.level + 2.0 * window.width * by.y() / self.height(), width)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._study is None:
            return
        delta = event.angleDelta().y()
        if self._study.slices > 1 and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._wheel += delta
            notches = int(self._wheel / _NOTCH)
            self._wheel -= notches * _NOTCH
            if notches:
                self.slice_asked.emit(self._slice - notches)
        else:
            self.zoom_by(STEP ** (delta / _NOTCH), event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = 0 if self._study is None else self._study.slices - 1
        targets = {
            Qt.Key.Key_Up: self._slice - 1,
            Qt.Key.Key_Left: self._slice - 1,
            Qt.Key.Key_PageUp: self._slice - 1,
            Qt.Key.Key_Down: self._slice + 1,
            Qt.Key.Key_Right: self._slice + 1,
            Qt.Key.Key_PageDown: self._slice + 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.peek(True)
        elif key in targets and last > 0:
            self.slice_asked.emit(min(max(targets[key], 0), last))
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.peek(False)
        else:
            super().keyReleaseEvent(event)
