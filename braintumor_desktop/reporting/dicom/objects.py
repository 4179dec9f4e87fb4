"""All DICOM objects of one analysis, made in memory first and then written whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.imaging.dicom_library import library
from braintumor_desktop.reporting.atomic import ensure_folder, refusals_told, replace_together
from braintumor_desktop.reporting.dicom.capture import capture
from braintumor_desktop.reporting.dicom.document import encapsulate
from braintumor_desktop.reporting.dicom.equipment import MANUFACTURER
from braintumor_desktop.reporting.dicom.identity import Identity
from braintumor_desktop.reporting.dicom.kinds import USUAL_KINDS, DicomKind, in_order
from braintumor_desktop.reporting.dicom.measurement_report import structured_report
from braintumor_desktop.reporting.dicom.segmentation import Segmentations, probability_map, segment
from braintumor_desktop.reporting.dicom.source import source_of
from braintumor_desktop.reporting.dicom.source_images import capture_source
from braintumor_desktop.reporting.pdf import Paper, render_pdf
from braintumor_desktop.reporting.report import Report

_NAME = re.compile(r"(?:seg|prob|sr|sc|pdf|source)(?:-\d{3,})?\.dcm")
"""Of every file that `_objects` names."""


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

    They take the place of an earlier set there, of which nothing is left. Raises BrainTumorError EXPORT_FAILED; the
    folder then stays as it was, so no part of a set is ever there that points to objects which are not.
    """
    objects = dicom_objects(report, analysis, kinds, identity, paper)
    contents = {folder / name: _encoded(dataset) for name, dataset in objects.items()}
    ensure_folder(folder)
    with refusals_told(folder):
        earlier = [path for path in folder.iterdir() if path not in contents and _written_here(path)]
    replace_together(contents, outdated=earlier)
    return list(contents)


def _written_here(path: Path) -> bool:
    """By its name and by who made it: an archive's own report may be called the same."""
    if not _NAME.fullmatch(path.name):
        return False
    try:
        dataset = library().dcmread(path, stop_before_pixels=True, specific_tags=["Manufacturer"])
    except Exception:  # noqa: BLE001 - pydicom raises nearly every type on what is no DICOM file
        return False
    return bool(dataset.get("Manufacturer") == MANUFACTURER)


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
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
