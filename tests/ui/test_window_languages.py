"""The window in each language, and in one that is not there: every text passes through the catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sentences
from PySide6.QtCore import QLocale, Qt, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from braintumor_desktop.language import use_language
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui.localisation import apply_language
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.settings_dialog import SettingsDialog

HEADER = (sentences.FOLDER / "en.po").read_text(encoding="utf-8").rstrip()
MNEMONIC = re.compile(r"&(\w)")


@pytest.fixture(autouse=True)
def english_again(qapp: QApplication) -> Iterator[None]:
    yield
    use_language("en")
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    QLocale.setDefault(QLocale.c())
    for translator in qapp.findChildren(QTranslator):
        qapp.removeTranslator(translator)
        translator.setParent(None)


@pytest.fixture
def pseudo(tmp_path: Path) -> None:
    """A language that runs from right to left, in which every sentence stands in brackets."""
    entries = []
    for one, other in sentences.sentences().items():
        forms = (f"⟦{one}⟧",) if other is None else (f"⟦{one}⟧", f"⟦{other}⟧")
        entries.append(sentences.entry(one, other, forms))
    header = HEADER.replace("X-Direction: ltr", "X-Direction: rtl")
    (tmp_path / "qps.po").write_text("\n\n".join([header, *entries]) + "\n", encoding="utf-8")
    assert use_language("qps", tmp_path).right_to_left


def made_window(qtbot: QtBot, analyzer: Any, settings_file: Path) -> MainWindow:
    window = MainWindow(Settings(), lambda _model, _device: analyzer, settings_file)
    qtbot.addWidget(window)
    window.resize(1366, 768)
    window.show()
    window.start()
    return window


def texts(widget: QWidget | QAction) -> list[str]:
    said = [widget.toolTip(), widget.statusTip()]
    if isinstance(widget, QWidget):
        said += [widget.accessibleName()]
    if isinstance(widget, QLabel | QAbstractButton | QAction):
        said.append(widget.text())
    if isinstance(widget, QMenu):
        said.append(widget.title())
    return said


def test_every_text_of_window_and_settings_passes_through_the_catalogue(
    pseudo: None,
    qtbot: QtBot,
    analyzer: Any,
    settings_file: Path,
    picture: Path,
    drop: Callable[..., bool],
    files: Callable[..., Any],
    settled: Callable[[MainWindow], bool],
) -> None:
    window = made_window(qtbot, analyzer, settings_file)
    drop(window, files(picture))
    qtbot.waitUntil(lambda: settled(window) and "⟦" in window.results.finding.text())
    dialog = SettingsDialog(window.settings, window)
    parts = [*window.findChildren(QWidget), *window.findChildren(QAction), *dialog.findChildren(QWidget)]
    inside_combos = {view for box in window.findChildren(QComboBox) for view in box.findChildren(QWidget)}
    plain = sorted(
        {
            text
            for part in parts
            if part not in inside_combos
            for text in texts(part)
            if re.search(r"[A-Za-z]{3}", text) and "⟦" not in text and not ALLOWED.search(text)
        }
    )
    window.close()
    assert plain == []


# Names of files, models and devices, hashes, sequences, colour maps, Qt's own words.
ALLOWED = re.compile(
    r"spot\.png|^test |test's map|SHA-256|^cpu$|^FLAIR$|^DWI$|[Cc]ividis|^qt_"
    r"|^(&?OK|&?Cancel|Apply|&?Close|Scroll Left|Scroll Right)$"
)


def test_a_language_from_right_to_left_mirrors_the_window_and_not_the_picture(
    qtbot: QtBot, qapp: QApplication, analyzer: Any, settings_file: Path, picture: Path, drop: Callable[..., bool],
    files: Callable[..., Any], settled: Callable[[MainWindow], bool],
) -> None:  # fmt: skip
    sides = {}
    for direction in (Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft):
        qapp.setLayoutDirection(direction)
        window = made_window(qtbot, analyzer, settings_file)
        drop(window, files(picture))
        qtbot.waitUntil(lambda window=window: settled(window))  # type: ignore[misc]
        viewer = window.area.viewer
        middle = viewer.mapTo(window, viewer.rect().center()).x()
        panel = window.case_panel.mapTo(window, window.case_panel.rect().center()).x()
        seen = viewer.grab().toImage()
        step = range(0, seen.width(), 2)
        bright = [x for x in step for y in range(0, seen.height(), 2) if seen.pixelColor(x, y).lightness() > 240]
        sides[direction] = panel < middle, sum(bright) / len(bright) < seen.width() / 2
        window.close()
    assert sides[Qt.LayoutDirection.LeftToRight] == (True, True)
    assert sides[Qt.LayoutDirection.RightToLeft] == (False, True)


@pytest.mark.parametrize("code", [*sorted(sentences.catalogues()), "en"])
def test_keys_and_mnemonics_of_a_menu_are_unique_and_the_window_fits_a_small_screen(
    qtbot: QtBot, qapp: QApplication, analyzer: Any, settings_file: Path, code: str
) -> None:
    apply_language(qapp, code)
    window = made_window(qtbot, analyzer, settings_file)
    groups = [[action.text() for action in window.menuBar().actions()]]
    groups += [[action.text() for action in menu.actions()] for menu in window.findChildren(QMenu)]
    for group in groups:
        letters = [found[1].lower() for text in group if (found := MNEMONIC.search(text))]
        assert len(letters) == len(set(letters)), group
    keys = [key.toString() for action in window.actions_by_name.values() for key in action.shortcuts()]
    assert len(keys) == len(set(keys)) > 40
    assert window.minimumSizeHint().width() <= 1366
    assert window.research_label.text().startswith("Research use only") == (code == "en")
    window.close()
