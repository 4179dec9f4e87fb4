"""Settings in the window: chosen, confirmed, remembered and, where damaged, left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSize
from pytestqt.qtbot import QtBot

from braintumor_desktop.storage.settings import load_settings
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.settings_dialog import SettingsDialog


def test_what_the_reader_switched_is_remembered_by_the_next_window(
    qtbot: QtBot, opened: MainWindow, settings_file: Path
) -> None:
    opened.actions_by_name["heatmap"].trigger()
    opened.actions_by_name["jet"].trigger()
    opened.overlay_bar.sliders["heatmap"].setValue(25)
    opened.close()
    settings, repairs = load_settings(settings_file)
    assert repairs == []
    assert (settings.show_heatmap, settings.colormap, settings.heatmap_opacity) == (True, "jet", 0.25)
    again = MainWindow(settings, lambda _m, _d: None, settings_file)  # type: ignore[arg-type, return-value]
    qtbot.addWidget(again)
    assert again.viewer.layers.heatmap
    assert again.overlay_bar.colormap.currentData() == "jet"
    assert again.overlay_bar.sliders["heatmap"].value() == 25


@pytest.mark.parametrize("damaged", ["é", "\ud800", "not base64!"])
def test_damaged_places_and_a_damaged_logo_in_the_settings_stop_neither_the_start_nor_the_settings(
    qtbot: QtBot, settings_file: Path, analyzer: Any, damaged: str
) -> None:
    settings_file.parent.mkdir()
    written = {"window_geometry": damaged, "splitter_state": damaged, "clinic_logo": f"iVBORw0K{damaged}"}
    settings_file.write_text(json.dumps({"version": 2, **written}))
    settings, _ = load_settings(settings_file)
    window = MainWindow(settings, lambda _m, _d: analyzer, settings_file)
    qtbot.addWidget(window)
    assert (window.size(), window.splitter.count()) == (QSize(1280, 700), 3)
    window.commands.edit_settings()
    dialog = window.findChild(SettingsDialog)
    assert isinstance(dialog, SettingsDialog)
    assert dialog.letterhead.logo.text() == "none"
    assert not dialog.letterhead.remove.isEnabled()
    dialog.reject()
    window.close()


def test_settings_confirmed_as_they_were_leave_the_model_ready(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: "ready on CPU" in window.model_label.text())
    window.commands.edit_settings()
    dialog = window.findChild(SettingsDialog)
    assert isinstance(dialog, SettingsDialog)
    dialog.accept()
    assert "Loading" in window.model_label.text()
    qtbot.waitUntil(lambda: "ready on CPU" in window.model_label.text())


def test_settings_chosen_in_the_dialog_are_used(qtbot: QtBot, window: MainWindow) -> None:
    window.actions_by_name["settings"].trigger()
    dialog = window.findChild(SettingsDialog)
    assert isinstance(dialog, SettingsDialog)
    qtbot.waitExposed(dialog)
    dialog.paper.setCurrentText("Letter")
    dialog.max_file.setValue(32)
    dialog.colormap.setCurrentIndex(dialog.colormap.findData("jet"))
    dialog.accept()
    assert (window.settings.paper, window.settings.max_file_mb) == ("Letter", 32)
    assert window.workspace.limits.max_file_bytes == 32 * 2**20
    assert window.viewer.layers.colormap == "jet"
