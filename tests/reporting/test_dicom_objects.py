"""DICOM objects of every kind of input, before independent judges: dciodvfy, DCMTK, SimpleITK and highdicom."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - its own documentation's name
from pydicom.dataset import Dataset

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import Analysis, Finding, TumorClass
from braintumor_desktop.domain.study import Geometry, Study
from braintumor_desktop.imaging import load
from braintumor_desktop.imaging.orientation import LPS_TO_RAS
from braintumor_desktop.imaging.phantom import make_picture, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series, write_nifti, write_png
from braintumor_desktop.reporting import ReaderNote, build_report, write_dicom
from braintumor_desktop.reporting.dicom.identity import FreshUids, Identity
from braintumor_desktop.reporting.dicom.kinds import DicomKind
from dicom_files import edit, only
from dicom_objects import PROBABILITIES, dcmqi, dumped, ellipsoid, faults, outlined, pdf_inside

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
NOT_PDF = tuple(kind for kind in DicomKind if kind is not DicomKind.PDF)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A synthetic oblique-free series: 10 slices, rows and columns of different size."""
    folder = tmp_path_factory.mktemp("series")
    write_dicom_series(make_volume(5, (10, 40, 48), (6.0, 5.0, 4.5)), folder)
    return only(folder).load()


def written(analysis: Analysis, folder: Path, kinds: tuple[DicomKind, ...] = NOT_PDF) -> dict[str, Dataset]:
    paths = write_dicom(build_report(analysis), analysis, folder, kinds)
    assert sorted(paths) == sorted(folder.iterdir())
    return {path.stem: pydicom.dcmread(path) for path in paths}


def voxels_on(study: Study, image: sitk.Image) -> set[tuple[int, ...]]:
    """(slice, row, column) of the study's voxels that the set voxels of an image lie on; they must hit exactly."""
    assert study.geometry.affine is not None
    to_study = np.linalg.inv(LPS_TO_RAS @ study.geometry.affine)
    found = set()
    for k, j, i in np.argwhere(sitk.GetArrayFromImage(image) > 0).tolist():
        column, row, index, _ = to_study @ (*image.TransformIndexToPhysicalPoint((i, j, k)), 1.0)
        assert np.allclose((index, row, column), np.rint((index, row, column)), atol=1e-3)
        found.add((round(index), round(row), round(column)))
    return found


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


def test_the_outline_lies_on_the_source_voxel_by_voxel(series: Study, tmp_path: Path) -> None:
    mask = ellipsoid(series, (0.35, 0.4, 0.6)) | ellipsoid(series, (0.9, 0.7, 0.3))
    objects = written(outlined(series, mask), tmp_path, (DicomKind.SEGMENTATION,))
    assert list(objects) == ["seg"]
    read = voxels_on(series, sitk.ReadImage(tmp_path / "seg.dcm"))
    assert read == set(map(tuple, np.argwhere(mask).tolist()))
    assert objects["seg"].FrameOfReferenceUID == series.geometry.frame_of_reference_uid


def test_dcmqi_finds_each_lesion_on_the_source_voxel_by_voxel_and_reads_the_report(
    series: Study, tmp_path: Path
) -> None:
    masks = (ellipsoid(series, (0.3, 0.3, 0.3), 0.15), ellipsoid(series, (0.8, 0.7, 0.7), 0.1))
    written(outlined(series, *masks, lesions=True), tmp_path, (DicomKind.REPORT,))
    dcmqi(
        "segimage2itkimage", "--inputDICOM", tmp_path / "seg.dcm", "--outputDirectory", tmp_path, "--outputType", "nrrd"
    )
    for number, mask in enumerate(masks, 1):
        assert voxels_on(series, sitk.ReadImage(tmp_path / f"{number}.nrrd")) == set(
            map(tuple, np.argwhere(mask).tolist())
        )
    dcmqi("tid1500reader", "--inputDICOM", tmp_path / "sr.dcm", "--outputMetadata", tmp_path / "sr.json")
    said = json.loads((tmp_path / "sr.json").read_text())
    tracked = [group["TrackingIdentifier"] for group in said["Measurements"]]
    assert {"Lesion 1", "Lesion 2"} <= set(tracked)


def test_each_frame_names_the_slice_it_was_drawn_on(series: Study, tmp_path: Path) -> None:
    mask = ellipsoid(series, (0.4, 0.4, 0.6))
    written(outlined(series, mask), tmp_path, (DicomKind.SEGMENTATION,))
    segmentation = highdicom.seg.segread(tmp_path / "seg.dcm")
    uids = [str(header.SOPInstanceUID) for header in series.headers or ()]
    read = segmentation.get_pixels_by_source_instance(
        uids, [1], assert_missing_frames_are_empty=True, combine_segments=True
    )
    assert np.array_equal(read > 0, mask)


def test_each_lesion_is_a_segment_with_its_volume_and_diameters_in_the_report(series: Study, tmp_path: Path) -> None:
    first, second = ellipsoid(series, (0.3, 0.3, 0.3), 0.15), ellipsoid(series, (0.6, 0.7, 0.7), 0.1)
    analysis = outlined(series, first, second, lesions=True)
    written(analysis, tmp_path, (DicomKind.REPORT,))
    segmentation = highdicom.seg.segread(tmp_path / "seg.dcm")
    described = [segmentation.get_segment_description(number) for number in (1, 2)]
    volumes = [segmentation.get_volume(segment_numbers=[number], combine_segments=True).array for number in (1, 2)]
    assert [int((v > 0).sum()) for v in volumes] == [int(first.sum()), int(second.sum())]
    report = highdicom.sr.srread(tmp_path / "sr.dcm").content
    assert isinstance(report, highdicom.sr.MeasurementReport)
    assert analysis.segmentation is not None
    for lesion, segment in zip(analysis.segmentation.lesions, described, strict=True):
        (group,) = report.get_volumetric_roi_measurement_groups(tracking_uid=segment.tracking_uid)
        numbers = {m.name.meaning: (m.value, m.unit.value) for m in group.get_measurements()}
        assert lesion.volume_ml is not None
        assert lesion.area_mm2 is not None
        assert numbers["Volume"] == (round(lesion.volume_ml, 2), "cm3")
        assert numbers["Area"] == (round(lesion.area_mm2, 1), "mm2")
        assert numbers["Certainty of Finding"] == (91.23, "%")
        (lines,) = report.get_image_measurement_groups(tracking_uid=segment.tracking_uid)
        assert lesion.diameters is not None
        long = lesion.diameters.longest
        axis = lines.get_measurements()[0]
        assert long.length_mm is not None
        assert (axis.name.meaning, axis.value, axis.unit.value) == ("Long axis", round(long.length_mm, 1), "mm")
        ends = axis.referenced_coordinates[0].value
        assert np.allclose(ends, [(long.start[1] + 0.5, long.start[0] + 0.5), (long.end[1] + 0.5, long.end[0] + 0.5)])


@pytest.mark.shared_data
def test_diameters_on_a_tile_draw_no_line_on_the_mosaic(shared_data: Path, tmp_path: Path) -> None:
    study = only(shared_data / "dicom/transfer_syntaxes_siemens_epi/5.dcm").load()
    written(outlined(study, ellipsoid(study, (0.5, 0.4, 0.6))), tmp_path, (DicomKind.REPORT,))
    report = highdicom.sr.srread(tmp_path / "sr.dcm").content
    assert isinstance(report, highdicom.sr.MeasurementReport)
    measured = [each for group in report.get_image_measurement_groups() for each in group.get_measurements()]
    assert [len(each.referenced_coordinates) for each in measured if "xis" in each.name.meaning] == [0, 0]


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


def test_a_nifti_volume_comes_back_as_slices_in_the_same_place(tmp_path: Path) -> None:
    path = write_nifti(make_volume(5, (6, 40, 48), (6.0, 5.0, 4.5)), tmp_path / "head.nii.gz")
    study = load(path)
    written(outlined(study, ellipsoid(study, (0.5, 0.4, 0.6))), tmp_path / "out", (DicomKind.SEGMENTATION,))
    again = only(*sorted((tmp_path / "out").glob("source-*.dcm"))).load()
    assert np.array_equal(again.pixels, study.pixels)
    assert again.geometry.affine is not None
    assert study.geometry.affine is not None
    assert np.allclose(again.geometry.affine, study.geometry.affine, atol=1e-4)


def test_probabilities_are_kept_to_one_part_in_255(series: Study, tmp_path: Path) -> None:
    mask = ellipsoid(series, (0.4, 0.4, 0.6))
    (stored,) = written(outlined(series, mask), tmp_path, (DicomKind.PROBABILITY,)).values()
    assert (stored.SegmentationType, stored.SegmentationFractionalType, stored.MaximumFractionalValue) == (
        "FRACTIONAL",
        "PROBABILITY",
        255,
    )
    used = np.flatnonzero(mask.any(axis=(1, 2)))
    planes = {
        tuple(np.round(f.PlanePositionSequence[0].ImagePositionPatient, 3)): i
        for i, f in enumerate(stored.PerFrameFunctionalGroupsSequence)
    }
    for index in used:
        place = tuple(np.round((series.headers or ())[index].ImagePositionPatient, 3))
        assert np.array_equal(stored.pixel_array[planes[place]], np.rint(mask[index] * 0.8 * 255))


def test_outlines_in_doubt_are_called_so_in_every_object(series: Study, tmp_path: Path) -> None:
    plain = outlined(series, ellipsoid(series, (0.4, 0.4, 0.6)), lesions=True)
    analysis = replace(plain, finding=replace(plain.finding, label="indeterminate", doubted=True))
    made = written(analysis, tmp_path)
    assert [each.SegmentLabel for each in made["seg"].SegmentSequence] == ["Doubted outline 1"]
    assert "Doubted outline 1" in dumped("dsrdump", tmp_path / "sr.dcm")
    assert made["sc-002"].DerivationDescription.startswith("Doubted outline:")
    assert "outlined with a doubt" in made["sc-002"].ImageComments


def test_the_report_says_each_class_with_its_code_and_probability(series: Study, tmp_path: Path) -> None:
    analysis = outlined(series, ellipsoid(series, (0.4, 0.4, 0.6)))
    note = ReaderNote("disagree", "Rather an ödema.", "A. Reader")
    write_dicom(build_report(analysis, reader=note), analysis, tmp_path, (DicomKind.REPORT,))
    dataset = highdicom.sr.srread(tmp_path / "sr.dcm")
    assert isinstance(dataset.content, highdicom.sr.MeasurementReport)
    said = {}
    for group in dataset.content.get_image_measurement_groups():
        for each in group.get_measurements(name=highdicom.sr.CodedConcept("111012", "DCM", "Certainty of Finding")):
            assert group.finding_type is not None
            said[group.tracking_identifier] = (group.finding_type.value, each.value)
    shares = {kind: round(100 * share, 2) for kind, share in PROBABILITIES.items()}
    assert said["Glioma"] == ("C3059", shares["glioma"])
    assert said["Meningioma"] == ("C3230", shares["meningioma"])
    assert said["Pituitary tumour"] == ("108369006", shares["pituitary"])
    assert said["No tumour"] == ("108369006", shares["no_tumor"])
    assert said["Any tumour"][1] == pytest.approx(100 - shares["no_tumor"])
    text = dumped("dsrdump", tmp_path / "sr.dcm")
    assert (dataset.VerificationFlag, dataset.PreliminaryFlag, dataset.CompletionFlag) == (
        "UNVERIFIED",
        "PRELIMINARY",
        "COMPLETE",
    )
    assert "A. Reader" in text
    assert any(RESEARCH_USE in str(item.get("TextValue", "")) for item in dataset.ContentSequence[-1].ContentSequence)


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


def test_a_slice_thickness_that_is_unknown_stays_out(tmp_path: Path) -> None:
    (path,) = write_dicom_series(make_volume(5, (1, 40, 48), (6.0, 5.0, 4.5)), tmp_path / "in")
    edit(path, lambda dataset: delattr(dataset, "SliceThickness"))
    study = only(path).load()
    objects = written(outlined(study, ellipsoid(study, (0.5, 0.4, 0.6))), tmp_path / "out", (DicomKind.SEGMENTATION,))
    (measures,) = objects["seg"].SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert measures.PixelSpacing == [5.0, 4.5]
    assert "SliceThickness" not in measures


def test_nothing_to_outline_is_said_and_nothing_is_written(series: Study, tmp_path: Path) -> None:
    analysis = outlined(series, np.zeros(series.pixels.shape, np.bool_))
    with pytest.raises(BrainTumorError) as caught:
        write_dicom(build_report(analysis), analysis, tmp_path / "out", (DicomKind.SEGMENTATION,))
    assert caught.value.code is ErrorCode.EXPORT_FAILED
    assert not (tmp_path / "out").exists()
    assert set(written(analysis, tmp_path / "sr", (DicomKind.REPORT,))) == {"sr"}


@pytest.fixture
def phantom(tmp_path: Path) -> Path:
    return write_png(make_picture(4, 96)[0], tmp_path / "head.png", seed=4)


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


def test_a_series_without_uids_gets_captures_of_its_own_in_its_place(series: Study, tmp_path: Path) -> None:
    stripped = changed(series, SOPInstanceUID=None, PatientName="Kept^Name")
    mask = ellipsoid(stripped, (0.4, 0.4, 0.6))
    objects = written(outlined(stripped, mask), tmp_path, (DicomKind.SEGMENTATION,))
    sources = {str(each.SOPInstanceUID) for stem, each in objects.items() if stem.startswith("source")}
    assert len(sources) == series.slices
    assert {str(item.ReferencedSOPInstanceUID) for item in objects["seg"].SourceImageSequence} <= sources
    assert str(objects["seg"].PatientName) == "Kept^Name"
    again = only(*sorted(tmp_path.glob("source-*.dcm"))).load()
    assert again.geometry.affine is not None
    assert series.geometry.affine is not None
    assert np.allclose(again.geometry.affine, series.geometry.affine, atol=1e-4)


def test_slices_without_a_place_have_a_segmentation_each(series: Study, tmp_path: Path) -> None:
    placeless = replace(series, geometry=Geometry(), places=None)
    mask = ellipsoid(placeless, (0.4, 0.4, 0.6))
    objects = written(outlined(placeless, mask), tmp_path, (DicomKind.REPORT,))
    used = np.flatnonzero(mask.any(axis=(1, 2)))
    segmentations = [each for stem, each in objects.items() if stem.startswith("seg")]
    assert len(segmentations) == len(used)
    for index, each in zip(used, segmentations, strict=True):
        (item,) = each.SourceImageSequence
        assert item.ReferencedSOPInstanceUID == (series.headers or ())[index].SOPInstanceUID
        assert np.array_equal(each.pixel_array > 0, mask[index])
        assert "FrameOfReferenceUID" not in each
        assert "PixelMeasuresSequence" not in each.SharedFunctionalGroupsSequence[0]
    for path in tmp_path.iterdir():
        assert faults(path) == []


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


def test_a_model_that_can_t_tell_types_nor_outlines_says_tumour_or_none(series: Study, tmp_path: Path) -> None:
    whole = outlined(series, ellipsoid(series, (0.4, 0.4, 0.6)))
    finding = Finding("indeterminate", {TumorClass.NO_TUMOR: 0.2})
    analysis = replace(whole, finding=finding, segmentation=None, explanation=None)
    objects = written(analysis, tmp_path, tuple(DicomKind))
    assert set(objects) == {"sr", "sc", "pdf"}
    report = highdicom.sr.srread(tmp_path / "sr.dcm").content
    assert isinstance(report, highdicom.sr.MeasurementReport)
    groups = report.get_image_measurement_groups()
    assert {group.tracking_identifier: group.get_measurements()[0].value for group in groups} == {
        "Any tumour": 80,
        "No tumour": 20,
    }
    for stem in objects:
        assert faults(tmp_path / f"{stem}.dcm") == []
