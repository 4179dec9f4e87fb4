"""The middle of the window: one viewer, three linked planes, both, or two series side by side."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.imaging.reformat import Plane
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.language import tr
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.layers import Layers
from braintumor_desktop.ui.result_words import sequence_warning
from braintumor_desktop.ui.series_views import SeriesViews
from braintumor_desktop.ui.viewer import Grip, Viewer

_GAP = 3


class Layout(Enum):
    """The value is what menus say."""

    ONE = phrase("&One view")
    THREE = phrase("&Three planes")
    FOUR = phrase("Three planes and the &series")
    BESIDE = phrase("Side &by side")
    PLANES_BESIDE = phrase("Three planes of &each, side by side")


TWO_SERIES = (Layout.BESIDE, Layout.PLANES_BESIDE)
_LINKED = (Layout.THREE, Layout.FOUR, Layout.PLANES_BESIDE)


class ViewArea(QWidget):
    """Viewers that show the same patient point.

    viewer: the series as acquired; planes: its reformats; beside, beside_planes: those of another series.
    slice_shown: the viewer as acquired shows another slice; window_changed: of the case shown.
    """

    slice_shown = Signal(int)
    window_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = Layers()
        self._own, self._second = SeriesViews(self.layers), SeriesViews(self.layers)
        self.viewer, self.planes = self._own.stack, self._own.planes
        self.beside, self.beside_planes = self._second.stack, self._second.planes
        self.arrangement = Layout.ONE
        self.synchronised, self.by_coordinates = True, False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        self._laid: list[Viewer] = []
        for plane, viewer in self.planes.items():
            viewer.setAccessibleName(tr("{plane} plane", plane=tr(plane.value)))
        self.beside.setAccessibleName(tr("Series beside"))
        for plane, viewer in self.beside_planes.items():
            viewer.setAccessibleName(tr("{plane} plane of the series beside", plane=tr(plane.value)))
        for viewer in self.viewers:
            viewer.setParent(self)
            viewer.slice_asked.connect(lambda index, viewer=viewer: self.go_to(viewer, index))
            viewer.point_chosen.connect(lambda at, viewer=viewer: self._choose_point(viewer, at))
            viewer.window_changed.connect(lambda window, viewer=viewer: self._set_window(viewer, window))
        self.arrange(Layout.ONE)

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        return (*self._own.viewers, *self._second.viewers)

    @property
    def active(self) -> Viewer:
        """The viewer that keys and menus act on."""
        return next((v for v in self.viewers if v.hasFocus() and v.isVisible()), self._laid[0])

    def is_beside(self, viewer: Viewer) -> bool:
        """Whether it shows the other one of two series."""
        return viewer in self._second.viewers

    def set_grip(self, grip: Grip) -> None:
        """What takes hold of the pictures of the case shown; the series beside it is another case's."""
        for viewer in self._own.viewers:
            viewer.grip = grip

    def update_views(self) -> None:
        """Paint all anew, after the overlays changed."""
        for viewer in self.viewers:
            viewer.update()

    def can_show(self, layout: Layout) -> bool:
        """Whether the case shown has what a layout needs; of the other series, as far as it is read."""
        if self._own.study is None:
            return False
        if layout in _LINKED and not self._own.has_planes:
            return False
        if layout is Layout.PLANES_BESIDE and self._second.study is not None and not self._second.has_planes:
            return False
        return layout not in TWO_SERIES or self._second.case is not None

    def arrange(self, layout: Layout) -> None:
        """Lay the viewers out; one of them has the focus then."""
        self._lay_out(layout)
        if not any(viewer.hasFocus() for viewer in self._laid):
            self._laid[0].setFocus()

    def _fall_back(self, layout: Layout) -> None:
        """To a layout that is possible; the focus stays where it is, unless its view is put away."""
        focused = any(viewer.hasFocus() for viewer in self.viewers)
        self._lay_out(layout)
        if focused and not any(viewer.hasFocus() for viewer in self._laid):
            self._laid[0].setFocus()

    def _lay_out(self, layout: Layout) -> None:
        self.arrangement = layout
        for viewer in self.viewers:
            self._grid.removeWidget(viewer)
        axial, coronal, sagittal = self.planes.values()
        places: dict[Layout, list[tuple[Viewer, int, int]]] = {
            Layout.ONE: [(self.viewer, 0, 0)],
            Layout.THREE: [(axial, 0, 0), (coronal, 0, 1), (sagittal, 0, 2)],
            Layout.FOUR: [(axial, 0, 0), (sagittal, 0, 1), (coronal, 1, 0), (self.viewer, 1, 1)],
            Layout.BESIDE: [(self.viewer, 0, 0), (self.beside, 0, 1)],
            Layout.PLANES_BESIDE: [
                (viewer, row, column)
                for row, views in enumerate((self._own, self._second))
                for column, viewer in enumerate(views.planes.values())
            ],
        }
        laid = places[layout]
        for viewer, row, column in laid:
            self._grid.addWidget(viewer, row, column)
        for line in range(3):
            self._grid.setRowStretch(line, int(any(row == line for _, row, _ in laid)))
            self._grid.setColumnStretch(line, int(any(column == line for _, _, column in laid)))
        self._laid = shown = [viewer for viewer, _, _ in laid]
        for viewer in self.viewers:
            viewer.setVisible(viewer in shown)
            viewer.brief = layout in _LINKED
            viewer.named = layout is Layout.PLANES_BESIDE
            viewer.framed = len(shown) > 1
            viewer.update()
        self._fill_planes()
        self._fill_beside()
        self._share_point()

    def show_case(self, case: Case | None) -> None:
        """Another case, or the same one with more known of it. Falls back to one view where planes are not possible."""
        if case is not None and case is self._second.case:  # what stood at the right comes to the left, and so on
            self._second.show(self._own.case)
        self._own.show(case)
        if case is None or self._own.study is None:
            self._own.clear()
            self._second.clear()
            return
        self.viewer.warning = sequence_warning(self._own.study)
        self._own.fill_stack()
        if not self.can_show(self.arrangement):
            self._fall_back(Layout.ONE)
            return
        self._fill_planes()
        self._fill_beside()
        self._share_point()

    def show_analysis(self, case: Case) -> None:
        """The overlays of a case, wherever it is shown."""
        for views in (self._own, self._second):
            if views.case is case:
                views.show_analysis()

    def show_beside(self, case: Case | None) -> None:
        """Which case goes to the right side, or the lower one, of the layouts side by side."""
        self._second.show(case)
        if case is None and self.arrangement in TWO_SERIES:
            self._fall_back(Layout.ONE)
            return
        self._fill_beside()
        self._share_point()
        self.update_views()

    @property
    def other(self) -> Case | None:
        return self._second.case

    def go_to(self, viewer: Viewer, index: int) -> None:
        """Another slice in one viewer; the others follow where they show the same patient."""
        viewer.show_slice(index)
        self._views_of(viewer).move_along(viewer)
        self._follow(viewer)

    def go_to_point(self, slice_index: int, patient: NDArray[np.float64] | None) -> None:
        """A slice of the series as acquired; where planes are shown, they meet at a point on it (RAS mm), if known."""
        self.go_to(self.viewer, slice_index)
        if patient is not None and self.arrangement in _LINKED:
            self._own.point = patient
            self._share_point()

    def synchronise(self, on: bool) -> None:
        """Whether the two series side by side are scrolled together."""
        self.synchronised = on
        self._follow(self.active if self.arrangement is Layout.PLANES_BESIDE else self.viewer)

    def synchronise_by_coordinates(self, on: bool) -> None:
        """Whether they are, too, where nothing tells whether their coordinates mean the same (NIfTI)."""
        self.by_coordinates = on
        self._fill_beside()

    def same_frame(self) -> bool | None:
        """Whether the two series side by side share the patient's coordinates (DICOM frame of reference).

        None where a file doesn't tell its frame, but where its voxels lie.
        """
        one, two = self._own.study, self._second.study
        if one is None or two is None or one.geometry.affine is None or two.geometry.affine is None:
            return False
        frames = (one.geometry.frame_of_reference_uid, two.geometry.frame_of_reference_uid)
        return None if None in frames else frames[0] == frames[1]

    @property
    def _together(self) -> bool:
        """Whether the two series side by side are moved together."""
        same = self.same_frame()
        return self.synchronised and (same is True or (same is None and self.by_coordinates))

    def _beside_words(self) -> str:
        """What the reader must know of how the two series lie to each other."""
        same = self.same_frame()
        if same is None and self.by_coordinates:
            return tr("Synchronised by coordinates: not known whether they fit")
        if same is None:
            return tr("Not synchronised: not known whether the frame of reference is the same")
        return "" if same else tr("Not synchronised: another frame of reference")

    def _views_of(self, viewer: Viewer) -> SeriesViews:
        return self._second if self.is_beside(viewer) else self._own

    def _fill_planes(self) -> None:
        if self.arrangement in _LINKED:
            self._own.fill_planes()

    def _fill_beside(self) -> None:
        second = self._second
        if second.study is None:
            second.clear()
            return
        if self.beside.study is not second.study:
            second.fill_stack()
            self.beside.set_invert(self.viewer.invert)
        elif second.case is not None and self.beside.analysis is not second.case.analysis:
            second.show_analysis()
        if self.arrangement is Layout.PLANES_BESIDE:
            if not second.has_planes:  # read only now: a picture, or a stack of unknown place
                self._fall_back(Layout.BESIDE)
                return
            second.fill_planes()
        self.beside.warning = self.beside_planes[Plane.AXIAL].warning = self._beside_words()
        self.update_views()
        self._follow(self.viewer)

    def _choose_point(self, viewer: Viewer, at: QPointF) -> None:
        if viewer.stack is not None:
            self._views_of(viewer).point = viewer.stack.patient_point(at.y() - 0.5, at.x() - 0.5, viewer.slice_index)
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
        if not self._together or moved.stack is None or other.stack is None:
            return
        middle = moved.stack.patient_point(moved.stack.rows / 2, moved.stack.columns / 2, moved.slice_index)
        place = None if middle is None else other.stack.grid_point(middle)
        if place is not None:
            other.show_slice(round(place[2]))
            if other is self.viewer:
                self.slice_shown.emit(other.slice_index)

    def _share_point(self, except_for: Viewer | None = None) -> None:
        """Slices and crosshairs where the point is; no crosshair in a view on its own."""
        linked = self.arrangement in _LINKED
        if self.arrangement is Layout.PLANES_BESIDE and self._together:
            one, two = self._own, self._second
            if except_for is not None and self.is_beside(except_for):
                one, two = two, one
            two.point = one.point
        if self._own.meet(linked=linked, except_for=except_for):
            self.slice_shown.emit(self.viewer.slice_index)
        self._second.meet(linked=self.arrangement is Layout.PLANES_BESIDE, except_for=except_for)

    def _set_window(self, changed: Viewer, window: Window) -> None:
        """All views of a case look alike."""
        views = self._views_of(changed)
        views.set_window(window)
        if views is self._own:
            self.window_changed.emit(window)
        elif views.case is not None:
            views.case.window = window
