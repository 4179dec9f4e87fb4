"""Every action of the program: its menu, words, key and tip, in one place."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QStyle, QToolBar

from braintumor_desktop.domain.study import MrSequence
from braintumor_desktop.imaging.overlay import COLORMAPS
from braintumor_desktop.imaging.turning import Turn
from braintumor_desktop.language import tr
from braintumor_desktop.ui.exporting import ExportKind
from braintumor_desktop.ui.overlay_bar import COLORMAP_TITLES
from braintumor_desktop.ui.view_area import Layout
from braintumor_desktop.ui.view_commands import LAYOUTS
from braintumor_desktop.ui.view_transform import STEP

if TYPE_CHECKING:
    from braintumor_desktop.ui.main_window import MainWindow

# In the text of a menu: before a letter of it, or in brackets behind letters that keyboards lack; and the dots.
_MNEMONIC = re.compile(r" \(&\w\)|&|…")
LAYERS = ("contour", "fill", "heatmap", "diameters")


class Menus:
    """Builds the menu bar of a window. actions: by name; recent: filled by the window each time it opens."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.actions: dict[str, QAction] = {}
        self.recent = QMenu(tr("Open &recent"), window)
        self._file()
        self._view()
        self._measure()
        self._case()
        self._settings_and_help()

    def enable(self, names: tuple[str, ...], on: bool) -> None:
        for name in names:
            self.actions[name].setEnabled(on)

    def tool_bar(self) -> QToolBar:
        """The few that are used all the time."""
        bar = QToolBar(tr("Main tools"))
        bar.setObjectName("main_tools")
        bar.setMovable(False)
        bar.toggleViewAction().setVisible(False)
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setIconSize(QSize(18, 18))
        view = ("fit", "one_to_one", "invert", "reset_view")
        measure = ("length", "bidimensional", "ellipse")
        layouts = ("layout_one", "layout_four", "layout_beside")
        for name in ("open", "|", "analyse", "cancel", "|", *view, "|", *measure, "|", *layouts, "|", "pdf"):
            if name == "|":
                bar.addSeparator()
            else:
                bar.addAction(self.actions[name])
        return bar

    def _file(self) -> None:
        w, do = self._window, self._window.commands
        menu = w.menuBar().addMenu(tr("&File"))
        self._add(menu, "open", tr("&Open…"), "Ctrl+O", tr("Open pictures, DICOM, NIfTI or ZIP files"), do.open_files)
        self._add(
            menu,
            "open_folder",
            tr("Open &folder…"),
            "Ctrl+Shift+O",
            tr("Open all studies and pictures of a folder"),
            do.open_folder,
        )
        self._add(
            menu, "paste", tr("&Paste picture"), "Ctrl+V", tr("Open the picture or files on the clipboard"), do.paste
        )
        menu.addMenu(self.recent)
        self.recent.aboutToShow.connect(lambda: do.fill_recent(self.recent))
        sample = menu.addMenu(tr("Open synthetic &sample"))
        self._add(
            sample, "sample", tr("&Picture"), "Ctrl+T", tr("Open a synthetic head; there is no patient"), do.open_sample
        )
        self._add(sample, "sample_stack", tr("&Stack"), "", tr("Open a synthetic head in slices"), do.open_sample_stack)
        menu.addSeparator()
        reports = w.reports
        tip = tr("See the report as it will lie on paper, print it or save it")
        self._add(menu, "preview", tr("Pre&view and print report…"), "Ctrl+P", tip, reports.preview)
        exports = (
            ("pdf", tr("&Export report (PDF)…"), "Ctrl+S", tr("Save the report as PDF"), ExportKind.PDF),
            ("png", tr("Export report (P&NG)…"), "Ctrl+Shift+S", tr("Save the report as one picture"), ExportKind.PNG),
            ("json", tr("Export &JSON…"), "Ctrl+J", tr("Save the answer for other programs"), ExportKind.JSON),
            ("mask", tr("Export &mask…"), "Ctrl+M", tr("Save the outlined area as black and white"), ExportKind.MASK),
            ("heatmap_file", tr("Export &heat map…"), "", tr("Save the heat map as grey values"), ExportKind.HEATMAP),
        )
        for name, text, key, tip, kind in exports:
            self._add(menu, name, text, key, tip, partial(do.export, kind))
        tip = tr("Segmentation, measurement report, key images and report as DICOM objects, for an archive")
        self._add(menu, "dicom", tr("Export &DICOM objects…"), "Ctrl+D", tip, do.export_dicom)
        tip = tr("Save one report a case, and one table of all")
        self._add(menu, "all_reports", tr("Export &all reports…"), "Ctrl+Shift+E", tip, reports.export_all)
        switch = w.deidentify
        tip = tr("What is saved leaves out who the patient, the clinic and the reader are")
        name, key = "deidentify", "Ctrl+Shift+D"
        action = self._add(menu, name, tr("De-&identified exports"), key, tip, switch.set_on, checkable=True)
        action.setChecked(switch.on)
        switch.changed.connect(action.setChecked)
        menu.addSeparator()
        self._add(
            menu,
            "settings",
            tr("Se&ttings…"),
            "Ctrl+,",
            tr("Paper, limits, colours, model and device"),
            do.edit_settings,
        )
        menu.addSeparator()
        quit_action = self._add(menu, "quit", tr("&Quit"), "Ctrl+Q", tr("End the program"), w.close)
        quit_action.setMenuRole(QAction.MenuRole.QuitRole)
        self.actions["settings"].setMenuRole(QAction.MenuRole.PreferencesRole)

    def _view(self) -> None:
        w, view = self._window, self._window.view_commands
        menu = w.menuBar().addMenu(tr("&View"))
        self._add(menu, "fit", tr("&Fit"), "Ctrl+0", tr("Show all of the picture"), view.fit)
        self._add(menu, "one_to_one", "&1:1", "Ctrl+1", tr("One picture pixel on one screen pixel"), view.one_to_one)
        zoom_in = self._add(menu, "zoom_in", tr("Zoom &in"), "Ctrl++", tr("Larger"), partial(view.zoom, STEP))
        zoom_in.setShortcuts([QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")])
        self._add(menu, "zoom_out", tr("Zoom &out"), "Ctrl+-", tr("Smaller"), partial(view.zoom, 1 / STEP))
        self._add(menu, "invert", tr("I&nvert"), "I", tr("Swap black and white"), view.invert, checkable=True)
        self._add(
            menu, "reset_view", tr("&Reset view"), "R", tr("First zoom, window and orientation again"), view.reset_view
        )
        turns = menu.addMenu(tr("Flip and ro&tate"))
        for name, text, key, tip, change in (
            (
                "flip_across",
                tr("Flip &left and right"),
                "X",
                tr("Mirror the view; the letters follow"),
                Turn.flipped_across,
            ),
            (
                "flip_down",
                tr("Flip &top and bottom"),
                "Y",
                tr("Turn the view upside down, mirrored"),
                Turn.flipped_down,
            ),
            ("rotate_right", tr("Rotate &clockwise"), "]", tr("A quarter turn clockwise"), Turn.clockwise),
            ("rotate_left", tr("Rotate &anticlockwise"), "[", tr("A quarter turn anticlockwise"), Turn.anticlockwise),
        ):
            self._add(turns, name, text, key, tip, partial(view.turn, change))
        presets = menu.addMenu(tr("&Window"))
        for name, text, key, tip in (
            ("file", tr("As &first shown"), "0", tr("The window the file names, else automatic")),
            ("auto", tr("&Automatic"), "1", tr("Darkest and brightest one percent cut off")),
            ("full", tr("F&ull range"), "2", tr("All grey values of the picture")),
            ("wide", tr("&Soft"), "3", tr("Twice as wide as automatic")),
            ("narrow", tr("&Hard"), "4", tr("Half as wide as automatic")),
            ("brain", tr("&Brain"), "5", tr("The grey values inside the head, without air and scalp")),
        ):
            self._add(presets, f"window_{name}", text, key, tip, partial(view.preset_window, name))
        menu.addSeparator()
        self._layouts(menu)
        self._add(
            menu,
            "cine",
            tr("&Play the slices"),
            "K",
            tr("Go through the slices by themselves"),
            view.run_cine,
            checkable=True,
        )
        self._add(
            menu, "cine_faster", tr("Play faster"), ".", tr("More slices a second"), partial(view.cine_speed, 1.5)
        )
        self._add(
            menu, "cine_slower", tr("Play slower"), ",", tr("Fewer slices a second"), partial(view.cine_speed, 1 / 1.5)
        )
        menu.addSeparator()
        self._overlays(menu)

    def _layouts(self, menu: QMenu) -> None:
        w, view = self._window, self._window.view_commands
        layouts = menu.addMenu(tr("La&yout"))
        group = QActionGroup(w)
        for name, key, tip in (
            ("layout_one", "F6", tr("The series as it was acquired")),
            ("layout_three", "F7", tr("Axial, coronal and sagittal planes through one point")),
            ("layout_four", "F8", tr("The three planes and the series as acquired")),
            ("layout_beside", "F9", tr("This series and another one")),
            ("layout_planes_beside", "Ctrl+F9", tr("The three planes of this series and of another one")),
        ):
            layout = LAYOUTS[name]
            slot = partial(self._arrange, layout)
            group.addAction(self._add(layouts, name, tr(layout.value), key, tip, slot, checkable=True))
        layouts.addSeparator()
        tip = tr("Scroll both series together where they share a frame of reference")
        sync = self._add(layouts, "synchronise", tr("S&ynchronise"), "Shift+F9", tip, view.synchronise, checkable=True)
        sync.setChecked(True)
        tip = tr("Also where a file, such as NIfTI, doesn't tell its frame of reference")
        name, text = "by_coordinates", tr("Synchronise by &coordinates")
        self._add(layouts, name, text, "Ctrl+Shift+F9", tip, view.by_coordinates, checkable=True)
        tip = tr("Another series at the right side")
        self._add(layouts, "next_beside", tr("&Next beside"), "Shift+N", tip, partial(view.step_beside, 1))
        self._add(layouts, "previous_beside", tr("&Previous beside"), "Shift+P", tip, partial(view.step_beside, -1))

    def _arrange(self, layout: Layout, _on: bool) -> None:
        self._window.view_commands.arrange(layout)

    def _measure(self) -> None:
        w, view, measuring = self._window, self._window.view_commands, self._window.measuring
        menu = w.menuBar().addMenu(tr("&Measure"))
        for name, text, key, tip in (
            ("length", tr("&Length"), "L", tr("A straight line")),
            ("bidimensional", tr("&Bidimensional"), "B", tr("Longest diameter and its perpendicular")),
            ("angle", tr("&Angle"), "A", tr("Drag the first leg, then click the end of the second")),
            ("ellipse", tr("&Ellipse"), "E", tr("Mean, spread and area inside an ellipse")),
            ("freehand", tr("&Freehand region"), "O", tr("Mean, spread and area inside an outline")),
        ):
            self._add(menu, name, text, key, tip, partial(view.choose_tool, name), checkable=True)
        menu.addSeparator()
        self._add(
            menu, "undo", tr("&Undo"), "Ctrl+Z", tr("Take the last change of the measurements back"), measuring.undo
        )
        self._add(menu, "redo", tr("&Redo"), "Ctrl+Y", tr("Make the change again"), measuring.redo)
        tip = tr("Select the next measurement of this view")
        self._add(menu, "next_measurement", tr("&Next measurement"), "M", tip, view.next_measurement)
        tip = tr("Take hold of its next handle")
        self._add(menu, "next_handle", tr("Next &handle"), "Shift+M", tip, measuring.next_handle)
        tip = tr("Delete the selected measurement")
        self._add(menu, "delete_measurement", tr("&Delete"), "Backspace", tip, view.delete_measurement)
        tip = tr("Delete all measurements of this case")
        self._add(menu, "delete_all_measurements", tr("Dele&te all"), "Ctrl+Backspace", tip, measuring.delete_all)

    def _overlays(self, menu: QMenu) -> None:
        w = self._window
        for name, text, key, tip in (
            ("contour", tr("&Contour"), "C", tr("The outline of the tumour as the model sees it")),
            ("fill", tr("Fi&ll"), "F", tr("The outlined area in a transparent colour")),
            ("heatmap", tr("&Heat map"), "H", tr("Where the model looked")),
            ("diameters", tr("&Diameters"), "D", tr("Longest diameter and its perpendicular")),
        ):
            self._add(menu, name, text, key, tip, partial(w.toggle_layer, name), checkable=True)
        colours = menu.addMenu(tr("Heat map colo&urs"))
        group = QActionGroup(w)
        for name in COLORMAPS:
            tip, slot = tr("Colours of the heat map"), partial(self._choose_colormap, name)
            group.addAction(self._add(colours, name, tr(COLORMAP_TITLES[name]), "", tip, slot, checkable=True))

    def _choose_colormap(self, name: str, _on: bool) -> None:
        self._window.choose_colormap(name)

    def _case(self) -> None:
        w, do = self._window, self._window.commands
        menu = w.menuBar().addMenu(tr("&Case"))
        self._add(menu, "analyse", tr("&Analyse"), "F5", tr("Analyse this case"), do.analyse)
        self._add(menu, "reanalyse", tr("&Re-analyse"), "Shift+F5", tr("Analyse this case once more"), do.analyse)
        self._add(menu, "cancel", tr("&Cancel"), "Esc", tr("Stop the analysis of this case"), do.cancel)
        self._add(menu, "retry", tr("Re&try"), "Ctrl+R", tr("Try the failed case again"), do.analyse)
        sequences = menu.addMenu(tr("&Sequence"))
        self.actions["sequence"] = sequences.menuAction()
        sequences.menuAction().setStatusTip(tr("Say which sequence this series is"))
        for sequence in (*MrSequence, None):
            name, title = (
                (f"sequence_{sequence.name.lower()}", tr(sequence.value))
                if sequence
                else ("sequence_unknown", tr("Not known"))
            )
            tip = (
                tr("This series is {title}", title=title)
                if sequence
                else tr("It is not known which sequence this series is")
            )
            self._add(sequences, name, title, "", tip, partial(do.correct_sequence, sequence))
        tip = tr("The next volume of a series that holds several")
        self._add(menu, "next_volume", tr("Next v&olume"), "Ctrl+PgDown", tip, partial(do.step_volume, 1))
        tip = tr("The volume before of a series that holds several")
        self._add(menu, "previous_volume", tr("Previous vol&ume"), "Ctrl+PgUp", tip, partial(do.step_volume, -1))
        tip = tr("Show the numbered pictures of this one's folder as the slices of one series")
        self._add(menu, "join", tr("&Join numbered pictures"), "J", tip, do.join_pictures)
        menu.addSeparator()
        self._add(menu, "next", tr("&Next case"), "N", tr("Go down the list"), lambda: w.case_panel.step(1))
        self._add(menu, "previous", tr("&Previous case"), "P", tr("Go up the list"), lambda: w.case_panel.step(-1))
        menu.addSeparator()
        self._add(menu, "remove", tr("Re&move"), "Del", tr("Take this case off the list; the file stays"), do.remove)
        tip = tr("Take all cases off the list; the files stay")
        self._add(menu, "reset", tr("R&eset"), "Ctrl+Shift+Del", tip, do.reset)

    def _settings_and_help(self) -> None:
        w, do = self._window, self._window.commands
        menu = w.menuBar().addMenu(tr("&Help"))
        self._add(
            menu, "guide", tr("&User guide"), "F1", tr("How everything is done, and what it means"), do.show_guide
        )
        tip = tr("All keys and mouse moves")
        self._add(menu, "shortcuts", tr("&Keys and mouse"), "Shift+F1", tip, do.show_shortcuts)
        self._add(
            menu, "about_model", tr("About the &model"), "", tr("What the model is and was trained on"), do.show_model
        )
        self._add(
            menu, "licences", tr("&Licences"), "", tr("What the program is made of, and its licences"), do.show_licences
        )
        about = self._add(menu, "about", tr("&About"), "", tr("Version and licences"), do.show_about)
        about.setMenuRole(QAction.MenuRole.AboutRole)
        style = w.style()
        self.actions["open"].setIcon(style.standardIcon(QStyle.StandardPixmap.SP_DialogOpenButton))
        self.actions["pdf"].setIcon(style.standardIcon(QStyle.StandardPixmap.SP_DialogSaveButton))
        self.actions["pdf"].setIconText(tr("Export PDF"))
        self.actions["layout_four"].setIconText(tr("Planes"))
        self.actions["layout_one"].setIconText(tr("One"))
        self.actions["bidimensional"].setIconText(tr("2 diameters"))

    def _add(
        self,
        menu: QMenu,
        name: str,
        text: str,
        key: str,
        tip: str,
        slot: Callable[..., object],
        *,
        checkable: bool = False,
    ) -> QAction:
        """One action. slot: called with nothing, or with whether it is on now where it is checkable."""
        action = QAction(text, self._window)
        action.setObjectName(name)
        action.setCheckable(checkable)
        if key:
            action.setShortcut(QKeySequence(key))
        action.setIconText(_MNEMONIC.sub("", text))
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(tip if not key or shown in tip else f"{tip} ({shown})")
        action.setStatusTip(tip)
        action.triggered.connect((lambda on: slot(on)) if checkable else (lambda _on: slot()))
        menu.addAction(action)
        self.actions[name] = action
        return action
