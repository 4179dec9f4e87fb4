"""The DICOM measurement report: what it says of classes, lesions and diameters, read back by highdicom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pytest

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.findings import Finding, TumorClass
from braintumor_desktop.domain.study import Study
from braintumor_desktop.reporting import ReaderNote, build_report, write_dicom
from braintumor_desktop.reporting.dicom.kinds import DicomKind
from dicom_files import only
from dicom_objects import (
    PROBABILITIES,
    dumped,
    ellipsoid,
    faults,
    outlined,
    written,
)


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
