"""The words in the corners of the viewer: what the picture is, how it is shown, and what is not known of it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.reporting.key_images import edge_letters
from braintumor_desktop.ui.layers import draw_text

TEXT = QColor(215, 219, 224)
BADGE = QColor(230, 159, 0)  # Okabe and Ito's orange
MARGIN = 12.0
_BAR_SHARE = 0.28  # of the widget's width, at most
_BAR_MOST_PX = 220.0


@dataclass(frozen=True)
class ScaleBar:
    """screen_px: its length on the screen; label: what that is, such as ``50 mm``, or ``100 px`` without spacing."""

    screen_px: float
    label: str


def scale_bar(widget_width: float, screen_px_a_column: float, column_mm: float | None) -> ScaleBar:
    """The longest bar of 1, 2 or 5 times a power of ten that takes no more than a quarter of the width."""
    unit, screen_px_a_unit = ("px", screen_px_a_column) if column_mm is None else ("mm", screen_px_a_column / column_mm)
    room = min(_BAR_SHARE * widget_width, _BAR_MOST_PX) / screen_px_a_unit
    steps = [m * 10**e for e in range(-2, 6) for m in (1, 2, 5) if e >= 0 or column_mm is not None]
    length = max((s for s in steps if s <= room), default=steps[0])
    return ScaleBar(length * screen_px_a_unit, f"{length:g} {unit}")


def top_left(study: Study, slice_index: int) -> list[str]:
    size = f"{study.columns} × {study.rows} px · {study.source.format} · {study.source.bits} bit"
    lines = [study.name, size]
    if study.sequence:
        lines.append(study.sequence)
    if study.slices > 1:
        lines.append(f"Slice {slice_index + 1} of {study.slices}")
    return lines


def bottom_left(window: Window, zoom: float, inverted: bool) -> list[str]:
    """zoom: physical screen pixels a column, so that 1:1 reads 100 % on every screen."""
    digits = 0 if window.width >= 10 else 2
    shown = f"Level {window.level:.{digits}f} · Width {window.width:.{digits}f}"
    return [f"{shown} · inverted" if inverted else shown, f"Zoom {100 * zoom:.0f} %"]


def badges(study: Study) -> list[str]:
    """What the reader must not overlook about the pixels."""
    found = []
    if study.source.synthetic:
        found.append("SYNTHETIC")
    if study.source.lossy:
        found.append("LOSSY COMPRESSION")
    return found


def draw_annotations(
    painter: QPainter,
    area: QRectF,
    font: QFont,
    study: Study,
    slice_index: int,
    window: Window,
    zoom: float,
    invert: bool,
) -> None:
    """All corners. painter: in widget coordinates; zoom: screen pixels a column."""
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    metrics = QFontMetricsF(font)
    line = metrics.height()
    widest = 0.62 * area.width()
    for i, text in enumerate(top_left(study, slice_index)):
        short = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, widest)
        draw_text(painter, QPointF(MARGIN, MARGIN + metrics.ascent() + i * line), short, TEXT)
    lines = bottom_left(window, zoom * painter.device().devicePixelRatio(), invert)
    for i, text in enumerate(reversed(lines)):
        draw_text(painter, QPointF(MARGIN, area.bottom() - MARGIN - metrics.descent() - i * line), text, TEXT)
    _draw_badges(painter, area, metrics, badges(study))
    _draw_scale(painter, area, metrics, study, zoom)
    _draw_orientation(painter, area, metrics, study)


def _draw_badges(painter: QPainter, area: QRectF, metrics: QFontMetricsF, words: list[str]) -> None:
    top = MARGIN
    for word in words:
        width = metrics.horizontalAdvance(word) + 14
        frame = QRectF(area.right() - MARGIN - width, top, width, metrics.height() + 6)
        painter.setPen(QPen(BADGE, 1.2))
        painter.setBrush(QColor(0, 0, 0, 170))
        painter.drawRoundedRect(frame, 4, 4)
        painter.setPen(BADGE)
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, word)
        top = frame.bottom() + 6


def _draw_scale(painter: QPainter, area: QRectF, metrics: QFontMetricsF, study: Study, zoom: float) -> None:
    spacing = study.geometry.pixel_spacing_mm
    bar = scale_bar(area.width(), zoom, None if spacing is None else spacing[1])
    y = area.bottom() - MARGIN - 4
    right = area.right() - MARGIN
    left = right - bar.screen_px
    for colour, width in ((QColor(0, 0, 0, 170), 4.0), (TEXT, 1.6)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(QPointF(left, y), QPointF(right, y))
        for x in (left, right):
            painter.drawLine(QPointF(x, y - 5), QPointF(x, y))
    words = bar.label if spacing is not None else f"{bar.label} (no mm in this file)"
    draw_text(painter, QPointF(right - metrics.horizontalAdvance(words), y - 9), words, TEXT)


def _draw_orientation(painter: QPainter, area: QRectF, metrics: QFontMetricsF, study: Study) -> None:
    letters = edge_letters(study.geometry)
    middle = area.center()
    if letters is None:
        words = "Orientation unknown: left and right are not marked"
        y = area.bottom() - MARGIN - metrics.descent() - 2 * metrics.height()
        draw_text(painter, QPointF(MARGIN, y), words, TEXT)
        return
    left, right, top, bottom = letters
    half = metrics.ascent() / 2
    draw_text(painter, QPointF(MARGIN, middle.y() + half), left, TEXT)
    end = area.right() - MARGIN - metrics.horizontalAdvance(right)
    draw_text(painter, QPointF(end, middle.y() + half), right, TEXT)
    draw_text(painter, QPointF(middle.x(), MARGIN + metrics.ascent()), top, TEXT)
    draw_text(painter, QPointF(middle.x(), area.bottom() - MARGIN - metrics.descent()), bottom, TEXT)
