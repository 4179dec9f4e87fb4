"""The parts of a report that depend on who, where and what: identifiers, letterhead, strip, the reader's drawing."""

from __future__ import annotations

import dataclasses
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import Analysis, KeySlices, SliceFinding
from braintumor_desktop.domain.reader_measurements import MeasurementKind, ReaderMeasurement
from braintumor_desktop.domain.study import Geometry, InputKind
from braintumor_desktop.reporting import Letterhead, ReaderNote, build_report, json_line, prepare_logo
from braintumor_desktop.reporting.key_images import Mark
from braintumor_desktop.reporting.pdf import render_pdf
from braintumor_desktop.reporting.reader_images import MOST_IMAGES
from braintumor_desktop.reporting.strip import MOST_TILES

NOTHING_KNOWN, KNOWN = Geometry(), Geometry(pixel_spacing_mm=(0.5, 0.5), orientation=("L", "P"))
MARKER = "Zzyzx"


def text_of(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def header() -> Dataset:
    made = Dataset()
    made.PatientName = f"{MARKER}^Ada^Maria"
    made.PatientID = f"{MARKER}-17"
    made.PatientBirthDate = "19700102"
    made.PatientSex = "F"
    made.StudyDate = "20260304"
    made.AccessionNumber = f"{MARKER}A9"
    made.StudyDescription = f"Head {MARKER}"
    made.StudyInstanceUID = "1.2.826.0.1.17"
    made.SeriesNumber = "5"
    made.SeriesDescription = f"T1 {MARKER}"
    return made


def of_patient(make_analysis: Any, **changes: Any) -> Analysis:
    analysis: Analysis = make_analysis(
        kind=InputKind.DICOM, path=Path(f"{MARKER}.dcm"), series_uid="1.2.826.0.1.99", **changes
    )
    return dataclasses.replace(analysis, study=dataclasses.replace(analysis.study, headers=(header(),)))


def of_series(make_analysis: Any, count: int, **changes: Any) -> Analysis:
    """The largest outline on the last slice; tumour probability grows from slice to slice."""
    analysis: Analysis = make_analysis(slices=count, **changes)
    slices = tuple(SliceFinding(i, None, i / count, "glioma", 10) for i in range(count))
    return dataclasses.replace(analysis, slices=slices, key_slices=KeySlices(count - 1, 2, 1))


def test_a_dicom_report_names_patient_and_study(make_analysis: Any) -> None:
    text = text_of(render_pdf(build_report(of_patient(make_analysis))))
    for words in (
        f"{MARKER}, Ada Maria", f"{MARKER}-17", "2 January 1970", "female", "4 March 2026", f"{MARKER}A9",
        f"Head {MARKER}",
        "1.2.826.0.1.17", f"5: T1 {MARKER}", "1.2.826.0.1.99",
    ):  # fmt: skip
        assert words in text, words


def test_a_deidentified_report_has_no_identifier_in_text_metadata_or_bookmarks(make_analysis: Any) -> None:
    head = Letterhead(name=f"Clinic {MARKER}", address=MARKER, footer=MARKER)
    report = build_report(of_patient(make_analysis), letterhead=head, deidentified=True)
    content = render_pdf(report)
    text = text_of(content)
    document = pypdfium2.PdfDocument(content)
    told = [text, *document.get_metadata_dict().values(), *(bookmark.get_title() for bookmark in document.get_toc())]
    document.close()
    for secret in (MARKER, "1970", "4 March 2026", "1.2.826"):
        assert not any(secret in words for words in told), secret
        assert secret.encode() not in content
    assert "De-identified: names" in text
    assert "0123456789abcdef" not in text  # who has the file could tell by its hash whose report this is


@pytest.mark.parametrize(
    ("fields", "told"), [({"PatientName": "Doe^Jane"}, ["Doe, Jane"]), ({"StudyInstanceUID": "1.2.3"}, [])]
)
def test_a_single_identifier_is_told_unless_it_is_the_study_s_uid(
    make_analysis: Any, fields: dict[str, str], told: list[str]
) -> None:
    header = Dataset()
    for keyword, value in fields.items():
        setattr(header, keyword, value)
    analysis = make_analysis(kind=InputKind.DICOM)
    report = build_report(dataclasses.replace(analysis, study=dataclasses.replace(analysis.study, headers=(header,))))
    assert [fact.value for fact in report.identifiers] == told
    assert bool(report.identity) is not bool(told)


def test_a_file_without_identifiers_is_said_to_have_none(make_analysis: Any) -> None:
    assert "a picture has no fields for them" in build_report(make_analysis()).identity
    for kind in (InputKind.DICOM, InputKind.NIFTI):
        report = build_report(make_analysis(kind=kind))
        assert report.identity == "No patient identifiers in this file."
        assert report.identifiers == ()
    assert build_report(make_analysis(synthetic=True)).identity == "Synthetic data: there is no patient."


@pytest.mark.parametrize(
    ("stored", "printed"),
    [
        ("Doe^Jane", "Doe, Jane"),
        ("Doe^Jane^^Dr^", "Doe, Jane Dr"),
        ("=山田^太郎", "山田, 太郎"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou = 山田 太郎 = やまだ たろう"),
        ("anonymous", "anonymous"),
    ],
)
def test_a_person_s_name_is_written_as_people_read_it(make_analysis: Any, stored: str, printed: str) -> None:
    analysis = of_patient(make_analysis)
    assert analysis.study.headers is not None
    analysis.study.headers[0].PatientName = stored
    assert build_report(analysis).identifiers[0].value == printed


def test_letterhead_stands_below_the_banner_and_the_footer_text_on_every_page(
    make_analysis: Any, tmp_path: Path
) -> None:
    Image.new("RGBA", (1200, 300), (0, 128, 128, 255)).save(tmp_path / "logo.png")
    head = Letterhead("Clinic by the Park", "1 Park Street\nTown", "Confidential.", prepare_logo(tmp_path / "logo.png"))
    content = render_pdf(build_report(of_series(make_analysis, 12), letterhead=head), paper="Letter")
    document = pypdfium2.PdfDocument(content)
    texts = [page.get_textpage().get_text_range() for page in document]
    first = document[0].render(scale=2).to_numpy()
    document.close()
    assert len(texts) >= 2
    assert all("Confidential." in text for text in texts)
    assert (
        texts[0].index("Research use only") < texts[0].index("Clinic by the Park") < texts[0].index("analysis report")
    )
    assert "1 Park Street" in texts[0]
    teal = (np.abs(first[:, :, :3].astype(int) - (128, 128, 0)).max(axis=2) < 30).sum()  # BGR
    assert teal > 2000


def test_a_footer_text_of_many_lines_stays_clear_of_the_content_and_shows_that_it_goes_on(make_analysis: Any) -> None:
    head = Letterhead(footer="\n".join(f"Line {number} of the footer." for number in range(1, 12)))
    text = text_of(render_pdf(build_report(make_analysis(), letterhead=head)))
    assert "Line 8 of the footer. …" in text
    assert "Line 9" not in text
    assert "RANO" in text


def test_a_logo_becomes_a_small_picture_on_white_and_what_is_none_is_refused(tmp_path: Path) -> None:
    Image.new("RGBA", (4000, 1000), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    with Image.open(BytesIO(prepare_logo(tmp_path / "clear.png"))) as logo:
        assert logo.format == "PNG"
        assert logo.size == (600, 150)
        assert logo.getextrema() == ((255, 255),) * 3
    (tmp_path / "text.png").write_text("no picture")
    for name, code in (("text.png", ErrorCode.NOT_AN_IMAGE), ("none.png", ErrorCode.FILE_NOT_FOUND)):
        with pytest.raises(BrainTumorError) as refused:
            prepare_logo(tmp_path / name)
        assert refused.value.code is code
        assert refused.value.hint


def test_the_strip_of_a_series_holds_its_key_slices_in_order_with_their_probabilities(make_analysis: Any) -> None:
    analysis = of_series(make_analysis, 40)
    strip = build_report(analysis).strip
    numbers = [int(tile.title.split()[0]) for tile in strip]
    assert len(strip) == MOST_TILES
    assert numbers == sorted(set(numbers))
    assert {2, 3, 40} <= set(numbers)
    assert max(np.diff(numbers)) <= 10  # no long stretch is left out
    named = {tile.title for tile in strip}
    assert {"2 least certain", "3 most certain", "40 largest"} <= named
    assert strip[-1].words == "97.5 %"
    assert build_report(of_series(make_analysis, 3)).strip[0].title == "1"
    assert build_report(make_analysis()).strip == ()


def test_a_series_stopped_half_way_shows_only_slices_that_were_analysed(make_analysis: Any) -> None:
    analysis = of_series(make_analysis, 20)
    assert analysis.slices is not None
    stopped = dataclasses.replace(analysis, slices=analysis.slices[:4], key_slices=None)
    assert [int(tile.title.split()[0]) for tile in build_report(stopped).strip] == [1, 2, 3, 4]


def test_measurements_are_drawn_where_the_reader_drew_them(make_analysis: Any) -> None:
    drawn = (
        ReaderMeasurement(MeasurementKind.LENGTH, 0, ((-0.5, -0.5), (179.5, 239.5))),
        ReaderMeasurement(MeasurementKind.ELLIPSE, 1, ((44.5, 59.5), (134.5, 179.5))),
        ReaderMeasurement(MeasurementKind.ANGLE, 0, ((10.0, 10.0), (20.0, 20.0), (10.0, 30.0))),
    )
    report = build_report(make_analysis(slices=2), measurements=drawn)
    first, second = report.reader_images
    assert (first.title, second.title) == ("Slice 1", "Slice 2")
    assert [mark.label for mark in first.marks] == ["1", "3"]
    assert "numbers 1, 3 of the table" in first.caption
    assert first.marks[0].lines[0].tolist() == [[0, 0], [1, 1]]  # from corner to corner
    ellipse: Mark = second.marks[0]
    assert ellipse.closed
    assert ellipse.lines[0].min(axis=0) == pytest.approx((0.25, 0.25))
    assert ellipse.lines[0].max(axis=0) == pytest.approx((0.75, 0.75))
    assert [row.name[:2] for row in report.reader_measurements] == ["1.", "2.", "3."]


def test_no_more_pictures_of_measured_slices_than_there_is_room_for(make_analysis: Any) -> None:
    drawn = [ReaderMeasurement(MeasurementKind.LENGTH, i, ((10.0, 10.0), (20.0, 20.0))) for i in range(9)]
    report = build_report(make_analysis(slices=9), measurements=drawn)
    assert len(report.reader_images) == MOST_IMAGES
    assert len(report.reader_measurements) == 9
    assert "3 more slices" in report.reader_images[-1].caption


def test_grey_values_of_a_region_are_told_on_their_own_scale(make_analysis: Any) -> None:
    analysis: Analysis = make_analysis()
    pixels = np.full(analysis.study.pixels.shape, 0.00125, np.float32)
    pixels[:, :, ::2] = 0.00075  # every second column: a mean of 0.001, 0.00025 to either side
    analysis = dataclasses.replace(analysis, study=dataclasses.replace(analysis.study, pixels=pixels))
    drawn = [ReaderMeasurement(MeasurementKind.FREEHAND, 0, ((9.5, 9.5), (9.5, 19.5), (19.5, 19.5), (19.5, 9.5)))]
    (row,) = build_report(analysis, measurements=drawn).reader_measurements
    (listed,) = json_line(analysis, reader=ReaderNote(), measurements=drawn)["reader"]["measurements"]
    assert "mean 0.001000 · SD 0.0002500" in row.value
    assert (listed["mean"], listed["sd"]) == (0.001, 0.00025)


@pytest.mark.parametrize("geometry", [NOTHING_KNOWN, KNOWN], ids=["no spacing", "spacing"])
def test_millimetres_are_nowhere_without_spacing_whatever_was_measured(make_analysis: Any, geometry: Geometry) -> None:
    drawn = (
        ReaderMeasurement(MeasurementKind.LENGTH, 0, ((10.0, 10.0), (90.0, 140.0))),
        ReaderMeasurement(
            MeasurementKind.BIDIMENSIONAL, 1, ((60.0, 130.0), (80.0, 170.0), (60.0, 155.0), (80.0, 145.0))
        ),
        ReaderMeasurement(MeasurementKind.ELLIPSE, 0, ((40.0, 40.0), (80.0, 90.0))),
        ReaderMeasurement(MeasurementKind.FREEHAND, 1, ((40.0, 40.0), (80.0, 90.0), (90.0, 20.0))),
    )
    text = text_of(render_pdf(build_report(of_series(make_analysis, 5, geometry=geometry), measurements=drawn)))
    found = re.findall(r"\d\s*(?:mm|cm|ml)\b", text)
    assert bool(found) == (geometry is KNOWN), found
    assert ("76.3 mm" if geometry is KNOWN else "152.6 px") in text  # the root of 80² + 130²
