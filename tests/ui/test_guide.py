"""Help → User guide: the bundled file with its pictures, contents, links and search; its keys are the menus' own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAction, QImage, QTextDocument
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from braintumor_desktop.ui.guide import GuideDialog, anchor_of
from braintumor_desktop.ui.help_dialogs import MOUSE
from braintumor_desktop.ui.main_window import MainWindow

GUIDE = Path(__file__).parents[2] / "docs" / "USER_GUIDE.md"


@pytest.fixture
def guide(qtbot: QtBot, window: MainWindow) -> GuideDialog:
    assert window.actions_by_name["guide"].shortcut().toString() == "F1"
    window.actions_by_name["guide"].trigger()
    dialog = window.findChild(GuideDialog)
    assert isinstance(dialog, GuideDialog)
    qtbot.waitExposed(dialog)
    return dialog


def test_f1_shows_the_whole_guide_with_every_picture_and_leaves_the_window_usable(
    window: MainWindow, guide: GuideDialog
) -> None:
    assert not guide.isModal()
    text = guide.text.toPlainText()
    assert text.startswith("User guide")
    assert "journalctl" in text  # from its last section
    assert "<!--" not in text
    document = guide.text.document()
    for name in re.findall(r"\]\((guide/[^)]+)\)", GUIDE.read_text(encoding="utf-8")):
        picture = document.resource(QTextDocument.ResourceType.ImageResource.value, QUrl(name))
        assert isinstance(picture, QImage)
        assert 200 < picture.width() <= guide.text.viewport().width(), name
    window.actions_by_name["guide"].trigger()
    assert len(window.findChildren(GuideDialog)) == 1


def test_a_click_on_the_contents_or_on_a_link_goes_to_its_section(guide: GuideDialog) -> None:
    rows = [guide.contents.item(row).text().strip() for row in range(guide.contents.count())]
    guide.contents.setCurrentRow(rows.index("Error codes"))
    assert guide.text.textCursor().block().text() == "Error codes"
    below = guide.text.verticalScrollBar().value()
    guide.text.follow(QUrl("#keys-and-mouse"))
    assert guide.text.textCursor().block().text() == "Keys and mouse"
    assert 0 < guide.text.verticalScrollBar().value() < below


def test_every_link_within_the_guide_has_its_heading(guide: GuideDialog) -> None:
    anchors = [anchor_of(words) for _, words, _ in guide.text.headings()]
    linked = re.findall(r"\]\(#([^)]+)\)", GUIDE.read_text(encoding="utf-8"))
    assert linked
    assert [name for name in linked if anchors.count(name) != 1] == []


def test_another_document_opens_in_the_guide_and_the_way_back_leads_to_it(guide: GuideDialog) -> None:
    assert not guide.back.isEnabled()
    guide.text.follow(QUrl("DICOM.md"))
    assert guide.text.toPlainText().startswith("DICOM objects that the program writes")
    guide.back.click()
    assert guide.text.toPlainText().startswith("User guide")


@pytest.mark.parametrize(
    "link", ["https://example.org/DICOM.md", "../README.md", "file:///etc/passwd", "guide/start.png"]
)
def test_a_link_that_leads_elsewhere_is_not_followed(guide: GuideDialog, link: str) -> None:
    guide.text.follow(QUrl(link))
    assert guide.text.toPlainText().startswith("User guide")


def test_search_goes_from_place_to_place_and_says_when_there_is_none(qtbot: QtBot, guide: GuideDialog) -> None:
    qtbot.keyClicks(guide.search, "archive_encrypted")
    qtbot.keyClick(guide.search, Qt.Key.Key_Return)
    assert guide.text.textCursor().selectedText() == "archive_encrypted"
    assert not guide.told.text()
    qtbot.keyClick(guide.search, Qt.Key.Key_Return)  # the only place: from the top again
    assert guide.text.textCursor().selectedText() == "archive_encrypted"
    guide.search.setText("no such words anywhere")
    qtbot.keyClick(guide.search, Qt.Key.Key_Return)
    assert guide.told.text() == "Not found"


def test_enter_in_the_search_stays_in_the_document_that_is_open(qtbot: QtBot, guide: GuideDialog) -> None:
    guide.text.follow(QUrl("DICOM.md"))
    assert guide.back.isEnabled()
    guide.search.setFocus()
    qtbot.keyClicks(guide.search, "encapsulated pdf")
    qtbot.keyClick(guide.search, Qt.Key.Key_Return)
    assert guide.text.toPlainText().startswith("DICOM objects that the program writes")
    assert guide.text.textCursor().selectedText().lower() == "encapsulated pdf"


def test_the_guide_lists_every_move_of_the_mouse_and_the_keys_of_the_menus_and_no_other(window: MainWindow) -> None:
    section = GUIDE.read_text(encoding="utf-8").split("## Keys and mouse")[1].split("\n## ")[0]
    told = {
        (key, entry, tip) for key, entry, tip in re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", section, re.M)
    }
    menus = {
        (action.shortcut().toString(), " > ".join(path), action.statusTip())
        for menu in window.menuBar().actions()
        for path, action in _with_key(menu)
    }
    assert told == menus, "run `python3 dev.py screenshots`"
    assert [move for move, words in MOUSE if f"| {move} | {words} |" not in section] == []


def _with_key(action: QAction) -> Iterator[tuple[list[str], QAction]]:
    words = action.text().replace("&", "").removesuffix("…")
    menu = action.menu()
    if isinstance(menu, QMenu):
        for inner in menu.actions():
            yield from (([words, *path], found) for path, found in _with_key(inner))
    elif not action.shortcut().isEmpty():
        yield [words], action
