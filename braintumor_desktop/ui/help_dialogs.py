"""Help: shortcuts and mouse, about the program, about the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from braintumor_desktop import RESEARCH_USE, __version__
from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.domain.findings import TumorClass
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.language import number, tr
from braintumor_desktop.models.manifest import find_model

MOUSE = (
    (phrase("Wheel"), phrase("zoom to the cursor; in a stack: go through the slices")),
    (phrase("Ctrl + wheel"), phrase("zoom to the cursor, in a stack too")),
    (phrase("Left or middle drag"), phrase("move the picture; with planes, the left button moves the crosshair")),
    (phrase("Right drag"), phrase("window: left and right for width, up and down for level")),
    (phrase("Double click"), phrase("fit the picture")),
    (phrase("Space, held"), phrase("look below the overlays")),
    (phrase("Arrows, Page Up, Page Down, Home, End"), phrase("go through the slices of a stack")),
    ("Tab", phrase("go to the next of several views; keys act on the one with the frame")),
    (phrase("Left drag on a measurement"), phrase("a handle changes it, the line itself moves it")),
    (phrase("Shift + arrows"), phrase("move the handle of the selected measurement; with Ctrl, all of it")),
    ("Enter", phrase("with a measuring tool in hand: place it in the middle of the view")),
    ("Del", phrase("delete the selected measurement, else take the case off the list")),
    ("Esc", phrase("put the tool away and let go of the measurement, else cancel")),
)

_ON_THIS_COMPUTER = phrase(
    "Everything is computed on this computer. The program opens no network connection and sends nothing."
)
_LICENCES = phrase(
    "Licence of the program: Apache-2.0. It uses Qt for Python (LGPL-3.0), PyTorch, NumPy, OpenCV and Pillow."
)
_WHAT_IT_KNOWS = phrase(
    "The model knows glioma, meningioma, pituitary tumour and their absence, and nothing else. "
    "“No tumour” does not mean healthy."
)
_TUMOR_OR_NONE = phrase("This model tells tumour from no tumour, and names no type. “No tumour” does not mean healthy.")
_NOT_FOR = (
    phrase("to decide on a patient, or to reassure one: it misses tumours and raises false alarms"),
    phrase(
        "for other diseases: it will give metastases, lymphomas, abscesses, strokes or bleeds one of its own answers"
    ),
    phrase("for children, or after surgery or radiotherapy: it is not known to have seen any"),
    phrase("for other sequences than T1 after contrast without double care: nearly all its tumours were shown so"),
)


_HOW_TO_READ = (
    phrase(
        "Of single slices of few patients from one hospital group, and of web pictures; another hospital may differ."
    ),
    phrase(
        "Tumours and tumour-free heads come from different collections, so part of this may be told by the collection."
    ),
    phrase("How many tumours are missed in whole series of patients is not known. The model card has all figures."),
)
_WEAKEST = phrase("Gliomas are outlined worst. Slices below the brain are taken for tumours more often than others.")
"""Of the default model."""


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
    mouse = [(tr(move), tr(words)) for move, words in MOUSE]
    return f"<h3>{tr('Mouse and viewer')}</h3>{_table(mouse)}<h3>{tr('Keys')}</h3>{_table(keys)}"


def about_html() -> str:
    return (
        f"<h3>{escape(tr('Brain tumour MRI analysis'))} {escape(__version__)}</h3>"
        f"<p><b>{escape(tr(RESEARCH_USE))}</b></p>"
        f"<p>{escape(tr(_ON_THIS_COMPUTER))}</p>"
        f"<p>{escape(tr(_LICENCES))}</p>"
    )


def model_html(model_id: str) -> str:
    """The manifest row of a model in words."""
    try:
        row = find_model(model_id)
    except BrainTumorError as error:
        return f"<p><b>{escape(tr(error.message))}</b></p><p>{escape(tr(error.hint))}</p>"
    figures = [(name, _measured(figure)) for name, figure in row.figures.items()]
    rows = [
        (tr("Model"), f"{row.id} {row.version}"),
        (tr("Network"), tr(row.title)),
        (tr("Input"), tr(row.input)),
        (tr("Preprocessing"), tr(row.preprocessing)),
        (tr("Trained on"), tr(row.training_data)),
        (tr("Weights"), f"{row.file}, SHA-256 {row.sha256}"),
        (tr("Licence of the weights"), tr(row.licence)),
    ]
    how_to_read = (*_HOW_TO_READ, *((_WEAKEST,) if row.default else ()))
    held_out = escape(tr("Measured on held-out patients, with 95 % intervals"))
    measured = f"<h3>{held_out}</h3>{_table(figures)}{_list(how_to_read)}" if figures else ""
    knows = _WHAT_IT_KNOWS if TumorClass.GLIOMA in row.classes else _TUMOR_OR_NONE
    return (
        f"<p>{escape(tr(knows))}</p>{measured}<h3>{escape(tr('Not to be used'))}</h3>{_list(_NOT_FOR)}"
        f"<h3>{escape(tr('What it is'))}</h3>{_table(rows)}<p><b>{escape(tr(RESEARCH_USE))}</b></p>"
    )


def _measured(figure: Mapping[str, float | None]) -> str:
    value, low, high = (None if (end := figure[k]) is None else number(f"{end:.3f}") for k in ("value", "low", "high"))
    return f"{value}" if low is None or high is None else f"{value} ({low}–{high})"


def _list(sentences: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(tr(words))}</li>' for words in sentences)}</ul>"


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td style='padding-right: 18px'>{escape(name)}</td><td>{escape(words)}</td></tr>" for name, words in rows
    )
    return f"<table cellpadding='3'>{cells}</table>"
