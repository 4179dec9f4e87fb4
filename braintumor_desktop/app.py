"""The windowed program: assembles application, settings, window and worker, and runs them."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

# The order of imports matters on Windows alone: there torch has to be loaded before Qt, or its libraries don't start.
# Everywhere else torch comes later, on the worker's thread, so that the window shows at once.
if sys.platform == "win32":
    import torch  # noqa: F401

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent, QIcon
from PySide6.QtWidgets import QApplication

from braintumor_desktop import __version__
from braintumor_desktop.language import tr
from braintumor_desktop.locations import bundled
from braintumor_desktop.storage.settings import load_settings
from braintumor_desktop.streams import open_missing_streams, part_from_libraries
from braintumor_desktop.ui.appearance import apply_appearance
from braintumor_desktop.ui.localisation import apply_language
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.torch_preload import open_analyzer

_SWITCH_S = 0.001
"""How long a thread may hold Python's lock while another waits: a fifth of the usual, so that the window goes first."""


class CrashRelay(QObject):
    """Brings exceptions nobody caught, from any thread, to the window; the traceback goes to stderr without its text.

    The text of an exception may hold a file name and so a patient's; the lines of the program don't.
    """

    crashed = Signal(object)

    def install(self) -> None:
        sys.excepthook = self._main
        threading.excepthook = lambda args: self._tell(args.exc_type, args.exc_value, args.exc_traceback)

    def _main(self, kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.closeAllWindows()
            return
        self._tell(kind, value, trace)

    def _tell(self, kind: type[BaseException], value: BaseException | None, trace: TracebackType | None) -> None:
        self.crashed.emit(value if value is not None else kind())
        lines = "".join(traceback.format_tb(trace))
        sys.stderr.write(f"braintumor: {kind.__name__}\n{lines}")


class Application(QApplication):
    """Hears of the files that macOS has it open: by events, and not on the command line."""

    files_given = Signal(list)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent) and event.file():
            self.files_given.emit([Path(event.file())])
            return True
        return super().event(event)


class Interrupt(QObject):
    """Ctrl+C in the terminal closes the window. Python hears of the signal through a socket that Qt listens to."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._here, self._there = socket.socketpair()
        for end in (self._here, self._there):
            end.setblocking(False)
        signal.set_wakeup_fd(self._there.fileno())
        signal.signal(signal.SIGINT, lambda *_: QApplication.closeAllWindows())
        self._notifier = QSocketNotifier(self._here.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._heard)

    def _heard(self) -> None:
        self._here.recv(64)  # now Python runs its handler

    def remove(self) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._here.close()
        self._there.close()


def run(paths: Sequence[Path] = (), *, on_window: Callable[[MainWindow], object] | None = None) -> int:
    """Open the window, with these files and folders if any; returns when it is closed, 0.

    on_window: is given the window before it shows, so that a benchmark can watch it.
    """
    sys.setswitchinterval(_SWITCH_S)
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else Application(list(sys.argv))
    app.setApplicationName("braintumor-desktop")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("braintumor-desktop")  # by which Wayland finds the icon
    app.setWindowIcon(QIcon(str(bundled("resources", "icons", "braintumor.png"))))
    settings, repairs = load_settings()
    apply_language(app, settings.language)
    apply_appearance(app, settings.appearance)
    window = MainWindow(settings, open_analyzer)
    if isinstance(app, Application):
        app.files_given.connect(window.commands.open_paths)
    relay = CrashRelay()
    relay.crashed.connect(window.show_crash)
    relay.install()
    interrupt = Interrupt(app)
    if on_window is not None:
        on_window(window)
    window.show()
    if repairs:
        window.statusBar().showMessage(" ".join(map(tr, repairs)), 30_000)
    QTimer.singleShot(0, lambda: window.start([p.absolute() for p in paths]))
    code = app.exec()
    interrupt.remove()
    if window.stuck:  # asked, waited, and it does not come back: leave without tearing threads down
        os._exit(code)
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the windowed program: paths to open."""
    if argv is None:  # the process is the program's own
        warnings.simplefilter("ignore")  # libraries' warnings quote names of patients
    open_missing_streams()
    part_from_libraries()
    arguments = sys.argv[1:] if argv is None else argv
    return run([Path(a) for a in arguments])


if __name__ == "__main__":
    sys.exit(main())
