"""What the tests of written DICOM objects share: an analysis with a known outline, and the judges' verdicts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from braintumor_desktop.domain.findings import (
    Analysis,
    Explanation,
    Finding,
    Lesion,
    ModelIdentity,
    Quality,
    Segmentation,
    Timing,
    TumorClass,
)
from braintumor_desktop.domain.measurements import area_mm2, diameters
from braintumor_desktop.domain.study import Study
from braintumor_desktop.reporting import build_report, write_dicom
from braintumor_desktop.reporting.dicom.kinds import DicomKind

NOT_PDF = tuple(kind for kind in DicomKind if kind is not DicomKind.PDF)
"""What takes the time of a whole report is left out."""

PROBABILITIES = {
    TumorClass.GLIOMA: 0.90317,
    TumorClass.MENINGIOMA: 0.05123,
    TumorClass.PITUITARY: 0.03234,
    TumorClass.NO_TUMOR: 0.01326,
}


def ellipsoid(study: Study, center: tuple[float, float, float], radius: float = 0.12) -> NDArray[np.bool_]:
    """bool, the study's shape. center: as shares of slices, rows, columns; radius: as a share of the same."""
    z, y, x = np.ogrid[tuple(slice(0, n) for n in study.pixels.shape)]
    depth, rows, columns = study.pixels.shape
    across = ((z - center[0] * (depth - 1)) / max(0.6, 1.5 * radius * depth)) ** 2
    return (
        across + ((y - center[1] * rows) / (radius * rows)) ** 2 + ((x - center[2] * columns) / (radius * columns)) ** 2
        < 1
    )


def outlined(study: Study, *masks: NDArray[np.bool_], lesions: bool = False) -> Analysis:
    """An analysis whose outline is known. lesions: each mask is a lesion of a series."""
    mask = np.logical_or.reduce(masks)
    spacing = study.geometry.pixel_spacing_mm
    areas = mask.sum(axis=(1, 2))
    key = int(areas.argmax())
    step = study.geometry.slice_spacing_mm
    volume = None if spacing is None or step is None else float(mask.sum()) * spacing[0] * spacing[1] * step / 1000
    return Analysis(
        study=study,
        model=ModelIdentity("neuro", "0.1.0", "fedcba9876543210" * 4),
        device="cpu",
        finding=Finding("glioma", PROBABILITIES, (TumorClass.GLIOMA,), 0.95),
        quality=Quality(),
        segmentation=Segmentation(
            mask=mask,
            probability=mask * np.float32(0.8),
            slice_index=key,
            area_px=int(areas[key]),
            area_percent_of_image=100 * float(mask[key].mean()),
            area_percent_of_head=None,
            area_mm2=area_mm2(int(areas[key]), spacing),
            diameters=diameters(mask[key], spacing),
            volume_ml=volume,
            lesions=tuple(_lesion(each, study) for each in masks) if lesions else (),
        ),
        explanation=Explanation("Grad-CAM", mask.astype(np.float32), 1.0),
        slices=None,
        timing=Timing(1.0, 1.0, 1.0, 3.0),
    )


def _lesion(mask: NDArray[np.bool_], study: Study) -> Lesion:
    spacing, step = study.geometry.pixel_spacing_mm, study.geometry.slice_spacing_mm
    used = np.flatnonzero(mask.any(axis=(1, 2)))
    areas = mask.sum(axis=(1, 2))
    key = int(areas.argmax())
    first_pixels = tuple((int(i), *(int(v) for v in np.argwhere(mask[i])[0])) for i in used)
    return Lesion(
        slices=(int(used[0]), int(used[-1])),
        key_slice=key,
        area_px=int(areas[key]),
        area_mm2=area_mm2(int(areas[key]), spacing),
        diameters=diameters(mask[key], spacing),
        volume_ml=None
        if spacing is None or step is None
        else float(mask.sum()) * spacing[0] * spacing[1] * step / 1000,
        center=(float(key), 0.0, 0.0),
        center_mm=None,
        measurable=None,
        tumor_probability=0.91234,
        pieces=tuple((piece[0], piece[1], piece[2]) for piece in first_pixels),
    )


def faults(path: Path) -> list[str]:
    """What dciodvfy (dicom3tools) calls errors. Its warnings are of taste, such as attributes that a DICOMDIR wants."""
    said = _run("dciodvfy", path)
    return [line for line in said.stderr.splitlines() if line.startswith("Error")]


def dumped(program: str, path: Path) -> str:
    """What a program of DCMTK prints of the object; it must accept it without an error."""
    said = _run(program, path)
    assert said.returncode == 0, said.stderr
    assert not [line for line in said.stderr.splitlines() if line.startswith(("E:", "F:"))]
    return said.stdout


def dcmqi(program: str, *arguments: object) -> None:
    """A program of dcmqi, which 3D Slicer reads segmentations and reports with; it comes with the Python packages."""
    said = _run(str(Path(sys.executable).with_name(program)), *arguments)
    assert said.returncode == 0, said.stderr


def _run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)


def pdf_inside(path: Path, to: Path) -> bytes:
    """What dcm2pdf (DCMTK) finds in an encapsulated PDF."""
    said = _run("dcm2pdf", path, to)
    assert said.returncode == 0, said.stderr
    return to.read_bytes()


def written(analysis: Analysis, folder: Path, kinds: tuple[DicomKind, ...] = NOT_PDF) -> dict[str, Dataset]:
    paths = write_dicom(build_report(analysis), analysis, folder, kinds)
    assert sorted(paths) == sorted(folder.iterdir())
    return {path.stem: pydicom.dcmread(path) for path in paths}


def changed(study: Study, **values: object) -> Study:
    """The study with other header values; None takes an element out."""
    headers = []
    for header in study.headers or ():
        copied = Dataset()
        copied.update(header)
        for keyword, value in values.items():
            if value is None:
                del copied[keyword]
            else:
                setattr(copied, keyword, value)
        headers.append(copied)
    return replace(study, headers=tuple(headers))
