"""The views of one series: as acquired, and axial, coronal and sagittal planes, all at one point of the patient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF

from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.reformat import Plane, can_reformat, reformatted
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.layers import Layers
from braintumor_desktop.ui.viewer import Viewer

PLANES = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)


class SeriesViews:
    """Viewers of one case.

    stack: as acquired; planes: reformats; point: where their crosshairs meet, RAS millimetres, None until planes are
    shown.
    """

    def __init__(self, layers: Layers) -> None:
        self.stack = Viewer(layers=layers)
        self.planes = {plane: Viewer(layers=layers) for plane in PLANES}
        self.case: Case | None = None
        self.point: NDArray[np.float64] | None = None
        self._planes_show: Study | None = None

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        return (self.stack, *self.planes.values())

    @property
    def study(self) -> Study | None:
        """The pixels, once they are read and their first window is known."""
        return None if self.case is None or self.case.window is None else self.case.study

    @property
    def has_planes(self) -> bool:
        return self.study is not None and can_reformat(self.study)

    def show(self, case: Case | None) -> None:
        """Another case; its views are filled by `fill_stack` and `fill_planes`."""
        if case is not self.case:
            self.case, self.point, self._planes_show = case, None, None

    def clear(self) -> None:
        self.point = self._planes_show = None
        for viewer in self.viewers:
            viewer.clear()

    def fill_stack(self) -> None:
        case, study = self.case, self.study
        if case is None or study is None or case.window is None:
            self.stack.clear()
            return
        self.stack.show_study(study, case.window, case.slice_index, turn=case.turn, title=case.name)
        self.stack.show_analysis(case.analysis)

    def fill_planes(self) -> None:
        """Cut the planes, unless they show that study already."""
        case, study = self.case, self.study
        if case is None or study is None or case.window is None or not can_reformat(study):
            return
        if self._planes_show is not study:
            for plane, viewer in self.planes.items():
                stack = reformatted(study, plane)
                viewer.show_study(study, case.window, stack.slices // 2, stack=stack, title=case.name)
                viewer.show_analysis(case.analysis)
                viewer.invert = self.stack.invert
            self._planes_show = study
        if self.point is None:
            self.point = _centre(study, self.stack.slice_index)

    def show_analysis(self) -> None:
        for viewer in self.viewers:
            if viewer.study is not None and self.case is not None:
                viewer.show_analysis(self.case.analysis)

    def set_window(self, window: Window) -> None:
        """All views of a case look alike."""
        for viewer in self.viewers:
            if viewer.study is not None:
                viewer.set_window(window)

    def move_along(self, viewer: Viewer) -> None:
        """The point goes to the plane that a viewer shows."""
        if viewer.stack is not None and self.point is not None:
            place = viewer.stack.grid_point(self.point)
            if place is not None:
                self.point = viewer.stack.patient_point(place[0], place[1], viewer.slice_index)

    def meet(self, *, linked: bool, except_for: Viewer | None) -> bool:
        """Slices and crosshairs where the point is; no crosshairs where views aren't linked.

        except_for: a viewer that shows the right plane already. Returns whether the stack shows another slice.
        """
        moved = False
        for viewer in self.viewers:
            if not linked or self.point is None or viewer.stack is None:
                viewer.show_crosshair(None)
                continue
            place = viewer.stack.grid_point(self.point)
            if place is None:
                viewer.show_crosshair(None)
                continue
            row, column, index = place
            if viewer is not except_for and round(index) != viewer.slice_index:
                viewer.show_slice(round(index))
                moved = moved or viewer is self.stack
            viewer.show_crosshair(QPointF(column + 0.5, row + 0.5))
        return moved


def _centre(study: Study, slice_index: int) -> NDArray[np.float64] | None:
    affine = study.geometry.affine
    if affine is None:
        return None
    return np.asarray((affine @ np.array([(study.columns - 1) / 2, (study.rows - 1) / 2, slice_index, 1.0]))[:3])
