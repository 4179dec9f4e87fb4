"""Dark, light, or as the desktop has it. Native looks, no style sheets."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

_SCHEMES = {
    "dark": Qt.ColorScheme.Dark,
    "light": Qt.ColorScheme.Light,
    "system": Qt.ColorScheme.Unknown,
}


def apply_appearance(app: QApplication, wish: str) -> None:
    """Ask the platform for its dark or light look; where it has none to give, Fusion with a palette of our own.

    Reading rooms are dim, so dark is the program's default.
    """
    app.styleHints().setColorScheme(_SCHEMES[wish])
    app.setPalette(QPalette())
    if wish == "system" or app.styleHints().colorScheme() == _SCHEMES[wish]:
        return
    app.setStyle(QStyleFactory.create("Fusion"))
    if wish == "dark":
        app.setPalette(_dark())


def _dark() -> QPalette:
    """A neutral grey that does not tint the pictures beside it."""
    window, base, raised = QColor(43, 45, 48), QColor(30, 31, 34), QColor(58, 61, 65)
    text, faint, accent = QColor(226, 228, 231), QColor(158, 163, 170), QColor(52, 120, 184)
    palette = QPalette(raised, window)
    roles = {
        QPalette.ColorRole.Window: window,
        QPalette.ColorRole.Base: base,
        QPalette.ColorRole.AlternateBase: window,
        QPalette.ColorRole.Button: raised,
        QPalette.ColorRole.Mid: QColor(72, 76, 81),
        QPalette.ColorRole.WindowText: text,
        QPalette.ColorRole.Text: text,
        QPalette.ColorRole.ButtonText: text,
        QPalette.ColorRole.BrightText: QColor(255, 255, 255),
        QPalette.ColorRole.PlaceholderText: faint,
        QPalette.ColorRole.ToolTipBase: raised,
        QPalette.ColorRole.ToolTipText: text,
        QPalette.ColorRole.Highlight: accent,
        QPalette.ColorRole.HighlightedText: QColor(255, 255, 255),
        QPalette.ColorRole.Accent: accent,
        QPalette.ColorRole.Link: QColor(110, 176, 234),
    }
    for role, colour in roles.items():
        palette.setColor(role, colour)
    off = QPalette.ColorGroup.Disabled
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(off, role, QColor(118, 122, 128))
    return palette
