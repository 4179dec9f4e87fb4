"""How measurements look on the picture, what they say, and which of them lies under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen, QPolygonF

from braintumor_desktop.domain.measurements import Point
from braintumor_desktop.domain.reader_measurements import MeasurementKind, ReaderMeasurement, measure
from braintumor_desktop.reporting.reader_rows import values_in_words
from braintumor_desktop.ui.layers import draw_text
from braintumor_desktop.ui.plane_view import PlaneView

MARK = QColor(240, 228, 66)  # Okabe and Ito's yellow
SELECTED = QColor(255, 255, 255)
_SEAM = QColor(0, 0, 0, 170)
_HANDLE_PX = 4.0
_GRASP_PX = 9.0
_MOST_HANDLES = 12  # of an outline: more would hide it


@dataclass(frozen=True)
class Hit:
    """Which measurement, and which of its handles; None: the thing itself."""

    index: int
    handle: int | None


def draw_measurements(
    painter: QPainter, view: PlaneView, drawn: Sequence[ReaderMeasurement], selected: int | None, handle: int
) -> None:
    """All that lie on the plane shown. painter: in widget coordinates, its font set."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for index, measurement in enumerate(drawn):
        if not is_here(view, measurement):
            continue
        path = _path(view, measurement)
        colour = SELECTED if index == selected else MARK
        for pen in (QPen(_SEAM, 3.4), QPen(colour, 1.6)):
            painter.strokePath(path, pen)
        if index == selected:
            _draw_handles(painter, view, measurement, handle)
        _draw_words(painter, view, measurement, path, colour)
    painter.restore()


def is_here(view: PlaneView, measurement: ReaderMeasurement) -> bool:
    """Whether it lies on the plane that a view shows."""
    stack = view.stack
    return stack is not None and (measurement.plane, measurement.slice_index) == (stack.plane.value, view.slice_index)


def hit_at(view: PlaneView, drawn: Sequence[ReaderMeasurement], selected: int | None, at: QPointF) -> Hit | None:
    """What a click there takes hold of: handles first, those of the selected one before all."""
    order = sorted(range(len(drawn)), key=lambda i: i != selected)
    here = [i for i in order if is_here(view, drawn[i])]
    for index in here:
        grips = [(_on_screen(view, drawn[index].handles[k]) - at, k) for k in _shown_handles(drawn[index])]
        near = [((v.x() ** 2 + v.y() ** 2) ** 0.5, k) for v, k in grips]
        if near and min(near)[0] <= _GRASP_PX:
            return Hit(index, min(near)[1])
    stroker = QPainterPathStroker()
    stroker.setWidth(_GRASP_PX)
    for index in here:
        if stroker.createStroke(_path(view, drawn[index])).contains(at):
            return Hit(index, None)
    return None


def _on_screen(view: PlaneView, point: Point) -> QPointF:
    return view.transform.to_widget(QPointF(point[1] + 0.5, point[0] + 0.5))


def _path(view: PlaneView, measurement: ReaderMeasurement) -> QPainterPath:
    path = QPainterPath()
    points = [_on_screen(view, p) for p in measurement.points]
    match measurement.kind:
        case MeasurementKind.ELLIPSE:
            path.addEllipse(QRectF(points[0], points[1]).normalized())
        case MeasurementKind.FREEHAND:
            path.addPolygon(QPolygonF([*points, points[0]]))
        case MeasurementKind.ANGLE:
            path.addPolygon(QPolygonF(points))
        case _:
            for start, end in zip(points[::2], points[1::2], strict=True):
                path.moveTo(start)
                path.lineTo(end)
    return path


def _shown_handles(measurement: ReaderMeasurement) -> range:
    count = len(measurement.handles)
    return range(0, count, max(1, -(-count // _MOST_HANDLES)))


def _draw_handles(painter: QPainter, view: PlaneView, measurement: ReaderMeasurement, active: int) -> None:
    for index in _shown_handles(measurement):
        at = _on_screen(view, measurement.handles[index])
        size = _HANDLE_PX + (1.5 if index == active else 0.0)
        painter.setPen(QPen(_SEAM, 1.5))
        painter.setBrush(MARK if index == active else SELECTED)
        painter.drawEllipse(at, size, size)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_words(
    painter: QPainter, view: PlaneView, measurement: ReaderMeasurement, path: QPainterPath, colour: QColor
) -> None:
    stack = view.stack
    lines = values_in_words(measurement, measure(measurement, view.plane_pixels, stack.spacing_mm if stack else None))
    metrics = QFontMetricsF(painter.font())
    size = QSizeF(max(metrics.horizontalAdvance(line) for line in lines), len(lines) * metrics.height())
    place = _place_of_words(path.boundingRect(), size, metrics.height(), QRectF(view.rect()), view.words)
    view.words.append(place)
    for number, line in enumerate(lines):
        draw_text(painter, place.topLeft() + QPointF(0, metrics.ascent() + number * metrics.height()), line, colour)


def _place_of_words(box: QRectF, size: QSizeF, line: float, area: QRectF, taken: Sequence[QRectF]) -> QRectF:
    """Right of the box where there is room, else left of it; some lines lower or higher where other words lie."""
    right = box.right() + 12
    left = right if right + size.width() < area.right() - 4 else max(4.0, box.left() - 12 - size.width())
    beside = QRectF(QPointF(left, box.center().y() - size.height() / 2), size)
    places = [beside.translated(0, lower * line) for lower in (0, 1, -1, 2, -2, 3, -3)]
    free = (place for place in places if area.contains(place) and not any(place.intersects(each) for each in taken))
    return next(free, beside)
