"""Measuring on the picture: drawn, changed, deleted, taken back; follows every turn and goes into the report."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from braintumor_desktop.domain.reader_measurements import MeasurementKind, ReaderMeasurement
from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.phantom_files import write_nifti
from braintumor_desktop.imaging.reformat import Plane
from braintumor_desktop.reporting import build_report
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.result_words import reader_measurements


def place(window: MainWindow, row: float, column: float) -> QPoint:
    """Where the centre of a pixel is on the screen."""
    return window.viewer.transform.to_widget(QPointF(column + 0.5, row + 0.5)).toPoint()


def drag(
    window: MainWindow,
    *points: tuple[float, float],
    key: Qt.Key | None = None,
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """With the left button. key, keys: pressed half-way to the last point."""
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    QTest.mousePress(window.viewer, left, none, place(window, *points[0]))
    for point in points[1:-1]:
        QTest.mouseMove(window.viewer, place(window, *point))
    if key is not None:
        (a, b), (c, d) = points[-2:]
        QTest.mouseMove(window.viewer, place(window, (a + c) / 2, (b + d) / 2))
        QTest.keyClick(window.viewer, key, keys)
    QTest.mouseMove(window.viewer, place(window, *points[-1]))
    QTest.mouseRelease(window.viewer, left, none, place(window, *points[-1]))


def drawn(window: MainWindow) -> tuple[ReaderMeasurement, ...]:
    return window.workspace.model.cases[0].measured.current


def near(points: tuple[tuple[float, float], ...], *expected: tuple[float, float]) -> bool:
    """To a screen pixel, which is about a third of a picture pixel here."""
    return bool(np.allclose(points, expected, atol=0.35))


def test_a_key_and_a_drag_measure_a_length_and_the_next_drag_moves_the_picture(
    qtbot: QtBot, opened: MainWindow
) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_L)
    drag(opened, (20, 30), (60, 60))
    (line,) = drawn(opened)
    assert line.kind is MeasurementKind.LENGTH
    assert near(line.points, (20, 30), (60, 60))
    QTest.mouseClick(opened.viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place(opened, 90, 120))
    before = opened.viewer.transform.to_widget(QPointF(0, 0))
    drag(opened, (90, 120), (80, 110))
    assert opened.viewer.transform.to_widget(QPointF(0, 0)) != before
    assert len(drawn(opened)) == 1


def test_words_of_measurements_hide_neither_each_other_nor_those_of_the_models_diameters(
    qtbot: QtBot, opened: MainWindow
) -> None:
    segmentation = opened.viewer.analysis.segmentation  # type: ignore[union-attr]
    longest = segmentation.diameters.longest  # type: ignore[union-attr]
    for _ in range(2):  # the reader measures what the model has measured, twice
        qtbot.keyClick(opened, Qt.Key.Key_L)
        drag(opened, longest.start, longest.end)
        qtbot.keyClick(opened, Qt.Key.Key_Escape)  # lets go of it, so that the next drag begins another
    assert len(drawn(opened)) == 2
    opened.viewer.grab()
    words = opened.viewer.words
    assert len(words) == 4
    assert not [(a, b) for a, b in itertools.combinations(words, 2) if a.intersects(b)]
    assert all(opened.viewer.rect().contains(place.toAlignedRect()) for place in words)


def test_each_tool_draws_its_kind(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_B)
    drag(opened, (20, 30), (20, 70))
    qtbot.keyClick(opened, Qt.Key.Key_E)
    drag(opened, (60, 20), (80, 60))
    qtbot.keyClick(opened, Qt.Key.Key_O)
    drag(opened, (60, 80), (60, 100), (80, 100), (80, 80))
    qtbot.keyClick(opened, Qt.Key.Key_A)
    drag(opened, (100, 20), (100, 60))
    QTest.mouseMove(opened.viewer, place(opened, 90, 60))
    QTest.mouseClick(opened.viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place(opened, 90, 60))
    kinds = [each.kind.name for each in drawn(opened)]
    assert kinds == ["BIDIMENSIONAL", "ELLIPSE", "FREEHAND", "ANGLE"]
    assert near(drawn(opened)[3].points, (100, 20), (100, 60), (90, 60))


def test_a_handle_changes_a_measurement_and_its_line_moves_it(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_L)
    drag(opened, (20, 30), (60, 70))
    drag(opened, (60, 70), (80, 70))
    assert near(drawn(opened)[0].points, (20, 30), (80, 70))
    drag(opened, (50, 50), (60, 60))
    assert near(drawn(opened)[0].points, (30, 40), (90, 80))


def test_deleting_undoing_and_redoing(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_L)
    drag(opened, (20, 30), (60, 70))
    first = drawn(opened)
    opened.viewer.setFocus()
    qtbot.keyClick(opened.viewer, Qt.Key.Key_Delete)
    assert drawn(opened) == ()
    assert len(opened.workspace.model.cases) == 1
    qtbot.keyClick(opened, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert drawn(opened) == first
    qtbot.keyClick(opened, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert drawn(opened) == ()
    assert not opened.actions_by_name["redo"].isEnabled()


def test_del_deletes_the_selected_measurement_wherever_the_focus_is_and_only_then_the_case(
    qtbot: QtBot, opened: MainWindow
) -> None:
    for widget in (opened.results, opened.case_panel.view):
        qtbot.keyClick(opened, Qt.Key.Key_L)
        drag(opened, (20, 30), (60, 70))
        widget.setFocus()
        qtbot.keyClick(widget, Qt.Key.Key_Delete)
        assert drawn(opened) == ()
        assert len(opened.workspace.model.cases) == 1
    qtbot.keyClick(widget, Qt.Key.Key_Delete)
    assert opened.workspace.model.cases == []


@pytest.mark.parametrize("key", [Qt.Key.Key_M, Qt.Key.Key_Escape, Qt.Key.Key_L], ids=["M", "Esc", "L"])
def test_a_key_during_a_drag_ends_it_and_no_other_measurement_is_written_over(
    qtbot: QtBot, opened: MainWindow, key: Qt.Key
) -> None:
    for row in (20, 60):
        qtbot.keyClick(opened, Qt.Key.Key_L)
        drag(opened, (row, 30), (row, 70))
    before = drawn(opened)
    assert len(before) == 2
    drag(opened, (60, 50), (70, 50), key=key)  # moves the second one
    assert drawn(opened) == before
    opened.measuring.choose(MeasurementKind.LENGTH)
    drag(opened, (90, 30), (90, 60), key=key)  # draws another
    assert drawn(opened) == before


def test_a_step_with_the_keys_during_a_drag_ends_the_drag(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_L)
    drag(opened, (60, 30), (60, 70))
    (line,) = drawn(opened)
    drag(opened, (60, 50), (70, 50), key=Qt.Key.Key_Up, keys=Qt.KeyboardModifier.ShiftModifier)
    assert drawn(opened) == (line.with_handle(1, (line.points[1][0] - 1, line.points[1][1])),)


def test_measuring_needs_no_mouse(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_L)
    qtbot.keyClick(opened.viewer, Qt.Key.Key_Return)
    (start, end) = drawn(opened)[0].points
    qtbot.keyClick(opened.viewer, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert drawn(opened)[0].points == (start, (end[0], end[1] + 1))
    qtbot.keyClick(opened, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(opened.viewer, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert drawn(opened)[0].points == ((start[0] + 1, start[1]), (end[0], end[1] + 1))


@pytest.mark.parametrize("action", ["flip_across", "flip_down", "rotate_right", "rotate_left"])
def test_a_turned_view_keeps_measurement_and_picture_together(qtbot: QtBot, opened: MainWindow, action: str) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_L)
    drag(opened, (20, 30), (60, 70))
    line = drawn(opened)[0]
    opened.actions_by_name[action].trigger()
    image = opened.viewer.grab().toImage()
    inside = place(opened, 40, 45)  # in the bright square that the picture has at rows 30..49, columns 40..59
    outside = place(opened, 55, 100)
    assert image.pixelColor(inside).value() > image.pixelColor(outside).value() + 60
    drag(opened, (60, 70), (80, 70))  # its handle is where the turned picture has it
    assert near(drawn(opened)[0].points, line.points[0], (80, 70))


def test_measurements_stay_with_their_case_and_slice(qtbot: QtBot, opened: MainWindow, stack: Path) -> None:
    opened.commands.open_paths([stack])
    qtbot.waitUntil(lambda: opened.viewer.study is not None and opened.viewer.study.slices == 5)
    case = opened.workspace.model.cases[1]
    qtbot.waitUntil(lambda: case.analysis is not None)
    opened.go_to_slice(2)
    bare = opened.viewer.grab().toImage()
    qtbot.keyClick(opened, Qt.Key.Key_L)
    drag(opened, (20, 30), (60, 70))
    assert [m.slice_index for m in case.measured.current] == [2]
    assert drawn(opened) == ()
    assert opened.viewer.grab().toImage() != bare
    opened.measuring.delete_all()
    assert opened.viewer.grab().toImage() == bare


@pytest.mark.parametrize("finished", [False, True])
def test_the_first_answer_leaves_the_slice_that_the_reader_measures_on(
    qtbot: QtBot,
    window: MainWindow,
    analyzer: Any,
    stack: Path,
    settled: Callable[[MainWindow], bool],
    finished: bool,
) -> None:
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    analyzer.gate = threading.Event()
    window.commands.open_paths([stack])
    qtbot.waitUntil(lambda: analyzer.began.is_set() and window.viewer.study is not None)
    first = window.viewer.slice_index
    window.actions_by_name["length"].trigger()
    QTest.mousePress(window.viewer, left, none, place(window, 20, 30))
    QTest.mouseMove(window.viewer, place(window, 40, 40))
    if finished:
        QTest.mouseRelease(window.viewer, left, none, place(window, 60, 60))
    analyzer.gate.set()
    qtbot.waitUntil(lambda: settled(window))
    if not finished:
        QTest.mouseRelease(window.viewer, left, none, place(window, 60, 60))
    assert [line.slice_index for line in drawn(window)] == [first]
    assert window.viewer.slice_index == window.workspace.model.cases[0].slice_index == first


def test_the_report_lists_what_the_reader_measured_in_pixels_where_the_file_has_no_millimetres(
    qtbot: QtBot, opened: MainWindow
) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_E)
    drag(opened, (30, 40), (49, 59))
    case = opened.workspace.model.cases[0]
    assert case.analysis is not None
    report = build_report(case.analysis, measurements=case.measured.current)
    (row,) = report.reader_measurements
    assert row.name == "1. Ellipse"
    assert "mean 250.0 · SD 0.0" in row.value
    assert "px²" in row.value
    assert build_report(case.analysis).reader_measurements == ()


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _widget: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_every_step_of_drawing_is_painted_at_once(qtbot: QtBot, opened: MainWindow) -> None:
    paints, left, none = Paints(opened.viewer), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier

    def painted_after(step: Callable[[], object]) -> bool:
        QApplication.processEvents()
        before = paints.count
        step()
        qtbot.waitUntil(lambda: paints.count > before, timeout=1000)
        return True

    opened.actions_by_name["length"].trigger()
    QTest.mousePress(opened.viewer, left, none, place(opened, 20, 30))
    assert painted_after(lambda: QTest.mouseMove(opened.viewer, place(opened, 40, 40)))
    assert painted_after(lambda: QTest.mouseRelease(opened.viewer, left, none, place(opened, 60, 60)))
    assert painted_after(opened.actions_by_name["undo"].trigger)


def test_a_measurement_is_neither_shown_nor_drawn_on_the_series_beside(
    qtbot: QtBot, opened: MainWindow, stack: Path, settled: Callable[[MainWindow], bool]
) -> None:
    opened.commands.open_paths([stack])
    qtbot.waitUntil(lambda: len(opened.workspace.model.cases) == 2 and settled(opened))
    opened.case_panel.choose(opened.workspace.model.cases[0])
    opened.actions_by_name["layout_beside"].trigger()
    beside = opened.area.beside
    qtbot.waitUntil(lambda: beside.study is not None)
    opened.area.go_to(beside, 0)  # where a measurement on the picture would show
    opened.viewer.setFocus()
    before = beside.grab().toImage()
    opened.actions_by_name["ellipse"].trigger()
    drag(opened, (30, 40), (60, 80))
    assert len(drawn(opened)) == 1
    assert beside.grab().toImage() == before

    opened.actions_by_name["length"].trigger()
    middle = beside.rect().center()
    QTest.mousePress(beside, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    QTest.mouseMove(beside, middle + QPoint(40, 20))
    QTest.mouseRelease(beside, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle + QPoint(40, 20))
    assert [case.measured.current for case in opened.workspace.model.cases] == [drawn(opened), ()]
    assert len(drawn(opened)) == 1


def test_keys_leave_a_measurement_alone_that_lies_on_another_slice(
    qtbot: QtBot, opened: MainWindow, stack: Path, settled: Callable[[MainWindow], bool]
) -> None:
    opened.commands.open_paths([stack])
    qtbot.waitUntil(lambda: len(opened.workspace.model.cases) == 2 and settled(opened))
    case = opened.workspace.model.cases[1]
    opened.case_panel.choose(case)
    opened.go_to_slice(1)
    opened.viewer.setFocus()
    qtbot.keyClick(opened, Qt.Key.Key_L)
    drag(opened, (20, 30), (60, 70))
    before = case.measured.current
    opened.go_to_slice(2)
    qtbot.keyClick(
        opened.viewer, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    opened.go_to_slice(2)
    qtbot.keyClick(opened, Qt.Key.Key_Backspace)
    assert len(before) == 1
    assert case.measured.current == before
    qtbot.keyClick(opened.viewer, Qt.Key.Key_Delete)
    assert case.measured.current == before
    assert case not in opened.workspace.model.cases


def test_an_angle_is_finished_on_the_plane_it_was_begun_on_and_the_panel_names_that(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, settled: Callable[[MainWindow], bool]
) -> None:
    window.commands.open_paths([write_nifti(make_volume(5, (20, 48, 56), (6.0, 3.5, 3.0), None), tmp_path / "v.nii")])
    qtbot.waitUntil(lambda: settled(window) and window.viewer.study is not None)
    window.actions_by_name["layout_three"].trigger()
    axial, coronal = window.area.planes[Plane.AXIAL], window.area.planes[Plane.CORONAL]
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    window.actions_by_name["angle"].trigger()
    start, corner, end = (axial.rect().center() + QPoint(x, y) for x, y in ((-60, 0), (0, 0), (40, -40)))
    QTest.mousePress(axial, left, none, start)
    QTest.mouseMove(axial, corner)
    QTest.mouseRelease(axial, left, none, corner)
    QTest.mouseMove(axial, end)
    QTest.mouseMove(coronal, coronal.rect().center() + QPoint(10, 50))
    QTest.mouseClick(coronal, left, none, coronal.rect().center() + QPoint(10, 50))
    (case,) = window.workspace.model.cases
    assert case.measured.current == ()
    QTest.mouseClick(axial, left, none, end)
    (angle,) = case.measured.current
    assert angle.plane == Plane.AXIAL.value
    third = axial.transform.to_picture(QPointF(end))
    assert np.allclose(angle.points[2], (third.y() - 0.5, third.x() - 0.5))
    ((name, _),) = reader_measurements(case)
    assert name == f"1. Angle · slice {axial.slice_index + 1}\naxial reformat"
    coronal.setFocus()
    window.actions_by_name["delete_measurement"].trigger()
    assert case.measured.current == (), "it is deleted in whichever view it shows"
