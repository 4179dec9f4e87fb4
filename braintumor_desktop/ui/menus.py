"""Every action of the program: its menu, words, key and tip, in one place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QStyle, QToolBar

from braintumor_desktop.imaging.overlay import COLORMAPS
from braintumor_desktop.ui.exporting import ExportKind
from braintumor_desktop.ui.overlay_bar import COLORMAP_TITLES
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
        for name in ("open", "|", "analyse", "cancel", "|", "fit", "one_to_one", "invert", "reset_view", "|", "pdf"):
            if name == "|":
                bar.addSeparator()
            else:
                bar.addAction(self.actions[name])
        return bar

    def _file(self) -> None:
        w, do = self._window, self._window.commands
        menu = w.menuBar().addMenu("&File")
        self._add(menu, "open", "&Open…", "Ctrl+O", "Open MRI pictures", do.open_files)
        self._add(menu, "open_folder", "Open &folder…", "Ctrl+Shift+O", "Open all pictures of a folder", do.open_folder)
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
        w, v, do = self._window, self._window.viewer, self._window.commands
        menu = w.menuBar().addMenu("&View")
        self._add(menu, "fit", "&Fit", "Ctrl+0", "Show all of the picture", v.fit)
        self._add(menu, "one_to_one", "&1:1", "Ctrl+1", "One picture pixel on one screen pixel", v.one_to_one)
        zoom_in = self._add(menu, "zoom_in", "Zoom &in", "Ctrl++", "Larger", lambda: v.zoom_by(STEP))
        zoom_in.setShortcuts([QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")])
        self._add(menu, "zoom_out", "Zoom &out", "Ctrl+-", "Smaller", lambda: v.zoom_by(1 / STEP))
        self._add(menu, "invert", "I&nvert", "I", "Swap black and white", v.set_invert, checkable=True)
        self._add(menu, "reset_view", "&Reset view", "R", "First zoom and window again", do.reset_view)
        menu.addSeparator()
        presets = menu.addMenu("&Window")
        for name, text, key, tip in (
            ("auto", "&Automatic", "1", "Darkest and brightest one percent cut off"),
            ("full", "&Full range", "2", "All grey values of the picture"),
            ("wide", "&Soft", "3", "Twice as wide as automatic"),
            ("narrow", "&Hard", "4", "Half as wide as automatic"),
        ):
            self._add(presets, f"window_{name}", text, key, tip, partial(do.preset_window, name))
        menu.addSeparator()
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
        about = self._add(menu, "about", "&About", "", "Version and licences", do.show_about)
        about.setMenuRole(QAction.MenuRole.AboutRole)
        style = w.style()
        self.actions["open"].setIcon(style.standardIcon(QStyle.StandardPixmap.SP_DialogOpenButton))
        self.actions["pdf"].setIcon(style.standardIcon(QStyle.StandardPixmap.SP_DialogSaveButton))
        self.actions["pdf"].setIconText("Export PDF")

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
