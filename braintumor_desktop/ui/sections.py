"""The typography of the results panel: headings, paragraphs, rows and folded text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFormLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget


def heading(words: str) -> QLabel:
    """A section's title."""
    label = QLabel(words)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    label.setContentsMargins(0, 10, 0, 0)
    return label


def paragraph(words: str = "", *, faint: bool = False) -> QLabel:
    """Wrapped text that can be selected."""
    label = QLabel(words)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    if faint:
        label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def rows_into(form: QFormLayout, rows: Sequence[tuple[str, str]]) -> None:
    """Fill a form anew with titles and values."""
    while form.rowCount():
        form.removeRow(0)
    form.setHorizontalSpacing(12)
    form.setVerticalSpacing(3)
    form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    for title, value in rows:
        name = QLabel(title)
        name.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        words = QLabel(value)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.setAccessibleName(title)
        form.addRow(name, words)


class FoldedText(QWidget):
    """A title that opens and closes the text below it; closed at first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QToolButton()
        self.button.setCheckable(True)
        self.button.setAutoRaise(True)
        self.button.setArrowType(Qt.ArrowType.RightArrow)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.toggled.connect(self._unfold)
        self.text = paragraph()
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 10, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(self.text)

    def show_text(self, title: str, notice: str, blocks: Sequence[tuple[str, str]], sources: Sequence[str]) -> None:
        """notice: stands first, in italics; blocks: heading and text; sources: citations, in small type."""
        self.button.setText(title)
        self.button.setAccessibleName(title)
        parts = [f"<p><i>{escape(notice)}</i></p>"]
        parts += [f"<p><b>{escape(name)}</b><br>{escape(text)}</p>" for name, text in blocks]
        if sources:
            parts.append("<p><small><b>Sources</b><br>" + "<br>".join(map(escape, sources)) + "</small></p>")
        self.text.setText("".join(parts))

    def _unfold(self, on: bool) -> None:
        self.button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.text.setVisible(on)
