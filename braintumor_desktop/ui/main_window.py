"""The main window: cases at the left, the viewer in the middle, results at the right."""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.domain.errors import BrainTumorError, internal_error
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.imaging.picture_stack import is_numbered
from braintumor_desktop.imaging.windowing import Window
from braintumor_desktop.language import tr, tr_count
from braintumor_desktop.storage.readings import ReadingStore, readings_folder
from braintumor_desktop.storage.settings import Settings, save_settings
from braintumor_desktop.ui.at_work import reader_at_work
from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.case_list import CasePanel
from braintumor_desktop.ui.commands import Commands
from braintumor_desktop.ui.deidentifying import DeidentifySwitch, text_seen
from braintumor_desktop.ui.drop_zone import DropSign, EmptyPage, files_in, picture_in, takes
from braintumor_desktop.ui.exporting import Exporter
from braintumor_desktop.ui.joining import offer
from braintumor_desktop.ui.listing_bar import ListingBar
from braintumor_desktop.ui.measuring import Measuring
from braintumor_desktop.ui.menus import LAYERS, Menus
from braintumor_desktop.ui.notice_bar import NoticeBar
from braintumor_desktop.ui.overlay_bar import OverlayBar
from braintumor_desktop.ui.report_commands import ReportCommands
from braintumor_desktop.ui.results_panel import ResultsPanel
from braintumor_desktop.ui.slice_strip import SliceStrip
from braintumor_desktop.ui.unsaved import UnsavedReadings
from braintumor_desktop.ui.view_area import ViewArea
from braintumor_desktop.ui.view_commands import ViewCommands
from braintumor_desktop.ui.worker import AnalyzerFactory
from braintumor_desktop.ui.workspace import Workspace

TITLE = phrase("Brain tumour MRI analysis")
_MESSAGE_MS = 15_000


class MainWindow(QMainWindow):
    """Assembles the parts and carries what one says to the others.

    settings: changed in place and saved to `settings_file` (the user's own when None) at close; what readers draw and
    say is kept beside it.
    """

    def __init__(
        self, settings: Settings, analyzer_factory: AnalyzerFactory, settings_file: Path | None = None
    ) -> None:
        super().__init__()
        self.settings = settings
        self._settings_file = settings_file
        self.stuck = False
        self.setWindowTitle(TITLE)
        self.setAcceptDrops(True)
        store = ReadingStore(readings_folder(settings_file))
        self.workspace = Workspace(settings, analyzer_factory, store, self)
        self.exporter = Exporter(self)
        self.area = ViewArea()
        self.viewer = self.area.viewer
        self.measuring = Measuring(self)
        self.area.set_grip(self.measuring)
        self.unsaved = UnsavedReadings(settings, self.workspace.keeper, self)
        self.commands = Commands(self)
        self.reports = ReportCommands(self)
        self.view_commands = ViewCommands(self)
        self.deidentify = DeidentifySwitch(self)
        self.menus = Menus(self)
        self.actions_by_name = self.menus.actions
        self.addToolBar(self.menus.tool_bar())
        self.case_panel = CasePanel(self.workspace.model)
        self.results = ResultsPanel()
        # A turn of the event loop later than the picture, so that neither keeps the other waiting.
        self._show_results = QTimer(self, singleShot=True, interval=0)
        self._show_results.timeout.connect(lambda: self.results.show_case(self.workspace.shown))
        self._build_centre()
        self._build_status_bar()
        self._restore()
        self._connect()
        self.show_case(None)

    # Building

    def _build_centre(self) -> None:
        self.empty_page = EmptyPage()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.empty_page)
        self.pages.addWidget(self.area)
        self.notice = NoticeBar()
        self.listing_bar = ListingBar()
        self.batch_bar = ListingBar(tr("Stop after this report (Esc)"))
        self.overlay_bar = OverlayBar({name: self.actions_by_name[name] for name in LAYERS})
        self.slice_strip = SliceStrip()
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 8, 0, 4)
        column.setSpacing(4)
        column.addWidget(self.listing_bar)
        column.addWidget(self.batch_bar)
        column.addWidget(self.notice)
        column.addWidget(self.pages, 1)
        column.addWidget(self.slice_strip)
        column.addWidget(self.overlay_bar)
        self.drop_sign = DropSign(self.pages)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        for widget in (self.case_panel, centre, self.results):
            self.splitter.addWidget(widget)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([268, 752, 330])
        self.setCentralWidget(self.splitter)

    def _build_status_bar(self) -> None:
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        self.model_label = QLabel()
        self.model_label.setAccessibleName(tr("State of the model"))
        self.research_label = QLabel(tr(RESEARCH_USE))
        bold = self.research_label.font()
        bold.setBold(True)
        self.research_label.setFont(bold)
        self.research_label.setContentsMargins(12, 2, 8, 2)
        bar.addPermanentWidget(self.deidentify.badge)
        bar.addPermanentWidget(self.model_label)
        bar.addPermanentWidget(self.research_label)

    def _connect(self) -> None:
        self.case_panel.chosen.connect(self.show_case)
        self.case_panel.open_asked.connect(self.commands.open_files)
        self.case_panel.retry_asked.connect(self.workspace.analyse)
        self.case_panel.remove_asked.connect(self.commands.remove)
        self.empty_page.open_asked.connect(self.commands.open_files)
        self.empty_page.sample_asked.connect(self.commands.open_sample)
        self.notice.retry_asked.connect(self.workspace.analyse)
        self.results.analyse_asked.connect(self.commands.analyse)
        self.results.cancel_asked.connect(self.commands.cancel)
        self.area.window_changed.connect(self._window_changed)
        self.area.slice_shown.connect(self._slice_shown)
        self.results.places.place_chosen.connect(self.area.go_to_point)
        self.measuring.changed.connect(self._measured)
        self.results.note_changed.connect(lambda: self.workspace.keeper.note_change(self.workspace.shown))
        self.slice_strip.slice_chosen.connect(self.go_to_slice)
        self.overlay_bar.opacity_changed.connect(self.set_opacity)
        self.overlay_bar.colormap_changed.connect(self.choose_colormap)
        self.case_panel.view.selectionModel().currentChanged.connect(self._enable_remove)
        self.workspace.in_view = lambda: (self.area.other, *self.commands.in_dialogs)
        self.workspace.reader_at_work = lambda: reader_at_work(self)
        self.workspace.model.rowsRemoved.connect(self._case_removed)
        self.workspace.keeper.left.connect(self.unsaved.ask_of_gone)
        self.workspace.ready_to_show.connect(self._ready_to_show)
        self.workspace.changed.connect(self._case_changed)
        self.workspace.trouble.connect(self.notice.show_error)
        self.workspace.model_trouble.connect(self.notice.show_model_error)
        self.workspace.opened.connect(self._remember)
        self.workspace.open_already.connect(self._open_already)
        self.workspace.passed_over.connect(self._passed_over)
        self.workspace.reader.listing.connect(self._listing)
        self.workspace.reader.listing_ended.connect(self._listing_ended)
        self.listing_bar.cancel_asked.connect(self.workspace.reader.cancel_listing)
        self.batch_bar.cancel_asked.connect(self.reports.cancel)
        self.workspace.model_changed.connect(self.model_label.setText)
        self.exporter.saved.connect(self._saved)
        self.exporter.failed.connect(self.show_error)
        self.exporter.failed.connect(self.statusBar().clearMessage)
        self.exporter.text_seen.connect(lambda: self.show_error(text_seen()))

    def _restore(self) -> None:
        """The window as it was left; on a first start it fits a screen of 1366 × 768."""
        self.resize(1280, 700)
        settings, layers = self.settings, self.area.layers
        self.restoreGeometry(QByteArray(_from_text(settings.window_geometry)))
        self.splitter.restoreState(QByteArray(_from_text(settings.splitter_state)))
        for name in LAYERS:
            on = bool(getattr(settings, f"show_{name}"))
            setattr(layers, name, on)
            self.actions_by_name[name].setChecked(on)
        for name in ("contour", "fill", "heatmap"):
            value = getattr(settings, f"{name}_opacity")
            setattr(layers, f"{name}_opacity", value)
            self.overlay_bar.set_opacity(name, value)
        self.choose_colormap(settings.colormap)

    # What the parts say

    def start(self, paths: list[Path] | None = None) -> None:
        """Begin to work once the window stands. With files to open, their pictures come before torch and the model."""
        self.workspace.start()
        if paths:
            self.workspace.open_paths(paths)
        else:
            self.workspace.warm_up()

    def show_case(self, case: Case | None) -> None:
        """Show a case with all that is known of it, or the empty page."""
        self.workspace.show(case)
        self._show(case)

    def _show(self, case: Case | None) -> None:
        if case is None:
            self.empty_page.invite()
        elif case.study is None and case.state is CaseState.FAILED and case.error is not None:
            self.empty_page.lament(case.name, case.error)
        elif case.study is None:
            self.empty_page.wait(case.name)
        self.measuring.show_history(None if case is None else case.measured)
        self.area.show_case(case)
        self._refresh(case)

    def _refresh(self, case: Case | None) -> None:
        """Everything around the picture."""
        shown = case is not None and case.study is not None
        self.pages.setCurrentWidget(self.area if shown else self.empty_page)
        self.overlay_bar.setVisible(shown)
        self.setWindowTitle(tr(TITLE) if case is None else f"{case.name} – {tr(TITLE)}")
        stack = case is not None and case.study is not None and case.study.slices > 1
        self.slice_strip.setVisible(stack)
        if stack and case is not None and case.study is not None:
            self.slice_strip.show_slices(case.study.slices, case.analysis.slices if case.analysis else None)
            self.slice_strip.set_current(case.slice_index)
        self._enable_actions(case)
        self._show_results.start()

    def _enable_actions(self, case: Case | None) -> None:
        self.enable_cancel()
        busy = case is not None and case.state.busy
        analysis = None if case is None else case.analysis
        enable = self.menus.enable
        self.view_commands.refresh()
        enable(("preview", "pdf", "png", "json", "dicom"), analysis is not None)
        enable(("all_reports",), any(c.state is not CaseState.CANCELLED for c in self.workspace.model.cases))
        enable(("mask", *LAYERS), analysis is not None and analysis.segmentation is not None)
        has_map = analysis is not None and analysis.explanation is not None
        enable(("heatmap_file", "heatmap"), has_map)
        failed = case is not None and case.state is CaseState.FAILED
        enable(("analyse",), case is not None and not busy)
        self.actions_by_name["analyse"].setIconText(tr("Analyse") if analysis is None else tr("Re-analyse"))
        enable(("reanalyse",), analysis is not None and not busy)
        enable(("retry",), failed or (case is not None and case.state is CaseState.CANCELLED))
        self._enable_remove()
        several = case is not None and case.entry is not None and case.entry.frames > 1
        enable(("next_volume", "previous_volume"), several and not busy)
        enable(("join",), case is not None and case.entry is not None and is_numbered(case.entry))
        enable(("next", "previous", "reset"), bool(self.workspace.model.cases))

    def _enable_remove(self) -> None:
        """Not while a study is the row chosen: the case that goes must be the one that is marked."""
        self.menus.enable(("remove",), self.case_panel.current is not None)

    def enable_cancel(self) -> None:
        """As long as there is something to stop."""
        shown = self.workspace.shown
        busy = self.listing_bar.isVisible() or self.reports.batch is not None
        self.menus.enable(("cancel",), busy or (shown is not None and shown.state.busy))

    def _ready_to_show(self, case: Case) -> None:
        if reader_at_work(self):
            self.statusBar().showMessage(tr("{name} is loaded: choose it in the list", name=case.name), _MESSAGE_MS)
            return
        self.case_panel.choose(case)
        self.viewer.setFocus()
        if words := offer(case, self.workspace.model.cases):
            self.statusBar().showMessage(words, _MESSAGE_MS)

    def _open_already(self, case: Case) -> None:
        words = tr("{name} is open already", name=case.name)
        if reader_at_work(self):
            words = tr("{name} is open already: choose it in the list", name=case.name)
        else:
            self.case_panel.choose(case)
        self.statusBar().showMessage(words, _MESSAGE_MS)

    def _case_changed(self, case: Case) -> None:
        self.case_panel.refresh()
        if case.state.busy:
            self.notice.hide_for(case)
        beside = self.area.beside
        if case is self.area.other and (case.study is not beside.study or case.analysis is not beside.analysis):
            self.area.show_beside(case)
        if case is not self.workspace.shown:
            self._enable_actions(self.workspace.shown)
        elif case.study is not self.viewer.study or case.study is None:
            self._show(case)
            if case.study is None and case.state in (CaseState.CANCELLED, CaseState.DONE):
                self.empty_page.stop(case.name)
        else:
            if case.state is CaseState.DONE:
                self.area.show_analysis(case)
                if self.viewer.slice_index != case.slice_index:
                    self.area.go_to(self.viewer, case.slice_index)
            self._refresh(case)

    def _case_removed(self) -> None:
        """Neither a message nor a view is left of a case that is off the list."""
        cases = self.workspace.model.cases
        self.notice.hide_unless_about(cases)
        if self.area.other is not None and self.area.other not in cases:
            self.area.show_beside(None)
        self._enable_actions(self.workspace.shown)

    def show_error(self, error: BrainTumorError) -> None:
        """Tell an error that belongs to no case."""
        self.notice.show_error(error, None)

    def show_crash(self, cause: BaseException) -> None:
        """Tell an exception nobody caught."""
        self.show_error(internal_error(cause))

    def _window_changed(self, window: Window) -> None:
        if self.workspace.shown is not None:
            self.workspace.shown.window = window

    def go_to_slice(self, index: int) -> None:
        """Show a slice of the series as acquired."""
        self.area.go_to(self.viewer, index)

    def _slice_shown(self, index: int) -> None:
        if self.workspace.shown is not None:
            self.workspace.shown.slice_index = index
        self.slice_strip.set_current(index)

    def _measured(self) -> None:
        self.area.update_views()
        self.view_commands.refresh()
        self._show_results.start()
        self.workspace.keeper.note_change(self.workspace.shown)

    def toggle_layer(self, name: str, on: bool) -> None:
        """Switch an overlay: contour, fill, heatmap or diameters."""
        setattr(self.area.layers, name, on)
        setattr(self.settings, f"show_{name}", on)
        self.area.update_views()

    def set_opacity(self, name: str, value: float) -> None:
        """name: contour, fill or heatmap; value: 0..1."""
        setattr(self.area.layers, f"{name}_opacity", value)
        setattr(self.settings, f"{name}_opacity", value)
        self.area.update_views()

    def choose_colormap(self, name: str) -> None:
        """Colours of the heat map, here and in the reports."""
        self.area.layers.colormap = self.settings.colormap = name
        self.actions_by_name[name].setChecked(True)
        self.overlay_bar.set_colormap(name)
        self.area.update_views()

    def _listing(self, stage: str, share: float) -> None:
        self.listing_bar.show_progress(stage, share)
        self.enable_cancel()

    def _listing_ended(self) -> None:
        self.listing_bar.hide()
        self._enable_actions(self.workspace.shown)

    def _passed_over(self, count: int) -> None:
        words = tr_count(
            "{count} file that is no picture was passed over",
            "{count:,} files that are no pictures were passed over",
            count,
        )
        self.statusBar().showMessage(words, _MESSAGE_MS)

    def _remember(self, files: list[Path]) -> None:
        for file in reversed(files[:10]):
            self.settings.remember(file)

    def _saved(self, path: Path) -> None:
        self.statusBar().showMessage(tr("Saved {path}", path=path), _MESSAGE_MS)

    # Keys, drag and drop, close

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self.view_commands.takes_key(event)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.view_commands.key(event):
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if takes(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)  # never move: the file stays where it is
            event.accept()
            self.drop_sign.appear()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drop_sign.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_sign.hide()
        if files := files_in(event.mimeData()):
            self.commands.open_paths(files)
        elif (picture := picture_in(event.mimeData())) is not None:
            self.commands.open_pasted(picture)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Away from the screen at once; then the worker is stopped.

        Before that, what is being saved is waited for, and a reading that would be lost is asked about.
        """
        if self.reports.keeps_open() or not self.unsaved.ask(self.workspace.model.cases, self.close):
            event.ignore()
            return
        self.settings.window_geometry = _to_text(self.saveGeometry())
        self.settings.splitter_state = _to_text(self.splitter.saveState())
        self.hide()
        with contextlib.suppress(OSError, ValueError):  # what can't be written must not keep the program open
            save_settings(self.settings, self._settings_file)
        self.exporter.finish()
        self.stuck = not self.workspace.stop()
        event.accept()


def _to_text(state: QByteArray) -> str:
    return base64.b64encode(state.data()).decode()


def _from_text(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
