"""Printing a report: its pages as pictures, on paper of their own size."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import QMarginsF, QObject, QRect, QSizeF, Qt
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QDialog, QWidget
from shiboken6 import isValid

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.ui.exporting import Exporter, Outcome
from braintumor_desktop.ui.pages import draw_pages

DOTS_PER_INCH = 300


class PrintJob(QObject):
    """Draws the pages, asks for the printer, and prints, all but the asking on the exporter's thread."""

    def __init__(
        self, exporter: Exporter, content: bytes, parent: QWidget, told: Callable[[BrainTumorError], None]
    ) -> None:
        """content: the PDF; told: is given what went wrong."""
        super().__init__(parent)
        self._exporter, self._content, self._window, self._told = exporter, content, parent, told

    def begin(self) -> None:
        self._exporter.run(lambda: draw_pages(self._content, DOTS_PER_INCH), self._ask)

    def _ask(self, outcome: Outcome) -> None:
        if not isValid(self._window):  # the preview was closed meanwhile
            return
        if isinstance(outcome, BrainTumorError):
            self._told(outcome)
            return
        pages = cast(list[QImage], outcome)
        printer = QPrinter()
        prepare_printer(printer, pages[0])
        dialog = QPrintDialog(printer, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setOption(QPrintDialog.PrintDialogOption.PrintPageRange)
        dialog.setMinMax(1, len(pages))
        dialog.finished.connect(lambda result: self._print(printer, pages) if result else None)
        QDialog.open(dialog)  # the print dialog's own `open` is another

    def _print(self, printer: QPrinter, pages: list[QImage]) -> None:
        self._exporter.run(lambda: print_pages(printer, pages), self._ended, output=True)

    def _ended(self, outcome: Outcome) -> None:
        if isinstance(outcome, BrainTumorError):
            self._told(outcome)


def prepare_printer(printer: QPrinter, page: QImage) -> None:
    """Paper of the page's own size, without margins of the printer's: the page has them. page: at DOTS_PER_INCH."""
    millimetres = QSizeF(page.width(), page.height()) / DOTS_PER_INCH * 25.4
    paper = QPageSize(millimetres, QPageSize.Unit.Millimeter, "", QPageSize.SizeMatchPolicy.FuzzyMatch)
    printer.setPageLayout(QPageLayout(paper, QPageLayout.Orientation.Portrait, QMarginsF()))
    printer.setFullPage(True)
    printer.setResolution(DOTS_PER_INCH)
    printer.setDocName("Report")  # shown in print queues: never a patient's name


def print_pages(printer: QPrinter, pages: list[QImage]) -> None:
    """Print the pages that were asked for in the printer's dialog. Raises BrainTumorError EXPORT_FAILED."""
    first, last = max(1, printer.fromPage()), printer.toPage() or len(pages)
    painter = QPainter()
    if not painter.begin(printer):
        raise BrainTumorError(
            ErrorCode.EXPORT_FAILED,
            phrase("The printer could not be started."),
            phrase("Look whether it is switched on, or save the report as PDF and print that."),
        )
    try:
        for number in range(first, min(last, len(pages)) + 1):
            if number > first:
                printer.newPage()
            page, paper = pages[number - 1], painter.viewport()
            scale = min(paper.width() / page.width(), paper.height() / page.height())
            painter.drawImage(QRect(0, 0, round(page.width() * scale), round(page.height() * scale)), page)
    finally:
        painter.end()
