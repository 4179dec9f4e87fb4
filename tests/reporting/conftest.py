"""Hand-made analyses: synthetic arrays, round numbers, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from braintumor_desktop.domain.findings import (
    Analysis,
    Explanation,
    Finding,
    ModelIdentity,
    Quality,
    QualityFlag,
    Segmentation,
    Timing,
    TumorClass,
)
from braintumor_desktop.domain.measurements import area_mm2, diameters
from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from dicom_files import only

ROWS, COLUMNS = 180, 240


class MakeAnalysis(Protocol):
    def __call__(self, **changes: Any) -> Analysis: ...


def make_analysis(
    *,
    path: Path = Path("scan one.png"),
    kind: InputKind = InputKind.PICTURE,
    geometry: Geometry = Geometry(),  # noqa: B008 - frozen
    slices: int = 1,
    lesion: bool = True,
    outlined: bool = True,
    heated: bool = True,
    **study_changes: Any,
) -> Analysis:
    """An ellipse of a head with a round bright lesion, off centre, on every slice."""
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(float)
    head = ((y - 90) / 80) ** 2 + ((x - 120) / 95) ** 2 < 1
    mask = ((y - 70) ** 2 + (x - 150) ** 2 < 20**2) & lesion
    texture = np.random.default_rng(0).normal(0, 6, (ROWS, COLUMNS))
    plane = np.clip(head * (90 + texture) + mask * 90, 0, 255).astype(np.uint8)
    heat = np.exp(-((y - 75) ** 2 + (x - 140) ** 2) / (2 * 30**2)).astype(np.float32)
    spacing = geometry.pixel_spacing_mm
    segmentation = Segmentation(
        mask=np.repeat(mask[None], slices, axis=0),
        probability=np.repeat(mask[None].astype(np.float32), slices, axis=0),
        slice_index=slices - 1,
        area_px=int(mask.sum()),
        area_percent_of_image=100 * float(mask.mean()),
        area_percent_of_head=100 * float(mask.sum() / head.sum()),
        area_mm2=area_mm2(int(mask.sum()), spacing),
        diameters=diameters(mask, spacing),
    )
    study = Study(
        pixels=np.repeat(plane[None], slices, axis=0),
        source=Source(
            path=path,
            sha256="0123456789abcdef" * 4,
            size_bytes=54_321,
            kind=kind,
            format="PNG",
            bits=8,
            lossy=False,
            **{key: value for key, value in study_changes.items() if key in ("colour", "pasted", "synthetic")},
        ),
        geometry=geometry,
        **{key: value for key, value in study_changes.items() if key in ("sequence", "series_uid", "notes")},
    )
    return Analysis(
        study=study,
        model=ModelIdentity("neuro", "0.1.0", "fedcba9876543210" * 4),
        device="cpu",
        finding=Finding(
            label="glioma",
            probabilities={
                TumorClass.GLIOMA: 0.90317,
                TumorClass.MENINGIOMA: 0.05123,
                TumorClass.PITUITARY: 0.03234,
                TumorClass.NO_TUMOR: 0.01326,
            },
            prediction_set=(TumorClass.GLIOMA, TumorClass.MENINGIOMA),
            coverage=0.95,
        ),
        quality=Quality(
            in_distribution=True,
            ood_score=0.12344,
            flags=(QualityFlag("lossy_compression", "The picture was compressed with loss; fine detail may be gone."),),
        ),
        segmentation=segmentation if outlined else None,
        explanation=Explanation("Grad-CAM", np.repeat(heat[None], slices, axis=0), 0.71234 if lesion else None)
        if heated
        else None,
        slices=None,
        timing=Timing(load=3.14159, infer=40.0, explain=9.06, total=55.55),
    )


@pytest.fixture(name="make_analysis", scope="session")
def make_analysis_fixture() -> MakeAnalysis:
    return make_analysis


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A synthetic oblique-free series: 10 slices, rows and columns of different size."""
    folder = tmp_path_factory.mktemp("series")
    write_dicom_series(make_volume(5, (10, 40, 48), (6.0, 5.0, 4.5)), folder)
    return only(folder).load()
