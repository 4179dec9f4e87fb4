"""A small phantom as a DICOM series; a test module with other needs defines its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from braintumor_desktop.imaging.phantom import Lesion, PhantomVolume, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series


@pytest.fixture(scope="module")
def phantom() -> PhantomVolume:
    return make_volume(5, (12, 40, 48), (9.0, 5.0, 4.5), Lesion(radius_mm=20.0))


@pytest.fixture
def series(tmp_path: Path, phantom: PhantomVolume) -> Path:
    write_dicom_series(phantom, tmp_path / "series")
    return tmp_path / "series"
