"""What a reader drew or said is not lost without a question."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QMessageBox, QWidget

from braintumor_desktop.language import tr, tr_count
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.keeping import Keeper


class UnsavedReadings(QObject):
    """Asks before cases go whose reading is neither kept on this computer nor in any file that was exported."""

    def __init__(self, settings: Settings, keeper: Keeper, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings, self._keeper, self._window = settings, keeper, parent
        self._box: QMessageBox | None = None
        self._gone: list[Case] = []

    def ask_of_gone(self, case: Case) -> None:
        """Ask about a case that can't stay as it is, because its file holds another picture: keep or discard."""
        self._gone.append(case)
        self._ask_of_gone()

    def _ask_of_gone(self) -> None:
        gone = list(self._gone)

        def settled() -> None:
            self._gone = [case for case in self._gone if case not in gone]

        if self.ask(gone, settled, may_stay=False):
            settled()

    def ask(self, cases: Iterable[Case], go_on: Callable[[], object], *, may_stay: bool = True) -> bool:
        """Whether there is nothing to ask. Else the question is on the screen, and `go_on` is called if the reader
        decides to go on. may_stay: all can be left as it is.
        """
        cases = list(cases)
        self._keeper.keep(cases)
        unsaved = [c for c in cases if not c.reading.empty and c.reading not in (c.kept, c.exported)]
        if not unsaved:
            return True
        if self._box is not None:
            return False
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(tr("Your reading is not saved"))
        box.setText(
            tr_count(
                "What you measured and said on one case is in no report and not kept on this computer.",
                "What you measured and said on {count} cases is in no report and not kept on this computer.",
                len(unsaved),
            )
        )
        box.setInformativeText(
            tr(
                "Keep them on this computer? They are there again when the same series is opened; "
                "Settings has a switch to stop keeping, and a button to delete what was kept."
            )
        )
        keep = box.addButton(tr("&Keep"), QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton(tr("&Discard"), QMessageBox.ButtonRole.DestructiveRole)
        if may_stay:
            box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(keep)
        keep.clicked.connect(lambda: self._keep(unsaved, go_on))
        discard.clicked.connect(lambda: self._discard(unsaved, go_on))
        box.finished.connect(self._closed)
        self._box = box
        box.open()
        return False

    def _closed(self) -> None:
        self._box = None
        if self._gone:  # some came while the question was on the screen, or the disk refused to keep them
            QTimer.singleShot(0, self, self._ask_of_gone)

    def _keep(self, cases: list[Case], go_on: Callable[[], object]) -> None:
        """Where the disk refuses, the keeper tells, and nothing goes."""
        self._settings.keep_readings = True
        self._keeper.keep(cases)
        if all(case.reading == case.kept for case in cases):
            go_on()

    def _discard(self, cases: list[Case], go_on: Callable[[], object]) -> None:
        for case in cases:
            case.exported = case.reading
        go_on()
