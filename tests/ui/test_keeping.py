"""A reading outlives the window: measurements, verdict, comment and the corrected sequence are there again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from reading_sessions import LINE, LONGER, press, read

from braintumor_desktop.domain.findings import QualityFlag
from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.storage.settings import Settings, load_settings
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.settings_dialog import SettingsDialog

Open = Callable[..., MainWindow]
Settled = Callable[[MainWindow], bool]


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


def copy_of(path: Path) -> Path:
    copy = path.with_stem("copy")
    copy.write_bytes(path.read_bytes())
    return copy


def test_the_same_series_twice_in_the_list_keeps_what_was_drawn_on_either(
    qtbot: QtBot, start: Open, stack: Path, settled: Callable[[MainWindow], bool]
) -> None:
    with start(stack) as window:
        window.commands.open_paths([copy_of(stack)])
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
        window.commands.open_paths([copy_of(stack)])
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
