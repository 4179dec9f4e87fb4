"""Keeping what the reader drew and said: fetched when a series is opened again, written soon after each change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.storage.readings import Reading, ReadingStore, joined, reading_key
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui.case import Case

_SOON_MS = 1000


class Keeper(QObject):
    """Between the cases of a window and the store.

    Nothing is fetched or written while the reader has switched it off. trouble: a typed error, told once until it goes
    well again; left: a case as it was read before its file changed, which holds what the reader said of that.
    """

    trouble = Signal(object)
    left = Signal(object)

    def __init__(self, settings: Settings, store: ReadingStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self._settings = settings
        self._changed: list[Case] = []
        self._told = False
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.flush)

    def restore(self, case: Case) -> bool:
        """Give a case whose pixels have just come its earlier reading. Whether they are others than it had before.

        What was said of those stays theirs.
        """
        if case.study is None:
            return False
        key, before = reading_key(case.study, case.volume), case.reading_key
        if key != before:  # else they are the same pixels again, which were let go in between
            if before:
                self._leave(case)
            case.reading_key, case.kept = key, Reading()
            if self._settings.keep_readings:
                self._fetch(case)
        case.apply_correction()
        return before not in ("", key)

    def _leave(self, case: Case) -> None:
        earlier = replace(case, study=None, analysis=None)
        self.keep([earlier])
        case.correction = ()
        case.forget_reading()
        words = phrase(
            "The file of {name} has changed since it was opened; it was read again and is analysed anew.",
            name=case.name,
        )
        hint = phrase("What you measured and said before belongs to its earlier content and is not shown any more.")
        self.trouble.emit(BrainTumorError(ErrorCode.FILE_CHANGED, words, hint))
        self.left.emit(earlier)

    def _fetch(self, case: Case) -> None:
        try:
            kept, whole = self.store.load(case.reading_key)
        except OSError:
            kept, whole = Reading(), False
        if not whole:
            self._tell_damage()
        if not kept.empty:
            case.take_reading(kept)
        case.kept = kept

    def note_change(self, case: Case | None) -> None:
        """Something of the reader's may be different; it is written soon."""
        if case is not None and case not in self._changed:
            self._changed.append(case)
        if self._changed and not self._soon.isActive():
            self._soon.start()

    def flush(self) -> None:
        """Write what changed now."""
        self._soon.stop()
        changed, self._changed = self._changed, []
        self.keep(changed)

    def keep(self, cases: Iterable[Case]) -> None:
        """Write the readings of these cases, where they are other than what is kept.

        What lies there of the same series from elsewhere, from before the keeping was switched on or from its other
        row in the list, is not replaced but joined.
        """
        if not self._settings.keep_readings:
            return
        for case in cases:
            reading = case.reading
            if not case.reading_key or reading == case.kept:
                continue
            try:
                stored, whole = self.store.load(case.reading_key)
                if not whole:
                    self._tell_damage()
                self.store.save(case.reading_key, joined(reading, case.kept, stored))
            except OSError as cause:
                self._tell(cause)
            else:
                case.kept, self._told = reading, False

    def clear(self) -> None:
        """Forget all that was ever kept; what is on the screen stays, and is written again when it changes."""
        try:
            self.store.clear()
        except OSError as cause:
            self._tell(cause)

    def _tell_damage(self) -> None:
        words = phrase("What was kept of your earlier reading of this series is damaged; what could be used is shown.")
        hint = phrase("Check measurements, verdict and comment before you rely on them.")
        self.trouble.emit(BrainTumorError(ErrorCode.READING_DAMAGED, words, hint))

    def _tell(self, cause: OSError) -> None:
        if self._told:
            return
        self._told = True
        words = phrase("Your measurements and comments could not be kept on this computer.")
        hint = phrase("Export the report to save them, and look whether the disk is full or write-protected.")
        error = BrainTumorError(ErrorCode.READING_NOT_KEPT, words, hint)
        error.__cause__ = cause
        self.trouble.emit(error)
