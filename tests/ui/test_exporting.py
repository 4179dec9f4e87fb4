"""Exports from the window: files on disk, and failures that cost nothing."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.main_window import MainWindow


def save_as(qtbot: QtBot, window: MainWindow, action: str, path: Path) -> None:
    """Trigger an export, name the file in its dialog, and wait for the end."""
    window.actions_by_name[action].trigger()
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    qtbot.waitExposed(dialog)
    dialog.fileSelected.emit(str(path))
    dialog.close()
    qtbot.waitUntil(lambda: window.findChild(QFileDialog) is None)


def saved(qtbot: QtBot, window: MainWindow, action: str, path: Path) -> Path:
    with qtbot.waitSignal(window.exporter.saved, timeout=20_000):
        save_as(qtbot, window, action, path)
    qtbot.waitUntil(lambda: window.statusBar().currentMessage() == f"Saved {path}")
    return path


def test_the_pdf_carries_the_finding_the_reader_s_words_and_the_banner(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    opened.results.reader.disagree.click()
    qtbot.keyClicks(opened.results.reader.comment, "Rather an artefact")
    path = saved(qtbot, opened, "pdf", tmp_path / "out.pdf")
    document = pdfium.PdfDocument(path)
    text = "\n".join(page.get_textpage().get_text_bounded() for page in document)
    document.close()
    assert "glioma" in text
    assert "Rather an artefact" in text
    assert RESEARCH_USE in text


def test_the_png_report_is_one_picture(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    path = saved(qtbot, opened, "png", tmp_path / "out.png")
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert min(image.size) > 600


def test_the_json_is_one_object_of_the_contract(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    path = saved(qtbot, opened, "json", tmp_path / "out.json")
    content = json.loads(path.read_text())
    assert content["finding"]["label"] == "glioma"
    assert content["segmentation"]["area_px"] == 400


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_the_json_of_a_file_whose_name_is_no_utf8_spells_it_as_the_command_line_does(
    qtbot: QtBot, window: MainWindow, settled: Callable[[MainWindow], bool], picture: Path, tmp_path: Path
) -> None:
    (folder := tmp_path / "in").mkdir()
    named = picture.rename(folder / os.fsdecode(b"\xc3\xa9 caf\xe9.png"))
    window.commands.open_paths([folder])
    qtbot.waitUntil(lambda: settled(window) and window.actions_by_name["json"].isEnabled())
    content = saved(qtbot, window, "json", tmp_path / "out.json").read_text(encoding="utf-8")
    assert json.loads(content)["path"] == str(named)
    assert "é caf\\udce9.png" in content


def test_the_mask_has_the_picture_s_own_size(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    path = saved(qtbot, opened, "mask", tmp_path / "the mask.png")
    mask = np.asarray(Image.open(path))
    assert mask.shape == (120, 160)
    assert (np.count_nonzero(mask == 255), np.count_nonzero(mask == 0)) == (400, 120 * 160 - 400)


def press(window: MainWindow, words: str) -> None:
    """A button of the question on the screen."""
    box = window.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    next(b for b in box.findChildren(QPushButton) if b.text().replace("&", "") == words).click()


@pytest.mark.parametrize(
    ("action", "typed"),
    [("mask", "smith 2024.01.15"), ("pdf", "smith 2024.01.15"), ("heatmap_file", "smith 2024.01.15.PNG")],
)
def test_a_name_with_dots_gets_its_ending_and_replaces_no_file_unasked(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, action: str, typed: str
) -> None:
    with qtbot.waitSignal(opened.exporter.saved, timeout=20_000):
        save_as(qtbot, opened, action, tmp_path / typed)
    (path,) = tmp_path.glob("smith*")
    assert path.name == f"smith 2024.01.15{'.pdf' if action == 'pdf' else '.png'}"
    path.write_bytes(b"earlier")
    save_as(qtbot, opened, action, tmp_path / typed)
    press(opened, "Cancel")
    qtbot.waitUntil(lambda: opened.findChild(QMessageBox) is None)
    assert opened.exporter.finish()
    assert path.read_bytes() == b"earlier"
    save_as(qtbot, opened, action, tmp_path / typed)
    with qtbot.waitSignal(opened.exporter.saved, timeout=20_000):
        press(opened, "Replace")
    assert path.read_bytes() != b"earlier"


def test_an_export_without_memory_says_so(qtbot: QtBot, opened: MainWindow) -> None:
    def draw() -> None:
        raise MemoryError

    outcomes: list[Any] = []
    opened.exporter.run(draw, outcomes.append)
    qtbot.waitUntil(lambda: bool(outcomes))
    assert outcomes[0].code == "out_of_memory"


def test_a_failed_export_is_told_and_nothing_is_lost(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked.pdf"
    blocked.mkdir()
    finding = opened.results.finding.text()
    save_as(qtbot, opened, "pdf", blocked)
    qtbot.waitUntil(opened.notice.isVisible, timeout=20_000)
    assert opened.notice.code.text() == "Code: export_failed"
    assert not opened.notice.retry.isVisible()
    assert opened.results.finding.text() == finding
    assert opened.viewer.study is not None
    saved(qtbot, opened, "pdf", tmp_path / "elsewhere.pdf")


def held(window: MainWindow) -> threading.Event:
    """Keeps the exporter's thread waiting until it is set."""
    gate = threading.Event()
    window.exporter.run(gate.wait, lambda _outcome: None)
    return gate


def test_an_export_begun_before_closing_is_finished(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    gate = held(opened)
    save_as(qtbot, opened, "pdf", tmp_path / "late.pdf")
    assert not opened.close()
    gate.set()
    qtbot.waitUntil(lambda: not opened.isVisible(), timeout=20_000)
    assert (tmp_path / "late.pdf").read_bytes().startswith(b"%PDF")


def test_nothing_can_be_exported_before_there_is_an_answer(
    qtbot: QtBot, window: MainWindow, corrupt: Path, drop: Callable[..., bool], files: Callable[..., Any]
) -> None:
    names = ("pdf", "png", "json", "mask", "heatmap_file")
    assert not any(window.actions_by_name[n].isEnabled() for n in names)
    data = files(corrupt)
    drop(window, data)
    qtbot.waitUntil(window.notice.isVisible)
    assert not any(window.actions_by_name[n].isEnabled() for n in names)


def test_a_save_that_fails_while_the_window_closes_is_told_in_a_window_that_stays(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / "blocked.pdf").mkdir()
    gate = held(opened)
    save_as(qtbot, opened, "pdf", tmp_path / "blocked.pdf")
    assert opened.statusBar().currentMessage() == "Saving…"
    assert not opened.close()
    gate.set()
    qtbot.waitUntil(opened.notice.isVisible, timeout=20_000)
    assert opened.notice.code.text() == "Code: export_failed"
    assert opened.statusBar().currentMessage() == ""
    saved(qtbot, opened, "pdf", tmp_path / "elsewhere.pdf")
    assert opened.isVisible()


def test_what_a_dialog_is_about_to_save_is_not_let_go_until_it_is_closed(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, crowded: Callable[[MainWindow], Case]
) -> None:
    opened.results.reader.disagree.click()
    opened.actions_by_name["json"].trigger()
    case = crowded(opened)
    dialog = opened.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    with qtbot.waitSignal(opened.exporter.saved, timeout=20_000):
        dialog.fileSelected.emit(str(tmp_path / "out.json"))
    content = json.loads((tmp_path / "out.json").read_text())
    assert (Path(content["path"]).name, content["reader"]["verdict"]) == ("spot.png", "disagree")
    dialog.close()
    crowded(opened)
    assert case.analysis is None


def test_a_file_is_replaced_by_the_case_that_was_asked_for_although_that_was_let_go_meanwhile(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, crowded: Callable[[MainWindow], Case]
) -> None:
    path = tmp_path / "smith 2024.json"
    path.write_bytes(b"earlier")
    save_as(qtbot, opened, "json", tmp_path / "smith 2024")
    assert crowded(opened).analysis is None
    with qtbot.waitSignal(opened.exporter.saved, timeout=20_000):
        press(opened, "Replace")
    assert Path(json.loads(path.read_text())["path"]).name == "spot.png"


def test_an_answer_that_is_gone_when_its_file_is_named_is_told(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    opened.actions_by_name["pdf"].trigger()
    opened.workspace.model.cases[0].let_go()
    dialog = opened.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "out.pdf"))
    dialog.close()
    assert opened.notice.code.text() == "Code: export_failed"
    assert "nothing was saved" in opened.notice.sentence.text()
