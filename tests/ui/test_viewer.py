"""The viewer's pixels: what the reader sees follows mouse, keys, window, overlays and geometry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QSizeF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging.windowing import Window, apply_window
from braintumor_desktop.ui.annotations import scale_bar
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.view_transform import ViewTransform
from braintumor_desktop.ui.viewer import Viewer


def pixels_of(widget: QWidget) -> NDArray[np.uint8]:
    """uint8 (rows, columns, 3) RGB of what a widget shows."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def study_of(pixels: NDArray[Any], **geometry: Any) -> Study:
    source = Source(Path("x.png"), "0" * 64, 1, InputKind.PICTURE, "PNG", 8, lossy=False)
    return Study(pixels, source, Geometry(**geometry))


@pytest.fixture
def viewer(qtbot: QtBot) -> Viewer:
    made = Viewer()
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    return made


def wheel(viewer: QWidget, at: QPointF, notches: float, keys: Qt.KeyboardModifier) -> None:
    delta = QPoint(0, round(120 * notches))
    button, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(at, viewer.mapToGlobal(at), QPoint(), delta, button, keys, phase, False)
    QApplication.sendEvent(viewer, event)


def drag(viewer: QWidget, button: Qt.MouseButton, start: QPoint, end: QPoint) -> None:
    none = Qt.KeyboardModifier.NoModifier
    QTest.mousePress(viewer, button, none, start)
    QTest.mouseMove(viewer, (start + end) / 2)
    QTest.mouseMove(viewer, end)
    QTest.mouseRelease(viewer, button, none, end)


def test_at_one_to_one_each_screen_pixel_is_the_windowed_picture_pixel(viewer: Viewer) -> None:
    pixels = np.random.default_rng(1).integers(0, 4000, (1, 100, 120)).astype(np.uint16)
    window = Window(500.0, 3000.0)
    viewer.show_study(study_of(pixels), window, 0)
    viewer.one_to_one()
    shown = pixels_of(viewer)
    corner = viewer.transform.to_widget(QPointF(0, 0))
    top, left = round(corner.y()), round(corner.x())
    inside = shown[top : top + 100, left : left + 120]
    np.testing.assert_array_equal(inside, np.repeat(apply_window(pixels[0], window)[..., None], 3, axis=2))


def test_inverting_swaps_black_and_white_of_the_picture_only(viewer: Viewer) -> None:
    viewer.show_study(study_of(np.full((1, 60, 60), 200, np.uint8)), Window(0.0, 255.0), 0)
    middle = (240, 320)
    assert tuple(pixels_of(viewer)[middle]) == (200, 200, 200)
    corner = tuple(pixels_of(viewer)[240, 5])
    viewer.set_invert(True)
    assert tuple(pixels_of(viewer)[middle]) == (55, 55, 55)
    assert tuple(pixels_of(viewer)[240, 5]) == corner


def test_a_right_drag_changes_width_and_level_and_the_pixels(viewer: Viewer, qtbot: QtBot) -> None:
    viewer.show_study(study_of(np.full((1, 60, 60), 100, np.uint8)), Window(0.0, 200.0), 0)
    assert tuple(pixels_of(viewer)[240, 320]) == (128, 128, 128)
    with qtbot.waitSignal(viewer.window_changed):
        drag(viewer, Qt.MouseButton.RightButton, QPoint(320, 240), QPoint(320, 300))  # down: higher level, darker
    assert viewer.window_level.width == pytest.approx(200.0)
    assert viewer.window_level.level == pytest.approx(100.0 + 2 * 200 * 60 / 480)
    assert pixels_of(viewer)[240, 320, 0] == apply_window(np.uint8([[100]]), viewer.window_level)[0, 0] < 128
    drag(viewer, Qt.MouseButton.RightButton, QPoint(320, 240), QPoint(480, 240))
    assert viewer.window_level.width == pytest.approx(200.0 * 1.5)


def test_dragging_far_to_the_left_never_makes_an_empty_window(viewer: Viewer) -> None:
    viewer.show_study(study_of(np.full((1, 60, 60), 100, np.uint8)), Window(0.0, 200.0), 0)
    for _ in range(12):
        drag(viewer, Qt.MouseButton.RightButton, QPoint(630, 240), QPoint(5, 240))
        assert viewer.window_level.width > 0


def test_the_wheel_zooms_to_the_cursor(viewer: Viewer) -> None:
    viewer.show_study(study_of(np.zeros((1, 100, 100), np.uint8)), Window(0.0, 1.0), 0)
    at = QPointF(200, 150)
    under = viewer.transform.to_picture(at)
    zoom = viewer.transform.zoom
    wheel(viewer, at, 3, Qt.KeyboardModifier.NoModifier)
    assert viewer.transform.zoom == pytest.approx(zoom * 1.25**3)
    still = viewer.transform.to_picture(at)
    assert (still.x(), still.y()) == pytest.approx((under.x(), under.y()))


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton])
def test_a_drag_moves_the_picture_with_the_hand(viewer: Viewer, button: Qt.MouseButton) -> None:
    viewer.show_study(study_of(np.zeros((1, 100, 100), np.uint8)), Window(0.0, 1.0), 0)
    before = viewer.transform.to_picture(QPointF(300, 200))
    drag(viewer, button, QPoint(300, 200), QPoint(340, 170))
    after = viewer.transform.to_picture(QPointF(340, 170))
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton])
def test_a_drag_ends_with_the_picture_it_began_on(viewer: Viewer, button: Qt.MouseButton) -> None:
    none = Qt.KeyboardModifier.NoModifier
    viewer.show_study(study_of(np.zeros((1, 40, 160), np.uint8)), Window(0.0, 1.0), 0)
    QTest.mousePress(viewer, button, none, QPoint(300, 200))
    viewer.show_study(study_of(np.zeros((1, 100, 100), np.uint8)), Window(0.0, 9.0), 0)
    shown = viewer.transform
    QTest.mouseMove(viewer, QPoint(340, 170))
    QTest.mouseRelease(viewer, button, none, QPoint(340, 170))
    assert (viewer.transform, viewer.window_level) == (shown, Window(0.0, 9.0))


def test_a_fitted_picture_stays_fitted_when_the_window_grows(viewer: Viewer) -> None:
    viewer.show_study(study_of(np.zeros((1, 100, 50), np.uint8)), Window(0.0, 1.0), 0)
    viewer.resize(900, 700)
    corner = viewer.transform.to_widget(QPointF(50, 100))
    assert corner.y() == pytest.approx(700 - 8)
    viewer.zoom_by(2.0)
    zoom = viewer.transform.zoom
    viewer.resize(640, 480)
    assert viewer.transform.zoom == zoom
    QTest.mouseDClick(viewer, Qt.MouseButton.LeftButton)
    assert viewer.transform.to_widget(QPointF(50, 100)).y() == pytest.approx(480 - 8)


def test_pixels_that_are_taller_than_wide_are_shown_so(viewer: Viewer) -> None:
    viewer.show_study(study_of(np.zeros((1, 40, 80), np.uint8), pixel_spacing_mm=(2.0, 1.0)), Window(0.0, 1.0), 0)
    end = viewer.transform.to_widget(QPointF(80, 40)) - viewer.transform.to_widget(QPointF(0, 0))
    assert end.x() == pytest.approx(end.y())


def test_a_large_picture_zoomed_out_keeps_its_brightness(viewer: Viewer) -> None:
    pixels = np.zeros((1, 6000, 5000), np.uint8)
    pixels[0, ::2] = 200  # a fine pattern, grey from afar
    viewer.show_study(study_of(pixels), Window(0.0, 200.0), 0)
    patch = pixels_of(viewer)[150:330, 250:390]
    assert abs(float(patch.mean()) - 127.5) < 3
    assert patch.std() < 6


def test_letters_stand_at_the_edges_only_where_orientation_is_known(viewer: Viewer) -> None:
    pixels = np.zeros((1, 100, 100), np.uint8)
    viewer.show_study(study_of(pixels), Window(0.0, 1.0), 0)
    unknown = pixels_of(viewer)
    viewer.show_study(study_of(pixels, orientation=("L", "P")), Window(0.0, 1.0), 0)
    known = pixels_of(viewer)
    edges = (slice(225, 255), slice(0, 40)), (slice(225, 255), slice(600, 640)), (slice(0, 30), slice(310, 340))
    for rows, columns in edges:
        assert unknown[rows, columns].max() < 30
        assert known[rows, columns].max() > 150


@pytest.mark.parametrize(
    ("width", "zoom", "column_mm", "expected"),
    [
        (800.0, 2.0, None, (200.0, "100 px")),
        (800.0, 2.0, 0.5, (200.0, "50 mm")),
        (800.0, 1.0, 1.0, (200.0, "200 mm")),
        (400.0, 64.0, None, (64.0, "1 px")),
    ],
)
def test_the_scale_bar_is_as_long_as_it_says(
    width: float, zoom: float, column_mm: float | None, expected: tuple[float, str]
) -> None:
    bar = scale_bar(width, zoom, column_mm)
    assert (bar.screen_px, bar.label) == expected


def test_the_view_never_loses_the_picture() -> None:
    view = ViewTransform(100, 100, QSizeF(640, 480)).fitted()
    for _ in range(50):
        view = view.moved(QPointF(500, 500)).zoomed(1.5, QPointF(10, 10))
    assert not view.visible().isEmpty()


# Overlays, on the window with the bright square of rows 30..49 and columns 40..59 of a picture of 120 by 160.


def at(window: MainWindow, row: float, column: float) -> tuple[int, int]:
    point = window.viewer.transform.to_widget(QPointF(column, row))
    return round(point.y()), round(point.x())


def only(window: MainWindow, *layers: str) -> NDArray[np.int16]:
    for name in ("contour", "fill", "heatmap", "diameters"):
        action = window.actions_by_name[name]
        if action.isChecked() != (name in layers):
            action.trigger()
    return pixels_of(window.viewer).astype(np.int16)


def test_each_key_flicks_its_overlay_on_and_off(qtbot: QtBot, opened: MainWindow) -> None:
    plain = only(opened)
    for key in (Qt.Key.Key_C, Qt.Key.Key_F, Qt.Key.Key_H, Qt.Key.Key_D):
        qtbot.keyClick(opened, key)
        assert not np.array_equal(pixels_of(opened.viewer), plain)
        qtbot.keyClick(opened, key)
        assert np.array_equal(pixels_of(opened.viewer), plain)


def test_the_contour_runs_along_the_edge_of_the_mask(opened: MainWindow) -> None:
    changed = np.abs(only(opened, "contour") - only(opened)).max(axis=2) > 20
    rows, columns = np.nonzero(changed)
    top, left = at(opened, 30, 40)
    bottom, right = at(opened, 50, 60)
    assert (abs(rows.min() - top), abs(rows.max() - bottom)) <= (3, 3)
    assert (abs(columns.min() - left), abs(columns.max() - right)) <= (3, 3)
    middle = at(opened, 40, 50)
    assert not changed[middle]


def test_the_fill_covers_the_mask_and_nothing_else(opened: MainWindow) -> None:
    changed = np.abs(only(opened, "fill") - only(opened)).max(axis=2) > 2
    top, left = at(opened, 30, 40)
    bottom, right = at(opened, 50, 60)
    expected = np.zeros_like(changed)
    expected[top:bottom, left:right] = True
    assert np.count_nonzero(changed != expected) <= 4 * (bottom - top + right - left) // 2


def test_the_heat_map_colours_follow_the_chosen_map(opened: MainWindow) -> None:
    from braintumor_desktop.imaging.overlay import colorize

    opened.overlay_bar.sliders["heatmap"].setValue(100)
    hot = at(opened, 10, 80)
    for name in ("cividis", "viridis", "jet"):
        opened.actions_by_name[name].trigger()
        shown = only(opened, "heatmap")
        expected = colorize(np.ones((1, 1)), name)[0, 0]
        assert np.abs(shown[hot] - expected).max() <= 2


def test_opacity_sliders_set_how_strongly_a_layer_shows(opened: MainWindow) -> None:
    plain = only(opened)
    inside = at(opened, 40, 50)
    strengths = []
    for value in (10, 50, 90):
        opened.overlay_bar.sliders["fill"].setValue(value)
        strengths.append(int(np.abs(only(opened, "fill")[inside] - plain[inside]).max()))
    assert strengths == sorted(set(strengths))


def test_space_shows_the_bare_picture_while_it_is_held(qtbot: QtBot, opened: MainWindow) -> None:
    bare = only(opened)
    shown = only(opened, "contour", "fill", "heatmap")
    qtbot.keyPress(opened.viewer, Qt.Key.Key_Space)
    assert np.array_equal(pixels_of(opened.viewer), bare)
    qtbot.keyRelease(opened.viewer, Qt.Key.Key_Space)
    assert np.array_equal(pixels_of(opened.viewer), shown)


def test_overlays_come_back_where_space_is_let_go_of_elsewhere_and_with_another_case(
    qtbot: QtBot, opened: MainWindow
) -> None:
    shown = only(opened, "contour", "fill")
    for go_elsewhere in (opened.case_panel.view.setFocus, lambda: opened.show_case(opened.workspace.shown)):
        opened.viewer.setFocus()
        qtbot.keyPress(opened.viewer, Qt.Key.Key_Space)
        assert not np.array_equal(pixels_of(opened.viewer), shown)
        go_elsewhere()
        assert np.array_equal(pixels_of(opened.viewer), shown)


def test_reset_view_brings_back_zoom_window_and_polarity(qtbot: QtBot, opened: MainWindow) -> None:
    before = pixels_of(opened.viewer)
    opened.viewer.zoom_by(4.0, QPointF(30, 30))
    opened.actions_by_name["invert"].trigger()
    opened.actions_by_name["window_narrow"].trigger()
    assert not np.array_equal(pixels_of(opened.viewer), before)
    qtbot.keyClick(opened, Qt.Key.Key_R)
    assert np.array_equal(pixels_of(opened.viewer), before)


def test_window_presets_change_what_is_black_and_white(opened: MainWindow) -> None:
    opened.actions_by_name["window_full"].trigger()
    assert (opened.viewer.window_level.low, opened.viewer.window_level.high) == (20.0, 250.0)
    opened.actions_by_name["window_auto"].trigger()
    auto = opened.viewer.window_level
    opened.actions_by_name["window_wide"].trigger()
    assert opened.viewer.window_level.width == pytest.approx(2 * auto.width)
    opened.actions_by_name["window_narrow"].trigger()
    assert opened.viewer.window_level.width == pytest.approx(auto.width / 2)


@pytest.fixture
def opened_stack(
    qtbot: QtBot,
    window: MainWindow,
    stack: Path,
    drop: Callable[..., bool],
    files: Callable[..., Any],
    settled: Callable[..., bool],
) -> MainWindow:
    data = files(stack)
    drop(window, data)
    qtbot.waitUntil(lambda: settled(window) and window.slice_strip.isVisible())
    return window


def test_a_stack_opens_on_its_key_slice_with_a_strip(opened_stack: MainWindow) -> None:
    assert opened_stack.viewer.slice_index == 3
    assert opened_stack.slice_strip.isVisible()


def test_a_single_picture_has_no_strip(opened: MainWindow) -> None:
    assert not opened.slice_strip.isVisible()


def test_a_click_on_the_strip_goes_to_that_slice(qtbot: QtBot, opened_stack: MainWindow) -> None:
    strip = opened_stack.slice_strip
    for index in (0, 4, 2):
        qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.bar_centre(index).toPoint())
        assert opened_stack.viewer.slice_index == index
    assert opened_stack.workspace.model.cases[0].slice_index == 2


def test_keys_and_wheel_go_through_a_stack_and_stop_at_its_ends(qtbot: QtBot, opened_stack: MainWindow) -> None:
    viewer = opened_stack.viewer
    for key, expected in (
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_PageUp, 0),
        (Qt.Key.Key_PageDown, 1),
        (Qt.Key.Key_Down, 2),
        (Qt.Key.Key_Up, 1),
        (Qt.Key.Key_End, 4),
        (Qt.Key.Key_PageDown, 4),
    ):
        qtbot.keyClick(viewer, key)
        assert viewer.slice_index == expected
    zoom = viewer.transform.zoom
    wheel(viewer, QPointF(50, 50), 1, Qt.KeyboardModifier.NoModifier)
    assert (viewer.slice_index, viewer.transform.zoom) == (3, zoom)
    wheel(viewer, QPointF(50, 50), 1, Qt.KeyboardModifier.ControlModifier)
    assert viewer.slice_index == 3
    assert viewer.transform.zoom > zoom


def test_overlays_belong_to_their_slice(qtbot: QtBot, opened_stack: MainWindow) -> None:
    outlined = only(opened_stack, "contour")
    bare = only(opened_stack)
    assert not np.array_equal(outlined, bare)
    qtbot.keyClick(opened_stack.viewer, Qt.Key.Key_Home)
    assert np.array_equal(only(opened_stack, "contour"), only(opened_stack))
