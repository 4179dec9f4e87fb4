"""The middle of the window: one viewer, three linked planes, both, or two series side by side."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.reformat import Plane, can_reformat, reformatted
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.language import tr
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.layers import Layers
from braintumor_desktop.ui.result_words import sequence_warning
from braintumor_desktop.ui.viewer import Grip, Viewer

PLANES = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
_GAP = 3


class Layout(Enum):
    """The value is what menus say."""

    ONE = phrase("&One view")
    THREE = phrase("&Three planes")
    FOUR = phrase("Three planes and the &series")
    BESIDE = phrase("Side &by side")


class ViewArea(QWidget):
    """Viewers that show the same patient point.

    viewer: the series as acquired; planes: its reformats; beside: another series.
    slice_shown: the viewer as acquired shows another slice; window_changed: of the case shown.
    """

    slice_shown = Signal(int)
    window_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = Layers()
        self.viewer = Viewer(layers=self.layers)
        self.planes = {plane: Viewer(layers=self.layers) for plane in PLANES}
        self.beside = Viewer(layers=self.layers)
        self.arrangement = Layout.ONE
        self.synchronised = True
        self._case: Case | None = None
        self._other: Case | None = None
        self._point: NDArray[np.float64] | None = None
        self._planes_show: Study | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        for plane, viewer in self.planes.items():
            viewer.setAccessibleName(tr("{plane} plane", plane=tr(plane.value)))
        self.beside.setAccessibleName(tr("Series beside"))
        for viewer in self.viewers:
            viewer.setParent(self)
            viewer.slice_asked.connect(lambda index, viewer=viewer: self.go_to(viewer, index))
            viewer.point_chosen.connect(lambda at, viewer=viewer: self._choose_point(viewer, at))
            viewer.window_changed.connect(lambda window, viewer=viewer: self._set_window(viewer, window))
        self.arrange(Layout.ONE)

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        return (self.viewer, *self.planes.values(), self.beside)

    @property
    def active(self) -> Viewer:
        """The viewer that keys and menus act on."""
        return next((v for v in self.viewers if v.hasFocus() and v.isVisible()), self._visible()[0])

    def set_grip(self, grip: Grip) -> None:
        """What takes hold of the pictures of the case shown; the series beside it is another case's."""
        for viewer in (self.viewer, *self.planes.values()):
            viewer.grip = grip

    def update_views(self) -> None:
        """Paint all anew, after the overlays changed."""
        for viewer in self.viewers:
            viewer.update()

    def can_show(self, layout: Layout) -> bool:
        """Whether the case shown has what a layout needs."""
        if self._case is None or self._case.study is None:
            return False
        if layout in (Layout.THREE, Layout.FOUR):
            return can_reformat(self._case.study)
        return layout is Layout.ONE or self._other is not None

    def arrange(self, layout: Layout) -> None:
        """Lay the viewers out."""
        self.arrangement = layout
        for viewer in self.viewers:
            self._grid.removeWidget(viewer)
        axial, coronal, sagittal = self.planes.values()
        places: dict[Layout, list[tuple[Viewer, int, int]]] = {
            Layout.ONE: [(self.viewer, 0, 0)],
            Layout.THREE: [(axial, 0, 0), (coronal, 0, 1), (sagittal, 0, 2)],
            Layout.FOUR: [(axial, 0, 0), (sagittal, 0, 1), (coronal, 1, 0), (self.viewer, 1, 1)],
            Layout.BESIDE: [(self.viewer, 0, 0), (self.beside, 0, 1)],
        }
        laid = places[layout]
        for viewer, row, column in laid:
            self._grid.addWidget(viewer, row, column)
        for line in range(3):
            self._grid.setRowStretch(line, int(any(row == line for _, row, _ in laid)))
            self._grid.setColumnStretch(line, int(any(column == line for _, _, column in laid)))
        shown = [viewer for viewer, _, _ in laid]
        for viewer in self.viewers:
            viewer.setVisible(viewer in shown)
            viewer.brief = layout in (Layout.THREE, Layout.FOUR)
            viewer.framed = len(shown) > 1
            viewer.update()
        self._fill_planes()
        self._fill_beside()
        self._share_point()
        if not any(viewer.hasFocus() for viewer in shown):
            shown[0].setFocus()

    def show_case(self, case: Case | None) -> None:
        """Another case, or the same one with more known of it. Falls back to one view where planes are not possible."""
        changed = case is not self._case
        if case is not None and case is self._other:  # what stood at the right comes to the left, and the other way
            self._other = self._case
        self._case = case
        self._planes_show = None
        if case is None or case.study is None or case.window is None:
            self._point = None
            for viewer in self.viewers:
                viewer.clear()
            return
        self.viewer.warning = sequence_warning(case.study)
        self.viewer.show_study(case.study, case.window, case.slice_index, turn=case.turn, title=case.name)
        self.viewer.show_analysis(case.analysis)
        if changed:
            self._point = None
        if not self.can_show(self.arrangement):
            self.arrange(Layout.ONE)
            return
        self._fill_planes()
        self._fill_beside()
        self._share_point()

    def show_analysis(self, case: Case) -> None:
        for viewer in (self.viewer, *self.planes.values()):
            if viewer.study is not None:
                viewer.show_analysis(case.analysis)

    def show_beside(self, case: Case | None) -> None:
        """Which case goes to the right side of the layout side by side."""
        self._other = case
        self._fill_beside()
        self.update_views()
        if case is None and self.arrangement is Layout.BESIDE:
            self.arrange(Layout.ONE)

    @property
    def other(self) -> Case | None:
        return self._other

    def go_to(self, viewer: Viewer, index: int) -> None:
        """Another slice in one viewer; the others follow where they show the same patient."""
        viewer.show_slice(index)
        if viewer.stack is not None and self._point is not None and viewer is not self.beside:
            place = viewer.stack.grid_point(self._point)
            if place is not None:
                self._point = viewer.stack.patient_point(place[0], place[1], viewer.slice_index)
        self._follow(viewer)

    def synchronise(self, on: bool) -> None:
        """Whether the two series side by side are scrolled together."""
        self.synchronised = on
        self._follow(self.viewer)

    def same_frame(self) -> bool:
        """Whether the two series side by side share the patient's coordinates (DICOM frame of reference)."""
        studies = [case.study for case in (self._case, self._other) if case is not None and case.study is not None]
        if len(studies) < 2:
            return False
        frames = [study.geometry.frame_of_reference_uid for study in studies]
        known = all(study.geometry.affine is not None for study in studies)
        return known and frames[0] is not None and frames[0] == frames[1]

    def _visible(self) -> list[Viewer]:
        order = {
            Layout.ONE: [self.viewer],
            Layout.THREE: [*self.planes.values()],
            Layout.FOUR: [*self.planes.values(), self.viewer],
            Layout.BESIDE: [self.viewer, self.beside],
        }
        return order[self.arrangement]

    def _fill_planes(self) -> None:
        case = self._case
        wanted = self.arrangement in (Layout.THREE, Layout.FOUR)
        if not wanted or case is None or case.study is None or case.window is None or not can_reformat(case.study):
            return
        if self._planes_show is not case.study:
            for plane, viewer in self.planes.items():
                stack = reformatted(case.study, plane)
                viewer.show_study(case.study, case.window, stack.slices // 2, stack=stack, title=case.name)
                viewer.show_analysis(case.analysis)
                viewer.invert = self.viewer.invert
            self._planes_show = case.study
        if self._point is None:
            self._point = _centre(case.study, self.viewer.slice_index)

    def _fill_beside(self) -> None:
        case = self._other
        if case is None or case.study is None or case.window is None:
            self.beside.clear()
            return
        if self.beside.study is not case.study:
            self.beside.show_study(case.study, case.window, case.slice_index, turn=case.turn, title=case.name)
            self.beside.show_analysis(case.analysis)
            self.beside.invert = self.viewer.invert
        self._follow(self.viewer)
        words = "" if self.same_frame() else tr("Not synchronised: another frame of reference")
        self.beside.warning = words
        self.beside.update()

    def _choose_point(self, viewer: Viewer, at: QPointF) -> None:
        if viewer.stack is not None:
            self._point = viewer.stack.patient_point(at.y() - 0.5, at.x() - 0.5, viewer.slice_index)
            self._share_point(except_for=viewer)

    def _follow(self, moved: Viewer) -> None:
        if moved is self.viewer:
            self.slice_shown.emit(moved.slice_index)
        if self.arrangement is Layout.BESIDE:
            self._scroll_together(moved)
        else:
            self._share_point(except_for=moved)

    def _scroll_together(self, moved: Viewer) -> None:
        other = self.beside if moved is self.viewer else self.viewer
        if not (self.synchronised and self.same_frame()) or moved.stack is None or other.stack is None:
            return
        middle = moved.stack.patient_point(moved.stack.rows / 2, moved.stack.columns / 2, moved.slice_index)
        place = None if middle is None else other.stack.grid_point(middle)
        if place is not None:
            other.show_slice(round(place[2]))
            if other is self.viewer:
                self.slice_shown.emit(other.slice_index)

    def _share_point(self, except_for: Viewer | None = None) -> None:
        """Slices and crosshairs where the point is; no crosshair in a view on its own."""
        linked = self.arrangement in (Layout.THREE, Layout.FOUR) and self._point is not None
        for viewer in (self.viewer, *self.planes.values()):
            if not linked or self._point is None or viewer.stack is None:
                viewer.show_crosshair(None)
                continue
            place = viewer.stack.grid_point(self._point)
            if place is None:
                viewer.show_crosshair(None)
                continue
            row, column, index = place
            if viewer is not except_for and round(index) != viewer.slice_index:
                viewer.show_slice(round(index))
                if viewer is self.viewer:
                    self.slice_shown.emit(viewer.slice_index)
            viewer.show_crosshair(QPointF(column + 0.5, row + 0.5))

    def _set_window(self, changed: Viewer, window: Window) -> None:
        """All views of a case look alike."""
        if changed is self.beside:
            if self._other is not None:
                self._other.window = window
            return
        for viewer in (self.viewer, *self.planes.values()):
            if viewer is not changed and viewer.study is not None:
                viewer.set_window(window)
        self.window_changed.emit(window)


def _centre(study: Study, slice_index: int) -> NDArray[np.float64] | None:
    affine = study.geometry.affine
    if affine is None:
        return None
    return np.asarray((affine @ np.array([(study.columns - 1) / 2, (study.rows - 1) / 2, slice_index, 1.0]))[:3])
