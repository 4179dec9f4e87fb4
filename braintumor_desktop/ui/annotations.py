"""The words in the corners of the viewer: what the picture is, how it is shown, and what is not known of it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.reformat import Plane, PlaneStack
from braintumor_desktop.imaging.turning import Edges
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.language import number, tr
from braintumor_desktop.ui.layers import draw_text

TEXT = QColor(215, 219, 224)
LETTER = QColor(255, 214, 120)
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
    return ScaleBar(length * screen_px_a_unit, number(f"{length:g} {unit}"))


@dataclass(frozen=True, eq=False)
class Shown:
    """Everything the corners speak of.

    title: what the list calls the case; zoom: screen pixels a column; edges: None where orientation is unknown;
    warning: what the reader must know of this series, empty if nothing; brief: a small view, beside others;
    named: small as it is, it must say which series it shows, because there are two.
    """

    study: Study
    stack: PlaneStack
    slice_index: int
    window: Window
    zoom: float
    inverted: bool
    edges: Edges | None
    title: str
    warning: str = ""
    brief: bool = False
    named: bool = False


def top_left(shown: Shown) -> list[str]:
    study, stack = shown.study, shown.stack
    lines = [shown.title]
    if stack.plane is not Plane.ACQUIRED:
        lines = [tr(stack.plane.value), shown.title] if shown.named else [tr(stack.plane.value)]
    elif not shown.brief:
        size = tr(
            "{columns} × {rows} px · {format} · {bits} bit",
            columns=study.columns,
            rows=study.rows,
            format=study.source.format,
            bits=study.source.bits,
        )
        lines += [size, tr("Sequence: {sequence}", sequence=tr(study.sequence))] if study.sequence else [size]
    if stack.slices > 1:
        position = stack.position_mm(shown.slice_index)
        place = "" if position is None else number(f" · {position:+.1f} mm")
        lines.append(tr("Slice {number} of {slices}", number=shown.slice_index + 1, slices=stack.slices) + place)
    return lines


def bottom_left(shown: Shown, physical_zoom: float) -> list[str]:
    """physical_zoom: physical screen pixels a column, so that 1:1 reads 100 % on every screen."""
    side = (
        tr("Orientation unknown: left and right are not marked") if shown.edges is None else tr(shown.edges.sentence())
    )
    if shown.brief:
        return ["" if shown.edges is None else tr(shown.edges.brief()), ""]  # above the letter at the edge
    window = shown.window
    digits = 0 if window.width >= 10 else 2
    grey = tr(
        "Level {level} · Width {width}",
        level=number(f"{window.level:.{digits}f}"),
        width=number(f"{window.width:.{digits}f}"),
    )
    return [
        side,
        tr("{grey} · inverted", grey=grey) if shown.inverted else grey,
        tr("Zoom {percent:.0f} %", percent=100 * physical_zoom),
    ]


def badges(study: Study) -> list[str]:
    """What the reader must not overlook about the pixels."""
    found = []
    if study.source.synthetic:
        found.append(tr("SYNTHETIC"))
    if study.source.lossy:
        method = study.source.lossy_method
        found.append(tr("LOSSY COMPRESSION: {method}", method=method) if method else tr("LOSSY COMPRESSION"))
    return found


def draw_annotations(painter: QPainter, area: QRectF, font: QFont, shown: Shown) -> None:
    """All corners. painter: in widget coordinates."""
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    metrics = QFontMetricsF(font)
    line = metrics.height()
    widest = 0.62 * area.width()
    lines = [(text, TEXT) for text in top_left(shown)]
    if shown.warning and (shown.named or not shown.brief):
        lines.append((f"⚠ {shown.warning}", BADGE))
    for i, (text, colour) in enumerate(lines):
        room = widest if i < 3 else area.width() - 2 * MARGIN  # badges stand beside the first lines
        if i == 0 and shown.edges is not None:  # and a letter in the middle of the very first
            room = min(room, area.width() / 2 - 2 * MARGIN)
        short = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room)
        draw_text(painter, QPointF(MARGIN, MARGIN + metrics.ascent() + i * line), short, colour)
    below = bottom_left(shown, shown.zoom * painter.device().devicePixelRatio())
    for i, text in enumerate(reversed(below)):
        room = widest if i < 2 else area.width() - 2 * MARGIN  # the scale bar takes two lines
        short = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        draw_text(painter, QPointF(MARGIN, area.bottom() - MARGIN - metrics.descent() - i * line), short, TEXT)
    if not shown.brief:
        _draw_badges(painter, area, metrics, badges(shown.study), MARGIN)
    elif shown.stack.plane in (Plane.ACQUIRED, Plane.AXIAL):  # once is enough where views stand side by side
        _draw_badges(painter, area, metrics, badges(shown.study), MARGIN + len(lines) * line + 4)
    _draw_scale(painter, area, metrics, shown)
    if shown.edges is not None:
        _draw_letters(painter, area, metrics, shown.edges)


def _draw_badges(painter: QPainter, area: QRectF, metrics: QFontMetricsF, words: list[str], top: float) -> None:
    for word in words:
        width = metrics.horizontalAdvance(word) + 14
        frame = QRectF(area.right() - MARGIN - width, top, width, metrics.height() + 6)
        painter.setPen(QPen(BADGE, 1.2))
        painter.setBrush(QColor(0, 0, 0, 170))
        painter.drawRoundedRect(frame, 4, 4)
        painter.setPen(BADGE)
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, word)
        top = frame.bottom() + 6


def _draw_scale(painter: QPainter, area: QRectF, metrics: QFontMetricsF, shown: Shown) -> None:
    spacing = shown.stack.spacing_mm
    bar = scale_bar(area.width(), shown.zoom, None if spacing is None else spacing[1])
    y = area.bottom() - MARGIN - 4
    right = area.right() - MARGIN
    left = right - bar.screen_px
    for colour, width in ((QColor(0, 0, 0, 170), 4.0), (TEXT, 1.6)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(QPointF(left, y), QPointF(right, y))
        for x in (left, right):
            painter.drawLine(QPointF(x, y - 5), QPointF(x, y))
    words = bar.label if spacing is not None else tr("{label} (no mm in this file)", label=bar.label)
    draw_text(painter, QPointF(right - metrics.horizontalAdvance(words), y - 9), words, TEXT)


def _draw_letters(painter: QPainter, area: QRectF, metrics: QFontMetricsF, edges: Edges) -> None:
    middle, half = area.center(), metrics.ascent() / 2
    end = area.right() - MARGIN - metrics.horizontalAdvance(edges.right)
    for place, letters in (
        (QPointF(MARGIN, middle.y() + half), edges.left),
        (QPointF(end, middle.y() + half), edges.right),
        (QPointF(middle.x(), MARGIN + metrics.ascent()), edges.top),
        (QPointF(middle.x(), area.bottom() - MARGIN - metrics.descent()), edges.bottom),
    ):
        draw_text(painter, place, letters, LETTER)
