"""Agree, disagree, and a comment: the reader has the last word, and it goes into the report."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from braintumor_desktop.language import tr
from braintumor_desktop.reporting import ReaderNote
from braintumor_desktop.storage.readings import Verdict
from braintumor_desktop.ui.case import Case

_TICK = "✓ "


class ReaderBox(QWidget):
    """Edits the verdict and comment of the case it shows."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case: Case | None = None
        self.agree = QPushButton(tr("A&gree"))
        self.disagree = QPushButton(tr("&Disagree"))
        buttons = QHBoxLayout()
        for button, words in (
            (self.agree, tr("You agree with the model")),
            (self.disagree, tr("You disagree with the model")),
        ):
            button.setCheckable(True)  # in no group: Tab would stop at one of its buttons only
            button.setToolTip(f"{words}; {tr('stands in the report')}")
            button.setAccessibleName(words)
            buttons.addWidget(button)
        self.comment = QPlainTextEdit()
        self.comment.setPlaceholderText(tr("Comment for the report"))
        self.comment.setAccessibleName(tr("Comment for the report"))
        self.comment.setTabChangesFocus(True)
        self.comment.setAcceptDrops(False)  # a picture dropped here is to be opened, not written down
        self.comment.setFixedHeight(4 * self.comment.fontMetrics().height() + 12)
        self.name = QLineEdit(placeholderText=tr("Your name, to sign the report"), maxLength=100)
        self.name.setAcceptDrops(False)
        self.name.setAccessibleName(tr("Your name, to sign the report"))
        self.name.setToolTip(tr("Stands in the report with today's date; it is not kept when the program ends"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.comment)
        layout.addWidget(self.name)
        self.agree.clicked.connect(lambda: self._verdict("agree"))
        self.disagree.clicked.connect(lambda: self._verdict("disagree"))
        self.comment.textChanged.connect(self._commented)
        self.name.textEdited.connect(self._signed)

    def show_note(self, case: Case) -> None:
        """Show what the reader said of this case so far."""
        self._case = None
        if self.comment.toPlainText() != case.comment:  # else the cursor stays where the reader types
            self.comment.setPlainText(case.comment)
        if self.name.text() != case.signed_by:
            self.name.setText(case.signed_by)
        self._case = case
        self._show_verdict(case.verdict)

    def _verdict(self, verdict: Verdict) -> None:
        if self._case is not None:
            self._case.verdict = None if self._case.verdict == verdict else verdict
            self._show_verdict(self._case.verdict)
            self._date()
            self.changed.emit()

    def _show_verdict(self, verdict: Verdict | None) -> None:
        for button, own in ((self.agree, "agree"), (self.disagree, "disagree")):
            button.setChecked(verdict == own)
            # A tick, because some desktops hardly tell a button that is pressed in from one that isn't.
            button.setText(
                f"✓ {button.text().removeprefix('✓ ')}" if verdict == own else button.text().removeprefix("✓ ")
            )

    def _commented(self) -> None:
        if self._case is not None:
            self._case.comment = self.comment.toPlainText()
            self._date()
            self.changed.emit()

    def _signed(self, name: str) -> None:
        if self._case is not None:
            self._case.signed_by = name
            self._date()

    def _date(self) -> None:
        """A signature has the day on which the reader last said something."""
        if self._case is not None:
            self._case.signed_on = date.today() if self._case.signed_by.strip() else None


def reader_note(case: Case) -> ReaderNote:
    """The reader's words for the report."""
    return ReaderNote(case.verdict, case.comment.strip(), case.signed_by.strip(), case.signed_on)
