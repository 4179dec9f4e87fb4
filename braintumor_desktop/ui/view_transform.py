"""Where a picture lies on the screen: zoom, pan, flips and quarter turns, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QTransform

from braintumor_desktop.imaging.turning import UPRIGHT, Turn

SMALLEST, LARGEST = 0.02, 64.0
STEP = 1.25


@dataclass(frozen=True)
class ViewTransform:
    """A picture of `columns` × `rows` pixels in a widget of `size`, both in their own units.

    Picture coordinates run right and down with pixel (row, column) covering the square from (column, row) to
    (column + 1, row + 1). zoom: device-independent screen pixels a column; aspect: height of a pixel over its
    width, 1 where the spacing is unknown; centre: the picture point in the middle of the widget; turn: how the
    picture is laid down.
    """

    rows: int
    columns: int
    size: QSizeF
    zoom: float = 1.0
    aspect: float = 1.0
    centre: QPointF | None = None
    turn: Turn = UPRIGHT

    @property
    def matrix(self) -> QTransform:
        """From picture to widget."""
        c = self._centre
        (a, b), (d, e) = self.turn.matrix
        laid = QTransform(a, d, b, e, self.size.width() / 2, self.size.height() / 2)
        scaled = QTransform(
            self.zoom, 0, 0, self.zoom * self.aspect, -c.x() * self.zoom, -c.y() * self.zoom * self.aspect
        )
        return scaled * laid

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
        across, down = float(self.columns), self.rows * self.aspect
        if self.turn.lies_across:
            across, down = down, across
        zoom = _within(min(width / across, height / down))
        return replace(self, zoom=zoom, centre=QPointF(self.columns / 2, self.rows / 2))

    def zoomed(self, factor: float, about: QPointF) -> ViewTransform:
        """Zoomed so that the picture point under `about` (widget coordinates) stays there."""
        larger = replace(self, zoom=_within(self.zoom * factor))
        centre = self._centre + self.to_picture(about) - larger.to_picture(about)
        return replace(larger, centre=self._held(centre))

    def moved(self, by: QPointF) -> ViewTransform:
        """Panned by so many widget pixels; the picture's edge can be brought to the middle, not beyond."""
        middle = QPointF(self.size.width() / 2, self.size.height() / 2)
        return replace(self, centre=self._held(self.to_picture(middle - by)))

    def resized(self, size: QSizeF) -> ViewTransform:
        return replace(self, size=size)

    def turned(self, turn: Turn) -> ViewTransform:
        """Laid down another way; the point in the middle stays there."""
        return replace(self, turn=turn)

    @property
    def _centre(self) -> QPointF:
        return self.centre if self.centre is not None else QPointF(self.columns / 2, self.rows / 2)

    def _held(self, point: QPointF) -> QPointF:
        return QPointF(min(max(point.x(), 0.0), float(self.columns)), min(max(point.y(), 0.0), float(self.rows)))


def _within(zoom: float) -> float:
    return min(max(zoom, SMALLEST), LARGEST)
