"""The key to the heat map's colours."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from braintumor_desktop.imaging.overlay import colorize
from braintumor_desktop.language import tr
from braintumor_desktop.ui.annotations import MARGIN, TEXT
from braintumor_desktop.ui.layers import draw_text

_LENGTH, _WIDTH = 140.0, 10.0


def draw_colour_bar(painter: QPainter, area: QRectF, colormap: str) -> None:
    """A vertical bar at the right edge: little influence on the answer below, much above."""
    ramp = np.ascontiguousarray(colorize(np.linspace(1.0, 0.0, 128, dtype=np.float32)[:, None], colormap))
    image = QImage(ramp.data, 1, 128, 3, QImage.Format.Format_RGB888)
    bar = QRectF(area.right() - MARGIN - _WIDTH, area.center().y() - _LENGTH / 2, _WIDTH, _LENGTH)
    painter.drawImage(bar, image, QRectF(image.rect()))
    painter.setPen(QPen(QColor(0, 0, 0, 170), 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(bar)
    metrics = QFontMetricsF(painter.font())
    for words, y in ((tr("much"), bar.top() + metrics.ascent()), (tr("little"), bar.bottom())):
        draw_text(painter, QPointF(bar.left() - 6 - metrics.horizontalAdvance(words), y), words, TEXT)
    title = tr("Heat map")
    draw_text(painter, QPointF(bar.right() - metrics.horizontalAdvance(title), bar.top() - 8), title, TEXT)
