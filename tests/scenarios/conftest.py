"""The real window with the real model on a real X display."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui.appearance import apply_appearance
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.torch_preload import open_analyzer


@pytest.fixture
def screen() -> tuple[int, int]:
    """Width and height in pixels; a scenario may have a fixture of its own instead."""
    return 1366, 768


@pytest.fixture
def window(screen: tuple[int, int], qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    if QGuiApplication.platformName() != "xcb":
        pytest.skip("needs QT_QPA_PLATFORM=xcb")
    settings = Settings(device="cpu")
    apply_appearance(qapp, settings.appearance)
    made = MainWindow(settings, open_analyzer, tmp_path / "settings.json")
    qtbot.addWidget(made)
    made.setGeometry(0, 0, *screen)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()  # keys go to the active window only, and a bare X server has nobody else to say which
    qtbot.waitActive(made)
    assert (made.width(), made.height()) == screen  # nothing in it needs more room than the screen has
    made.start()
    yield made
    made.close()
    assert not made.workspace.running
