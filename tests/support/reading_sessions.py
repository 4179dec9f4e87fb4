"""A reader's session: the program with a file from its start to its end, and what a reader does in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from braintumor_desktop.domain.reader_measurements import MeasurementKind, ReaderMeasurement
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui.main_window import MainWindow

LINE = ReaderMeasurement(MeasurementKind.LENGTH, 2, ((20.0, 30.0), (60.0, 60.0)))
LONGER = ReaderMeasurement(MeasurementKind.LENGTH, 2, ((20.0, 30.0), (80.0, 60.0)))


@contextmanager
def program(
    qtbot: QtBot, analyzer: object, settings_file: Path, settled: Callable[[MainWindow], bool], path: Path, **set_: bool
) -> Iterator[MainWindow]:
    """The program from its start with a file to its end."""
    window = MainWindow(Settings(**set_), lambda _m, _d: analyzer, settings_file)  # type: ignore[arg-type, return-value]
    qtbot.addWidget(window)
    window.show()
    window.start([path])
    qtbot.waitUntil(lambda: settled(window) and window.results.reader.isVisible())
    yield window
    for case in window.workspace.model.cases:
        case.exported = case.reading  # so that nothing is asked
    window.close()


def press(window: MainWindow, words: str) -> None:
    """A button of the question on the screen."""
    box = window.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    next(b for b in box.findChildren(QPushButton) if b.text().replace("&", "") == words).click()


def read(window: MainWindow, qtbot: QtBot) -> None:
    """As a reader would: two steps of a measurement, a verdict, a comment, another sequence."""
    case = window.workspace.model.cases[0]
    case.measured.change([LINE])
    case.measured.change([LONGER])
    window.measuring.changed.emit()
    window.results.reader.disagree.click()
    qtbot.keyClicks(window.results.reader.comment, "rather a cyst")
    window.actions_by_name["sequence_flair"].trigger()
