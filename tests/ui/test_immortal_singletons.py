"""A long session does not wear out Python's own None and True."""

from __future__ import annotations

import subprocess
import sys


def test_half_a_million_qt_calls_do_not_end_the_program() -> None:
    code = (
        "import braintumor_desktop.ui\n"
        "from PySide6.QtCore import QObject, QRect, Signal\n"
        "class Source(QObject):\n    told = Signal()\n"
        "source, other = Source(), QObject()\n"
        "source.told.connect(lambda: None)\n"
        "for _ in range(250_000):\n"
        "    other.setObjectName('')\n"
        "    source.told.emit()\n"
        "    QRect() == 3\n"
        "print('alive')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr
