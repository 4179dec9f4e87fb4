"""Captures of the pixels of inputs without DICOM headers: something for the other objects to lie on."""

from __future__ import annotations

import numpy as np
from highdicom.enum import CoordinateSystemNames
from highdicom.sc import SCImage
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from braintumor_desktop.domain.study import Study
from braintumor_desktop.reporting.dicom.equipment import (
    MANUFACTURER,
    OutputSeries,
    complete,
    patient_arguments,
    patient_orientation,
)
from braintumor_desktop.reporting.dicom.source import SourceSeries


def capture_source(study: Study, source: SourceSeries) -> list[Dataset]:
    """One secondary capture a slice: the grey values as they were analysed, 8 or 16 bits, and their place if known.

    Values that don't fit into whole numbers are spread over 16 bits, with the way back in Rescale Slope and Intercept.
    """
    series = OutputSeries.make(source, 0, "source pixels")
    stored, slope, intercept = _stored(study.pixels)
    low, high = study.window if study.window is not None else _span(study.pixels)
    made: list[Dataset] = []
    for index, (place, pixels) in enumerate(zip(source.slices, stored, strict=True), 1):
        image = SCImage(
            pixel_array=pixels,
            photometric_interpretation="MONOCHROME2",
            bits_allocated=8 * pixels.dtype.itemsize,
            coordinate_system=CoordinateSystemNames.PATIENT,
            patient_orientation=("L", "P"),  # asked for by the library; the true one stands below
            series_instance_uid=source.series_uid,
            series_number=series.number,
            sop_instance_uid=place.sop_uid,
            instance_number=index,
            manufacturer=MANUFACTURER,
            pixel_spacing=source.spacing,
            series_description=series.description,
            **patient_arguments(source),
        )
        image.ConversionType = "WSD"
        image.ImageType = ["DERIVED", "SECONDARY"]
        image.DerivationDescription = f"Pixels of a {study.source.format} file, as they were analysed"
        image.PatientOrientation = patient_orientation(study)
        image.Laterality = ""
        if place.position is not None and source.located:
            image.FrameOfReferenceUID = source.frame_of_reference
            image.PositionReferenceIndicator = ""
            image.ImagePositionPatient = [round(value, 6) for value in place.position]
            image.ImageOrientationPatient = [round(value, 10) for value in source.orientation or ()]
            image.SliceThickness = "" if source.thickness_mm is None else f"{source.thickness_mm:.8g}"
        if (slope, intercept) != (1.0, 0.0):
            image.RescaleSlope, image.RescaleIntercept = f"{slope:.10g}", f"{intercept:.10g}"
            image.RescaleType = "US"
        image.WindowCenter, image.WindowWidth = f"{(low + high) / 2:.8g}", f"{high - low:.8g}"
        image.VOILUTFunction = "LINEAR_EXACT"  # the usual one takes no width below 1
        source.compression.tell(image)
        complete(image, source)
        made.append(image)
    return made


def _stored(pixels: NDArray[np.generic]) -> tuple[NDArray[np.generic], float, float]:
    """Unsigned pixels with slope and intercept."""
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels, 1.0, 0.0
    if pixels.dtype == np.int16:
        return (pixels.astype(np.int32) + 32768).astype(np.uint16), 1.0, -32768.0
    low, high = _span(pixels)
    slope = (high - low) / 65535 or 1.0
    return np.rint((pixels.astype(np.float64) - low) / slope).astype(np.uint16), slope, low


def _span(pixels: NDArray[np.generic]) -> tuple[float, float]:
    return float(pixels.min()), float(pixels.max())
