"""The reader's own measurements in words, the same on the picture, in the panel and in every report."""

from __future__ import annotations

from collections.abc import Sequence

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.reader_measurements import ACQUIRED, MeasurementKind, ReaderMeasurement, Values, measure
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.reformat import Plane, PlaneStack, acquired, can_reformat, reformatted
from braintumor_desktop.language import number, tr
from braintumor_desktop.reporting.figures import grey_in_words, in_words, rounded

_METHODS = {
    MeasurementKind.LENGTH: phrase("straight line"),
    MeasurementKind.BIDIMENSIONAL: phrase("longest × perpendicular, both drawn"),
    MeasurementKind.ANGLE: phrase("between two lines"),
    MeasurementKind.ELLIPSE: phrase("grey values of the pixels whose centres lie inside"),
    MeasurementKind.FREEHAND: phrase("grey values of the pixels whose centres lie inside"),
}

REFORMATS = {
    Plane.AXIAL: phrase("axial reformat"),
    Plane.CORONAL: phrase("coronal reformat"),
    Plane.SAGITTAL: phrase("sagittal reformat"),
}


def values_in_words(measurement: ReaderMeasurement, values: Values) -> list[str]:
    """One line a quantity; millimetres where they are known, else pixels."""
    if values.degrees is not None:
        return [in_words(values.degrees, 1, "°").replace(" °", "°")]
    if values.area_px is not None:
        known = values.area_mm2 is not None
        area = in_words(values.area_mm2, 1, "mm²") if known else in_words(values.area_px, 1, "px²")
        if values.mean is None:
            return [area, tr("no pixels inside")]
        return [area, tr("mean {grey} · SD {grey_2}", grey=grey_in_words(values.mean), grey_2=grey_in_words(values.sd))]
    lengths, unit = (values.lengths_mm, "mm") if values.lengths_mm is not None else (values.lengths_px, "px")
    if measurement.kind is MeasurementKind.LENGTH:
        return [in_words(lengths[0], 1, unit)]
    return [f"{number(str(rounded(lengths[0], 1)))} × {in_words(lengths[1], 1, unit)}"]


def reader_rows(study: Study, measurements: Sequence[ReaderMeasurement]) -> list[tuple[str, str, str]]:
    """Name, value and how it was measured, in the order they were made; several of a kind are numbered."""
    rows = []
    several = {plane: stack_of(study, plane).slices > 1 for plane in {each.plane for each in measurements}}
    for position, (each, values) in enumerate(zip(measurements, reader_values(study, measurements), strict=True), 1):
        value = ", ".join(values_in_words(each, values))
        place = tr(", slice {slice_index}", slice_index=each.slice_index + 1) if several[each.plane] else ""
        view = "" if each.plane == ACQUIRED else ", " + tr(REFORMATS[Plane(each.plane)])
        rows.append((f"{position}. {tr(each.kind.value)}", value, f"{tr(_METHODS[each.kind])}{view}{place}"))
    return rows


def reader_values(study: Study, measurements: Sequence[ReaderMeasurement]) -> list[Values]:
    """What each measurement comes to on the plane it was drawn on."""
    stacks = {plane: stack_of(study, plane) for plane in {each.plane for each in measurements}}
    found = []
    for each in measurements:
        stack = stacks[each.plane]
        pixels = stack.cut(study.pixels, min(each.slice_index, stack.slices - 1))
        found.append(measure(each, pixels, stack.spacing_mm))
    return found


def stack_of(study: Study, plane: str) -> PlaneStack:
    """The planes that a measurement's `plane` names; those as acquired where the study can't be cut otherwise."""
    wanted = Plane(plane)
    reformats = wanted is not Plane.ACQUIRED and can_reformat(study)
    return reformatted(study, wanted) if reformats else acquired(study)
