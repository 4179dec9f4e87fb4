"""How long does a frame take: scrolling a series, and moving the crosshair through linked planes? Run it by hand.

    python tests/benchmarks/viewer_frames.py [--shape 200 512 512] [--steps 60] [--size 1366 768]

A frame is everything from the mouse or wheel event to the painted views: planes cut anew, overlays cut and drawn.
Printed are milliseconds of the window's own thread: the median, the 95th percentile and the longest; the goal is 16 ms,
60 frames a second. *At rest* is the one finer cut of all views after the reader stops. Without a display painting is
Qt's software raster engine, the same that most desktops use for widgets.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from braintumor_desktop.domain.byte_maps import ByteMaps
from braintumor_desktop.domain.findings import (
    CLASSES,
    Analysis,
    Explanation,
    Finding,
    ModelIdentity,
    Quality,
    Segmentation,
    Timing,
)
from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging.windowing import robust_window
from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.reading import SharedRead
from braintumor_desktop.ui.view_area import Layout, ViewArea


def study(shape: tuple[int, int, int], tilts: tuple[float, float]) -> Study:
    """A smooth volume with noise. tilts: degrees about two axes; 0, 0 is straight axial."""
    rng = np.random.default_rng(1)
    slices, rows, columns = (np.linspace(-1, 1, n) for n in shape)
    smooth = 900 * np.exp(-2 * (slices[:, None, None] ** 2 + rows[:, None] ** 2 + columns**2))
    pixels = (smooth + rng.integers(0, 60, shape)).astype(np.uint16)
    a, b = np.radians(tilts)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    sizes = np.array([240 / shape[2], 240 / shape[1], 180 / shape[0]])
    affine = np.eye(4)
    affine[:3, :3] = (about_x @ about_z @ np.diag([-1.0, -1.0, 1.0])) * sizes
    source = Source(Path("bench"), "0" * 64, 1, InputKind.NIFTI, "NIfTI-1", 16, lossy=False)
    return Study(pixels, source, Geometry((float(sizes[1]), float(sizes[0])), float(sizes[2]), ("L", "P"), affine))


def analysis(shown: Study) -> Analysis:
    """A ball as the lesion, and a heat map around it."""
    places = [np.linspace(-1, 1, n) for n in shown.pixels.shape]
    far = places[0][:, None, None] ** 2 + (places[1][:, None] - 0.2) ** 2 + (places[2] - 0.2) ** 2
    mask = far < 0.04
    heat = ByteMaps((255 * np.exp(-4 * far)).astype(np.uint8))
    index = int(mask.sum(axis=(1, 2)).argmax())
    found = Segmentation(mask, heat, index, int(mask[index].sum()), 1.0, None, None, None)
    finding = Finding("glioma", dict.fromkeys(CLASSES, 0.25))
    identity = ModelIdentity("bench", "1", "0" * 64)
    return Analysis(
        shown,
        identity,
        "cpu",
        finding,
        Quality(),
        found,
        Explanation("", heat, None),
        None,
        Timing(0, 0, 0, 0),
    )


def frames(application: QApplication, steps: int, move: Callable[[int], None]) -> NDArray[np.float64]:
    """Milliseconds of this thread for each of so many moves."""
    taken = []
    for step in range(steps):
        began = time.thread_time()
        move(step)
        application.processEvents()
        taken.append(1000 * (time.thread_time() - began))
    return np.array(taken[2:])  # the first ones fill caches


def at_rest(application: QApplication, area: ViewArea) -> float:
    """Milliseconds of this thread until all views are sharp."""
    began = time.thread_time()
    for viewer in area.viewers:
        if viewer.study is not None and viewer.isVisible():
            assert viewer.plane_pixels.size
    application.processEvents()
    return 1000 * (time.thread_time() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--shape", type=int, nargs=3, default=[200, 512, 512])
    parser.add_argument("--size", type=int, nargs=2, default=[1366, 768], help="of the window")
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    width, height = options.size
    area = ViewArea()
    area.resize(width - 570, height - 230)  # what the panels leave
    area.show()
    print(f"volume {options.shape}, views in {area.width()} x {area.height()}; ms a frame\n")
    print("| volume | views | moved | overlays | median | 95 % | longest | at rest |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name, tilts in (("straight", (0.0, 0.0)), ("tilted 20°", (20.0, 0.0)), ("tilted 20° and 10°", (20.0, 10.0))):
        one = study(tuple(options.shape), tilts)
        case = Case(1, name, None, SharedRead(lambda one=one: one))
        case.study, case.window, case.state = one, robust_window(one.pixels), CaseState.DONE
        case.analysis = analysis(one)
        for overlays in ("contour", "all"):
            area.layers.heatmap = area.layers.fill = overlays == "all"
            area.show_case(None)
            area.show_case(case)

            def scroll(step: int) -> None:
                area.go_to(area.viewer, 20 + step)

            def crosshair(step: int) -> None:
                axial = next(iter(area.planes.values()))
                stack = axial.stack
                assert stack is not None
                at = 0.3 + 0.4 * step / options.steps
                axial.point_chosen.emit(QPointF(stack.columns * at, stack.rows * (0.9 - at)))

            def through(step: int) -> None:
                coronal = list(area.planes.values())[1]
                area.go_to(coronal, coronal.slice_index + (1 if step % 20 < 10 else -1))

            for layout, moves in (
                (Layout.ONE, {"scrolled": scroll}),
                (Layout.THREE, {"crosshair": crosshair, "scrolled": through}),
                (Layout.FOUR, {"crosshair": crosshair, "scrolled": through}),
            ):
                area.arrange(layout)
                application.processEvents()
                for moved, move in moves.items():
                    ms = frames(application, options.steps, move)
                    rest = at_rest(application, area)
                    figures = f"{np.median(ms):.1f} | {np.percentile(ms, 95):.1f} | {ms.max():.1f}"
                    shown = {Layout.ONE: "series", Layout.THREE: "three planes", Layout.FOUR: "planes and series"}
                    print(f"| {name} | {shown[layout]} | {moved} | {overlays} | {figures} | {rest:.1f} |", flush=True)


if __name__ == "__main__":
    main()
