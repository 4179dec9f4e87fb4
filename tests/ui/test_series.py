"""Series from folders, archives and volumes: found by their headers, shown with the geometry their files give."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot

from braintumor_desktop.domain.byte_maps import ByteMaps
from braintumor_desktop.domain.study import MrSequence
from braintumor_desktop.imaging.phantom import Lesion, PhantomVolume, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti
from braintumor_desktop.reporting import build_report
from braintumor_desktop.reporting.provenance import Fact
from braintumor_desktop.ui import workspace as workspace_module
from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.view_area import Layout

Settled = Callable[[MainWindow], bool]


@pytest.fixture(scope="module")
def volume() -> PhantomVolume:
    return make_volume(5, (20, 48, 56), (6.0, 3.5, 3.0), Lesion(kind="homogeneous"))


@pytest.fixture
def series(tmp_path: Path, volume: PhantomVolume) -> Path:
    folder = tmp_path / "disc"
    write_dicom_series(volume, folder)
    return folder


def open_and_wait(qtbot: QtBot, window: MainWindow, settled: Settled, *paths: Path) -> None:
    before = len(window.workspace.model.cases)
    window.commands.open_paths(list(paths))
    qtbot.waitUntil(lambda: len(window.workspace.model.cases) > before and settled(window), timeout=20_000)
    qtbot.waitUntil(lambda: window.viewer.study is not None)


def test_a_folder_of_slices_is_one_case_with_its_facts(
    qtbot: QtBot, window: MainWindow, settled: Settled, series: Path, volume: PhantomVolume
) -> None:
    open_and_wait(qtbot, window, settled, series)
    (case,) = window.workspace.model.cases
    assert "20 slices" in case.facts
    assert window.viewer.study is not None
    assert window.viewer.study.pixels.shape == volume.pixels.shape
    end = window.viewer.transform.to_widget
    row_mm, column_mm = volume.spacing_mm[1:]
    size = end(QPointF(56, 48)) - end(QPointF(0, 0))
    assert size.x() / size.y() == pytest.approx(56 * column_mm / (48 * row_mm))


def test_folder_zip_volume_and_a_damaged_file_dropped_together_are_all_told(
    qtbot: QtBot, window: MainWindow, settled: Settled, series: Path, volume: PhantomVolume, tmp_path: Path
) -> None:
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        for number, file in enumerate(sorted(series.iterdir())):
            data = pydicom.dcmread(file)
            data.SeriesInstanceUID += ".9"
            data.SOPInstanceUID += f".{number}"
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
            data.save_as(tmp_path / "one.dcm")
            stream.write(tmp_path / "one.dcm", f"deep/{file.name}")
    nifti = write_nifti(volume, tmp_path / "volume.nii.gz")
    damaged = tmp_path / "cut.zip"
    damaged.write_bytes(archive.read_bytes()[:300])
    open_and_wait(qtbot, window, settled, series, archive, nifti, damaged)
    cases = window.workspace.model.cases
    assert [case.state for case in cases] == [CaseState.DONE, CaseState.DONE, CaseState.DONE, CaseState.FAILED]
    assert cases[3].name == "cut.zip"
    assert cases[3].error is not None
    assert window.notice.isVisible()
    assert cases[3].error.message in window.notice.sentence.text()


def test_the_first_window_is_the_files_own_and_percentiles_are_a_preset(
    qtbot: QtBot, window: MainWindow, settled: Settled, series: Path
) -> None:
    for file in series.iterdir():
        data = pydicom.dcmread(file)
        data.WindowCenter, data.WindowWidth = 300, 401
        data.save_as(file)
    open_and_wait(qtbot, window, settled, series)
    study = window.viewer.study
    assert study is not None
    assert study.window is not None
    shown = window.viewer.window_level
    assert (shown.low, shown.high) == study.window
    window.actions_by_name["window_auto"].trigger()
    expected = np.percentile(study.pixels, (1.0, 99.5))
    assert (window.viewer.window_level.low, window.viewer.window_level.high) == pytest.approx(tuple(expected))
    window.actions_by_name["window_file"].trigger()
    assert (window.viewer.window_level.low, window.viewer.window_level.high) == study.window


def test_a_listing_can_be_cancelled_and_leaves_no_case(
    qtbot: QtBot, window: MainWindow, series: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from braintumor_desktop.ui import reading

    began, list_inputs = threading.Event(), reading.list_inputs

    def slow(*args: Any, cancelled: Callable[[], bool], **named: Any) -> Any:
        began.set()
        named["progress"]("Reading headers", 0.3)
        while not cancelled():
            threading.Event().wait(0.005)
        return list_inputs(*args, cancelled=cancelled, **named)

    monkeypatch.setattr(reading, "list_inputs", slow)
    window.commands.open_paths([series])
    qtbot.waitUntil(lambda: began.is_set() and window.listing_bar.isVisible())
    assert window.actions_by_name["cancel"].isEnabled()
    window.listing_bar.cancel_button.click()
    qtbot.waitUntil(lambda: not window.listing_bar.isVisible())
    assert window.workspace.model.cases == []


def test_cancelling_stops_every_listing_that_was_asked_for(
    qtbot: QtBot, window: MainWindow, series: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from braintumor_desktop.ui import reading

    began, go_on = threading.Event(), threading.Event()
    list_inputs = reading.list_inputs

    def slow(*args: Any, **named: Any) -> Any:
        began.set()
        go_on.wait(10)
        return list_inputs(*args, **named)

    monkeypatch.setattr(reading, "list_inputs", slow)
    ended: list[bool] = []
    window.workspace.reader.listing_ended.connect(lambda: ended.append(True))
    window.commands.open_paths([series])
    qtbot.waitUntil(began.is_set)
    window.commands.open_paths([series])
    window.commands.cancel()
    go_on.set()
    qtbot.waitUntil(lambda: len(ended) == 2)
    assert window.workspace.model.cases == []
    window.commands.open_paths([series])
    qtbot.waitUntil(lambda: len(window.workspace.model.cases) == 1)


def test_a_sequence_the_model_does_not_know_is_said_and_can_be_corrected(
    qtbot: QtBot, window: MainWindow, settled: Settled, series: Path
) -> None:
    open_and_wait(qtbot, window, settled, series)
    window.actions_by_name["sequence_flair"].trigger()
    assert "FLAIR" in window.viewer.warning
    assert "T1 after contrast" in window.viewer.warning
    assert "FLAIR" in window.workspace.model.cases[0].facts
    window.actions_by_name[f"sequence_{MrSequence.T1_POST_CONTRAST.name.lower()}"].trigger()
    assert window.viewer.warning == ""


@pytest.mark.parametrize(("name", "told"), [("head_T2.nii", "taken from the file's name"), ("scout", "A localizer")])
def test_a_report_says_that_the_reader_corrected_the_sequence_and_nothing_against_it(
    qtbot: QtBot, window: MainWindow, settled: Settled, volume: PhantomVolume, tmp_path: Path, name: str, told: str
) -> None:
    path = tmp_path / name
    if path.suffix:
        write_nifti(volume, path)
    else:
        for file in write_dicom_series(volume, path):
            data = pydicom.dcmread(file)
            data.SeriesDescription = "localizer"
            data.save_as(file)
    open_and_wait(qtbot, window, settled, path)
    (case,) = window.workspace.model.cases
    assert case.analysis is not None
    assert told in " ".join(build_report(case.analysis).quality)
    window.actions_by_name["sequence_flair"].trigger()
    report = build_report(case.analysis)
    assert told not in " ".join(report.quality)
    assert Fact("Sequence", "FLAIR (as the reader says)") in report.provenance


def test_the_three_planes_show_one_point_of_the_patient(
    qtbot: QtBot, window: MainWindow, settled: Settled, series: Path
) -> None:
    open_and_wait(qtbot, window, settled, series)
    window.actions_by_name["layout_four"].trigger()
    area = window.area
    axial, coronal, sagittal = area.planes.values()
    axial.point_chosen.emit(QPointF(20.5, 17.5))
    assert axial.stack is not None
    point = axial.stack.patient_point(17.0, 20.0, axial.slice_index)
    assert point is not None
    for viewer in (coronal, sagittal, window.viewer):
        assert viewer.stack is not None
        place = viewer.stack.grid_point(point)
        assert place is not None
        assert viewer.slice_index == round(place[2])
    before = axial.slice_index
    window.go_to_slice(window.viewer.slice_index + 1)
    assert axial.slice_index > before
    assert window.slice_strip.accessibleDescription().startswith(f"Slice {window.viewer.slice_index + 1} of 20")
    window.actions_by_name["layout_one"].trigger()
    assert [viewer.isVisible() for viewer in area.viewers] == [True] + 7 * [False]


def test_a_picture_has_no_planes_to_offer(opened: MainWindow) -> None:
    assert not opened.actions_by_name["layout_three"].isEnabled()
    assert not opened.actions_by_name["layout_four"].isEnabled()
    assert opened.actions_by_name["layout_one"].isChecked()


def test_two_series_of_one_frame_of_reference_scroll_together(
    qtbot: QtBot, window: MainWindow, settled: Settled, series: Path, tmp_path: Path
) -> None:
    """The second series has every other slice of the first."""
    second = tmp_path / "second"
    second.mkdir()
    for number, file in enumerate(sorted(series.iterdir())):
        if number % 2 == 0:
            data = pydicom.dcmread(file)
            data.SeriesInstanceUID += ".2"
            data.SOPInstanceUID += ".2"
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
            data.save_as(second / file.name)
    open_and_wait(qtbot, window, settled, series, second)
    window.case_panel.choose(window.workspace.model.cases[0])
    window.actions_by_name["layout_beside"].trigger()
    area = window.area
    qtbot.waitUntil(lambda: area.beside.study is not None)
    assert area.arrangement is Layout.BESIDE
    for index in (4, 12):
        area.go_to(window.viewer, index)
        assert area.beside.slice_index == index // 2
    area.go_to(area.beside, 3)
    assert window.viewer.slice_index == 6
    window.actions_by_name["synchronise"].trigger()
    area.go_to(window.viewer, 12)
    assert area.beside.slice_index == 3


def test_playing_goes_through_the_slices_and_around(
    qtbot: QtBot, window: MainWindow, settled: Settled, series: Path
) -> None:
    open_and_wait(qtbot, window, settled, series)
    window.go_to_slice(18)
    window.view_commands.cine_speed(10)
    window.actions_by_name["cine"].trigger()
    qtbot.waitUntil(lambda: window.viewer.slice_index < 5)
    window.actions_by_name["cine"].trigger()
    still = window.viewer.slice_index
    qtbot.wait(80)
    assert window.viewer.slice_index == still


@pytest.fixture
def two_series(
    qtbot: QtBot, window: MainWindow, settled: Settled, series: Path, volume: PhantomVolume, tmp_path: Path
) -> tuple[Case, Case]:
    """Two series that were opened and answered, the first one chosen."""
    open_and_wait(qtbot, window, settled, series, write_nifti(volume, tmp_path / "volume.nii"))
    one, two = window.workspace.model.cases
    window.case_panel.choose(one)
    return one, two


def test_choosing_the_series_at_the_right_swaps_the_two(window: MainWindow, two_series: tuple[Case, Case]) -> None:
    one, two = two_series
    window.actions_by_name["layout_beside"].trigger()
    window.case_panel.choose(two)
    assert (window.viewer.study, window.area.beside.study) == (two.study, one.study)
    assert "not known whether the frame of reference is the same" in window.area.beside.warning
    window.actions_by_name["remove"].trigger()
    assert window.area.arrangement is Layout.ONE


def test_memory_is_not_saved_at_the_series_that_stands_at_the_right(
    qtbot: QtBot,
    window: MainWindow,
    settled: Settled,
    two_series: tuple[Case, Case],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = two_series
    window.actions_by_name["layout_beside"].trigger()
    window.case_panel.choose(two)
    monkeypatch.setattr(workspace_module, "MEMORY_BUDGET_BYTES", 0)
    window.actions_by_name["reanalyse"].trigger()
    qtbot.waitUntil(lambda: settled(window))
    assert window.area.other is one
    assert window.area.beside.study is one.study is not None


def test_each_volume_of_a_series_in_time_can_be_looked_at(
    qtbot: QtBot, window: MainWindow, settled: Settled, tmp_path: Path
) -> None:
    import nibabel

    volumes = np.random.default_rng(2).integers(0, 150, (40, 44, 12, 3)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volumes, np.diag([2.0, 2.0, 3.0, 1.0])), tmp_path / "series.nii")
    open_and_wait(qtbot, window, settled, tmp_path / "series.nii")
    case = window.workspace.model.cases[0]
    assert "volume 1 of 3" in case.facts
    for number in (1, 2, 0):
        window.actions_by_name["next_volume"].trigger()
        qtbot.waitUntil(lambda: settled(window) and case.study is not None and window.viewer.study is case.study)
        assert case.study is not None
        assert case.volume == number
        assert sorted(case.study.pixels.ravel()) == sorted(volumes[..., number].ravel())


def test_the_list_shows_the_volume_that_is_chosen(
    qtbot: QtBot, window: MainWindow, settled: Settled, tmp_path: Path
) -> None:
    import nibabel

    volumes = np.zeros((40, 40, 4, 2), np.int16)
    volumes[:20, ..., 0] = volumes[20:, ..., 1] = 100  # the bright half is another one in each
    nibabel.save(nibabel.Nifti1Image(volumes, np.diag([2.0, 2.0, 3.0, 1.0])), tmp_path / "series.nii")
    open_and_wait(qtbot, window, settled, tmp_path / "series.nii")
    case = window.workspace.model.cases[0]

    def bright_at_the_left() -> bool:
        picture = window.workspace.model.index_of(case).data(Qt.ItemDataRole.DecorationRole).toImage()
        left, right = (picture.pixelColor(x, picture.height() // 2).lightness() for x in (5, picture.width() - 5))
        assert left != right
        return bool(left > right)

    first = bright_at_the_left()
    for expected in (not first, first):
        window.actions_by_name["next_volume"].trigger()
        qtbot.waitUntil(lambda: settled(window) and case.study is not None and window.viewer.study is case.study)
        assert bright_at_the_left() is expected


@pytest.mark.parametrize("as_bytes", [True, False])
def test_the_heat_map_lies_at_the_same_place_of_the_patient_in_every_plane(
    qtbot: QtBot, window: MainWindow, settled: Settled, series: Path, as_bytes: bool
) -> None:
    open_and_wait(qtbot, window, settled, series)
    case = window.workspace.model.cases[0]
    assert case.analysis is not None
    assert case.analysis.explanation is not None
    hot = np.zeros(case.analysis.study.pixels.shape, np.float32)
    hot[8:12, 10:20, 30:44] = 1.0  # off the middle along every axis
    heatmap = ByteMaps((255 * hot).astype(np.uint8)) if as_bytes else hot
    case.analysis = replace(case.analysis, explanation=replace(case.analysis.explanation, heatmap=heatmap))
    window.actions_by_name["layout_four"].trigger()
    window.area.show_analysis(case)
    for name in ("contour", "fill", "heatmap", "diameters"):
        window.toggle_layer(name, name == "heatmap")
    window.set_opacity("heatmap", 1.0)
    window.choose_colormap("jet")
    affine = case.analysis.study.geometry.affine
    assert affine is not None
    for viewer in window.area.planes.values():
        assert viewer.stack is not None
        for voxel, is_hot in (((9.5, 14.5, 36.5), True), ((9.5, 14.5, 20.0), False), ((9.5, 30.0, 36.5), False)):
            index, row, column = voxel
            place = viewer.stack.grid_point((affine @ (column, row, index, 1.0))[:3])
            assert place is not None
            window.area.go_to(viewer, round(place[2]))
            at = viewer.transform.to_widget(QPointF(place[1] + 0.5, place[0] + 0.5)).toPoint()
            colour = viewer.grab().toImage().pixelColor(at)
            assert (colour.red() > 100 and colour.red() > colour.blue() + 60) == is_hot, (viewer.stack.plane, voxel)


def test_a_series_beside_whose_answer_was_let_go_gets_it_again(
    qtbot: QtBot,
    window: MainWindow,
    settled: Settled,
    two_series: tuple[Case, Case],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _one, two = two_series
    monkeypatch.setattr(workspace_module, "MEMORY_BUDGET_BYTES", 0)
    window.actions_by_name["reanalyse"].trigger()
    qtbot.waitUntil(lambda: settled(window))
    assert two.analysis is None
    window.actions_by_name["layout_beside"].trigger()
    qtbot.waitUntil(lambda: two.analysis is not None and window.area.beside.analysis is two.analysis)


def test_keys_stay_with_the_list_when_a_picture_without_planes_is_chosen_there(
    qtbot: QtBot, window: MainWindow, settled: Settled, series: Path, picture: Path
) -> None:
    open_and_wait(qtbot, window, settled, series, picture)
    one, two = window.workspace.model.cases
    window.activateWindow()
    window.case_panel.choose(one)
    window.actions_by_name["layout_four"].trigger()
    view = window.case_panel.view
    view.setFocus()
    window.case_panel.choose(two)
    assert window.area.arrangement is Layout.ONE
    assert view.hasFocus()
    window.case_panel.choose(one)
    window.actions_by_name["layout_four"].trigger()
    assert window.area.active.hasFocus()
    window.case_panel.choose(two)
    assert window.viewer.hasFocus()
