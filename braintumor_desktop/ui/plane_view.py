"""One plane of a study on the screen, with its overlays: what is shown, and the painting of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QTransform,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from braintumor_desktop.domain.byte_maps import ByteMaps
from braintumor_desktop.domain.findings import Analysis, SliceMaps
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.reformat import Plane, PlaneStack, acquired
from braintumor_desktop.imaging.turning import UPRIGHT, Turn
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.language import tr
from braintumor_desktop.ui.annotations import Shown, draw_annotations
from braintumor_desktop.ui.colour_bar import draw_colour_bar
from braintumor_desktop.ui.layers import (
    Layers,
    Seen,
    as_bytes,
    draw_contour,
    draw_crosshair,
    draw_diameters,
    draw_fill,
    draw_graphics,
    draw_grey,
    draw_heatmap,
    outline_path,
    pyramid,
)
from braintumor_desktop.ui.view_transform import ViewTransform

BACKGROUND = QColor(16, 17, 19)
_MOVING_PIXELS = 160 * 160
"""Of a slanted plane while the reader moves: three of them, overlays and all, are cut within a frame."""

_AT_REST_MS = 80
_SHARP_FROM = 6.0  # screen pixels a picture pixel from which single pixels are shown as squares


class PlaneView(QWidget):
    """Shows what it is given; keeps zoom, pan and which overlays are on."""

    window_changed = Signal(object)
    view_changed = Signal()

    def __init__(self, parent: QWidget | None = None, layers: Layers | None = None) -> None:
        super().__init__(parent)
        self.layers = layers if layers is not None else Layers()
        self.invert = False
        self.title, self.warning = "", ""
        self.brief = self.named = self.framed = False
        self.words: list[QRectF] = []  # where the lengths stand, as painted last
        self._study: Study | None = None
        self._stack: PlaneStack | None = None
        self._cut: PlaneStack | None = None
        self._analysis: Analysis | None = None
        self._window = Window(0.0, 255.0)
        self._slice = 0
        self._crosshair: QPointF | None = None
        self._levels: list[NDArray[Any]] = []
        self._mask: NDArray[np.bool_] | None = None
        self._heat: NDArray[np.uint8] | None = None
        self._outline: QPainterPath | None = None
        self._transform = ViewTransform(1, 1, QSizeF(1, 1))
        self._fitted = True
        self._peeking = False
        self._at_rest = QTimer(self, singleShot=True, interval=_AT_REST_MS)
        self._at_rest.timeout.connect(self._sharpen)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 100)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Picture"))

    def sizeHint(self) -> QSize:
        return QSize(700, 560)

    @property
    def study(self) -> Study | None:
        return self._study

    @property
    def analysis(self) -> Analysis | None:
        return self._analysis

    @property
    def stack(self) -> PlaneStack | None:
        """The planes it goes through."""
        return self._stack

    @property
    def plane_pixels(self) -> NDArray[Any]:
        """The plane shown, (rows, columns), in the study's own grey values."""
        self._sharpen()
        return np.asarray(self._levels[0])

    @property
    def window_level(self) -> Window:
        """The grey-value window as it is shown."""
        return self._window

    @property
    def slice_index(self) -> int:
        return self._slice

    @property
    def crosshair(self) -> QPointF | None:
        """In picture coordinates."""
        return self._crosshair

    @property
    def transform(self) -> ViewTransform:
        return self._transform

    @property
    def turn(self) -> Turn:
        return self._transform.turn

    def show_study(
        self,
        study: Study,
        window: Window,
        slice_index: int,
        *,
        stack: PlaneStack | None = None,
        turn: Turn | None = None,
        title: str = "",
    ) -> None:
        """Another study, fitted; its analysis follows when there is one. stack: as acquired if None."""
        self.end_drag()
        self._study, self._analysis, self._window = study, None, window
        self._stack = stack = stack if stack is not None else acquired(study)
        self.title = title or study.name
        self._crosshair, self._peeking = None, False
        row_mm, column_mm = stack.spacing_mm or (1.0, 1.0)
        size = QSizeF(self.size())
        self._transform = ViewTransform(
            stack.rows, stack.columns, size, aspect=row_mm / column_mm, turn=turn or UPRIGHT
        )
        self._at_rest.stop()
        self._go_to(slice_index, stack)
        view = "" if stack.plane is Plane.ACQUIRED else f"{tr(stack.plane.value)}, "
        words = tr(
            "{columns} by {rows} pixels, {slices} slices", columns=stack.columns, rows=stack.rows, slices=stack.slices
        )
        self.setAccessibleDescription(f"{self.title}, {view}{words}")
        self.fit()

    def show_analysis(self, analysis: Analysis | None) -> None:
        """The overlays of the study shown; None takes them away."""
        self._analysis = analysis
        self._outline = self._mask = self._heat = None
        self.update()

    def clear(self) -> None:
        self.end_drag()
        self._at_rest.stop()
        self._study = self._stack = self._cut = self._analysis = self._outline = self._mask = self._heat = None
        self._levels = []
        self.setAccessibleDescription(tr("No picture"))
        self.update()

    def show_slice(self, index: int) -> None:
        """Another slice. Slanted planes are cut coarsely at first, and anew once the reader comes to rest."""
        if self._stack is None or min(max(index, 0), self._stack.slices - 1) == self._slice:
            return
        quick = self._stack.coarser(_MOVING_PIXELS) if self._stack.slanted else self._stack
        self._go_to(index, quick)
        if quick is not self._stack:
            self._at_rest.start()
        self.update()

    def show_crosshair(self, point: QPointF | None) -> None:
        """point: picture coordinates; None: no crosshair."""
        if point != self._crosshair:
            self._crosshair = point
            self.update()

    def set_window(self, window: Window) -> None:
        if window != self._window:
            self._window = window
            self.window_changed.emit(window)
            self.update()

    def set_invert(self, invert: bool) -> None:
        self.invert = invert
        self.update()

    def set_turn(self, turn: Turn) -> None:
        """Lay the picture down another way, overlays and measurements with it."""
        self._move(self._transform.turned(turn))
        if self._fitted:
            self.fit()

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

    def pan_from(self, start: ViewTransform, by: QPointF) -> None:
        """start: the view when the drag began; by: widget pixels since."""
        self._fitted = False
        self._move(start.moved(by))

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

    def _sharpen(self) -> None:
        """The plane shown in all its pixels."""
        self._at_rest.stop()
        if self._stack is not None and self._cut is not self._stack:
            self._go_to(self._slice, self._stack)
            self.update()

    def _go_to(self, index: int, cut: PlaneStack) -> None:
        """cut: what planes are cut with, the stack itself or a coarser one."""
        if self._study is not None:
            self._cut, self._slice = cut, min(max(index, 0), cut.slices - 1)
            self._levels = pyramid(cut.cut(self._study.pixels, self._slice))
            self._outline = self._mask = self._heat = None

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), BACKGROUND)
        if self._study is not None and self._stack is not None:
            self._paint_picture(painter, self._study, self._stack)
        if self.framed and self.hasFocus():  # which of several views the keys go to
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_picture(self, painter: QPainter, study: Study, stack: PlaneStack) -> None:
        self.words = []
        matrix, visible = self._transform.matrix, self._transform.visible()
        scale = self._transform.zoom * self.devicePixelRatioF()
        if not visible.isEmpty():
            seen = Seen(stack.rows, stack.columns, visible, scale)
            painter.save()
            painter.setTransform(matrix, combine=True)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < _SHARP_FROM)
            draw_grey(painter, self._levels, seen, self._window, self.invert)
            if not self._peeking:
                self._paint_maps(painter, study, seen)
            painter.restore()
            if not self._peeking:
                self._paint_lines(painter)
                if self._crosshair is not None:
                    draw_crosshair(painter, self._crosshair, matrix, QRectF(self.rect()))
                painter.setFont(self.font())
                self.paint_over(painter)
        area = QRectF(self.rect())
        draw_annotations(painter, area, QFont(self.font()), self.shown(study, stack))
        shows_heat = self._analysis is not None and self._analysis.explanation is not None and not self._peeking
        if self.layers.heatmap and shows_heat and not self.brief:
            draw_colour_bar(painter, area, self.layers.colormap)

    def end_drag(self) -> None:
        """What the mouse has hold of is let go: another picture comes."""

    def paint_over(self, painter: QPainter) -> None:
        """What else lies on the picture. painter: in widget coordinates."""

    def shown(self, study: Study, stack: PlaneStack) -> Shown:
        """What the corners speak of."""
        return Shown(
            study,
            stack,
            self._slice,
            self._window,
            self._transform.zoom,
            self.invert,
            self.turn.edges(stack.orientation),
            self.title,
            self.warning,
            self.brief,
            self.named,
        )

    def _paint_maps(self, painter: QPainter, study: Study, seen: Seen) -> None:
        if study.graphics is not None and self._cut is not None:
            draw_graphics(painter, self._cut.cut(study.graphics, self._slice, nearest=True), seen)
        if self._analysis is None:
            return
        if self.layers.heatmap and (heat := self._heat_plane()) is not None:
            draw_heatmap(painter, heat, seen, self.layers)
        if self.layers.fill and (mask := self._mask_plane()) is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            draw_fill(painter, mask, seen, self.layers.fill_opacity)

    def _heat_plane(self) -> NDArray[np.uint8] | None:
        shown = None if self._analysis is None else self._analysis.explanation
        if self._heat is None and shown is not None and self._cut is not None:
            self._heat = _cut_maps(self._cut, shown.heatmap, self._slice, nearest=self._cut is not self._stack)
        return self._heat

    def _mask_plane(self) -> NDArray[np.bool_] | None:
        found = None if self._analysis is None else self._analysis.segmentation
        if self._mask is None and found is not None and self._cut is not None:
            self._mask = self._cut.cut(found.mask, self._slice, nearest=True)
        return self._mask

    def _paint_lines(self, painter: QPainter) -> None:
        segmentation = None if self._analysis is None else self._analysis.segmentation
        if segmentation is None or self._stack is None:
            return
        matrix = self._transform.matrix
        if self.layers.contour and (mask := self._mask_plane()) is not None:
            if self._outline is None:
                rows, columns = mask.shape
                wider = QTransform.fromScale(self._stack.columns / columns, self._stack.rows / rows)
                self._outline = wider.map(outline_path(mask))
            draw_contour(painter, self._outline, matrix, self.layers.contour_opacity)
        on_key_slice = segmentation.slice_index == self._slice and self._stack.plane is Plane.ACQUIRED
        if self.layers.diameters and on_key_slice and segmentation.diameters is not None:
            painter.setFont(self.font())
            self.words = draw_diameters(painter, segmentation.diameters, matrix)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._transform = self._transform.resized(QSizeF(self.size()))
        if self._fitted:
            self.fit()


def _cut_maps(stack: PlaneStack, maps: SliceMaps, index: int, *, nearest: bool) -> NDArray[np.uint8]:
    """One plane of a map in bytes; those of a series are cut in the bytes that hold them."""
    if isinstance(maps, ByteMaps):
        return np.asarray(stack.cut(maps.grey, index, nearest=nearest))
    return as_bytes(np.asarray(stack.cut(np.asarray(maps), index, nearest=nearest), np.float32))
