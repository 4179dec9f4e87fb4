"""Help: shortcuts and mouse, about the program, about the model."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from braintumor_desktop import RESEARCH_USE, __version__
from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.models.manifest import find_model

_MOUSE = (
    ("Wheel", "zoom to the cursor; in a stack: go through the slices"),
    ("Ctrl + wheel", "zoom to the cursor, in a stack too"),
    ("Left or middle drag", "move the picture; with planes, the left button moves the crosshair"),
    ("Right drag", "window: left and right for width, up and down for level"),
    ("Double click", "fit the picture"),
    ("Space, held", "look below the overlays"),
    ("Arrows, Page Up, Page Down, Home, End", "go through the slices of a stack"),
    ("Tab", "go to the next of several views; keys act on the one with the frame"),
    ("Left drag on a measurement", "a handle changes it, the line itself moves it"),
    ("Shift + arrows", "move the handle of the selected measurement; with Ctrl, all of it"),
    ("Enter", "with a measuring tool in hand: place it in the middle of the view"),
    ("Del", "delete the selected measurement, else take the case off the list"),
    ("Esc", "put the tool away and let go of the measurement, else cancel"),
)


class TextDialog(QDialog):
    """Text to read and close."""

    def __init__(self, title: str, html: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)  # the program opens no connections
        self.text.setHtml(html)
        self.text.setAccessibleName(title)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self.resize(560, 520)


def shortcuts_html(actions: Sequence[QAction]) -> str:
    """Every action with a key, and the mouse."""
    keys = [
        (shortcut.toString(shortcut.SequenceFormat.NativeText), action.statusTip())
        for action in actions
        for shortcut in action.shortcuts()[:1]
    ]
    return f"<h3>Mouse and viewer</h3>{_table(_MOUSE)}<h3>Keys</h3>{_table(keys)}"


def about_html() -> str:
    return (
        f"<h3>Brain tumour MRI analysis {escape(__version__)}</h3>"
        f"<p><b>{escape(RESEARCH_USE)}</b></p>"
        "<p>Everything is computed on this computer. The program opens no network connection and sends nothing.</p>"
        "<p>Licence of the program: Apache-2.0. What it is made of stands under Help, Licences.</p>"
    )


def model_html(model_id: str) -> str:
    """The manifest row of a model in words."""
    try:
        row = find_model(model_id)
    except BrainTumorError as error:
        return f"<p><b>{escape(error.message)}</b></p><p>{escape(error.hint)}</p>"
    figures = [(name, f"{value:.3f}") for name, value in row.metrics.items()]
    rows = [
        ("Model", f"{row.id} {row.version}"),
        ("Network", row.title),
        ("Input", row.input),
        ("Preprocessing", row.preprocessing),
        ("Trained on", row.training_data),
        ("Weights", f"{row.file}, SHA-256 {row.sha256}"),
        ("Licence of the weights", row.licence),
    ]
    measured = f"<h3>Measured on held-out patients</h3>{_table(figures)}" if figures else ""
    return (
        f"{_table(rows)}{measured}"
        "<p>The model knows glioma, meningioma, pituitary tumour and their absence, and nothing else. "
        f"“No tumour” does not mean healthy.</p><p><b>{escape(RESEARCH_USE)}</b></p>"
    )


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td style='padding-right: 18px'>{escape(name)}</td><td>{escape(words)}</td></tr>" for name, words in rows
    )
    return f"<table cellpadding='3'>{cells}</table>"
