"""The viewer: the mouse and keys that move a `PlaneView`.

Mouse: wheel zooms to the cursor (in a stack the wheel goes through the slices and Ctrl+wheel zooms); left or middle
drag pans; right drag sets the window (across: width, up and down: level); double click fits. With a crosshair the left
button moves it. What the left button takes hold of first is up to `grip`, the measurements.
Keys: arrows, Page Up, Page Down, Home and End go through the slices; Space held down hides all overlays.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.ui.layers import Layers
from braintumor_desktop.ui.plane_view import BACKGROUND, PlaneView
from braintumor_desktop.ui.view_transform import STEP, ViewTransform

__all__ = ["BACKGROUND", "Grip", "Viewer"]

_NOTCH = 120  # wheel units of one notch, Qt's own


class _Drag(Enum):
    PAN = auto()
    WINDOW = auto()
    CROSSHAIR = auto()
    GRIP = auto()


class Grip(Protocol):
    """What takes hold of the left button before the viewer does, and draws on the picture: the measurements."""

    def press(self, viewer: Viewer, at: QPointF) -> bool: ...

    def drag(self, viewer: Viewer, at: QPointF) -> None: ...

    def release(self, viewer: Viewer, at: QPointF) -> None: ...

    def hover(self, viewer: Viewer, at: QPointF) -> Qt.CursorShape | None: ...

    def key(self, viewer: Viewer, event: QKeyEvent) -> bool: ...

    def takes_key(self, viewer: Viewer, event: QKeyEvent) -> bool: ...

    def paint(self, viewer: Viewer, painter: QPainter) -> None: ...


class Viewer(PlaneView):
    """A plane that the reader can take hold of.

    slice_asked: the slice that wheel or keys ask for; point_chosen: where the crosshair is asked to, in picture
    coordinates.
    """

    slice_asked = Signal(int)
    point_chosen = Signal(QPointF)

    def __init__(self, parent: QWidget | None = None, layers: Layers | None = None) -> None:
        super().__init__(parent, layers)
        self.grip: Grip | None = None
        self._drag: tuple[_Drag, QPointF, Window, ViewTransform] | None = None
        self._wheel = 0
        self.setMouseTracking(True)

    @property
    def dragged(self) -> bool:
        """Whether the reader holds a mouse button down on it."""
        return self._drag is not None

    def end_drag(self) -> None:
        self._drag = None
        self.unsetCursor()

    def paint_over(self, painter: QPainter) -> None:
        if self.grip is not None:
            self.grip.paint(self, painter)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._study is None or self._drag is not None:
            return
        kinds = {
            Qt.MouseButton.LeftButton: _Drag.PAN if self._crosshair is None else _Drag.CROSSHAIR,
            Qt.MouseButton.MiddleButton: _Drag.PAN,
            Qt.MouseButton.RightButton: _Drag.WINDOW,
        }
        kind = kinds.get(event.button())
        if event.button() == Qt.MouseButton.LeftButton and self.grip and self.grip.press(self, event.position()):
            kind = _Drag.GRIP
        if kind is None:
            return
        self._drag = (kind, event.position(), self._window, self._transform)
        if kind is _Drag.CROSSHAIR:
            self._choose_point(event.position())
        elif kind is not _Drag.GRIP:
            self.setCursor(Qt.CursorShape.ClosedHandCursor if kind is _Drag.PAN else Qt.CursorShape.SizeAllCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            shape = self.grip.hover(self, event.position()) if self.grip and self._study is not None else None
            if shape is None:
                self.unsetCursor()
            else:
                self.setCursor(shape)
            return
        kind, start, window, transform = self._drag
        by = event.position() - start
        if kind is _Drag.PAN:
            self.pan_from(transform, by)
        elif kind is _Drag.WINDOW:
            self.set_window(self._dragged_window(window, by))
        elif kind is _Drag.CROSSHAIR:
            self._choose_point(event.position())
        elif self.grip is not None:
            self.grip.drag(self, event.position())

    def _choose_point(self, at: QPointF) -> None:
        self.point_chosen.emit(self._transform.to_picture(at))

    def _dragged_window(self, window: Window, by: QPointF) -> Window:
        """A drag over the widget's width or height changes the window by twice its width at the start of the drag."""
        width = window.width * max(0.01, 1.0 + 2.0 * by.x() / self.width())
        level = window.level + 2.0 * window.width * by.y() / self.height()
        return Window.of(level, max(width, 1e-6 * max(1.0, abs(level))))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and self._drag[0] is _Drag.GRIP and self.grip is not None:
            self.grip.release(self, event.position())
        self.end_drag()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._stack is None:
            return
        delta = event.angleDelta().y()
        if self._stack.slices > 1 and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._wheel += delta
            notches = int(self._wheel / _NOTCH)
            self._wheel -= notches * _NOTCH
            if notches:
                self.slice_asked.emit(self._slice - notches)
        else:
            self.zoom_by(STEP ** (delta / _NOTCH), event.position())
        event.accept()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and self._grip_takes(event):
            event.accept()
            return True
        return super().event(event)

    def _grip_takes(self, event: QEvent) -> bool:
        return self.grip is not None and isinstance(event, QKeyEvent) and self.grip.takes_key(self, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.grip is not None and self.grip.key(self, event):
            return
        last = 0 if self._stack is None else self._stack.slices - 1
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

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.peek(False)  # the key is let go of elsewhere
        super().focusOutEvent(event)
