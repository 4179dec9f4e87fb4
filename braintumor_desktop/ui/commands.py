"""What the menus do. Every dialog is opened and left to itself; nothing blocks the window."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import InputKind, MrSequence
from braintumor_desktop.imaging.sample import sample_picture, sample_stack
from braintumor_desktop.language import tr
from braintumor_desktop.reporting.dicom.kinds import DicomKind
from braintumor_desktop.ui.appearance import apply_appearance
from braintumor_desktop.ui.at_work import leave_off
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.deidentifying import stem_of
from braintumor_desktop.ui.dicom_dialog import DicomDialog
from braintumor_desktop.ui.drop_zone import files_in, picture_in
from braintumor_desktop.ui.exporting import ExportKind, export_of
from braintumor_desktop.ui.folder_dialog import FolderDialog
from braintumor_desktop.ui.help_dialogs import TextDialog, about_html, model_html, shortcuts_html
from braintumor_desktop.ui.joining import join, numbered_cases
from braintumor_desktop.ui.replacing import save_with_ending
from braintumor_desktop.ui.settings_dialog import SettingsDialog

if TYPE_CHECKING:
    from braintumor_desktop.ui.main_window import MainWindow

_PICTURES = phrase("Pictures (*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.webp *.gif)")
_STUDIES = phrase("DICOM, NIfTI and ZIP (*.dcm *.dicom *.ima DICOMDIR *.nii *.nii.gz *.zip)")
_WITH_READING = (ExportKind.PDF, ExportKind.PNG, ExportKind.JSON)
_READING_KINDS = {DicomKind.REPORT, DicomKind.PDF}
_VOLUMES = {ExportKind.MASK: ExportKind.MASK_NIFTI, ExportKind.HEATMAP: ExportKind.HEATMAP_NIFTI}
_STACKS = {ExportKind.MASK: ExportKind.MASK_STACK, ExportKind.HEATMAP: ExportKind.HEATMAP_STACK}


class Commands(QObject):
    """The actions of a window, by what they do. in_dialogs: cases that a dialog on the screen is about to save."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.in_dialogs: list[Case] = []

    @property
    def _case(self) -> Case | None:
        return self._window.workspace.shown

    # File

    def open_files(self) -> None:
        dialog = self._file_dialog(tr("Open studies and pictures"), QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters([tr("All files (*)"), tr(_STUDIES), tr(_PICTURES)])  # DICOM files often have no ending
        dialog.filesSelected.connect(self._opened)
        dialog.open()

    def open_folder(self) -> None:
        title = tr("Open all studies and pictures of a folder")
        dialog = FolderDialog(title, self._window.settings.last_folder, self._window)
        dialog.chosen.connect(lambda folder: self.open_paths([folder]))
        dialog.open()

    def paste(self) -> None:
        data = QGuiApplication.clipboard().mimeData()
        files, picture = files_in(data), picture_in(data)
        if files:
            self.open_paths(files)
        elif picture is not None:
            self.open_pasted(picture)
        else:
            hint = phrase("Copy a picture in another program, or a file in the file manager, and paste again.")
            words = phrase("There is no picture on the clipboard.")
            self._window.show_error(BrainTumorError(ErrorCode.NOT_AN_IMAGE, words, hint))

    def open_paths(self, paths: list[Path]) -> None:
        """Open files and folders, and start the next file dialog where they lie."""
        first = paths[0]
        self._window.settings.last_folder = str(first if os.path.isdir(first) else first.parent)  # noqa: PTH112 - never raises
        leave_off(self._window)
        self._window.workspace.open_paths(paths)

    def open_pasted(self, picture: bytes) -> None:
        leave_off(self._window)
        self._window.workspace.open_pasted(picture)

    def open_sample(self) -> None:
        leave_off(self._window)
        self._window.workspace.open_made(tr("Synthetic head"), sample_picture)

    def open_sample_stack(self) -> None:
        leave_off(self._window)
        self._window.workspace.open_made(tr("Synthetic stack"), sample_stack)

    def fill_recent(self, menu: QMenu) -> None:
        """Fill the menu of recent files, without their names where the reader wants them hidden."""
        settings = self._window.settings
        menu.clear()
        for number, text in enumerate(settings.recent, 1):
            path = Path(text)
            name = tr("name hidden") if settings.hide_recent_names else path.name.replace("&", "&&")
            action = menu.addAction(f"&{number % 10}  {name}")
            action.triggered.connect(lambda _=False, path=path: self.open_paths([path]))
        if not settings.recent:
            menu.addAction(tr("No recent files")).setEnabled(False)
        menu.addSeparator()
        hide = menu.addAction(tr("&Hide names"))
        hide.setCheckable(True)
        hide.setChecked(settings.hide_recent_names)
        hide.toggled.connect(lambda on: setattr(settings, "hide_recent_names", on))
        clear = menu.addAction(tr("&Clear"))
        clear.setEnabled(bool(settings.recent))
        clear.triggered.connect(self.forget_recent)

    def forget_recent(self) -> None:
        self._window.settings.forget_recent()

    def export(self, kind: ExportKind) -> None:
        """Ask where to, and save what is shown now."""
        case = self._case
        if case is None or case.analysis is None:
            return
        study = case.analysis.study
        if study.source.kind is not InputKind.PICTURE:
            kind = _VOLUMES.get(kind, kind)
        elif study.slices > 1:
            kind = _STACKS.get(kind, kind)
        dialog = self._file_dialog(tr("Save"), QFileDialog.FileMode.AnyFile)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(tr(kind.words))
        dialog.setDefaultSuffix(kind.ending)
        settings = self._window.settings
        self._window.deidentify.add_to(dialog, lambda: kind.proposed_name(stem_of(case, settings)))
        dialog.selectFile(kind.proposed_name(stem_of(case, settings)))
        dialog.fileSelected.connect(self._save_as(case, kind))
        self._hold(case, dialog)
        dialog.open()

    def export_dicom(self) -> None:
        """Ask which objects and where to, and write them into a new folder there."""
        case = self._case
        if case is None or case.analysis is None:
            return
        dialog = DicomDialog(case.analysis, self._window.deidentify, self._window)
        dialog.chosen.connect(lambda kinds: self._ask_folder(case, kinds))
        self._hold(case, dialog)
        self._open(dialog)

    def _ask_folder(self, case: Case, kinds: tuple[DicomKind, ...]) -> None:
        dialog = FolderDialog(tr("Make a folder of DICOM objects in"), self._window.settings.last_folder, self._window)
        save = self._save_as(case, ExportKind.DICOM, kinds)
        name = ExportKind.DICOM.proposed_name(stem_of(case, self._window.settings))
        dialog.chosen.connect(lambda folder: save(str(folder / name)))
        self._hold(case, dialog)
        dialog.open()

    def _hold(self, case: Case, dialog: QDialog) -> None:
        """What a dialog is about to save is not let go meanwhile, whatever is shown by then."""
        self.in_dialogs.append(case)
        dialog.finished.connect(lambda _result: self.in_dialogs.remove(case))

    def _save_as(self, case: Case, kind: ExportKind, dicom_kinds: tuple[DicomKind, ...] = ()) -> Callable[[str], None]:
        """Saves the case as it is when the file is named, also where a question comes in between."""

        def save(file: str) -> None:
            window, path = self._window, Path(file)
            if case.analysis is None:
                words = phrase("The answer to this case is not there any more, so nothing was saved.")
                hint = phrase("Analyse it again, then export.")
                window.show_error(BrainTumorError(ErrorCode.EXPORT_FAILED, words, hint))
                return
            export, reading = export_of(case, kind, path, window.settings), case.reading
            with_reading = kind in _WITH_READING or not _READING_KINDS.isdisjoint(dicom_kinds)
            with_reading = with_reading and not window.deidentify.on  # what was typed stays behind

            def write(path: Path) -> None:
                window.statusBar().showMessage(tr("Saving…"))
                window.exporter.submit(
                    replace(export, path=path, dicom_kinds=dicom_kinds),
                    lambda: setattr(case, "exported", reading) if with_reading else None,
                )

            save_with_ending(path, kind.ending, window, write)

        return save

    # Case

    def analyse(self) -> None:
        if self._case is not None:
            self._window.workspace.analyse(self._case)

    def step_volume(self, by: int) -> None:
        """Another volume of a series that holds several; its analysis begins anew."""
        if self._case is not None:
            self._step_volume(self._case, by)

    def _step_volume(self, case: Case, by: int) -> None:
        """Of this case, whichever is shown once the reader has answered a question."""
        workspace = self._window.workspace
        if case.entry is None or case.state.busy or case not in workspace.model.cases:
            return
        if self._window.unsaved.ask([case], partial(self._step_volume, case, by)):
            workspace.choose_volume(case, (case.volume + by) % case.entry.frames)

    def join_pictures(self) -> None:
        """The numbered pictures of this one's folder as one stack."""
        window = self._window
        cases = numbered_cases(self._case, window.workspace.model.cases)
        if cases:
            self._join(cases)
        else:
            window.statusBar().showMessage(tr("No other picture of the list has such a name in this folder"), 5000)

    def _join(self, cases: list[Case]) -> None:
        window = self._window
        there = all(case in window.workspace.model.cases for case in cases)
        if there and window.unsaved.ask(cases, partial(self._join, cases)):
            leave_off(window)
            if window.area.other in cases:
                window.area.show_beside(None)
            join(cases, window.workspace)

    def correct_sequence(self, sequence: MrSequence | None) -> None:
        """What the reader says this series is; the model's own checks stand as they were."""
        if self._case is not None:
            self._case.correct_sequence(None if sequence is None else sequence.value)
            self._window.workspace.keeper.note_change(self._case)
            self._window.show_case(self._case)

    def cancel(self) -> None:
        self._window.workspace.reader.cancel_listing()
        self._window.reports.cancel()
        if self._case is not None:
            self._window.workspace.cancel(self._case)

    def remove(self) -> None:
        if self._case is not None:
            self._remove(self._case)

    def _remove(self, case: Case) -> None:
        workspace = self._window.workspace
        if case in workspace.model.cases and self._window.unsaved.ask([case], partial(self._remove, case)):
            workspace.remove(case)

    def reset(self) -> None:
        if not self._window.unsaved.ask(self._window.workspace.model.cases, self.reset):
            return
        self._window.notice.hide()
        self._window.area.show_beside(None)
        self._window.workspace.reset()

    # Settings and help

    def edit_settings(self) -> None:
        dialog = SettingsDialog(self._window.settings, self._window)
        dialog.forget_asked.connect(self.forget_recent)
        dialog.clear_readings_asked.connect(self._window.workspace.keeper.clear)
        dialog.accepted.connect(self._settings_changed)
        self._open(dialog)

    def _settings_changed(self) -> None:
        settings = self._window.settings
        application = QApplication.instance()
        if isinstance(application, QApplication):
            apply_appearance(application, settings.appearance)
        self._window.choose_colormap(settings.colormap)
        self._window.deidentify.set_on(settings.deidentify_exports)
        self._window.workspace.settings_changed()

    def show_guide(self) -> None:
        from braintumor_desktop.ui.guide import show_guide

        show_guide(self._window)

    def show_shortcuts(self) -> None:
        html = shortcuts_html(list(self._window.actions_by_name.values()))
        self._open(TextDialog(tr("Keys and mouse"), html, self._window))

    def show_licences(self) -> None:
        from braintumor_desktop.ui.licences_dialog import LicencesDialog

        self._open(LicencesDialog(self._window))

    def show_about(self) -> None:
        dialog = TextDialog(tr("About"), about_html(), self._window)
        dialog.resize(560, 260)
        self._open(dialog)

    def show_model(self) -> None:
        self._open(TextDialog(tr("About the model"), model_html(self._window.settings.model_id), self._window))

    def _opened(self, files: list[str]) -> None:
        self.open_paths([Path(f) for f in files])

    def _file_dialog(self, title: str, mode: QFileDialog.FileMode) -> QFileDialog:
        dialog = QFileDialog(self._window, title, self._window.settings.last_folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        return dialog

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
