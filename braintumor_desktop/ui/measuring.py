"""Measuring by hand: drawing, taking hold of handles, keys, undo; the measurements themselves are the case's."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter

from braintumor_desktop.domain.measurements import Point
from braintumor_desktop.domain.reader_measurements import (
    MeasurementHistory,
    MeasurementKind,
    ReaderMeasurement,
    bidimensional,
)
from braintumor_desktop.ui.measurement_marks import Hit, draw_measurements, hit_at, is_here
from braintumor_desktop.ui.viewer import Viewer

_LEAST_PX = 4.0  # a shorter drag is a slip of the hand
_OUTLINE_STEP_PX = 5.0
_NUDGES = {
    Qt.Key.Key_Left: (0.0, -1.0),
    Qt.Key.Key_Right: (0.0, 1.0),
    Qt.Key.Key_Up: (-1.0, 0.0),
    Qt.Key.Key_Down: (1.0, 0.0),
}


class Measuring(QObject):
    """The grip of all viewers of a window. changed: measurements, selection or tool are other than before."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tool: MeasurementKind | None = None
        self.history: MeasurementHistory | None = None
        self.selected: int | None = None
        self.handle = 0
        self._draft: ReaderMeasurement | None = None  # what is being drawn or moved, instead of the selected one
        self._hit: Hit | None = None
        self._grabbed: tuple[QPointF, ReaderMeasurement] | None = None
        self._third_point = False  # of an angle: it follows the cursor until the next click

    def show_history(self, history: MeasurementHistory | None) -> None:
        """The measurements of another case; what was selected or half drawn is let go."""
        self.history = history
        self.tool = self.selected = None
        self._let_go()
        self.changed.emit()

    # What menus and keys ask

    def choose(self, tool: MeasurementKind | None) -> None:
        """The next drag on a picture draws this; None: it moves the picture again."""
        self.tool = tool
        self._let_go()
        self.changed.emit()

    def select_next(self, viewer: Viewer) -> int | None:
        """Select the next measurement of this viewer's planes; the slice it lies on, None if there is none."""
        if self.history is None or viewer.stack is None:
            return None
        drawn = self.history.current
        here = [i for i, m in enumerate(drawn) if m.plane == viewer.stack.plane.value]
        if not here:
            return None
        self._let_go()
        after = [i for i in here if self.selected is not None and i > self.selected]
        self.selected, self.handle = (after or here)[0], 0
        self.changed.emit()
        return drawn[self.selected].slice_index

    def next_handle(self) -> None:
        if self.history is not None and self.selected is not None:
            self.handle = (self.handle + 1) % len(self.history.current[self.selected].handles)
            self.changed.emit()

    def place_in_middle(self, viewer: Viewer) -> None:
        """Draw with the chosen tool without a mouse: in the middle of the view, a fifth of it large."""
        if self.tool is None or self.history is None or viewer.stack is None:
            return
        size = 0.2 * min(viewer.width(), viewer.height())
        middle = QPointF(viewer.width() / 2, viewer.height() / 2)
        a, b = (_picture_point(viewer, middle + QPointF(s * size, s * size / 2)) for s in (-0.5, 0.5))
        self._finish(_with_end(_begun(self.tool, viewer, a), viewer, a, b))

    def delete(self, viewer: Viewer) -> None:
        """The selected one, if this viewer shows it."""
        if self.history is not None and (selected := self._selected_in(viewer)) is not None:
            drawn = list(self.history.current)
            del drawn[selected]
            self.selected = None
            self._let_go()
            self.history.change(drawn)
            self.changed.emit()

    def delete_all(self) -> None:
        if self.history is not None:
            self.selected = None
            self._let_go()
            self.history.change([])
            self.changed.emit()

    def undo(self) -> None:
        if self.history is not None:
            self.selected = None
            self._let_go()
            self.history.undo()
            self.changed.emit()

    def redo(self) -> None:
        if self.history is not None:
            self.selected = None
            self._let_go()
            self.history.redo()
            self.changed.emit()

    # What a viewer asks: see `Grip`

    def press(self, viewer: Viewer, at: QPointF) -> bool:
        if self.history is None or viewer.stack is None:
            return False
        if self._third_point and self._draft is not None:
            if is_here(viewer, self._draft):
                self._finish(self._draft)
            return True
        if self.tool is not None:
            start = _picture_point(viewer, at)
            self._draft = _begun(self.tool, viewer, start)
            self.selected, self._hit, self._grabbed = None, None, (at, self._draft)
            return True
        hit = hit_at(viewer, self.history.current, self.selected, at)
        if hit is None:
            if self.selected is not None:
                self.selected = None
                self.changed.emit()
            return False
        self.selected, self._hit = hit.index, hit
        self.handle = hit.handle if hit.handle is not None else self.handle
        self._grabbed = (at, self.history.current[hit.index])
        self.changed.emit()
        return True

    def drag(self, viewer: Viewer, at: QPointF) -> None:
        if self._grabbed is None or viewer.stack is None:
            return
        start, first = self._grabbed
        a, b = _picture_point(viewer, start), _picture_point(viewer, at)
        if self._hit is None:
            self._draft = self._extended(viewer, first, a, b, at)
        elif self._hit.handle is None:
            self._draft = first.shifted(b[0] - a[0], b[1] - a[1])
        else:
            self._draft = first.with_handle(self._hit.handle, b, viewer.stack.spacing_mm)
        self.changed.emit()

    def release(self, viewer: Viewer, at: QPointF) -> None:
        if self._grabbed is None:
            return
        start, _ = self._grabbed
        if at != start:
            self.drag(viewer, at)
        draft, hit = self._draft, self._hit
        self._grabbed = self._hit = None
        if draft is None:
            return
        if hit is not None:
            self._replace_selected(draft)
        elif _is_slip(draft, at - start):
            self._draft = None
            self.changed.emit()
        elif draft.kind is MeasurementKind.ANGLE:
            self._third_point = True
        else:
            self._finish(draft)

    def hover(self, viewer: Viewer, at: QPointF) -> Qt.CursorShape | None:
        if self._third_point and self._draft is not None:
            if not is_here(viewer, self._draft):
                return Qt.CursorShape.ForbiddenCursor
            self._draft = self._draft.with_handle(2, _picture_point(viewer, at))
            self.changed.emit()
            return Qt.CursorShape.CrossCursor
        if self.tool is not None:
            return Qt.CursorShape.CrossCursor
        if self.history is None or viewer.stack is None:
            return None
        hit = hit_at(viewer, self.history.current, self.selected, at)
        if hit is None:
            return None
        return Qt.CursorShape.SizeAllCursor if hit.handle is None else Qt.CursorShape.PointingHandCursor

    def takes_key(self, viewer: Viewer, event: QKeyEvent) -> bool:
        """Keys that mean something else while a measurement in view is selected or a tool is in hand."""
        key, selected = Qt.Key(event.key()), self._selected_in(viewer) is not None
        if key == Qt.Key.Key_Escape:
            return self.tool is not None or selected
        return key == Qt.Key.Key_Delete and selected and not event.modifiers()

    def key(self, viewer: Viewer, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if self.takes_key(viewer, event):
            if key == Qt.Key.Key_Delete:
                self.delete(viewer)
            else:
                self.selected = None
                self.choose(None)
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.tool is not None:
            self.place_in_middle(viewer)
            return True
        if key in _NUDGES and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            return self._nudge(viewer, *_NUDGES[key], event.modifiers())
        return False

    def paint(self, viewer: Viewer, painter: QPainter) -> None:
        if self.history is None:
            return
        drawn = list(self.history.current)
        selected = self.selected
        if self._draft is not None:
            if self._hit is not None and selected is not None:
                drawn[selected] = self._draft
            else:
                drawn.append(self._draft)
                selected = len(drawn) - 1
        draw_measurements(painter, viewer, drawn, selected, self.handle)

    def _nudge(self, viewer: Viewer, rows: float, columns: float, keys: Qt.KeyboardModifier) -> bool:
        """One handle by a pixel of the screen's direction; with Ctrl all of it."""
        selected = self._selected_in(viewer)
        if self.history is None or selected is None or viewer.stack is None:
            return False
        (a, b), (c, d) = viewer.turn.matrix  # its transpose goes from the screen to the picture
        by_row, by_column = b * columns + d * rows, a * columns + c * rows
        old = self.history.current[selected]
        if keys & Qt.KeyboardModifier.ControlModifier:
            self._replace_selected(old.shifted(by_row, by_column))
            return True
        handle = min(self.handle, len(old.handles) - 1)
        row, column = old.handles[handle]
        self._replace_selected(old.with_handle(handle, (row + by_row, column + by_column), viewer.stack.spacing_mm))
        return True

    def _selected_in(self, viewer: Viewer) -> int | None:
        """The selected measurement, if this viewer shows it."""
        if self.history is None or self.selected is None:
            return None
        return self.selected if is_here(viewer, self.history.current[self.selected]) else None

    def _extended(self, viewer: Viewer, first: ReaderMeasurement, a: Point, b: Point, at: QPointF) -> ReaderMeasurement:
        if first.kind is not MeasurementKind.FREEHAND:
            return _with_end(first, viewer, a, b)
        drawn = self._draft if self._draft is not None else first
        step = viewer.transform.to_widget(_widget_point(drawn.points[-1])) - at
        return replace(drawn, points=(*drawn.points, b)) if step.manhattanLength() >= _OUTLINE_STEP_PX else drawn

    def _finish(self, measurement: ReaderMeasurement) -> None:
        """It is one of the case's, and the mouse moves the picture again."""
        if self.history is not None:
            self.history.change([*self.history.current, measurement])
            self.selected = len(self.history.current) - 1
            self.handle = len(measurement.handles) - 1
        self.choose(None)

    def _let_go(self) -> None:
        """What is being drawn or moved is not any more: a key means something else, however the mouse goes on."""
        self._draft = self._hit = self._grabbed = None
        self._third_point = False

    def _replace_selected(self, measurement: ReaderMeasurement) -> None:
        self._let_go()
        if self.history is not None and self.selected is not None:
            drawn = list(self.history.current)
            drawn[self.selected] = measurement
            self.history.change(drawn)
        self.changed.emit()


def _is_slip(drawn: ReaderMeasurement, by: QPointF) -> bool:
    """Too little to be meant."""
    if drawn.kind is MeasurementKind.FREEHAND:
        return len(drawn.points) < 3
    return by.manhattanLength() < _LEAST_PX


def _begun(tool: MeasurementKind, viewer: Viewer, start: Point) -> ReaderMeasurement:
    plane = "" if viewer.stack is None else viewer.stack.plane.value
    count = {MeasurementKind.FREEHAND: 1, MeasurementKind.ANGLE: 3, MeasurementKind.BIDIMENSIONAL: 4}.get(tool, 2)
    return ReaderMeasurement(tool, viewer.slice_index, (start,) * count, plane)


def _with_end(first: ReaderMeasurement, viewer: Viewer, a: Point, b: Point) -> ReaderMeasurement:
    """What a drag from one point to another draws."""
    match first.kind:
        case MeasurementKind.BIDIMENSIONAL:
            spacing = None if viewer.stack is None else viewer.stack.spacing_mm
            return bidimensional(first.slice_index, a, b, spacing, first.plane)
        case MeasurementKind.ANGLE:  # the first leg; the second starts where that ends
            return replace(first, points=(a, b, (b[0], a[1])))
        case MeasurementKind.FREEHAND:
            return replace(first, points=(a, (a[0], b[1]), b, (b[0], a[1])))
    return replace(first, points=(a, b))


def _picture_point(viewer: Viewer, at: QPointF) -> Point:
    """(row, column), pixel centres at whole numbers, of a place in the widget."""
    point = viewer.transform.to_picture(at)
    return point.y() - 0.5, point.x() - 0.5


def _widget_point(point: Point) -> QPointF:
    return QPointF(point[1] + 0.5, point[0] + 0.5)
