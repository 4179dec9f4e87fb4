"""DICOM objects of every kind of input before independent judges, dciodvfy and DCMTK, and as sets of files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging import load
from braintumor_desktop.imaging.phantom import make_picture
from braintumor_desktop.imaging.phantom_files import write_png
from braintumor_desktop.reporting import build_report, write_dicom
from braintumor_desktop.reporting.dicom.identity import FreshUids, Identity
from braintumor_desktop.reporting.dicom.kinds import DicomKind
from dicom_files import edit, only
from dicom_objects import (
    NOT_PDF,
    changed,
    dumped,
    ellipsoid,
    faults,
    outlined,
    pdf_inside,
    written,
)

SHARED = (
    "dicom/wg04/MR1_J2KI",
    "dicom/wg04/MR2_JPLY",
    "dicom/wg04/MR4_JLSN",
    "dicom/wg04/CT1_RLE",
    "dicom/transfer_syntaxes_siemens_epi/5.dcm",
    "dicom/enhanced/emri_small_big_endian.dcm",
    "dicom/enhanced/MR-SIEMENS-DICOM-WithOverlays.dcm",
    "dicom/t1_series_implicit_le",
    "cheng/images/0001.jpg",
    "volumes/ms_longitudinal/patient01_study1_FLAIR.nii.gz",
)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", SHARED)
def test_the_judges_find_no_fault_in_objects_of_shared_inputs(shared_data: Path, tmp_path: Path, name: str) -> None:
    study = only(shared_data / name).load()
    analysis = outlined(study, ellipsoid(study, (0.5, 0.4, 0.6)))
    large = study.slices > 100  # its probability map tells nothing that those of the others don't
    objects = written(analysis, tmp_path, tuple(k for k in NOT_PDF if not (large and k is DicomKind.PROBABILITY)))
    for stem in objects:
        if not stem.startswith("source") or stem in ("source", "source-001"):
            assert faults(tmp_path / f"{stem}.dcm") == [], stem
    assert "Certainty of Finding" in dumped("dsrdump", tmp_path / "sr.dcm")
    source = study.headers[0] if study.headers else objects.get("source", objects.get("source-001"))
    assert source is not None
    for dataset in objects.values():
        assert dataset.StudyInstanceUID == source.StudyInstanceUID
        assert str(dataset.PatientName) == str(source.PatientName)
        assert "Research use only" in dataset.SeriesDescription
    everything = {str(each.SOPInstanceUID) for each in study.headers or objects.values()}
    segmentations = [each for stem, each in objects.items() if stem.startswith(("seg", "prob"))]
    for item in (item for each in segmentations for item in each.SourceImageSequence):
        assert item.ReferencedSOPInstanceUID in everything


def test_a_picture_gets_a_study_of_its_own_without_a_patient(phantom: Path, tmp_path: Path) -> None:
    study = load(phantom)
    mask = ellipsoid(study, (0.5, 0.4, 0.6))
    objects = written(outlined(study, mask), tmp_path / "one")
    assert set(objects) == {"seg", "prob", "sr", "sc-001", "sc-002", "sc-003", "source"}
    for stem, dataset in objects.items():
        assert (dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate, dataset.StudyDate) == ("", "", "", "")
        assert "without DICOM identifiers" in dataset.StudyDescription
        assert faults(tmp_path / "one" / f"{stem}.dcm") == []
    assert np.array_equal(objects["source"].pixel_array, study.pixels[0])
    assert "PixelSpacing" not in objects["source"]
    assert np.array_equal(objects["seg"].pixel_array > 0, mask[0])
    report = highdicom.sr.srread(tmp_path / "one" / "sr.dcm").content
    assert isinstance(report, highdicom.sr.MeasurementReport)
    (group,) = report.get_planar_roi_measurement_groups()
    assert {m.unit.value for m in group.get_measurements()} == {"{pixels}"}
    again = written(outlined(study, mask), tmp_path / "two", (DicomKind.SEGMENTATION,))
    assert again["seg"].StudyInstanceUID == objects["seg"].StudyInstanceUID
    assert again["seg"].SOPInstanceUID != objects["seg"].SOPInstanceUID


def test_outlines_in_doubt_are_called_so_in_every_object(series: Study, tmp_path: Path) -> None:
    plain = outlined(series, ellipsoid(series, (0.4, 0.4, 0.6)), lesions=True)
    analysis = replace(plain, finding=replace(plain.finding, label="indeterminate", doubted=True))
    made = written(analysis, tmp_path)
    assert [each.SegmentLabel for each in made["seg"].SegmentSequence] == ["Doubted outline 1"]
    assert "Doubted outline 1" in dumped("dsrdump", tmp_path / "sr.dcm")
    assert made["sc-002"].DerivationDescription.startswith("Doubted outline:")
    assert "outlined with a doubt" in made["sc-002"].ImageComments


def test_the_encapsulated_pdf_is_the_report_s_own_file(series: Study, tmp_path: Path) -> None:
    analysis = outlined(series, ellipsoid(series, (0.4, 0.4, 0.6)))
    written(analysis, tmp_path, (DicomKind.PDF,))
    assert faults(tmp_path / "pdf.dcm") == []
    dumped("dcmdump", tmp_path / "pdf.dcm")
    inside = pdf_inside(tmp_path / "pdf.dcm", tmp_path / "inside.pdf")
    assert inside.startswith(b"%PDF-")
    assert inside.rstrip(b"\0").rstrip().endswith(b"%%EOF")


def test_captures_carry_the_research_notice_in_their_pixels(series: Study, tmp_path: Path) -> None:
    analysis = outlined(series, ellipsoid(series, (0.4, 0.4, 0.6)))
    objects = written(analysis, tmp_path, (DicomKind.CAPTURE,))
    assert list(objects) == ["sc-001", "sc-002", "sc-003"]
    for image, drawn in zip(build_report(analysis).images, objects.values(), strict=True):
        below = drawn.pixel_array[image.pixels.shape[0] :]
        assert drawn.Rows > image.pixels.shape[0]
        assert (np.abs(below.astype(int) - (255, 214, 102)).sum(axis=2) < 30).any()
        assert RESEARCH_USE in drawn.ImageComments
        assert drawn.ImageType[:2] == ["DERIVED", "SECONDARY"]


@pytest.mark.shared_data
def test_a_capture_names_the_frame_that_it_shows(shared_data: Path, tmp_path: Path) -> None:
    study = load(shared_data / "dicom/enhanced/emri_small_big_endian.dcm")
    analysis = outlined(study, ellipsoid(study, (0.4, 0.5, 0.5)))
    made = written(analysis, tmp_path, (DicomKind.CAPTURE,))
    for each in made.values():
        (source,) = each.SourceImageSequence
        assert source.ReferencedFrameNumber == analysis.key_slice + 1


def test_a_deidentified_export_names_neither_patient_nor_study_nor_image(series: Study, tmp_path: Path) -> None:
    marks = ("PatientName", "PatientID", "AccessionNumber", "StudyID", "StudyDescription")
    named = changed(
        series,
        PatientBirthDate="19010203",
        StudyDate="19990203",
        **{keyword: f"MARK {keyword[:9]}" for keyword in marks},
    )
    headers = named.headers or ()
    analysis = outlined(named, ellipsoid(named, (0.4, 0.4, 0.6)))
    renamed = FreshUids()
    report = build_report(analysis, deidentified=True)
    paths = write_dicom(report, analysis, tmp_path, NOT_PDF, Identity(deidentified=True, renamed_uid=renamed))
    old = [str(headers[0][k].value) for k in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")]
    old += [str(header.SOPInstanceUID) for header in headers]
    for path in paths:
        content = path.read_bytes()
        assert not [mark for mark in (b"MARK", b"19010203", b"19990203") if mark in content]
        assert not [uid for uid in old if uid.encode() in content]
        dataset = pydicom.dcmread(path)
        assert dataset.StudyInstanceUID == renamed(old[0])
        assert dataset.PatientIdentityRemoved == "YES"
        assert faults(path) == []


def test_a_write_that_fails_leaves_no_part_of_the_set(series: Study, tmp_path: Path) -> None:
    analysis = outlined(series, ellipsoid(series, (0.4, 0.4, 0.6)))
    (tmp_path / "out" / "sr.dcm").mkdir(parents=True)  # what is no file can't be replaced
    with pytest.raises(BrainTumorError, match=r"sr\.dcm"):
        write_dicom(build_report(analysis), analysis, tmp_path / "out", (DicomKind.REPORT, DicomKind.CAPTURE))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sr.dcm"]


def test_a_write_that_fails_leaves_an_earlier_set_as_it_was(series: Study, tmp_path: Path) -> None:
    analysis = outlined(series, ellipsoid(series, (0.4, 0.4, 0.6)))
    written(analysis, tmp_path, (DicomKind.SEGMENTATION, DicomKind.CAPTURE))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "sr.dcm").mkdir()
    with pytest.raises(BrainTumorError, match=r"sr\.dcm"):
        write_dicom(build_report(analysis), analysis, tmp_path, (DicomKind.REPORT,))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_set_takes_the_place_of_an_earlier_one_and_leaves_what_others_made(series: Study, tmp_path: Path) -> None:
    written(outlined(series, ellipsoid(series, (0.4, 0.4, 0.6))), tmp_path, (DicomKind.REPORT, DicomKind.CAPTURE))
    without = outlined(series, np.zeros(series.pixels.shape, np.bool_))
    assert set(written(without, tmp_path, (DicomKind.REPORT,))) == {"sr"}
    edit(tmp_path / "sr.dcm", lambda dataset: setattr(dataset, "Manufacturer", "Another"), to=tmp_path / "pdf.dcm")
    (tmp_path / "seg.dcm").write_bytes(b"no DICOM file")
    write_dicom(build_report(without), without, tmp_path, (DicomKind.REPORT,))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pdf.dcm", "seg.dcm", "sr.dcm"]


@pytest.fixture
def phantom(tmp_path: Path) -> Path:
    return write_png(make_picture(4, 96)[0], tmp_path / "head.png", seed=4)


def test_a_patient_s_own_name_comes_through_and_a_date_that_is_none_does_not(series: Study, tmp_path: Path) -> None:
    with pydicom.config.disable_value_validation():
        odd = changed(
            series,
            PatientName="Müller^Zoë",
            PatientID="42 \\ 7",
            PatientBirthDate="1901.02.03",
            PatientSex="female",
            StudyDate="soon",
            StudyTime="10:20:30",
            AccessionNumber="12345678901234567890",
        )
    analysis = outlined(odd, ellipsoid(odd, (0.4, 0.4, 0.6)))
    for stem, dataset in written(analysis, tmp_path, (DicomKind.REPORT,)).items():
        assert str(dataset.PatientName) == "Müller^Zoë"
        assert (dataset.PatientBirthDate, dataset.PatientSex) == ("19010203", "")
        assert (dataset.StudyDate, dataset.StudyTime) == ("", "102030")
        assert dataset.AccessionNumber == ""  # cut, it would be the number of other orders too
        assert faults(tmp_path / f"{stem}.dcm") == []


def test_nothing_of_a_patient_reaches_the_log_or_the_terminal(
    series: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    named = changed(series, PatientName="Unusual_Name_Without_Carets", PatientID="ID-4711")
    analysis = outlined(named, ellipsoid(named, (0.4, 0.4, 0.6)))
    with caplog.at_level("DEBUG"):
        written(analysis, tmp_path, (DicomKind.REPORT, DicomKind.CAPTURE))
    said = caplog.text + "".join(capfd.readouterr())
    assert "Unusual_Name" not in said
    assert "4711" not in said
