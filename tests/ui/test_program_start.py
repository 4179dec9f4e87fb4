"""The whole program as a process: torch stays out of the way of the window, Ctrl+C ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from braintumor_desktop.imaging.sample import write_sample_picture

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


OPEN_BY_EVENT = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication
from braintumor_desktop import app

def watch(window):
    window.workspace.opened.connect(lambda paths: print(*(path.name for path in paths), flush=True))
    window.workspace.opened.connect(QApplication.closeAllWindows)
    QTimer.singleShot(0, lambda: QApplication.sendEvent(QApplication.instance(), QFileOpenEvent(sys.argv[1])))

sys.exit(app.run(on_window=watch))
"""


def test_a_file_that_macos_has_it_open_is_opened(tmp_path: Path) -> None:
    picture = write_sample_picture(tmp_path / "head of a patient.png")
    done = subprocess.run(
        [sys.executable, "-c", OPEN_BY_EVENT, str(picture)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "head of a patient.png\n"), done.stderr


FAIL_IN_THE_WINDOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from braintumor_desktop import app
from braintumor_desktop.ui.main_window import MainWindow

def look():
    (window,) = [each for each in QApplication.topLevelWidgets() if isinstance(each, MainWindow)]
    print(window.notice.isVisible(), flush=True)
    QApplication.closeAllWindows()

application = QApplication([])
QTimer.singleShot(300, lambda: 1 / 0)
QTimer.singleShot(600, look)
sys.exit(app.main([]))
"""


def test_an_unforeseen_error_is_shown_also_where_there_is_no_standard_error(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-c", FAIL_IN_THE_WINDOW],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "True\n")


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


WARN_IN_THE_WINDOW = """
import sys, warnings
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from braintumor_desktop import app
application = QApplication([])
QTimer.singleShot(300, lambda: warnings.warn("DOEJANE is unlikely to be a name"))
QTimer.singleShot(400, QApplication.closeAllWindows)
sys.exit(app.main())
"""


def test_a_library_s_warning_in_the_window_never_reaches_the_terminal(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WARN_IN_THE_WINDOW],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0
    assert "DOEJANE" not in done.stderr
