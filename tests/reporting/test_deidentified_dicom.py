"""DICOM files in, files out that nobody can be known by: markers in every place that holds text, and none comes out."""

from __future__ import annotations

import io
import shutil
import subprocess
import warnings
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_color_lut
from pydicom.uid import generate_uid

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.reporting.deidentification.dicom_files import CleanDicom, clean_dicom
from braintumor_desktop.reporting.deidentification.dicom_headers import Dates
from braintumor_desktop.reporting.deidentification.pseudonyms import Pseudonyms
from marked_files import MARKER, marked_dicom


def shared_files(shared_data: Path) -> list[Path]:
    """Every kind of file; of the series of 192 like slices the first."""
    folders = ("derived", "enhanced", "transfer_syntaxes_siemens_epi", "wg04")
    files = [f for name in folders for f in sorted((shared_data / "dicom" / name).iterdir()) if "LICENSE" not in f.name]
    return [f for f in files if "too_short" not in f.name] + [shared_data / "dicom/t1_series_implicit_le/N2D_0001.dcm"]


def clean(data: bytes, dates: Dates = Dates.REMOVE) -> tuple[CleanDicom, pydicom.Dataset]:
    cleaned = clean_dicom(data, Pseudonyms(), dates=dates)
    return cleaned, pydicom.dcmread(io.BytesIO(cleaned.data))


@pytest.fixture(scope="module")
def slice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom")
    return write_dicom_series(make_volume(3, (1, 48, 40), (5.0, 4.0, 4.0)), folder)[0]


@pytest.mark.shared_data
def test_no_marker_of_any_shared_file_comes_out(shared_data: Path) -> None:
    for number, path in enumerate(shared_files(shared_data)):
        marked = marked_dicom(path)
        assert marked.count(MARKER.encode()) > 25, path.name
        cleaned = clean_dicom(marked, Pseudonyms(), dates=list(Dates)[number % 2])
        assert MARKER.encode() not in cleaned.data, path.name
        assert not any(MARKER in part for part in cleaned.place)


@pytest.mark.shared_data
def test_pixels_and_geometry_stay_as_they_were(shared_data: Path) -> None:
    for name in (
        "wg04/MR4_JLSL",
        "wg04/MR4_J2KI",
        "wg04/MR4_RLE",
        "wg04/MR4_JPLL",
        "enhanced/emri_small_big_endian.dcm",
    ):
        path = shared_data / "dicom" / name
        before = pydicom.dcmread(path)
        _, after = clean(marked_dicom(path))
        assert np.array_equal(before.pixel_array, after.pixel_array), name
        assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    before = pydicom.dcmread(shared_data / "dicom/t1_series_implicit_le/N2D_0001.dcm")
    _, after = clean((shared_data / "dicom/t1_series_implicit_le/N2D_0001.dcm").read_bytes())
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RepetitionTime", "EchoTime"):
        assert after.get(keyword) == before.get(keyword), keyword


@pytest.mark.shared_data
@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
def test_a_validator_finds_no_errors_that_the_input_did_not_have(shared_data: Path, tmp_path: Path) -> None:
    def errors(path: Path) -> set[str]:
        told = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace", check=False)
        return {line for line in told.stderr.splitlines() if line.startswith("Error")}

    kinds = ("dcmqi", "MR-SIEMENS", "emri_small.dcm", "N2D", "1.dcm", "_RLE")  # the others have the same headers
    for number, path in enumerate(shared_files(shared_data)):
        if not path.name.startswith(kinds) and not path.name.endswith(kinds):
            continue
        cleaned, _ = clean(path.read_bytes(), list(Dates)[number % 2])
        (tmp_path / "clean.dcm").write_bytes(cleaned.data)
        assert errors(tmp_path / "clean.dcm") <= errors(path), path.name


def test_the_file_says_what_was_done(slice_file: Path) -> None:
    _, removed = clean(slice_file.read_bytes())
    assert removed.PatientIdentityRemoved == "YES"
    assert removed.LongitudinalTemporalInformationModified == "REMOVED"
    assert [item.CodeValue for item in removed.DeidentificationMethodCodeSequence] == ["113100", "113105", "113104"]
    _, shifted = clean(slice_file.read_bytes(), Dates.SHIFT)
    assert shifted.LongitudinalTemporalInformationModified == "MODIFIED"
    assert [item.CodeValue for item in shifted.DeidentificationMethodCodeSequence][-1] == "113107"


def test_uids_agree_within_a_run_and_not_between_runs(slice_file: Path) -> None:
    data = slice_file.read_bytes()
    one, other = Pseudonyms(), Pseudonyms()
    first, again, elsewhere = (
        pydicom.dcmread(io.BytesIO(clean_dicom(data, names).data)) for names in (one, one, other)
    )
    original = pydicom.dcmread(slice_file)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert first[keyword].value == again[keyword].value
        assert len({first[keyword].value, elsewhere[keyword].value, original[keyword].value}) == 3
        assert first[keyword].value.is_valid
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID
    assert first.SOPClassUID == original.SOPClassUID
    assert first.PatientID == again.PatientID != elsewhere.PatientID


def test_a_reference_leads_to_the_new_uid(slice_file: Path) -> None:
    original = pydicom.dcmread(slice_file)
    reference = pydicom.Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = original.SOPClassUID, original.SOPInstanceUID
    original.SourceImageSequence = [reference]
    stream = io.BytesIO()
    original.save_as(stream)
    _, cleaned = clean(stream.getvalue())
    assert cleaned.SourceImageSequence[0].ReferencedSOPInstanceUID == cleaned.SOPInstanceUID


def test_shifted_dates_keep_the_time_between_them_and_differ_between_patients(slice_file: Path) -> None:
    def acquired(patient: str, date: str, time: str, names: Pseudonyms) -> datetime:
        dataset = pydicom.dcmread(slice_file)
        dataset.PatientID, dataset.StudyDate, dataset.StudyTime = patient, date, time
        dataset.PatientBirthDate = "19500101"
        stream = io.BytesIO()
        dataset.save_as(stream)
        cleaned = pydicom.dcmread(io.BytesIO(clean_dicom(stream.getvalue(), names, dates=Dates.SHIFT).data))
        assert not cleaned.PatientBirthDate
        return datetime.strptime(cleaned.StudyDate + cleaned.StudyTime, "%Y%m%d%H%M%S")

    names = Pseudonyms()
    first = acquired("one", "20260301", "235000", names)
    second = acquired("one", "20260411", "001500", names)
    assert second - first == datetime(2026, 4, 11, 0, 15) - datetime(2026, 3, 1, 23, 50)
    assert 90 <= (datetime(2026, 3, 1, 23, 50) - first).days <= 3650
    assert acquired("two", "20260301", "235000", names) != first
    assert acquired("one", "20260301", "235000", Pseudonyms()) != first


def test_descriptions_keep_the_sequence_and_nothing_else(slice_file: Path) -> None:
    dataset = pydicom.dcmread(slice_file)
    dataset.SeriesDescription = "t1_mprage_SAG+C Miller, 1951-02-03"
    dataset.ContrastBolusAgent = "11 ml Omniscan for Mr. Smith"
    dataset.ManufacturerModelName = "Skyra of Dr. Jones"
    dataset.SeriesNumber = 4
    stream = io.BytesIO()
    dataset.save_as(stream)
    _, cleaned = clean(stream.getvalue())
    assert cleaned.SeriesDescription == "t1 mprage SAG C"
    assert cleaned.ContrastBolusAgent == "Omniscan Mr"
    assert cleaned.ManufacturerModelName == "Skyra"
    assert clean(written_with(slice_file, ContrastBolusAgent="something new"))[1].ContrastBolusAgent == "ANONYMIZED"
    assert clean(written_with(slice_file, ContrastBolusAgent=""))[1].ContrastBolusAgent == ""
    assert "SeriesDescription" not in clean(written_with(slice_file, SeriesDescription="Miller"))[1]
    assert cleaned.SeriesNumber == 4


def written_with(path: Path, **values: str) -> bytes:
    dataset = pydicom.dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of character sets that don't exist
        dataset.save_as(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    "keyword", ["SpecificCharacterSet", "PhotometricInterpretation", "Modality", "ImageType", "PatientPosition"]
)
def test_what_a_file_needs_to_be_read_is_no_hiding_place(slice_file: Path, keyword: str) -> None:
    refused: BrainTumorError | None = None
    data = b""
    try:
        data = clean_dicom(written_with(slice_file, **{keyword: MARKER}), Pseudonyms()).data
    except BrainTumorError as error:
        refused = error
    assert MARKER.encode() not in data
    assert data or (refused is not None and MARKER not in f"{refused} {refused.hint}")


def test_a_picture_in_palette_colours_keeps_them_and_how_it_was_compressed(slice_file: Path) -> None:
    dataset = pydicom.dcmread(slice_file)
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelData = bytes(range(240)) * (dataset.Rows * dataset.Columns // 240)
    for number in range(3):  # red, green, blue
        dataset.add_new(0x00281101 + number, "US", [256, 0, 16])
        dataset.add_new(0x00281201 + number, "OW", (np.arange(256, dtype=np.uint16) * (100 + number)).tobytes())
    dataset.LossyImageCompressionMethod = methods = ["ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_13818_2"]
    stream = io.BytesIO()
    dataset.save_as(stream)
    _, cleaned = clean(stream.getvalue())
    assert cleaned.PhotometricInterpretation == "PALETTE COLOR"
    assert cleaned.LossyImageCompressionMethod == methods
    before, after = (apply_color_lut(each.pixel_array, each) for each in (dataset, cleaned))
    assert np.array_equal(before, after)


def test_drawings_in_unused_bits_are_erased(slice_file: Path) -> None:
    dataset = pydicom.dcmread(slice_file)
    dataset.BitsStored, dataset.HighBit = 12, 11
    own = np.arange(dataset.Rows * dataset.Columns, dtype=np.uint16).reshape(dataset.Rows, dataset.Columns) % 4096
    drawn = own | (np.indices(own.shape).sum(0) % 2 << 15).astype(np.uint16)
    dataset.PixelData = drawn.tobytes()
    stream = io.BytesIO()
    dataset.save_as(stream)
    _, cleaned = clean(stream.getvalue())
    assert np.array_equal(np.frombuffer(cleaned.PixelData, np.uint16).reshape(own.shape), own)


@pytest.mark.parametrize(
    "kind",
    [
        "1.2.840.10008.5.1.4.1.1.104.1",  # Encapsulated PDF
        "1.2.840.10008.5.1.4.1.1.66",  # Raw Data
        "1.2.840.10008.5.1.4.1.1.9.1.1",  # ECG
        generate_uid(),  # a maker's own
    ],
)
def test_objects_that_cannot_be_judged_are_refused(slice_file: Path, kind: str) -> None:
    dataset = pydicom.dcmread(slice_file)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = kind
    stream = io.BytesIO()
    dataset.save_as(stream)
    with pytest.raises(BrainTumorError) as refused:
        clean_dicom(stream.getvalue(), Pseudonyms())
    assert refused.value.code == "not_deidentifiable"


def test_what_is_no_sound_file_is_refused_as_damaged(slice_file: Path) -> None:
    for data in (b"\0" * 128 + b"DICM" + b"junk" * 20, slice_file.read_bytes()[:600]):
        with pytest.raises(BrainTumorError) as refused:
            clean_dicom(data, Pseudonyms())
        assert refused.value.code in ("dicom_damaged", "dicom_no_pixels", "image_truncated")


def test_an_image_without_a_uid_gets_one(slice_file: Path) -> None:
    dataset = pydicom.dcmread(slice_file)
    dataset.SOPInstanceUID = ""
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=False)
    _, cleaned = clean(stream.getvalue())
    assert pydicom.uid.UID(cleaned.SOPInstanceUID).is_valid
    assert cleaned.file_meta.MediaStorageSOPInstanceUID == cleaned.SOPInstanceUID
    assert np.array_equal(cleaned.pixel_array, dataset.pixel_array)
