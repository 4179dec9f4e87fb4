"""Write the phantom as the files a reader would bring: PNG, DICOM series, NIfTI. Each says that it is synthetic."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.imaging.phantom import PhantomVolume


def write_png(pixels: NDArray[np.uint8] | NDArray[np.uint16], path: Path, *, seed: int) -> Path:
    """One grey picture of 8 or 16 bits; its text chunk ``synthetic`` tells `imaging.load` what it is.

    Raises `BrainTumorError` (export_failed), as all writers here.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("synthetic", _label(seed))
    with _failing_as_export():
        Image.fromarray(pixels).save(path, "PNG", pnginfo=text)
    return path


def write_nifti(volume: PhantomVolume, path: Path) -> Path:
    """NIfTI-1 (``.nii`` or ``.nii.gz``) in RAS millimetres, sform and qform both set."""
    import nibabel

    nifti: Any = nibabel  # its functions carry no types
    image = nifti.Nifti1Image(volume.pixels.transpose(2, 1, 0), volume.affine)
    image.header["descrip"] = _label(volume.seed).encode()
    image.header.set_xyzt_units("mm")
    image.set_sform(volume.affine, code="scanner")
    image.set_qform(volume.affine, code="scanner")
    with _failing_as_export():
        nifti.save(image, path)
    return path


def write_dicom_series(volume: PhantomVolume, folder: Path) -> list[Path]:
    """One MR Image Storage file a slice, ``0001.dcm`` upwards, Explicit VR Little Endian; the folder is made.

    The same volume gets the same UIDs. The geometry is that of `volume.affine` turned to DICOM's patient axes (LPS).
    """
    files = []
    with _failing_as_export():
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(len(volume.pixels)):
            path = folder / f"{index + 1:04d}.dcm"
            _slice_dataset(volume, index).save_as(path, enforce_file_format=True)
            files.append(path)
    return files


def _slice_dataset(volume: PhantomVolume, index: int) -> Any:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    pixels = volume.pixels[index]
    to_lps = np.diag([-1.0, -1.0, 1.0])
    along_row, along_column = (to_lps @ volume.affine[:3, i] / np.linalg.norm(volume.affine[:3, i]) for i in (0, 1))
    position = to_lps @ (volume.affine @ [0, 0, index, 1])[:3]

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = _uid(volume, f"instance {index}")
    dataset.StudyInstanceUID = _uid(volume, "study")
    dataset.SeriesInstanceUID = _uid(volume, "series")
    dataset.FrameOfReferenceUID = _uid(volume, "frame of reference")
    dataset.PatientName = "SYNTHETIC^PHANTOM"
    dataset.PatientID = f"PHANTOM-{volume.seed}"
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.StudyDate = dataset.SeriesDate = "20000101"
    dataset.StudyTime = dataset.SeriesTime = "000000"
    dataset.AccessionNumber = dataset.ReferringPhysicianName = dataset.PositionReferenceIndicator = ""
    dataset.StudyID = "1"
    dataset.StudyDescription = "Synthetic head phantom"
    dataset.SeriesDescription = "synthetic T1 post contrast axial"
    dataset.SeriesNumber, dataset.AcquisitionNumber, dataset.InstanceNumber = 1, 1, index + 1
    dataset.Modality = "MR"
    dataset.Manufacturer = "synthetic"
    dataset.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    dataset.DerivationDescription = _label(volume.seed)
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientPosition = "HFS"
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "GR", "NONE", ""
    dataset.MRAcquisitionType = "3D"
    dataset.RepetitionTime = dataset.EchoTime = dataset.EchoTrainLength = None
    dataset.ContrastBolusAgent = "synthetic"
    dataset.SliceThickness = dataset.SpacingBetweenSlices = volume.spacing_mm[0]
    dataset.PixelSpacing = list(volume.spacing_mm[1:])
    dataset.ImageOrientationPatient = [round(float(v), 6) for v in (*along_row, *along_column)]
    dataset.ImagePositionPatient = [round(float(v), 6) for v in position]
    dataset.SliceLocation = round(float(position[2]), 6)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.BurnedInAnnotation = "NO"
    dataset.WindowCenter, dataset.WindowWidth = 450, 900
    dataset.PixelData = pixels.astype("<u2").tobytes()
    return dataset


def _uid(volume: PhantomVolume, role: str) -> str:
    """A UUID-derived UID (PS3.5 B.2) that depends on what makes the volume, and so is the same each time."""
    recipe = f"{role} {volume.seed} {volume.pixels.shape} {volume.spacing_mm} {volume.lesion}"
    return f"2.25.{int.from_bytes(hashlib.sha256(recipe.encode()).digest()[:16])}"


def _label(seed: int) -> str:
    return f"synthetic head phantom, not a patient, seed {seed}"


@contextlib.contextmanager
def _failing_as_export() -> Iterator[None]:
    try:
        yield
    except OSError as cause:
        raise BrainTumorError(
            ErrorCode.EXPORT_FAILED,
            phrase("The phantom could not be written."),
            phrase("Choose a folder that you may write to, with room on its drive."),
        ) from cause
