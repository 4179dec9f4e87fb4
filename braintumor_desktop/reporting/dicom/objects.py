"""All DICOM objects of one analysis, made in memory first and then written whole or not at all."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.imaging.dicom_library import library
from braintumor_desktop.reporting.atomic import atomic_write, ensure_folder
from braintumor_desktop.reporting.dicom.capture import capture
from braintumor_desktop.reporting.dicom.document import encapsulate
from braintumor_desktop.reporting.dicom.identity import Identity
from braintumor_desktop.reporting.dicom.kinds import USUAL_KINDS, DicomKind, in_order
from braintumor_desktop.reporting.dicom.measurement_report import structured_report
from braintumor_desktop.reporting.dicom.segmentation import Segmentations, probability_map, segment
from braintumor_desktop.reporting.dicom.source import source_of
from braintumor_desktop.reporting.dicom.source_images import capture_source
from braintumor_desktop.reporting.pdf import Paper, render_pdf
from braintumor_desktop.reporting.report import Report


def dicom_objects(
    report: Report,
    analysis: Analysis,
    kinds: Iterable[DicomKind] = USUAL_KINDS,
    identity: Identity = Identity(),  # noqa: B008 - frozen
    paper: Paper = "A4",
) -> dict[str, Dataset]:
    """Objects by file name, all of one study, each kind a series of its own.

    Where the input is no DICOM file, or one without UIDs, its pixels come along as ``source-001.dcm`` and so on. A kind
    that the analysis has nothing for (an outline where there is none) is left out.
    Raises BrainTumorError EXPORT_FAILED where there is nothing at all.
    """
    chosen = in_order(kinds)
    library()  # keeps pydicom's own messages, which quote values, out of the log
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they quote names of patients
        found = _objects(report, analysis, chosen, identity, paper)
    if not found:
        raise BrainTumorError(
            ErrorCode.EXPORT_FAILED,
            "There is no outline or map in this analysis, so there is nothing to write.",
            "Choose the report or the key images as well.",
        )
    return found


def write_dicom(
    report: Report,
    analysis: Analysis,
    folder: Path,
    kinds: Iterable[DicomKind] = USUAL_KINDS,
    identity: Identity = Identity(),  # noqa: B008 - frozen
    paper: Paper = "A4",
) -> list[Path]:
    """Write the objects of `dicom_objects` into `folder`, made where it doesn't exist; their paths.

    Files of the same names are replaced. Raises BrainTumorError EXPORT_FAILED; files that this call had written are
    then removed again, so no part of a set is left that points to objects which are not there.
    """
    objects = dicom_objects(report, analysis, kinds, identity, paper)
    contents = {name: _encoded(dataset) for name, dataset in objects.items()}
    ensure_folder(folder)
    written: list[Path] = []
    try:
        for name, content in contents.items():
            with atomic_write(folder / name) as stream:
                stream.write(content)
            written.append(folder / name)
    except BaseException:
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise
    return written


def _objects(
    report: Report, analysis: Analysis, chosen: tuple[DicomKind, ...], identity: Identity, paper: Paper
) -> dict[str, Dataset]:
    source = source_of(analysis.study, identity)
    found: dict[str, Dataset] = {}

    def add(name: str, objects: Iterable[Dataset]) -> None:
        made = list(objects)
        for number, each in enumerate(made, 1):
            found[f"{name}.dcm" if len(made) == 1 else f"{name}-{number:03d}.dcm"] = each

    segmentations = segment(analysis, source) if DicomKind.SEGMENTATION in chosen else Segmentations()
    add("seg", segmentations.objects)
    if DicomKind.PROBABILITY in chosen:
        add("prob", probability_map(analysis, source))
    if DicomKind.REPORT in chosen:
        add("sr", [structured_report(report, analysis, source, segmentations)])
    if DicomKind.CAPTURE in chosen:
        add("sc", capture(report, analysis, source))
    if DicomKind.PDF in chosen:
        add("pdf", [encapsulate(render_pdf(report, paper=paper), report, analysis, source)])
    if source.own and found:
        add("source", capture_source(analysis.study, source))
    return found


def _encoded(dataset: Dataset) -> bytes:
    stream = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
