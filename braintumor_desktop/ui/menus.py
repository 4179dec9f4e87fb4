"""Every action of the program: its menu, words, key and tip, in one place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QStyle, QToolBar

from braintumor_desktop.domain.study import MrSequence
from braintumor_desktop.imaging.overlay import COLORMAPS
from braintumor_desktop.imaging.turning import Turn
from braintumor_desktop.ui.exporting import ExportKind
from braintumor_desktop.ui.overlay_bar import COLORMAP_TITLES
from braintumor_desktop.ui.view_area import Layout
from braintumor_desktop.ui.view_commands import LAYOUTS
from braintumor_desktop.ui.view_transform import STEP

if TYPE_CHECKING:
    from braintumor_desktop.ui.main_window import MainWindow

LAYERS = ("contour", "fill", "heatmap", "diameters")


class Menus:
    """Builds the menu bar of a window. actions: by name; recent: filled by the window each time it opens."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.actions: dict[str, QAction] = {}
        self.recent = QMenu("Open &recent", window)
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
        bar = QToolBar("Main tools")
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
        menu = w.menuBar().addMenu("&File")
        self._add(menu, "open", "&Open…", "Ctrl+O", "Open pictures, DICOM, NIfTI or ZIP files", do.open_files)
        self._add(
            menu,
            "open_folder",
            "Open &folder…",
            "Ctrl+Shift+O",
            "Open all studies and pictures of a folder",
            do.open_folder,
        )
        self._add(menu, "paste", "&Paste picture", "Ctrl+V", "Open the picture or files on the clipboard", do.paste)
        menu.addMenu(self.recent)
        self.recent.aboutToShow.connect(lambda: do.fill_recent(self.recent))
        sample = menu.addMenu("Open synthetic &sample")
        self._add(sample, "sample", "&Picture", "Ctrl+T", "Open a synthetic head; there is no patient", do.open_sample)
        self._add(sample, "sample_stack", "&Stack", "", "Open a synthetic head in slices", do.open_sample_stack)
        menu.addSeparator()
        exports = (
            ("pdf", "&Export report (PDF)…", "Ctrl+S", "Save the report as PDF", ExportKind.PDF),
            ("png", "Export report (P&NG)…", "Ctrl+Shift+S", "Save the report as one picture", ExportKind.PNG),
            ("json", "Export &JSON…", "Ctrl+J", "Save the answer for other programs", ExportKind.JSON),
            ("mask", "Export &mask…", "Ctrl+M", "Save the outlined area as black and white", ExportKind.MASK),
            ("heatmap_file", "Export &heat map…", "", "Save the heat map as grey values", ExportKind.HEATMAP),
        )
        for name, text, key, tip, kind in exports:
            self._add(menu, name, text, key, tip, partial(do.export, kind))
        menu.addSeparator()
        self._add(
            menu, "settings", "Se&ttings…", "Ctrl+,", "Paper, limits, colours, model and device", do.edit_settings
        )
        menu.addSeparator()
        quit_action = self._add(menu, "quit", "&Quit", "Ctrl+Q", "End the program", w.close)
        quit_action.setMenuRole(QAction.MenuRole.QuitRole)
        self.actions["settings"].setMenuRole(QAction.MenuRole.PreferencesRole)

    def _view(self) -> None:
        w, view = self._window, self._window.view_commands
        menu = w.menuBar().addMenu("&View")
        self._add(menu, "fit", "&Fit", "Ctrl+0", "Show all of the picture", view.fit)
        self._add(menu, "one_to_one", "&1:1", "Ctrl+1", "One picture pixel on one screen pixel", view.one_to_one)
        zoom_in = self._add(menu, "zoom_in", "Zoom &in", "Ctrl++", "Larger", partial(view.zoom, STEP))
        zoom_in.setShortcuts([QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")])
        self._add(menu, "zoom_out", "Zoom &out", "Ctrl+-", "Smaller", partial(view.zoom, 1 / STEP))
        self._add(menu, "invert", "I&nvert", "I", "Swap black and white", view.invert, checkable=True)
        self._add(menu, "reset_view", "&Reset view", "R", "First zoom, window and orientation again", view.reset_view)
        turns = menu.addMenu("Flip and ro&tate")
        for name, text, key, tip, change in (
            ("flip_across", "Flip &left and right", "X", "Mirror the view; the letters follow", Turn.flipped_across),
            ("flip_down", "Flip &top and bottom", "Y", "Turn the view upside down, mirrored", Turn.flipped_down),
            ("rotate_right", "Rotate &clockwise", "]", "A quarter turn clockwise", Turn.clockwise),
            ("rotate_left", "Rotate &anticlockwise", "[", "A quarter turn anticlockwise", Turn.anticlockwise),
        ):
            self._add(turns, name, text, key, tip, partial(view.turn, change))
        presets = menu.addMenu("&Window")
        for name, text, key, tip in (
            ("file", "As &first shown", "0", "The window the file names, else automatic"),
            ("auto", "&Automatic", "1", "Darkest and brightest one percent cut off"),
            ("full", "F&ull range", "2", "All grey values of the picture"),
            ("wide", "&Soft", "3", "Twice as wide as automatic"),
            ("narrow", "&Hard", "4", "Half as wide as automatic"),
            ("brain", "&Brain", "5", "The grey values inside the head, without air and scalp"),
        ):
            self._add(presets, f"window_{name}", text, key, tip, partial(view.preset_window, name))
        menu.addSeparator()
        self._layouts(menu)
        self._add(
            menu, "cine", "&Play the slices", "K", "Go through the slices by themselves", view.run_cine, checkable=True
        )
        self._add(menu, "cine_faster", "Play faster", ".", "More slices a second", partial(view.cine_speed, 1.5))
        self._add(menu, "cine_slower", "Play slower", ",", "Fewer slices a second", partial(view.cine_speed, 1 / 1.5))
        menu.addSeparator()
        self._overlays(menu)

    def _layouts(self, menu: QMenu) -> None:
        w, view = self._window, self._window.view_commands
        layouts = menu.addMenu("La&yout")
        group = QActionGroup(w)
        for name, key, tip in (
            ("layout_one", "F6", "The series as it was acquired"),
            ("layout_three", "F7", "Axial, coronal and sagittal planes through one point"),
            ("layout_four", "F8", "The three planes and the series as acquired"),
            ("layout_beside", "F9", "This series and another one"),
        ):
            layout = LAYOUTS[name]
            slot = partial(self._arrange, layout)
            group.addAction(self._add(layouts, name, f"&{layout.value}", key, tip, slot, checkable=True))
        layouts.addSeparator()
        tip = "Scroll both series together where they share a frame of reference"
        sync = self._add(layouts, "synchronise", "S&ynchronise", "Shift+F9", tip, view.synchronise, checkable=True)
        sync.setChecked(True)
        tip = "Another series at the right side"
        self._add(layouts, "next_beside", "&Next beside", "Shift+N", tip, partial(view.step_beside, 1))
        self._add(layouts, "previous_beside", "&Previous beside", "Shift+P", tip, partial(view.step_beside, -1))

    def _arrange(self, layout: Layout, _on: bool) -> None:
        self._window.view_commands.arrange(layout)

    def _measure(self) -> None:
        w, view, measuring = self._window, self._window.view_commands, self._window.measuring
        menu = w.menuBar().addMenu("&Measure")
        for name, text, key, tip in (
            ("length", "&Length", "L", "A straight line"),
            ("bidimensional", "&Bidimensional", "B", "Longest diameter and its perpendicular"),
            ("angle", "&Angle", "A", "Drag the first leg, then click the end of the second"),
            ("ellipse", "&Ellipse", "E", "Mean, spread and area inside an ellipse"),
            ("freehand", "&Freehand region", "O", "Mean, spread and area inside an outline"),
        ):
            self._add(menu, name, text, key, tip, partial(view.choose_tool, name), checkable=True)
        menu.addSeparator()
        self._add(menu, "undo", "&Undo", "Ctrl+Z", "Take the last change of the measurements back", measuring.undo)
        self._add(menu, "redo", "&Redo", "Ctrl+Y", "Make the change again", measuring.redo)
        tip = "Select the next measurement of this view"
        self._add(menu, "next_measurement", "&Next measurement", "M", tip, view.next_measurement)
        tip = "Take hold of its next handle"
        self._add(menu, "next_handle", "Next &handle", "Shift+M", tip, measuring.next_handle)
        tip = "Delete the selected measurement"
        self._add(menu, "delete_measurement", "&Delete", "Backspace", tip, measuring.delete)
        tip = "Delete all measurements of this case"
        self._add(menu, "delete_all_measurements", "Delete a&ll", "Ctrl+Backspace", tip, measuring.delete_all)

    def _overlays(self, menu: QMenu) -> None:
        w = self._window
        for name, text, key, tip in (
            ("contour", "&Contour", "C", "The outline of the tumour as the model sees it"),
            ("fill", "&Fill", "F", "The outlined area in a transparent colour"),
            ("heatmap", "&Heat map", "H", "Where the model looked"),
            ("diameters", "&Diameters", "D", "Longest diameter and its perpendicular"),
        ):
            self._add(menu, name, text, key, tip, partial(w.toggle_layer, name), checkable=True)
        colours = menu.addMenu("Heat map co&lours")
        group = QActionGroup(w)
        for name in COLORMAPS:
            tip, slot = "Colours of the heat map", partial(self._choose_colormap, name)
            group.addAction(self._add(colours, name, COLORMAP_TITLES[name], "", tip, slot, checkable=True))

    def _choose_colormap(self, name: str, _on: bool) -> None:
        self._window.choose_colormap(name)

    def _case(self) -> None:
        w, do = self._window, self._window.commands
        menu = w.menuBar().addMenu("&Case")
        self._add(menu, "analyse", "&Analyse", "F5", "Analyse this case", do.analyse)
        self._add(menu, "reanalyse", "&Re-analyse", "Shift+F5", "Analyse this case once more", do.analyse)
        self._add(menu, "cancel", "&Cancel", "Esc", "Stop the analysis of this case", do.cancel)
        self._add(menu, "retry", "Re&try", "Ctrl+R", "Try the failed case again", do.analyse)
        sequences = menu.addMenu("&Sequence")
        self.actions["sequence"] = sequences.menuAction()
        sequences.menuAction().setStatusTip("Say which sequence this series is")
        for sequence in (*MrSequence, None):
            name, title = (
                (f"sequence_{sequence.name.lower()}", sequence.value) if sequence else ("sequence_unknown", "Not known")
            )
            tip = f"This series is {title}" if sequence else "It is not known which sequence this series is"
            self._add(sequences, name, title, "", tip, partial(do.correct_sequence, sequence))
        tip = "The next volume of a series that holds several"
        self._add(menu, "next_volume", "Next v&olume", "Ctrl+PgDown", tip, partial(do.step_volume, 1))
        tip = "The volume before of a series that holds several"
        self._add(menu, "previous_volume", "Previous vol&ume", "Ctrl+PgUp", tip, partial(do.step_volume, -1))
        menu.addSeparator()
        self._add(menu, "next", "&Next case", "N", "Go down the list", lambda: w.case_panel.step(1))
        self._add(menu, "previous", "&Previous case", "P", "Go up the list", lambda: w.case_panel.step(-1))
        menu.addSeparator()
        self._add(menu, "remove", "Re&move", "Del", "Take this case off the list; the file stays", do.remove)
        tip = "Take all cases off the list; the files stay"
        self._add(menu, "reset", "Re&set", "Ctrl+Shift+Del", tip, do.reset)

    def _settings_and_help(self) -> None:
        w, do = self._window, self._window.commands
        menu = w.menuBar().addMenu("&Help")
        self._add(menu, "shortcuts", "&Keys and mouse", "F1", "All keys and mouse moves", do.show_shortcuts)
        self._add(menu, "about_model", "About the &model", "", "What the model is and was trained on", do.show_model)
        self._add(menu, "licences", "&Licences", "", "What the program is made of, and its licences", do.show_licences)
        about = self._add(menu, "about", "&About", "", "Version and purpose", do.show_about)
        about.setMenuRole(QAction.MenuRole.AboutRole)
        style = w.style()
        self.actions["open"].setIcon(style.standardIcon(QStyle.StandardPixmap.SP_DialogOpenButton))
        self.actions["pdf"].setIcon(style.standardIcon(QStyle.StandardPixmap.SP_DialogSaveButton))
        self.actions["pdf"].setIconText("Export PDF")
        self.actions["layout_four"].setIconText("Planes")
        self.actions["layout_one"].setIconText("One")
        self.actions["bidimensional"].setIconText("2 diameters")

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
        action.setToolTip(tip if not key or key in tip else f"{tip} ({key})")
        action.setStatusTip(tip)
        action.triggered.connect((lambda on: slot(on)) if checkable else (lambda _on: slot()))
        menu.addAction(action)
        self.actions[name] = action
        return action
