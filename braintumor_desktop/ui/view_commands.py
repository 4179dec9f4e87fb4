"""What the View and Measure menus do to the pictures: turning, windows, layouts, cine, measuring."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QKeyEvent

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.reader_measurements import MeasurementKind
from braintumor_desktop.imaging.brain_window import brain_window
from braintumor_desktop.imaging.turning import UPRIGHT, Turn
from braintumor_desktop.imaging.windowing import Window, full_window, robust_window
from braintumor_desktop.language import tr
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.view_area import TWO_SERIES, Layout
from braintumor_desktop.ui.viewer import Viewer

if TYPE_CHECKING:
    from braintumor_desktop.ui.main_window import MainWindow

TOOLS = {
    "length": MeasurementKind.LENGTH,
    "bidimensional": MeasurementKind.BIDIMENSIONAL,
    "angle": MeasurementKind.ANGLE,
    "ellipse": MeasurementKind.ELLIPSE,
    "freehand": MeasurementKind.FREEHAND,
}
LAYOUTS = {
    "layout_one": Layout.ONE,
    "layout_three": Layout.THREE,
    "layout_four": Layout.FOUR,
    "layout_beside": Layout.BESIDE,
    "layout_planes_beside": Layout.PLANES_BESIDE,
}
_ALWAYS = (
    *("fit", "one_to_one", "zoom_in", "zoom_out", "invert", "reset_view"),
    *("flip_across", "flip_down", "rotate_right", "rotate_left"),
    *("window_file", "window_auto", "window_full", "window_wide", "window_narrow", "window_brain"),
    *TOOLS,
)
_SLOWEST, _FASTEST = 2, 60
_HOW_TO_DRAW = phrase("Drag on the picture, or press Enter to place it in the middle; Esc puts it away")


class ViewCommands(QObject):
    """The actions on the pictures of a window, by what they do."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._cine = QTimer(self)
        self._cine.timeout.connect(self._next_frame)
        self.frames_a_second = 12

    @property
    def _viewer(self) -> Viewer:
        return self._window.area.active

    @property
    def _measured(self) -> Viewer:
        """The active viewer, unless it shows another series than the one that is measured."""
        area = self._window.area
        return next(v for v in area.viewers if v.isVisible()) if area.is_beside(area.active) else area.active

    @property
    def _case(self) -> Case | None:
        """The case that the active viewer shows."""
        area = self._window.area
        return area.other if area.is_beside(area.active) else self._window.workspace.shown

    def refresh(self) -> None:
        """Which actions make sense now, and which are on."""
        window, enable = self._window, self._window.menus.enable
        case, area, measuring = window.workspace.shown, window.area, window.measuring
        shown = case is not None and case.study is not None
        enable(_ALWAYS, shown)
        for name, layout in LAYOUTS.items():
            alone = Layout.THREE if layout is Layout.PLANES_BESIDE else Layout.ONE
            possible = (
                len(self._others()) > 0 and area.can_show(alone) if layout in TWO_SERIES else area.can_show(layout)
            )
            enable((name,), shown and possible)
            window.actions_by_name[name].setChecked(area.arrangement is layout)
        beside = area.arrangement in TWO_SERIES
        enable(("synchronise", "by_coordinates", "next_beside", "previous_beside"), beside)
        moving = shown and any(viewer.stack is not None and viewer.stack.slices > 1 for viewer in area.viewers)
        enable(("cine",), moving)
        enable(("cine_faster", "cine_slower"), self._cine.isActive())
        if not moving:
            self.run_cine(False)
        for name, tool in TOOLS.items():
            window.actions_by_name[name].setChecked(measuring.tool is tool)
        history = measuring.history
        if measuring.tool is None and window.statusBar().currentMessage() == tr(_HOW_TO_DRAW):
            window.statusBar().clearMessage()
        enable(("undo",), history is not None and history.can_undo)
        enable(("redo",), history is not None and history.can_redo)
        enable(("next_measurement", "delete_all_measurements"), history is not None and bool(history.current))
        enable(("next_handle", "delete_measurement"), measuring.selected is not None)
        enable(("sequence",), shown)

    # Lie, size, window

    def fit(self) -> None:
        self._viewer.fit()

    def one_to_one(self) -> None:
        self._viewer.one_to_one()

    def zoom(self, factor: float) -> None:
        self._viewer.zoom_by(factor)

    def invert(self, on: bool) -> None:
        for viewer in self._window.area.viewers:
            viewer.set_invert(on)

    def turn(self, change: Callable[[Turn], Turn]) -> None:
        """Flip or rotate the active view; pixels, masks and files stay as they are."""
        self._set_turn(change(self._viewer.turn))

    def _set_turn(self, turn: Turn) -> None:
        viewer, case, area = self._viewer, self._case, self._window.area
        viewer.set_turn(turn)
        if case is not None and viewer in (area.viewer, area.beside):
            case.turn = turn

    def reset_view(self) -> None:
        """First zoom, first window, upright and not inverted."""
        self._window.actions_by_name["invert"].setChecked(False)
        self.invert(False)
        self._set_turn(UPRIGHT)
        self._viewer.fit()
        self.preset_window("file")

    def preset_window(self, name: str) -> None:
        """file (as first shown), auto (percentiles), full, wide (twice auto), narrow (half of auto) or brain."""
        case = self._case
        if case is None or case.study is None or case.first_window is None:
            return
        pixels, first = case.study.pixels, case.first_window
        windows: dict[str, Callable[[], Window]] = {
            "file": lambda: first,
            "auto": lambda: robust_window(pixels),
            "full": lambda: full_window(pixels),
            "wide": lambda: _times(2.0, robust_window(pixels)),
            "narrow": lambda: _times(0.5, robust_window(pixels)),
            "brain": lambda: brain_window(pixels),
        }
        self._viewer.set_window(windows[name]())

    # Layout

    def arrange(self, layout: Layout) -> None:
        area = self._window.area
        if layout in TWO_SERIES and area.other not in self._others():
            self._show_beside(self._others()[0])
        area.arrange(layout)
        self.refresh()

    def step_beside(self, by: int) -> None:
        """Another case for the right side."""
        others, other = self._others(), self._window.area.other
        if others:
            at = others.index(other) + by if other in others else 0
            self._show_beside(others[at % len(others)])

    def synchronise(self, on: bool) -> None:
        self._window.area.synchronise(on)

    def by_coordinates(self, on: bool) -> None:
        self._window.area.synchronise_by_coordinates(on)

    def _show_beside(self, case: Case) -> None:
        self._window.workspace.fetch(case)
        self._window.area.show_beside(case)

    def _others(self) -> list[Case]:
        """The cases that could stand beside the one shown: those of its study, then the next in the list first."""
        cases, shown = self._window.workspace.model.cases, self._window.workspace.shown
        if shown is None or shown not in cases:
            return []
        at = cases.index(shown)
        others = [case for case in cases[at + 1 :] + cases[:at] if case.error is None]
        uid = None if shown.entry is None else shown.entry.study_uid
        return sorted(others, key=lambda c: uid is None or c.entry is None or c.entry.study_uid != uid)

    # Cine

    def run_cine(self, on: bool) -> None:
        """Go through the slices by themselves, from the last one on to the first."""
        if on:
            self._cine.start(round(1000 / self.frames_a_second))
        else:
            self._cine.stop()
        self._window.actions_by_name["cine"].setChecked(on)
        self._window.menus.enable(("cine_faster", "cine_slower"), on)

    def cine_speed(self, factor: float) -> None:
        self.frames_a_second = round(min(max(self.frames_a_second * factor, _SLOWEST), _FASTEST))
        self._cine.setInterval(round(1000 / self.frames_a_second))
        self._window.statusBar().showMessage(tr("{count} slices a second", count=self.frames_a_second), 3000)

    def _next_frame(self) -> None:
        viewer = self._viewer
        if viewer.stack is not None and viewer.stack.slices > 1:
            self._window.area.go_to(viewer, (viewer.slice_index + 1) % viewer.stack.slices)

    # Measuring

    def choose_tool(self, name: str, on: bool) -> None:
        self._window.measuring.choose(TOOLS[name] if on else None)
        if on:
            self._measured.setFocus()
            self._window.statusBar().showMessage(tr(_HOW_TO_DRAW))

    def delete_measurement(self) -> None:
        """The selected one, in whichever view it shows."""
        for viewer in self._measured_views():
            self._window.measuring.delete(viewer)

    def takes_key(self, event: QKeyEvent) -> bool:
        """Whether a key is for the measurements of a view, whatever has the focus."""
        return any(self._window.measuring.takes_key(viewer, event) for viewer in self._measured_views())

    def key(self, event: QKeyEvent) -> bool:
        """Do what such a key asks for; whether it was one."""
        measuring = self._window.measuring
        viewer = next((v for v in self._measured_views() if measuring.takes_key(v, event)), None)
        return viewer is not None and measuring.key(viewer, event)

    def _measured_views(self) -> list[Viewer]:
        """All that show the series that is measured."""
        area = self._window.area
        return [viewer for viewer in area.viewers if viewer.isVisible() and not area.is_beside(viewer)]

    def next_measurement(self) -> None:
        viewer = self._measured
        index = self._window.measuring.select_next(viewer)
        if index is not None:
            viewer.setFocus()
            if index != viewer.slice_index:
                self._window.area.go_to(viewer, index)


def _times(factor: float, window: Window) -> Window:
    return Window.of(window.level, factor * window.width)
