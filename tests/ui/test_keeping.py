"""A reading outlives the window: measurements, verdict, comment and the corrected sequence are there again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from braintumor_desktop.domain.findings import QualityFlag
from braintumor_desktop.domain.reader_measurements import MeasurementKind, ReaderMeasurement
from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.storage.settings import Settings, load_settings
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.settings_dialog import SettingsDialog

Open = Callable[..., MainWindow]
Settled = Callable[[MainWindow], bool]
LINE = ReaderMeasurement(MeasurementKind.LENGTH, 2, ((20.0, 30.0), (60.0, 60.0)))
LONGER = ReaderMeasurement(MeasurementKind.LENGTH, 2, ((20.0, 30.0), (80.0, 60.0)))


@contextmanager
def program(
    qtbot: QtBot, analyzer: object, settings_file: Path, settled: Callable[[MainWindow], bool], path: Path, **set_: bool
) -> Iterator[MainWindow]:
    """The program from its start with a file to its end."""
    window = MainWindow(Settings(**set_), lambda _m, _d: analyzer, settings_file)  # type: ignore[arg-type, return-value]
    qtbot.addWidget(window)
    window.show()
    window.start([path])
    qtbot.waitUntil(lambda: settled(window) and window.results.reader.isVisible())
    yield window
    for case in window.workspace.model.cases:
        case.exported = case.reading  # so that nothing is asked
    window.close()


@pytest.fixture
def start(qtbot: QtBot, analyzer: object, settings_file: Path, settled: Callable[[MainWindow], bool]) -> Callable:  # type: ignore[type-arg]
    return lambda path, **set_: program(qtbot, analyzer, settings_file, settled, path, **set_)


def press(window: MainWindow, words: str) -> None:
    """A button of the question on the screen."""
    box = window.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    next(b for b in box.findChildren(QPushButton) if b.text().replace("&", "") == words).click()


def read(window: MainWindow, qtbot: QtBot) -> None:
    """As a reader would: two steps of a measurement, a verdict, a comment, another sequence."""
    case = window.workspace.model.cases[0]
    case.measured.change([LINE])
    case.measured.change([LONGER])
    window.measuring.changed.emit()
    window.results.reader.disagree.click()
    qtbot.keyClicks(window.results.reader.comment, "rather a cyst")
    window.actions_by_name["sequence_flair"].trigger()


def test_a_reading_is_there_again_when_the_series_is_opened_again(qtbot: QtBot, start: Open, stack: Path) -> None:
    with start(stack) as window:
        read(window, qtbot)
    moved = stack.rename(stack.with_name("other name.tif"))
    with start(moved) as window:
        case = window.workspace.model.cases[0]
        assert case.measured.current == (LONGER,)
        assert window.measuring.history is case.measured
        assert window.results.reader.disagree.isChecked()
        assert window.results.reader.comment.toPlainText() == "rather a cyst"
        assert case.study is not None
        assert case.analysis is not None
        assert case.study.sequence == case.analysis.study.sequence == "FLAIR"
        assert "FLAIR" in window.viewer.warning
        case.measured.change([LONGER, LINE])
        window.measuring.changed.emit()
        window.actions_by_name["undo"].trigger()
        assert case.measured.current == (LONGER,)
        assert not window.actions_by_name["undo"].isEnabled()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are Unicode")
def test_a_file_name_that_is_no_unicode_keeps_neither_settings_nor_reading_from_the_disk(
    qtbot: QtBot, start: Open, stack: Path, settings_file: Path
) -> None:
    odd = stack.rename(stack.with_name(os.fsdecode(b"M\xfcller.tif")))
    with start(odd) as window:
        read(window, qtbot)
    assert load_settings(settings_file)[0].recent == [str(odd)]
    with start(odd) as window:
        assert window.workspace.model.cases[0].measured.current == (LONGER,)


def test_changes_are_written_soon_and_not_only_at_the_end(
    qtbot: QtBot, start: Open, picture: Path, settings_file: Path
) -> None:
    with start(picture) as window:
        qtbot.keyClicks(window.results.reader.comment, "seen")
        folder = settings_file.parent / "readings"
        qtbot.waitUntil(lambda: folder.is_dir() and any("seen" in f.read_text() for f in folder.glob("*.json")))


def test_a_verdict_belongs_to_the_answer_of_the_model_that_gave_it(
    qtbot: QtBot, start: Open, picture: Path, analyzer: Any
) -> None:
    with start(picture) as window:
        window.results.reader.agree.click()
        case = window.workspace.model.cases[0]
        assert case.analysis is not None
        case.finish(replace(case.analysis, model=replace(case.analysis.model, sha256="cd" * 32)))
        assert case.verdict is None
    with start(picture) as window:
        assert window.workspace.model.cases[0].verdict == "agree"


def test_a_verdict_on_the_answer_of_one_look_is_another_than_on_the_usual_one(
    qtbot: QtBot, start: Open, picture: Path
) -> None:
    with start(picture) as window:
        case = window.workspace.model.cases[0]
        usual = case.analysis
        assert usual is not None
        hurried = replace(usual, quality=replace(usual.quality, flags=(QualityFlag("not_mirrored", ""),)))
        case.finish(hurried)
        case.verdict = "agree"
        case.finish(usual)
        assert case.verdict is None
        case.verdict = "disagree"
        assert case.verdicts[usual.model.sha256] == "disagree"  # as it was kept before answers were told apart
        case.finish(hurried)
        assert case.verdict == "agree"


def test_nothing_is_kept_nor_fetched_when_the_reader_does_not_want_it(
    qtbot: QtBot, start: Open, stack: Path, settings_file: Path
) -> None:
    with start(stack, keep_readings=False) as window:
        read(window, qtbot)
    assert not (settings_file.parent / "readings").exists()
    with start(stack) as window:
        read(window, qtbot)
    with start(stack, keep_readings=False) as window:
        assert window.workspace.model.cases[0].measured.current == ()
    with start(stack) as window:
        window.workspace.keeper.clear()
    assert list((settings_file.parent / "readings").iterdir()) == []


def test_a_damaged_reading_is_told_and_stops_nothing(
    qtbot: QtBot, start: Open, stack: Path, settings_file: Path
) -> None:
    with start(stack) as window:
        read(window, qtbot)
    (kept,) = (settings_file.parent / "readings").iterdir()
    kept.write_bytes(kept.read_bytes()[:90])
    with start(stack) as window:
        assert "damaged" in window.notice.sentence.text()
        assert window.workspace.model.cases[0].measured.current == ()


def test_a_folder_that_takes_no_readings_is_told_once(
    qtbot: QtBot, start: Open, picture: Path, settings_file: Path
) -> None:
    with start(picture) as window:
        (settings_file.parent / "readings").parent.mkdir(parents=True, exist_ok=True)
        (settings_file.parent / "readings").write_text("in the way")
        told: list[object] = []
        window.workspace.trouble.connect(lambda error, _case: told.append(error.code))
        for word in ("one", "two"):
            qtbot.keyClicks(window.results.reader.comment, word)
            window.workspace.keeper.flush()
        assert told == ["reading_not_kept"]


@pytest.fixture
def four_dimensional(tmp_path: Path) -> Path:
    """A series of two volumes."""
    volumes = np.random.default_rng(2).integers(0, 150, (40, 44, 6, 2)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volumes, np.diag([2.0, 2.0, 3.0, 1.0])), tmp_path / "series.nii")
    return tmp_path / "series.nii"


def test_each_volume_of_a_series_in_time_has_its_own_reading(qtbot: QtBot, start: Open, four_dimensional: Path) -> None:
    with start(four_dimensional) as window:
        case = window.workspace.model.cases[0]
        case.measured.change([LINE])
        for expected in ((), (LINE,)):
            window.actions_by_name["next_volume"].trigger()
            qtbot.waitUntil(lambda: case.analysis is not None and window.viewer.study is case.study)
            assert case.measured.current == expected


def test_another_volume_before_the_first_one_s_pixels_are_gone_takes_nothing_off_the_disk(
    qtbot: QtBot, start: Open, four_dimensional: Path, settings_file: Path
) -> None:
    with start(four_dimensional) as window:
        case = window.workspace.model.cases[0]
        case.measured.change([LINE])
        window.actions_by_name["next_volume"].trigger()
        window.workspace.keeper.keep([case])  # as the timer does, while the other volume is being read
        assert len(list((settings_file.parent / "readings").glob("*.json"))) == 1
        qtbot.waitUntil(lambda: case.analysis is not None and window.viewer.study is case.study)


def test_another_volume_asks_first_where_the_reading_would_be_lost(
    qtbot: QtBot, start: Open, four_dimensional: Path
) -> None:
    with start(four_dimensional, keep_readings=False) as window:
        case = window.workspace.model.cases[0]
        case.measured.change([LINE])
        window.actions_by_name["next_volume"].trigger()
        press(window, "Cancel")
        assert (case.volume, case.measured.current) == (0, (LINE,))
        qtbot.waitUntil(lambda: window.findChild(QMessageBox) is None)
        window.actions_by_name["next_volume"].trigger()
        press(window, "Keep")
        assert case.volume == 1
        for expected in ((), (LINE,)):
            qtbot.waitUntil(lambda: case.analysis is not None and window.viewer.study is case.study)
            assert case.measured.current == expected
            window.actions_by_name["previous_volume"].trigger()
        qtbot.waitUntil(lambda: case.analysis is not None and window.viewer.study is case.study)


def test_what_is_asked_about_is_what_goes_whatever_is_shown_by_then(
    qtbot: QtBot, start: Open, picture: Path, stack: Path, settled: Callable[[MainWindow], bool]
) -> None:
    with start(picture, keep_readings=False) as window:
        cases = window.workspace.model.cases
        asked, other = cases[0], window.workspace.open_read("other", stack, lambda _stopped: sample_picture())
        qtbot.waitUntil(lambda: settled(window))
        window.case_panel.choose(asked)
        asked.measured.change([LINE])
        window.actions_by_name["remove"].trigger()
        window.case_panel.choose(other)
        press(window, "Discard")
        assert cases == [other]


def test_another_volume_of_the_series_that_was_asked_about(
    qtbot: QtBot, start: Open, four_dimensional: Path, settled: Callable[[MainWindow], bool]
) -> None:
    with start(four_dimensional, keep_readings=False) as window:
        case = window.workspace.model.cases[0]
        other = window.workspace.open_read("other", four_dimensional, lambda _stopped: sample_picture())
        qtbot.waitUntil(lambda: settled(window))
        window.case_panel.choose(case)
        case.measured.change([LINE])
        window.actions_by_name["next_volume"].trigger()
        window.case_panel.choose(other)
        press(window, "Discard")
        assert (case.volume, other.volume) == (1, 0)
        qtbot.waitUntil(lambda: settled(window))


def test_a_reading_that_was_not_fetched_is_not_replaced_by_a_later_one(qtbot: QtBot, start: Open, stack: Path) -> None:
    with start(stack) as window:
        read(window, qtbot)
    with start(stack, keep_readings=False) as window:
        window.workspace.model.cases[0].measured.change([LINE])
        qtbot.keyClicks(window.results.reader.comment, "grown")
        assert not window.close()
        press(window, "Keep")
    with start(stack) as window:
        case = window.workspace.model.cases[0]
        assert case.measured.current == (LINE, LONGER)
        assert case.comment == "grown\nrather a cyst"
        assert case.verdict == "disagree"
        assert case.reading.sequence == "FLAIR"


def test_the_same_series_twice_in_the_list_keeps_what_was_drawn_on_either(
    qtbot: QtBot, start: Open, stack: Path, settled: Callable[[MainWindow], bool]
) -> None:
    with start(stack) as window:
        window.commands.open_paths([stack])
        cases = window.workspace.model.cases
        qtbot.waitUntil(lambda: len(cases) == 2 and settled(window))
        for case, drawn in zip(cases, (LINE, LONGER), strict=True):
            case.measured.change([drawn])
            window.workspace.keeper.keep([case])
        cases[1].measured.change([])
        window.workspace.keeper.keep(cases)
    with start(stack) as window:
        assert window.workspace.model.cases[0].measured.current == (LINE,)


def test_deleting_what_was_kept_asks_first(qtbot: QtBot) -> None:
    dialog = SettingsDialog(Settings())
    qtbot.addWidget(dialog)
    dialog.show()
    asked: list[bool] = []
    dialog.clear_readings_asked.connect(lambda: asked.append(True))
    for button, expected in ((QMessageBox.StandardButton.Cancel, []), (QMessageBox.StandardButton.Yes, [True])):
        dialog.clear_readings.click()
        question = dialog.findChildren(QMessageBox)[-1]
        question.button(button).click()
        assert asked == expected
        qtbot.waitUntil(lambda: not dialog.findChildren(QMessageBox))


def test_a_verdict_changed_on_one_row_of_a_series_is_not_turned_back_by_its_other_row(
    qtbot: QtBot, start: Open, stack: Path, settled: Callable[[MainWindow], bool]
) -> None:
    with start(stack) as window:
        window.results.reader.agree.click()
        window.workspace.keeper.flush()
        window.commands.open_paths([stack])
        cases = window.workspace.model.cases
        qtbot.waitUntil(lambda: len(cases) == 2 and settled(window) and cases[1].verdict == "agree")
        cases[1].verdict = "disagree"
        window.workspace.keeper.keep([cases[1]])
        cases[0].measured.change([LINE])
        window.workspace.keeper.keep([cases[0]])
    with start(stack) as window:
        case = window.workspace.model.cases[0]
        assert (case.verdict, case.measured.current) == ("disagree", (LINE,))


def test_joining_over_a_damaged_reading_says_so(qtbot: QtBot, start: Open, stack: Path, settings_file: Path) -> None:
    with start(stack) as window:
        read(window, qtbot)
    (kept,) = (settings_file.parent / "readings").iterdir()
    kept.write_bytes(kept.read_bytes()[:90])
    with start(stack, keep_readings=False) as window:
        qtbot.keyClicks(window.results.reader.comment, "grown")
        window.settings.keep_readings = True
        window.workspace.keeper.keep(window.workspace.model.cases)
        assert window.notice.code.text() == "Code: reading_damaged"
        assert "grown" in kept.read_text()


def test_a_reading_that_cannot_be_read_is_not_written_over(
    qtbot: QtBot, start: Open, stack: Path, settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_options: object) -> str:
        raise PermissionError("the share is gone")

    with start(stack) as window:
        read(window, qtbot)
    (kept,) = (settings_file.parent / "readings").iterdir()
    before = kept.read_bytes()
    with start(stack, keep_readings=False) as window:
        qtbot.keyClicks(window.results.reader.comment, "grown")
        window.settings.keep_readings = True
        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_text", refuse)
            window.workspace.keeper.keep(window.workspace.model.cases)
        assert window.notice.code.text() == "Code: reading_not_kept"
        assert kept.read_bytes() == before


def swapped(
    qtbot: QtBot, window: MainWindow, settled: Settled, crowded: Callable[[MainWindow], Case], path: Path, by: Path
) -> None:
    """The case shown is let go, its file replaced, and the case chosen again."""
    case = crowded(window)
    assert case.study is None
    path.write_bytes(by.read_bytes())
    window.notice.hide()
    window.case_panel.choose(case)
    qtbot.waitUntil(lambda: settled(window) and window.viewer.study is case.study is not None)
    qtbot.waitUntil(window.results.reader.isVisible)


def test_what_was_said_of_a_picture_stays_with_it_when_its_file_holds_another(
    qtbot: QtBot,
    start: Open,
    picture: Path,
    tmp_path: Path,
    settled: Settled,
    crowded: Callable[[MainWindow], Case],
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(picture.read_bytes())
    Image.fromarray(90 * np.eye(200, dtype=np.uint8)).save(second, "png")
    with start(picture) as window:
        case, reader = window.workspace.model.cases[0], window.results.reader
        read(window, qtbot)
        swapped(qtbot, window, settled, crowded, picture, second)
        assert window.notice.code.text() == "Code: file_changed"
        assert window.notice.sentence.text().startswith("The file of spot.png has changed since it was opened")
        assert case.analysis is not None
        assert case.analysis.study.pixels.shape == (1, 200, 200)
        assert case.headline == "No tumour, 97.0 %"
        assert not reader.disagree.isChecked()
        assert reader.comment.toPlainText() == ""
        assert window.measuring.history is case.measured
        assert case.reading.empty
        reader.agree.click()
        qtbot.keyClicks(reader.comment, "of the second")
        swapped(qtbot, window, settled, crowded, picture, first)
        assert (case.verdict, case.comment, case.measured.current) == ("disagree", "rather a cyst", (LONGER,))
        assert case.reading.sequence == "FLAIR"
        assert not window.notice.isHidden()
        swapped(qtbot, window, settled, crowded, picture, first)
        assert (case.verdict, window.notice.isHidden()) == ("disagree", True)
    with start(second) as window:
        case = window.workspace.model.cases[0]
        assert (case.verdict, case.comment, case.measured.current) == ("agree", "of the second", ())


def test_a_file_that_holds_another_picture_asks_where_the_reading_of_the_first_would_be_lost(
    qtbot: QtBot,
    start: Open,
    picture: Path,
    tmp_path: Path,
    settled: Settled,
    crowded: Callable[[MainWindow], Case],
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(picture.read_bytes())
    Image.fromarray(90 * np.eye(200, dtype=np.uint8)).save(second, "png")
    with start(picture, keep_readings=False) as window:
        read(window, qtbot)
        swapped(qtbot, window, settled, crowded, picture, second)
        assert window.workspace.model.cases[0].reading.empty
        press(window, "Keep")
    with start(first) as window:
        assert window.workspace.model.cases[0].comment == "rather a cyst"


def test_each_reading_whose_file_holds_another_picture_is_asked_about_and_esc_loses_none(
    qtbot: QtBot,
    start: Open,
    picture: Path,
    tmp_path: Path,
    settled: Settled,
    crowded: Callable[[MainWindow], Case],
) -> None:
    other = tmp_path / "other.png"
    Image.fromarray(60 * np.eye(100, dtype=np.uint8)).save(other)
    first, second, folder = tmp_path / "first", tmp_path / "second", tmp_path / "reports"
    first.write_bytes(picture.read_bytes())
    second.write_bytes(other.read_bytes())
    folder.mkdir()
    with start(picture, keep_readings=False) as window:
        window.workspace.open_paths([other])
        qtbot.waitUntil(lambda: len(window.workspace.model.cases) == 2 and settled(window))
        a, b = window.workspace.model.cases
        a.comment, b.comment = "of the first", "of the other"
        crowded(window)
        for path, size in ((picture, 200), (other, 220)):
            Image.fromarray(90 * np.eye(size, dtype=np.uint8)).save(path, "png")
        window.reports._check_folder(folder)
        qtbot.waitUntil(lambda: window.reports.batch is None and (folder / "summary.csv").exists(), timeout=30_000)
        (box,) = [each for each in window.findChildren(QMessageBox) if each.isVisible()]
        qtbot.keyClick(box, Qt.Key.Key_Escape)
        assert box.isVisible(), "the cases can't stay as they are"
        press(window, "Keep")
        qtbot.waitUntil(lambda: not [each for each in window.findChildren(QMessageBox) if each.isVisible()])
    for path, comment in ((first, "of the first"), (second, "of the other")):
        with start(path) as window:
            assert window.workspace.model.cases[0].comment == comment
