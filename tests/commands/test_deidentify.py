"""``braintumor deidentify`` and ``analyze --deidentify``: what goes out, looked at from outside."""

from __future__ import annotations

import gzip
import io
import json
import logging
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pydicom
import pypdfium2 as pdfium
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from braintumor_desktop.cli import main
from braintumor_desktop.imaging import list_inputs
from braintumor_desktop.imaging.phantom import Lesion, PhantomVolume, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti
from braintumor_desktop.imaging.sample import sample_picture
from marked_files import MARKER, marked_dicom


@pytest.fixture(scope="module")
def phantom() -> PhantomVolume:
    return make_volume(11, (3, 72, 72), (9.0, 3.2, 3.2), Lesion(kind="homogeneous", radius_mm=20.0))


@pytest.fixture
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Temporary files and settings in a folder of their own."""
    folder = tmp_path / "elsewhere"
    (folder / "temp").mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(folder / "temp"))
    monkeypatch.setenv("BRAINTUMOR_CONFIG_DIR", str(folder / "config"))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield folder
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.fixture
def marked(tmp_path: Path, phantom: PhantomVolume) -> Path:
    """A patient's folder: DICOM, NIfTI and pictures with the marker in everything that is text, and in every name."""
    folder = tmp_path / "in" / f"{MARKER}^Anna" / MARKER
    for path in write_dicom_series(phantom, folder / f"series of {MARKER}"):
        path.write_bytes(marked_dicom(path))
    _mark_nifti(write_nifti(phantom, folder / f"{MARKER} volume.nii.gz"))
    pixels = sample_picture().pixels[0]
    text, exif = PngInfo(), Image.Exif()
    text.add_text("Author", MARKER)
    exif[0x010E] = MARKER  # ImageDescription
    Image.fromarray(pixels).save(folder / f"{MARKER}.png", pnginfo=text, exif=exif)
    Image.fromarray(pixels).save(folder / f"{MARKER}.jpg", exif=exif, comment=MARKER.encode(), quality=95)
    picture = folder / f"{MARKER}.jpg"
    picture.write_bytes(picture.read_bytes() + MARKER.encode())
    (folder / "letter.txt").write_text(MARKER)
    return tmp_path / "in"


def _mark_nifti(path: Path) -> None:
    image = nibabel.load(path)
    for field in ("descrip", "aux_file", "intent_name", "db_name"):
        image.header[field] = MARKER.encode()
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", MARKER.encode()))
    nibabel.save(image, path)
    content = gzip.decompress(path.read_bytes()) + MARKER.encode()
    with path.open("wb") as stream, gzip.GzipFile(MARKER, "wb", fileobj=stream) as packed:
        packed.write(content)


def everything_under(*folders: Path) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            data = path.read_bytes() if path.is_file() else b""
            yield str(path.relative_to(folder)), data
            if data[:2] == b"\x1f\x8b":
                yield f"{path.name} unpacked", gzip.decompress(data)
            if data[:5] == b"%PDF-":
                with pdfium.PdfDocument(data) as document:
                    pages = [page.get_textpage().get_text_bounded() for page in document]
                    yield f"{path.name} in words", f"{pages} {document.get_metadata_dict()}".encode()


def digests(folder: Path) -> dict[str, str]:
    return {str(p): sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What any logger says, as a log file would have it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("options", [[], ["--dates", "shift", "--blank-text"]])
def test_no_marker_comes_out_and_the_input_stays(
    marked: Path, tmp_path: Path, isolated: Path, options: list[str], log: io.StringIO
) -> None:
    before = digests(marked)
    assert main(["deidentify", str(marked), str(tmp_path / "out"), *options]) == 0
    kinds = [path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(kinds) == [".dcm", ".dcm", ".dcm", ".gz", ".json", ".png", ".png"]
    for name, data in everything_under(tmp_path / "out", isolated):
        assert MARKER not in name
        assert MARKER.encode() not in data, name
    assert MARKER not in log.getvalue()
    assert digests(marked) == before


def test_what_goes_out_is_the_same_head_at_the_same_place(phantom: PhantomVolume, tmp_path: Path) -> None:
    write_dicom_series(phantom, tmp_path / "in")
    write_nifti(phantom, tmp_path / "in" / "volume.nii.gz")
    Image.fromarray(np.arange(6400, dtype=np.uint16).reshape(80, 80) * 10).save(tmp_path / "in" / "zdeep.png")
    assert main(["deidentify", str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    for one, other in zip(
        sorted(list_inputs([tmp_path / "in"]).entries, key=lambda entry: entry.kind),
        sorted(list_inputs([tmp_path / "out"]).entries, key=lambda entry: entry.kind),
        strict=True,
    ):
        before, after = one.load(), other.load()
        assert np.array_equal(before.pixels, after.pixels)
        assert before.geometry.orientation == after.geometry.orientation
        assert (before.geometry.affine is None) == (after.geometry.affine is None)
        if before.geometry.affine is not None and after.geometry.affine is not None:
            assert np.allclose(before.geometry.affine, after.geometry.affine, atol=1e-4)
    stored = nibabel.load(next((tmp_path / "out").rglob("*.nii.gz")))
    original = nibabel.load(tmp_path / "in" / "volume.nii.gz")
    assert np.array_equal(stored.get_fdata(), original.get_fdata())
    assert np.allclose(stored.affine, original.affine)


def test_archives_and_dicomdirs_are_read(phantom: PhantomVolume, tmp_path: Path) -> None:
    paths = write_dicom_series(phantom, tmp_path / "series")
    shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "series")
    _write_dicomdir(tmp_path / "disc", paths)
    for number, source in enumerate((tmp_path / "study.zip", tmp_path / "disc" / "DICOMDIR", tmp_path / "disc")):
        assert main(["deidentify", str(source), str(tmp_path / f"out{number}")]) == 0
        assert len(list((tmp_path / f"out{number}").rglob("*.dcm"))) == 3
        assert not list((tmp_path / f"out{number}").rglob("DICOMDIR"))


def test_what_a_dicomdir_names_and_is_not_there_is_told_also_of_one_in_an_archive(
    phantom: PhantomVolume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_dicomdir(tmp_path / "disc", write_dicom_series(phantom, tmp_path / "series"))
    (tmp_path / "disc" / "IM1").unlink()
    archive = shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "disc")
    for number, source in enumerate((archive, tmp_path / "disc" / "DICOMDIR", tmp_path / "disc")):
        assert main(["deidentify", str(source), str(tmp_path / f"out{number}")]) == 1
        told = capsys.readouterr().err
        assert told.count("[dicomdir_files_missing]") == 1
        assert "1 of the 3" in told
        assert len(list((tmp_path / f"out{number}").rglob("*.dcm"))) == 2


def _write_dicomdir(folder: Path, paths: list[Path]) -> None:
    folder.mkdir()
    records = []
    for number, path in enumerate(paths):
        shutil.copy(path, folder / f"IM{number}")
        record = pydicom.Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", f"IM{number}"
        records.append(record)
    listing = pydicom.Dataset()
    listing.DirectoryRecordSequence = records
    listing.file_meta = pydicom.dataset.FileMetaDataset()
    listing.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    listing.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    listing.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    listing.save_as(folder / "DICOMDIR", enforce_file_format=True)


def test_an_output_that_could_mix_with_the_input_is_refused(
    phantom: PhantomVolume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in"
    write_dicom_series(phantom, source)
    before = digests(tmp_path)
    (tmp_path / "link").symlink_to(source)
    for target in (source, source / "out", tmp_path, tmp_path / "link" / "out"):
        assert main(["deidentify", str(source), str(target)]) == 1
        assert "[data_invalid]" in capsys.readouterr().err
    assert main(["deidentify", str(tmp_path / "nothing"), str(tmp_path / "out")]) == 1
    assert digests(tmp_path) == before


def test_places_that_the_system_refuses_are_told(
    phantom: PhantomVolume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dicom_series(phantom, tmp_path / "in")
    name = "n" * 300  # longer than a disk takes
    assert main(["deidentify", str(tmp_path / name), str(tmp_path / "out")]) == 1
    assert "[file_unreadable]" in capsys.readouterr().err
    assert main(["deidentify", str(tmp_path / "in"), str(tmp_path / name)]) == 1
    assert "The file name is too long for this disk. Choose a shorter name. [export_failed]" in capsys.readouterr().err


def test_a_file_that_cannot_be_treated_is_told_and_the_rest_goes_on(
    phantom: PhantomVolume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = write_dicom_series(phantom, tmp_path / "in")
    document = pydicom.dcmread(paths[0])
    document.SOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
    document.save_as(paths[0])
    assert main(["deidentify", str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    assert "0001.dcm" in told.err
    assert "[not_deidentifiable]" in told.err
    assert "2 files written" in told.out
    record = json.loads((tmp_path / "out" / "deidentification.json").read_text())
    assert (record["written"]["dicom"], record["not_written"]) == (2, 1)


def test_text_in_the_picture_is_told_and_made_black_on_request(
    phantom: PhantomVolume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_dicom_series(make_volume(5, (1, 256, 256), (5.0, 0.9, 0.9)), tmp_path / "in")[0]
    dataset = pydicom.dcmread(path)
    drawn = np.zeros((256, 256), np.uint8)
    cv2.putText(drawn, "MILLER 1951", (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)
    brightest = int(dataset.pixel_array.max())
    pixels = np.maximum(dataset.pixel_array, np.uint16(drawn / 255.0 * brightest))
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path)
    assert main(["deidentify", str(path), str(tmp_path / "seen")]) == 0
    assert "may contain text" in capsys.readouterr().err
    assert np.array_equal(pydicom.dcmread(next((tmp_path / "seen").rglob("*.dcm"))).pixel_array, pixels)
    assert main(["deidentify", str(path), str(tmp_path / "blank"), "--blank-text"]) == 0
    written = pydicom.dcmread(next((tmp_path / "blank").rglob("*.dcm")))
    assert not written.pixel_array[drawn > 0].any()
    assert np.array_equal(written.pixel_array[40:], pixels[40:])
    assert written.BurnedInAnnotation == "NO"
    assert "113101" in [item.CodeValue for item in written.DeidentificationMethodCodeSequence]


def test_no_export_of_an_analysis_names_the_patient(marked: Path, tmp_path: Path, isolated: Path) -> None:
    settings = isolated / "config" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"clinic_name": MARKER, "clinic_address": MARKER, "clinic_footer": MARKER}))
    out = tmp_path / f"of {MARKER}"
    exports = [
        *("--json", str(out / "lines.jsonl"), "--csv", str(out / "table.csv"), "--report", str(out / "reports")),
        *(
            "--masks",
            str(out / "masks"),
            "--heatmaps",
            str(out / "heat"),
            "--dicom",
            str(out / "dicom"),
            "--dicom-kinds",
            "seg,sr",
        ),
    ]
    out.mkdir()
    folder = marked / f"{MARKER}^Anna" / MARKER
    inputs = [*map(str, folder.glob("*.png")), str(folder / f"series of {MARKER}"), str(tmp_path / f"no {MARKER}.png")]
    assert main(["analyze", *inputs, "--deidentify", *exports]) == 1
    settings.unlink()
    for option in ("--masks", "--heatmaps"):  # the folder can't be made, and the error says which
        (in_the_way := out / f"{option} {MARKER}").write_text("")
        failed = ["--json", str(out / f"failed{option}.jsonl"), "--csv", str(out / f"failed{option}.csv")]
        assert main(["analyze", *inputs[:1], "--deidentify", option, str(in_the_way), *failed]) == 1
        in_the_way.unlink()
        (line,) = (out / f"failed{option}.jsonl").read_text().splitlines()
        assert "case-0001 can't be written: something that is not a file has that name." in line
    names = []
    for name, data in everything_under(out, isolated):
        assert MARKER not in name
        assert MARKER.encode() not in data, name
        names.append(name)
    assert len(names) > 15
    lines = [json.loads(line) for line in (out / "lines.jsonl").read_text().splitlines()]
    assert [line["path"] for line in lines] == [f"case-000{number}" for number in range(1, 4)]
    original = pydicom.dcmread(next(marked.rglob("*.dcm"))).SeriesInstanceUID
    assert original not in (out / "lines.jsonl").read_text()
