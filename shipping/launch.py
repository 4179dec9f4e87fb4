"""Where the frozen program starts: the command line, which opens the window where no command is given."""

import contextlib
import os
import sys
from pathlib import Path
from threading import Thread

READ_AHEAD = (
    "",
    "shiboken6",
    "PySide6/Qt/lib",
    "PySide6",
    "numpy/_core",
    "numpy.libs",
    "PIL",
    "pillow.libs",
    "PySide6/Qt/plugins/platforms",
    "cv2",  # for the first picture
)
"""Folders whose libraries the window needs, about in this order."""


def read_ahead() -> None:
    """Ask the system to read what the start needs: all of it, while Python is at work, and not piece by piece when it
    is wanted. Where nothing of it is in the system's cache, the window comes a tenth of a second earlier.
    """
    inside = Path(__file__).parent
    paths = [sys.executable]
    for folder in READ_AHEAD:
        with contextlib.suppress(OSError):
            paths += [file.path for file in os.scandir(inside / folder) if ".so" in file.name and file.is_file()]
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb") as file:  # noqa: PTH123 - each millisecond counts here
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)


if hasattr(os, "posix_fadvise"):  # not on Windows and macOS
    Thread(target=read_ahead, daemon=True).start()

from braintumor_desktop.cli import main

sys.exit(main())
