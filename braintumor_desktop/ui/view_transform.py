"""Where a picture lies on the screen: zoom and pan, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QTransform

SMALLEST, LARGEST = 0.02, 64.0
STEP = 1.25


@dataclass(frozen=True)
class ViewTransform:
    """A picture of `columns` × `rows` pixels in a widget of `size`, both in their own units.

    Picture coordinates run right and down with pixel (row, column) covering the square from (column, row) to
    (column + 1, row + 1). zoom: device-independent screen pixels a column; aspect: height of a pixel over its
    width, 1 where the spacing is unknown; centre: the picture point in the middle of the widget.
    """

    rows: int
    columns: int
    size: QSizeF
    zoom: float = 1.0
    aspect: float = 1.0
    centre: QPointF | None = None

    @property
    def matrix(self) -> QTransform:
        """From picture to widget."""
        c = self.centre if self.centre is not None else QPointF(self.columns / 2, self.rows / 2)
        sx, sy = self.zoom, self.zoom * self.aspect
        return QTransform(sx, 0, 0, sy, self.size.width() / 2 - c.x() * sx, self.size.height() / 2 - c.y() * sy)

    def to_picture(self, point: QPointF) -> QPointF:
        return self.matrix.inverted()[0].map(point)

    def to_widget(self, point: QPointF) -> QPointF:
        return self.matrix.map(point)

    def visible(self) -> QRectF:
        """The part of the picture that is on the screen, in picture coordinates."""
        seen = self.matrix.inverted()[0].mapRect(QRectF(0, 0, self.size.width(), self.size.height()))
        return seen.intersected(QRectF(0, 0, self.columns, self.rows))

    def fitted(self, margin: float = 0.0) -> ViewTransform:
        """All of the picture, centred, as large as the widget allows."""
        width = max(1.0, self.size.width() - 2 * margin)
        height = max(1.0, self.size.height() - 2 * margin)
        zoom = min(width / self.columns, height / (self.rows * self.aspect))
        return self._with(_within(zoom), QPointF(self.columns / 2, self.rows / 2))

    def zoomed(self, factor: float, about: QPointF) -> ViewTransform:
        """Zoomed so that the picture point under `about` (widget coordinates) stays there."""
        zoom = _within(self.zoom * factor)
        anchor = self.to_picture(about)
        offset = about - QPointF(self.size.width() / 2, self.size.height() / 2)
        centre = anchor - QPointF(offset.x() / zoom, offset.y() / (zoom * self.aspect))
        return self._with(zoom, self._held(centre))

    def moved(self, by: QPointF) -> ViewTransform:
        """Panned by so many widget pixels; the picture's edge can be brought to the middle, not beyond."""
        old = self.centre if self.centre is not None else QPointF(self.columns / 2, self.rows / 2)
        return self._with(self.zoom, self._held(old - QPointF(by.x() / self.zoom, by.y() / (self.zoom * self.aspect))))

    def resized(self, size: QSizeF) -> ViewTransform:
        return ViewTransform(self.rows, self.columns, size, self.zoom, self.aspect, self.centre)

    def _held(self, point: QPointF) -> QPointF:
        return QPointF(min(max(point.x(), 0.0), float(self.columns)), min(max(point.y(), 0.0), float(self.rows)))

    def _with(self, zoom: float, centre: QPointF) -> ViewTransform:
        return ViewTransform(self.rows, self.columns, self.size, zoom, self.aspect, centre)


def _within(zoom: float) -> float:
    return min(max(zoom, SMALLEST), LARGEST)
