"""Pictures of the slices that the reader measured on, with the measurements drawn and numbered as in the table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.reader_measurements import MeasurementKind, ReaderMeasurement
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.reformat import Plane, PlaneStack
from braintumor_desktop.imaging.windowing import Window, robust_window
from braintumor_desktop.language import tr, tr_count
from braintumor_desktop.reporting.canvas import Canvas, edge_letters
from braintumor_desktop.reporting.key_images import LONGEST_SIDE, KeyImage, Mark, grey_picture
from braintumor_desktop.reporting.reader_rows import REFORMATS, stack_of

MOST_IMAGES = 6


def render_reader_images(
    study: Study, measurements: Sequence[ReaderMeasurement], *, window: Window | None = None
) -> tuple[KeyImage, ...]:
    """One picture a slice that holds measurements, in the order of the first of each; at most `MOST_IMAGES`."""
    groups: dict[tuple[str, int], list[tuple[int, ReaderMeasurement]]] = {}
    for number, each in enumerate(measurements, 1):
        groups.setdefault((each.plane, each.slice_index), []).append((number, each))
    images: list[KeyImage] = []
    left_out = len(groups) - MOST_IMAGES
    for (plane, index), numbered in list(groups.items())[:MOST_IMAGES]:
        stack = stack_of(study, plane)
        pixels = stack.cut(study.pixels, min(index, stack.slices - 1))
        canvas = Canvas(stack.rows, stack.columns, stack.spacing_mm, LONGEST_SIDE)
        grey = grey_picture(canvas, pixels, window if window is not None else robust_window(pixels))
        marks = tuple(_mark(number, each, stack) for number, each in numbered)
        numbers = ", ".join(str(number) for number, _ in numbered)
        caption = tr_count(
            "Measured by the reader; number {numbers} of the table.",
            "Measured by the reader; numbers {numbers} of the table.",
            len(numbered),
            numbers=numbers,
        )
        if left_out > 0 and len(images) == MOST_IMAGES - 1:
            caption += " " + tr_count(
                "{count} more slice with measurements is not shown.",
                "{count} more slices with measurements are not shown.",
                left_out,
            )
        images.append(
            KeyImage(
                _title(plane, index, stack),
                caption,
                tr(
                    "{title} with the reader's measurements {numbers}.",
                    title=_title(plane, index, stack),
                    numbers=numbers,
                ),
                grey,
                canvas.scale_bar(),
                edge_letters(stack.orientation),
                marks=marks,
            )
        )
    return tuple(images)


def _title(plane: str, index: int, stack: PlaneStack) -> str:
    view = "" if plane == Plane.ACQUIRED else tr(REFORMATS[Plane(plane)])
    place = "" if stack.slices == 1 else tr("slice {number}", number=index + 1)
    words = ", ".join(part for part in (view, place) if part) or tr("The picture")
    return words[0].upper() + words[1:]


def _mark(number: int, measurement: ReaderMeasurement, stack: PlaneStack) -> Mark:
    points = np.array(measurement.points, dtype=np.float64)
    match measurement.kind:
        case MeasurementKind.ELLIPSE:
            centre, radii = points.mean(axis=0), np.abs(points[1] - points[0]) / 2
            angles = np.linspace(0.0, 2 * np.pi, 72, endpoint=False)
            lines = [centre + radii * np.stack([np.sin(angles), np.cos(angles)], axis=1)]
        case MeasurementKind.FREEHAND | MeasurementKind.ANGLE:
            lines = [points]
        case _:
            lines = list(points.reshape(-1, 2, 2))
    closed = measurement.kind in (MeasurementKind.ELLIPSE, MeasurementKind.FREEHAND)
    return Mark(tuple(_shares(line, stack) for line in lines), closed, str(number))


def _shares(points: NDArray[np.float64], stack: PlaneStack) -> NDArray[np.float64]:
    """(n, 2) row, column, pixel centres at whole numbers → (n, 2) x, y as shares of width and height."""
    shares: NDArray[np.float64] = (points[:, ::-1] + 0.5) / (stack.columns, stack.rows)
    return shares
