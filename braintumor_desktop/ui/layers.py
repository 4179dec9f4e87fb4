"""What is drawn on the screen for a study and its analysis, layer by layer. Only what is visible is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QTransform

from braintumor_desktop.domain.measurements import Diameters
from braintumor_desktop.imaging.overlay import COLORMAPS, colorize, contours
from braintumor_desktop.imaging.windowing import Window, apply_window
from braintumor_desktop.reporting.canvas import DIAMETER_COLOUR, OUTLINE_COLOUR
from braintumor_desktop.reporting.figures import diameter_in_words

CONTOUR = QColor(*OUTLINE_COLOUR)
DIAMETER = QColor(*DIAMETER_COLOUR)
CROSSHAIR = QColor(86, 180, 233, 170)
_HALO = QColor(0, 0, 0, 150)
_SEAM = QColor(0, 0, 0, 170)
_LARGEST_LEVEL = 2048


@dataclass
class Layers:
    """Which overlays are shown, how strongly (0..1), and in which colours."""

    contour: bool = True
    fill: bool = False
    heatmap: bool = False
    diameters: bool = True
    contour_opacity: float = 1.0
    fill_opacity: float = 0.35
    heatmap_opacity: float = 0.6
    colormap: str = COLORMAPS[0]


def pyramid(plane: NDArray[Any]) -> list[NDArray[Any]]:
    """The plane and its halves, quarters … until it is about a screen large: zooming out stays cheap and smooth."""
    levels = [plane]
    while max(levels[-1].shape) > _LARGEST_LEVEL:
        rows, columns = levels[-1].shape
        half = (max(1, columns // 2), max(1, rows // 2))
        levels.append(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA))
    return levels


@dataclass(frozen=True)
class Crop:
    """The visible part of a plane at a stride: slices into it, and where that part lies in picture coordinates."""

    rows: slice
    columns: slice
    place: QRectF


def crop(plane_shape: tuple[int, int], picture: tuple[int, int], visible: QRectF) -> Crop:
    """Which samples of a plane, that stands for a picture of (rows, columns), cover the visible rectangle."""
    per_row, per_column = plane_shape[0] / picture[0], plane_shape[1] / picture[1]
    top = max(0, math.floor(visible.top() * per_row) - 1)
    bottom = min(plane_shape[0], math.ceil(visible.bottom() * per_row) + 1)
    left = max(0, math.floor(visible.left() * per_column) - 1)
    right = min(plane_shape[1], math.ceil(visible.right() * per_column) + 1)
    place = QRectF(left / per_column, top / per_row, (right - left) / per_column, (bottom - top) / per_row)
    return Crop(slice(top, bottom), slice(left, right), place)


@dataclass(frozen=True)
class Seen:
    """What of a picture is on the screen.

    rows, columns: of the picture, which planes of any size stand for; visible: in picture coordinates; scale: physical
    screen pixels a picture pixel.
    """

    rows: int
    columns: int
    visible: QRectF
    scale: float

    def part(self, plane: NDArray[Any]) -> tuple[NDArray[Any], QRectF]:
        """The visible part of a plane, no finer than the screen, and where that lies in picture coordinates."""
        step = max(1, int(plane.shape[0] / self.rows / self.scale))
        thin = plane[::step, ::step]
        cut = crop((thin.shape[0], thin.shape[1]), (self.rows, self.columns), self.visible)
        return thin[cut.rows, cut.columns], cut.place


def draw_grey(painter: QPainter, levels: list[NDArray[Any]], seen: Seen, window: Window, invert: bool) -> None:
    """The picture itself. painter: in picture coordinates."""
    finer = levels[0].shape[0] / seen.rows / seen.scale  # pixels of the plane a pixel of the screen
    level = 0 if finer <= 1 else min(len(levels) - 1, int(math.log2(finer)))
    rows, columns = levels[level].shape
    part = crop((rows, columns), (seen.rows, seen.columns), seen.visible)
    grey = np.ascontiguousarray(apply_window(levels[level][part.rows, part.columns], window, invert=invert))
    rows, columns = grey.shape
    image = QImage(grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    painter.drawImage(part.place, image, QRectF(image.rect()))


def as_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A map of 0..1 as 0..255; what is no number is 0."""
    return np.asarray(np.rint(np.clip(np.nan_to_num(values), 0.0, 1.0) * np.float32(255)), np.uint8)


def draw_heatmap(painter: QPainter, heat: NDArray[np.uint8], seen: Seen, layers: Layers) -> None:
    """The heat map, clearer where it is weak, so that the anatomy stays readable where there is no heat.

    heat: 255 for 1.0.
    """
    values = np.arange(256) / 255
    argb = np.empty((256, 4), np.uint8)
    alpha = layers.heatmap_opacity * np.minimum(1.0, 0.15 + 1.7 * values)
    argb[:, :3] = colorize(values, layers.colormap)[:, ::-1] * alpha[:, None]
    argb[:, 3] = 255 * alpha
    part, place = seen.part(heat)
    _draw_coloured(painter, part, argb, place)


def draw_fill(painter: QPainter, mask: NDArray[np.bool_], seen: Seen, opacity: float) -> None:
    """The lesion in one transparent colour."""
    colour = np.array([CONTOUR.blue(), CONTOUR.green(), CONTOUR.red(), 255]) * opacity
    part, place = seen.part(mask)
    _draw_coloured(painter, part.view(np.uint8), np.stack([np.zeros(4), colour]).astype(np.uint8), place)


def outline_path(mask: NDArray[np.bool_]) -> QPainterPath:
    """The outline of a mask (rows, columns) in picture coordinates; empty without a lesion."""
    path = QPainterPath()
    for outline in contours(mask):
        points = [QPointF(float(column) + 0.5, float(row) + 0.5) for row, column in outline]
        path.addPolygon([*points, points[0]])
    return path


def draw_contour(painter: QPainter, path: QPainterPath, matrix: QTransform, opacity: float) -> None:
    """The outline, of the same width at every zoom, with a dark seam so that it stands out on white as on black."""
    painter.save()
    painter.setOpacity(opacity)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    on_screen = matrix.map(path)
    for colour, width in ((_HALO, 3.6), (CONTOUR, 1.8)):
        painter.strokePath(on_screen, QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.restore()


def draw_diameters(painter: QPainter, both: Diameters, matrix: QTransform) -> list[QRectF]:
    """Longest diameter and its perpendicular as thin lines with end marks and their lengths; where the words lie."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    taken: list[QRectF] = []
    for diameter in (both.longest, both.perpendicular):
        line = QLineF(matrix.map(_point(diameter.start)), matrix.map(_point(diameter.end)))
        if line.length() < 4:
            continue
        marks = [line, _end_mark(line), _end_mark(QLineF(line.p2(), line.p1()))]
        for colour, width in ((_HALO, 3.0), (DIAMETER, 1.4)):
            painter.setPen(QPen(colour, width))
            painter.drawLines(marks)
        place = _length_place(QFontMetricsF(painter.font()), line, diameter_in_words(diameter), taken)
        taken.append(place)
        draw_text(painter, place.bottomLeft(), diameter_in_words(diameter), DIAMETER.lighter(125))
    painter.restore()
    return taken


def draw_graphics(painter: QPainter, graphics: NDArray[np.bool_], seen: Seen) -> None:
    """What the device drew over its pixels, in white. painter: in picture coordinates."""
    part, place = seen.part(graphics)
    _draw_coloured(painter, part.view(np.uint8), np.repeat(np.array([[0], [230]], np.uint8), 4, axis=1), place)


def draw_crosshair(painter: QPainter, point: QPointF, matrix: QTransform, area: QRectF) -> None:
    """Two lines through a point, open around it so that they hide nothing there. painter: in widget coordinates."""
    at = matrix.map(point)
    gap = 14.0
    lines = [
        QLineF(area.left(), at.y(), at.x() - gap, at.y()),
        QLineF(at.x() + gap, at.y(), area.right(), at.y()),
        QLineF(at.x(), area.top(), at.x(), at.y() - gap),
        QLineF(at.x(), at.y() + gap, at.x(), area.bottom()),
    ]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(CROSSHAIR, 1.0))
    painter.drawLines(lines)


def draw_text(painter: QPainter, place: QPointF, text: str, colour: QColor) -> None:
    """One line of text with a dark seam. place: its left end on the base line."""
    painter.setPen(_SEAM)  # five cheap drawings: stroking the letters' outlines costs ten times as much
    for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        painter.drawText(place + QPointF(dx, dy), text)
    painter.setPen(colour)
    painter.drawText(place, text)


def _length_place(metrics: QFontMetricsF, line: QLineF, words: str, taken: list[QRectF]) -> QRectF:
    """Room for the words: right of the line's right end, or else left of its left end, or above or below the line."""
    width, height = metrics.horizontalAdvance(words), metrics.ascent()
    left, right = sorted((line.p1(), line.p2()), key=lambda p: p.x())
    top, bottom = sorted((line.p1(), line.p2()), key=lambda p: p.y())
    places = [
        QRectF(right.x() + 10, right.y() - height / 2, width, height),
        QRectF(left.x() - 10 - width, left.y() - height / 2, width, height),
        QRectF(bottom.x() - width / 2, bottom.y() + 8, width, height),
        QRectF(top.x() - width / 2, top.y() - 8 - height, width, height),
    ]
    return next((p for p in places if not any(p.intersects(t) for t in taken)), places[0])


def _end_mark(line: QLineF) -> QLineF:
    mark = line.normalVector()
    mark.setLength(5)
    offset = QPointF(mark.dx(), mark.dy())
    return QLineF(line.p1() - offset, line.p1() + offset)


def _point(row_column: tuple[float, float]) -> QPointF:
    """Domain points have pixel centres at whole numbers, the screen has them at halves."""
    return QPointF(row_column[1] + 0.5, row_column[0] + 0.5)


def _draw_coloured(painter: QPainter, part: NDArray[np.uint8], colours: NDArray[np.uint8], place: QRectF) -> None:
    """Each value in its colour. colours: uint8 (values, 4), premultiplied, in memory order blue, green, red, alpha."""
    argb = np.ascontiguousarray(colours).view(np.uint32)[:, 0].take(part)
    rows, columns = argb.shape
    image = QImage(argb.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied)
    painter.drawImage(place, image, QRectF(image.rect()))
