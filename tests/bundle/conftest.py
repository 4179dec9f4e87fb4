"""The frozen program in the folder that BRAINTUMOR_BUNDLE names; without one these tests are skipped."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from imagecodecs import jpeg8_encode, jpegls_encode
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless, generate_uid

from braintumor_desktop.imaging.phantom import Lesion, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti
from braintumor_desktop.imaging.sample import write_sample_picture
from frozen_program import Workstation, isolation_is_allowed, link_copy, workstation_of

SECRET = "Frozen^Secretly"
"""The patient's name in the DICOM files: it may stand on the screen and in what was asked for, nowhere else."""

SLICES = {
    JPEG2000Lossless: "jpeg2000",
    JPEGLSLossless: "jpegls",
    JPEGLosslessSV1: "jpeglossless",
    RLELossless: "rle",
}


@pytest.fixture(scope="session")
def bundle() -> Iterator[Path]:
    """The frozen program; a linked copy of it where another user may not pass through the folders above it."""
    named = os.environ.get("BRAINTUMOR_BUNDLE")
    if not named:
        pytest.skip("BRAINTUMOR_BUNDLE names no frozen program (see dev.py test-bundle)")
    if not isolation_is_allowed():
        pytest.skip("this machine allows no namespaces")
    made = Path(named).resolve()
    if all(folder.stat().st_mode & 0o001 for folder in made.parents):
        yield made
        return
    with tempfile.TemporaryDirectory(prefix="braintumor-bundle-") as folder:
        Path(folder).chmod(0o755)
        yield link_copy(made, Path(folder) / made.name)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user may pass through; pytest's own are closed again by every session."""
    with tempfile.TemporaryDirectory(prefix="braintumor-proofs-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def workstation(bundle: Path, open_folder: Path) -> Iterator[Workstation]:
    """Whatever a test does, afterwards no process and no temporary file is left, and no file that names the patient."""
    made = workstation_of(bundle, open_folder)
    yield made
    assert made.leftovers() == []
    assert made.mentions(b"Secretly") == []


@pytest.fixture(scope="session")
def inputs() -> Iterator[Path]:
    """A picture, a DICOM series, a NIfTI volume, and a slice in each compression that needs a codec of its own."""
    with tempfile.TemporaryDirectory(prefix="braintumor-inputs-") as folder:
        write_inputs(Path(folder))
        yield Path(folder)


def write_inputs(folder: Path) -> None:
    write_sample_picture(folder / "phantom.png")
    volume = make_volume(5, (16, 128, 144), (6.0, 1.6, 1.5), Lesion(radius_mm=22.0))
    write_dicom_series(volume, folder / "series")
    write_nifti(volume, folder / "volume.nii.gz")
    for path in sorted((folder / "series").iterdir()):
        dataset = pydicom.dcmread(path)
        dataset.PatientName = SECRET
        dataset.save_as(path)
    for syntax, name in SLICES.items():
        dataset = pydicom.dcmread(folder / "series" / "0008.dcm")
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[name])  # each a series of its own
        if syntax in (JPEG2000Lossless, RLELossless):
            dataset.compress(syntax, generate_instance_uid=False)
        else:
            stored = dataset.pixel_array.astype(np.uint16)
            lossless = {"lossless": True, "predictor": 1, "bitspersample": dataset.BitsStored}
            dataset.PixelData = encapsulate(
                [jpegls_encode(stored) if syntax == JPEGLSLossless else jpeg8_encode(stored, **lossless)]
            )
            dataset["PixelData"].VR = "OB"
            dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(folder / f"{name}.dcm")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """A display of its own for one test, which any user of this machine may draw on."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1366x768x24", "-nolisten", "tcp", "-ac"]
    with (tmp_path / "xvfb.log").open("wb") as log:
        server = subprocess.Popen(command, pass_fds=[writing], stdout=log, stderr=log)
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    assert number, (tmp_path / "xvfb.log").read_text()
    yield f":{number}"
    server.terminate()
    server.wait()
