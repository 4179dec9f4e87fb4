"""Preview, printing, and the reports of all open cases at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.language import tr, tr_count
from braintumor_desktop.ui.batch_export import BatchExport
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.deidentifying import label_of, stem_of
from braintumor_desktop.ui.exporting import Export, ExportKind, Outcome, export_of, pdf_of
from braintumor_desktop.ui.folder_dialog import FolderDialog
from braintumor_desktop.ui.replacing import ask_to_replace, save_with_ending
from braintumor_desktop.ui.report_preview import SCREEN_DPI, ReportPreview

if TYPE_CHECKING:
    from braintumor_desktop.ui.main_window import MainWindow


class ReportCommands(QObject):
    """The actions of a window that are about reports beyond saving one file."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.batch: BatchExport | None = None
        self._closing = False
        window.exporter.output_ended.connect(self._output_ended)

    # Preview and printing

    def preview(self) -> None:
        """Draw the report of the shown case, and show its pages when they are there."""
        case = self._window.workspace.shown
        if case is None or case.analysis is None:
            return
        self._draw(case, case.reading, export_of(case, ExportKind.PDF, Path(), self._window.settings))

    def _draw(self, case: Case, reading: object, export: Export) -> None:
        self._window.statusBar().showMessage(tr("Drawing the report…"))
        exporter = self._window.exporter
        exporter.run(
            lambda: _drawn(export, exporter.text_seen.emit),
            lambda outcome: self._show_preview(case, reading, export, outcome),
        )

    def _show_preview(self, case: Case, reading: object, export: Export, outcome: Outcome) -> None:
        if not self._window.isVisible():  # closed meanwhile
            return
        self._window.statusBar().clearMessage()
        if isinstance(outcome, BrainTumorError):
            self._window.show_error(outcome)
            return
        if self._draws_again(case, reading, export):
            return
        content, pages = cast(tuple[bytes, list[QImage]], outcome)
        dialog = ReportPreview(pages, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def unless_flipped(then: Callable[[], None]) -> None:
            if self._draws_again(case, reading, export):
                dialog.reject()  # another comes, to be looked at first
            else:
                then()

        dialog.save_asked.connect(lambda: unless_flipped(lambda: self._save(dialog, case, reading, content)))
        dialog.print_asked.connect(lambda: unless_flipped(lambda: self._print(dialog, content)))
        dialog.open()

    def _draws_again(self, case: Case, reading: object, export: Export) -> bool:
        """Draw the report again where the switch for de-identified exports was flipped since; whether it was."""
        label = label_of(case, self._window.settings)
        if label == export.label:
            return False
        self._draw(case, reading, replace(export, label=label))
        return True

    def _save(self, preview: ReportPreview, case: Case, reading: object, content: bytes) -> None:
        dialog = QFileDialog(preview, tr("Save"), self._window.settings.last_folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(tr(ExportKind.PDF.words))
        dialog.setDefaultSuffix(ExportKind.PDF.ending)
        dialog.selectFile(ExportKind.PDF.proposed_name(stem_of(case, self._window.settings)))
        exporter = self._window.exporter
        exported = case.exported if self._window.deidentify.on else reading  # what was typed stays behind

        def save(path: Path) -> None:
            exporter.save(content, path, lambda: setattr(case, "exported", exported))

        dialog.fileSelected.connect(
            lambda file: save_with_ending(Path(file), ExportKind.PDF.ending, self._window, save)
        )
        dialog.fileSelected.connect(lambda _: preview.accept())
        dialog.open()

    def _print(self, preview: ReportPreview, content: bytes) -> None:
        try:
            from braintumor_desktop.ui.printing import PrintJob  # Qt's printing library: only for who prints
        except ImportError:
            words, hint = phrase("Printing is not available here."), phrase("Save the report as PDF and print that.")
            self._window.show_error(BrainTumorError(ErrorCode.EXPORT_FAILED, words, hint))
            return
        PrintJob(self._window.exporter, content, preview, self._window.show_error).begin()

    # All open cases

    def export_all(self) -> None:
        """Ask for a folder, and write one report a case and one table there."""
        if self.batch is not None:
            return
        dialog = FolderDialog(tr("Folder for the reports"), self._window.settings.last_folder, self._window)
        self._window.deidentify.add_to(dialog)
        dialog.chosen.connect(self._check_folder)
        dialog.open()

    def _check_folder(self, folder: Path) -> None:
        """Nothing that lies there is replaced without a question."""
        batch = BatchExport(self._window, folder)
        there = [path.name for path in batch.paths if path.exists()]
        if not there:
            self._begin(batch)
            return
        words = tr_count(
            "One file of these names lies there already.",
            "{count} files of these names lie there already.",
            len(there),
        )
        ask_to_replace(self._window, tr("Export all reports"), words, lambda: self._begin(batch))

    def _begin(self, batch: BatchExport) -> None:
        self.batch = batch
        batch.progressed.connect(self._window.batch_bar.show_progress)
        batch.ended.connect(self._ended)
        self._window.enable_cancel()
        batch.begin()

    def keeps_open(self) -> bool:
        """Whether something is still being saved or printed; then the window closes when it is, unless that fails.

        It closes, too, when the reader stops saving the reports of all cases.
        """
        self._closing = self.batch is not None or self._window.exporter.busy
        if self._closing:
            all_reports = tr("The window closes when all reports are saved; Esc stops saving.")
            self._window.statusBar().showMessage(tr("Saving…") if self.batch is None else all_reports)
        return self._closing

    def cancel(self) -> None:
        """Stop saving the reports of all cases."""
        if self.batch is not None:
            self.batch.cancel()

    def _output_ended(self, well: bool) -> None:
        self._closing = self._closing and well
        if self.batch is None and not self._window.exporter.busy:
            self._close_if_asked()

    def _close_if_asked(self) -> None:
        if self._closing:
            QTimer.singleShot(0, self._window, self._window.close)

    def _ended(self, words: str) -> None:
        self._closing = self._closing and self.batch is not None and not self.batch.failed
        self.batch = None
        self._window.batch_bar.hide()
        self._window.statusBar().showMessage(words)
        self._window.enable_cancel()
        self._close_if_asked()


def _drawn(export: Export, text_seen: Callable[[], None]) -> tuple[bytes, list[QImage]]:
    from braintumor_desktop.ui.pages import draw_pages

    content = pdf_of(export, text_seen)
    return content, draw_pages(content, SCREEN_DPI)
