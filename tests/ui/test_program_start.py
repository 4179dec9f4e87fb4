"""The whole program as a process: torch stays out of the way of the window, Ctrl+C ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "BRAINTUMOR_CONFIG_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }


def test_neither_torch_nor_the_pdf_library_is_loaded_to_make_the_window(tmp_path: Path) -> None:
    code = (
        "import sys; from braintumor_desktop import app; from braintumor_desktop.ui.main_window import MainWindow;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'fpdf', 'highdicom')))"
    )
    assert subprocess.run([sys.executable, "-c", code], env=environment(tmp_path), check=False).returncode == 0


START_AND_SAY_SO = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from braintumor_desktop import app
application = QApplication([])
QTimer.singleShot(300, lambda: print("up", flush=True))
sys.exit(app.run())
"""


def test_ctrl_c_closes_the_window_and_saves_the_settings(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", START_AND_SAY_SO],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert "QThread" not in errors
    assert (tmp_path / "settings.json").exists()
