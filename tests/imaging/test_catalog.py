"""Lists of what lies in folders, archives and on discs: complete, in order, and safe."""

from __future__ import annotations

import io
import os
import random
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    MediaStorageDirectoryStorage,
    generate_uid,
)

from braintumor_desktop.domain.errors import BrainTumorError, Cancelled, ErrorCode
from braintumor_desktop.domain.study import InputKind
from braintumor_desktop.imaging import Catalog, Entry, Limits, Problem, list_inputs
from braintumor_desktop.imaging.phantom import PhantomVolume, make_picture, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti


@pytest.fixture(scope="module")
def phantom() -> PhantomVolume:
    return make_volume(5, (6, 40, 48), (9.0, 5.0, 4.5))


@pytest.fixture
def disc(tmp_path: Path, phantom: PhantomVolume) -> Path:
    """A folder as a disc is: a series, a volume, a picture and what lies beside them."""
    folder = tmp_path / "disc"
    write_dicom_series(phantom, folder / "DICOM" / "A")
    write_nifti(phantom, folder / "volume.nii.gz")
    Image.fromarray(make_picture(5, 64)[0]).save(folder / "picture.png")
    (folder / "README.TXT").write_text("how to view this disc")
    (folder / "autorun.inf").write_text("[autorun]")
    (folder / ".hidden").write_bytes(b"x")
    return folder


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
    return archive


def codes(catalog: Catalog) -> list[ErrorCode]:
    return [problem.error.code for problem in catalog.problems]


def test_a_disc_is_listed_with_everything_on_it(disc: Path, phantom: PhantomVolume) -> None:
    catalog = list_inputs([disc])
    assert [(entry.kind, entry.slices, entry.path) for entry in catalog.entries] == [
        (InputKind.DICOM, 6, disc / "DICOM" / "A"),
        (InputKind.PICTURE, None, disc / "picture.png"),
        (InputKind.NIFTI, 6, disc / "volume.nii.gz"),
    ]
    assert catalog.problems == ()
    assert catalog.passed_over == 2
    series, picture, volume = catalog.entries
    assert (series.title, series.study_title) == ("synthetic T1 post contrast axial", "Synthetic head phantom")
    assert series.stem == "synthetic_T1_post_contrast_axial"
    assert volume.stem == "volume"
    assert np.array_equal(series.load().pixels, phantom.pixels)
    assert np.array_equal(volume.load().pixels, phantom.pixels)
    assert picture.load().pixels.shape == (1, 64, 64)


def test_a_large_film_beside_the_pictures_is_passed_over(disc: Path) -> None:
    film = disc / "viewer.cab"
    film.write_bytes(b"MSCF" + bytes(2000))
    limits = Limits(max_file_bytes=1500)
    catalog = list_inputs([disc / "DICOM", disc], limits=limits)
    assert film not in [problem.path for problem in catalog.problems]
    assert catalog.passed_over == 3
    assert codes(list_inputs([film], limits=limits)) == [ErrorCode.FILE_TOO_LARGE]


@pytest.mark.parametrize("kind", [ComprehensiveSRStorage, GrayscaleSoftcopyPresentationStateStorage])
def test_reports_beside_the_pictures_are_passed_over_unless_given_by_name(
    tmp_path: Path, disc: Path, kind: UID
) -> None:
    report = pydicom.dcmread(disc / "DICOM" / "A" / "0001.dcm")
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = kind
    del report.PixelData, report.Rows, report.Columns
    report.save_as(disc / "DICOM" / "A" / "report.dcm")
    for inputs in (disc, zipped(disc, tmp_path / "x.zip")):
        catalog = list_inputs([inputs])
        assert [entry.slices for entry in catalog.entries] == [6, None, 6]
        assert catalog.problems == ()
        assert catalog.passed_over == 3
    assert codes(list_inputs([disc / "DICOM" / "A" / "report.dcm"])) == [ErrorCode.DICOM_NOT_AN_IMAGE]


def test_a_zip_gives_what_its_folder_gives_and_leaves_nothing_behind(
    tmp_path: Path, disc: Path, phantom: PhantomVolume, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    archive = zipped(disc, tmp_path / "disc.zip")
    catalog = list_inputs([archive])
    assert [(entry.kind, entry.slices) for entry in catalog.entries] == [
        (InputKind.DICOM, 6),
        (InputKind.PICTURE, None),
        (InputKind.NIFTI, 6),
    ]
    assert catalog.problems == ()
    assert catalog.passed_over == 2
    assert catalog.entries[0].path == archive / "DICOM" / "A"
    for entry in (catalog.entries[0], catalog.entries[2]):
        assert np.array_equal(entry.load().pixels, phantom.pixels)
    assert catalog.entries[1].load().pixels.shape == (1, 64, 64)
    assert list(temporary.iterdir()) == []


def test_folders_files_and_archives_dropped_together_keep_their_order(tmp_path: Path, disc: Path) -> None:
    archive = zipped(disc / "DICOM", tmp_path / "series.zip")
    missing = tmp_path / "missing.png"
    catalog = list_inputs([disc / "volume.nii.gz", missing, archive, disc / "picture.png"])
    assert [type(item) for item in catalog.items] == [Entry, Problem, Entry, Entry]
    assert [item.path.name for item in catalog.items] == ["volume.nii.gz", "missing.png", "A", "picture.png"]
    assert codes(catalog) == [ErrorCode.FILE_NOT_FOUND]


def test_what_lies_in_a_folder_and_is_named_beside_it_is_listed_once(tmp_path: Path, disc: Path) -> None:
    archive = zipped(disc, tmp_path / "disc.zip")
    everything = {item.path for item in list_inputs([tmp_path]).items}
    listed = list_inputs([tmp_path, disc, disc / "picture.png", archive])
    assert {item.path for item in listed.items} == everything
    assert len(listed.items) == len(everything)
    assert [item.path for item in list_inputs([disc, disc / "README.TXT"]).problems if not item.ignorable] == [
        disc / "README.TXT"
    ]


def test_a_picture_named_twice_is_listed_twice(disc: Path) -> None:
    picture = disc / "picture.png"
    assert [item.path for item in list_inputs([picture, picture]).items] == [picture, picture]


def test_a_zip_in_a_folder_is_opened_and_a_document_is_not(tmp_path: Path, disc: Path) -> None:
    zipped(disc / "DICOM", disc / "more.zip")
    with zipfile.ZipFile(disc / "letter.docx", "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("word/media/image1.png", (disc / "picture.png").read_bytes())
    catalog = list_inputs([disc])
    assert len(catalog.entries) == 3  # the series of the archive is the one of the folder
    assert any("6 copies" in note for note in catalog.entries[0].notes)
    assert catalog.problems == ()
    assert catalog.passed_over == 3
    assert codes(list_inputs([disc / "letter.docx"])) == [ErrorCode.NOT_AN_IMAGE]


@pytest.mark.parametrize("name", ["/etc/x.dcm", "../x.dcm", "a/../../x.dcm", "C:/x.dcm", "..\\x.dcm", "\\x.dcm"])
def test_a_zip_whose_names_leave_it_is_refused(tmp_path: Path, disc: Path, name: str) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(disc / "picture.png", "picture.png")
        file.writestr(zipfile.ZipInfo(name), b"data")
    catalog = list_inputs([archive])
    assert codes(catalog) == [ErrorCode.ARCHIVE_UNSAFE]
    assert catalog.entries == ()


def test_a_zip_with_links_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("scan.dcm")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    assert codes(list_inputs([tmp_path / "x.zip"])) == [ErrorCode.ARCHIVE_UNSAFE]


def test_an_encrypted_zip_is_refused(tmp_path: Path, disc: Path) -> None:
    archive = zipped(disc / "DICOM", tmp_path / "x.zip")
    data = bytearray(archive.read_bytes())
    # The flag in each entry of the central directory (APPNOTE 4.4.4, bit 0).
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 4)
    archive.write_bytes(data)
    assert codes(list_inputs([archive])) == [ErrorCode.ARCHIVE_ENCRYPTED]


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("scan.dcm", bytes(64 * 2**20))
    assert codes(list_inputs([tmp_path / "x.zip"])) == [ErrorCode.ARCHIVE_TOO_LARGE]


@pytest.mark.parametrize("limits", [Limits(max_archive_bytes=1000), Limits(max_archive_files=3)])
def test_an_archive_beyond_the_limits_is_refused(tmp_path: Path, disc: Path, limits: Limits) -> None:
    archive = zipped(disc, tmp_path / "x.zip")
    assert codes(list_inputs([archive], limits=limits)) == [ErrorCode.ARCHIVE_TOO_LARGE]


def test_a_zip_that_lies_about_sizes_gives_no_more_than_it_said(tmp_path: Path, disc: Path) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(disc / "picture.png", "picture.png")
    data = bytearray(archive.read_bytes())
    at = data.find(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 200)  # uncompressed size
    archive.write_bytes(data)
    catalog = list_inputs([archive])
    assert catalog.entries == ()
    assert codes(catalog) == [ErrorCode.ARCHIVE_DAMAGED]


def test_a_zip_with_two_members_of_one_name_is_refused(tmp_path: Path, disc: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python's own ZIP writer
        file.write(disc / "picture.png", "picture.png")
        file.write(disc / "picture.png", "picture.png")
    catalog = list_inputs([tmp_path / "x.zip"])
    assert codes(catalog) == [ErrorCode.ARCHIVE_DAMAGED]
    assert catalog.entries == ()


def test_a_zip_inside_a_zip_is_said(tmp_path: Path, disc: Path) -> None:
    inner = zipped(disc / "DICOM", tmp_path / "inner.zip")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as file:
        file.write(inner, "inner.zip")
        file.write(disc / "picture.png", "picture.png")
    catalog = list_inputs([tmp_path / "outer.zip"])
    assert codes(catalog) == [ErrorCode.ARCHIVE_UNSAFE]
    assert len(catalog.entries) == 1


def test_damaged_archives_raise_nothing(tmp_path: Path, disc: Path) -> None:
    whole = zipped(disc, tmp_path / "x.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert codes(list_inputs([tmp_path / "cut.zip"])) == [ErrorCode.ARCHIVE_DAMAGED]
    rng = random.Random(2)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(3):
            data[rng.randrange(len(data) - 900, len(data))] = rng.randrange(256)
        (tmp_path / "y.zip").write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python's own ZIP reader
            catalog = list_inputs([tmp_path / "y.zip"])
        assert ErrorCode.INTERNAL not in codes(catalog)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_damage_in_the_middle_of_a_member_is_told_when_it_is_loaded(tmp_path: Path, packing: int) -> None:
    noise = np.random.default_rng(1).integers(0, 1000, (64, 64, 20)).astype(np.int16)
    nib.save(nib.Nifti1Image(noise, np.diag((1.0, 1.0, 3.0, 1.0))), tmp_path / "a.nii")
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w", packing) as file:
        file.write(tmp_path / "a.nii", "a.nii")
    data = bytearray(archive.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = b"\xff" * 200
    archive.write_bytes(data)
    (entry,) = list_inputs([archive]).entries
    with pytest.raises(BrainTumorError) as caught:
        entry.load()
    assert caught.value.code is ErrorCode.ARCHIVE_DAMAGED


# DICOMDIR


def write_dicomdir(path: Path, files: list[tuple[str, ...]]) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = Dataset()
    dataset.file_meta = meta
    records = []
    for parts in files:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.ReferencedFileID = list(parts)
        records.append(record)
    dataset.DirectoryRecordSequence = records
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that break the standard are what is tested
        dataset.save_as(path, enforce_file_format=True)


def test_a_dicomdir_opens_the_files_it_names(disc: Path) -> None:
    write_dicomdir(disc / "DICOMDIR", [("dicom", "A", f"000{n}.DCM") for n in range(1, 5)])
    catalog = list_inputs([disc / "DICOMDIR"])
    assert [entry.slices for entry in catalog.entries] == [4]
    assert catalog.problems == ()


def test_a_dicomdir_in_its_folder_is_no_input_of_its_own(tmp_path: Path, disc: Path) -> None:
    write_dicomdir(disc / "DICOMDIR", [("DICOM", "A", f"000{n}.dcm") for n in range(1, 7)])
    for inputs in (disc, zipped(disc, tmp_path / "x.zip")):
        catalog = list_inputs([inputs])
        assert [entry.slices for entry in catalog.entries] == [6, None, 6]
        assert catalog.problems == ()
        assert catalog.entries[0].notes == ()


def test_missing_files_of_a_dicomdir_are_told(tmp_path: Path, disc: Path) -> None:
    write_dicomdir(disc / "DICOMDIR", [("DICOM", "A", f"000{n}.dcm") for n in range(1, 9)])
    for inputs in (disc, disc / "DICOMDIR", zipped(disc, tmp_path / "x.zip")):
        catalog = list_inputs([inputs])
        assert codes(catalog) == [ErrorCode.DICOMDIR_FILES_MISSING]
        assert "2 of the 8" in catalog.problems[0].error.message
        assert catalog.entries[0].slices == 6


@pytest.mark.parametrize("outside", [("..", "secret"), ("/etc", "passwd"), ("C:", "x"), ("A\\..\\..\\x",)])
def test_a_dicomdir_that_leads_outside_is_not_followed(disc: Path, outside: tuple[str, ...]) -> None:
    (disc.parent / "secret").write_bytes((disc / "DICOM" / "A" / "0001.dcm").read_bytes())
    write_dicomdir(disc / "DICOMDIR", [outside, ("DICOM", "A", "0002.dcm")])
    catalog = list_inputs([disc / "DICOMDIR"])
    assert codes(catalog) == [ErrorCode.DICOMDIR_POINTS_OUTSIDE]
    assert [entry.slices for entry in catalog.entries] == [1]


# The run itself


def test_progress_goes_from_nothing_to_all_and_a_cancel_stops(tmp_path: Path, disc: Path) -> None:
    told: list[tuple[str, float]] = []
    archive = zipped(disc, tmp_path / "x.zip")
    list_inputs([disc, archive], progress=lambda stage, share: told.append((stage, share)))
    assert told[0] == ("Reading headers", 0.0)
    assert told[-1] == ("Reading headers", 1.0)
    assert [share for _, share in told] == sorted(share for _, share in told)
    with pytest.raises(Cancelled):
        list_inputs([disc], cancelled=lambda: True)
    (series, *_) = list_inputs([disc]).entries
    with pytest.raises(Cancelled):
        series.load(cancelled=lambda: True)


def test_listing_reads_no_pixels(disc: Path) -> None:
    """Two thousand files list in seconds because of this."""
    path = disc / "DICOM" / "A" / "0001.dcm"
    dataset = pydicom.dcmread(path)
    dataset.Rows = dataset.Columns = 4096
    dataset.PixelData = bytes(2 * 4096**2)
    dataset.save_as(path)
    del dataset
    tracemalloc.start()
    try:
        assert list_inputs([path]).entries[0].rows == 4096
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20  # the pixels alone are 32 MB; modules loaded on the way count too


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_told(disc: Path) -> None:
    (disc / "DICOM").chmod(0)
    try:
        assert codes(list_inputs([disc])) == [ErrorCode.IS_DIRECTORY]
    finally:
        (disc / "DICOM").chmod(0o755)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_lies_below_a_folder_that_may_not_be_read_is_told(disc: Path) -> None:
    (disc / "DICOM").chmod(0)
    try:
        catalog = list_inputs([disc / "DICOM" / "A", disc / "picture.png"])
        assert codes(catalog) == [ErrorCode.FILE_UNREADABLE]
        assert len(catalog.entries) == 1
    finally:
        (disc / "DICOM").chmod(0o755)


def test_a_path_that_the_system_refuses_to_look_at_is_told(disc: Path) -> None:
    catalog = list_inputs([disc / ("long" * 100), disc / "picture.png"])
    assert codes(catalog) == [ErrorCode.FILE_UNREADABLE]
    assert len(catalog.entries) == 1


def test_an_empty_input_gives_an_empty_list(tmp_path: Path) -> None:
    assert list_inputs([tmp_path]).items == ()


def test_an_empty_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(empty_zip())
    assert codes(list_inputs([tmp_path / "x.zip"])) == [ErrorCode.NOT_AN_IMAGE]
    with zipfile.ZipFile(tmp_path / "hidden.zip", "w") as archive:
        archive.writestr("__MACOSX/._a.png", b"of another system")
    assert codes(list_inputs([tmp_path / "hidden.zip"])) == [ErrorCode.NOT_AN_IMAGE]


def empty_zip() -> bytes:
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    return buffer.getvalue()
