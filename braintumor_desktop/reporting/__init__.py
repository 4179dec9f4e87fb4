"""One report model and its views: PDF, PNG, JSON lines, masks, DICOM; and the reference texts. No torch, no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from braintumor_desktop.reporting.atomic import atomic_write, ensure_folder
from braintumor_desktop.reporting.json_lines import error_line, json_line
from braintumor_desktop.reporting.letterhead import Letterhead, prepare_logo, read_logo
from braintumor_desktop.reporting.masks import (
    batch_stems,
    distinct_stems,
    write_heatmap,
    write_heatmap_nifti,
    write_mask,
    write_mask_nifti,
)
from braintumor_desktop.reporting.report import ReaderNote, Report, build_report
from braintumor_desktop.reporting.table import table_rows, write_table
from braintumor_desktop.reporting.tumor_reference import TumorReference, reference_text

if TYPE_CHECKING:
    from braintumor_desktop.reporting.dicom.objects import write_dicom
    from braintumor_desktop.reporting.pdf import write_pdf
    from braintumor_desktop.reporting.png import write_png

__all__ = [
    "Letterhead",
    "ReaderNote",
    "Report",
    "TumorReference",
    "atomic_write",
    "batch_stems",
    "build_report",
    "distinct_stems",
    "ensure_folder",
    "error_line",
    "json_line",
    "prepare_logo",
    "read_logo",
    "reference_text",
    "table_rows",
    "write_dicom",
    "write_heatmap",
    "write_heatmap_nifti",
    "write_mask",
    "write_mask_nifti",
    "write_pdf",
    "write_png",
    "write_table",
]


def __getattr__(name: str) -> Any:
    """PDF and DICOM libraries take a quarter of a second and more to import: only who writes such files pays for it."""
    if name == "write_pdf":
        from braintumor_desktop.reporting.pdf import write_pdf

        return write_pdf
    if name == "write_png":
        from braintumor_desktop.reporting.png import write_png

        return write_png
    if name == "write_dicom":
        from braintumor_desktop.reporting.dicom.objects import write_dicom

        return write_dicom
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
