"""The controls below the viewer: each overlay with its switch and opacity, and the heat map's colours."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.imaging.overlay import COLORMAPS
from braintumor_desktop.language import tr

COLORMAP_TITLES = {
    "cividis": phrase("Cividis (colour-blind safe)"),
    "viridis": phrase("Viridis (colour-blind safe)"),
    "jet": phrase("Jet (not colour-blind safe)"),
}


class OverlayBar(QWidget):
    """Tells when the reader moved something; the window knows what it means.

    opacity_changed: layer name (contour, fill or heatmap) and 0..1.
    """

    opacity_changed = Signal(str, float)
    colormap_changed = Signal(str)

    def __init__(self, toggles: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.setSpacing(6)
        self.sliders: dict[str, QSlider] = {}
        for layer in ("contour", "fill", "heatmap", "diameters"):
            layout.addWidget(_switch(toggles[layer]))
            if layer != "diameters":
                slider = self._slider(layer, toggles[layer].iconText())
                layout.addWidget(slider)
                layout.addSpacing(10)
        layout.addStretch(1)
        self.colormap = QComboBox()
        for name in COLORMAPS:
            self.colormap.addItem(name.capitalize(), name)
            self.colormap.setItemData(self.colormap.count() - 1, tr(COLORMAP_TITLES[name]), Qt.ItemDataRole.ToolTipRole)
        self.colormap.setAccessibleName(tr("Colours of the heat map"))
        self.colormap.setToolTip(tr("Colours of the heat map"))
        self.colormap.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.colormap.currentIndexChanged.connect(lambda _: self.colormap_changed.emit(self.colormap.currentData()))
        label = QLabel(tr("Colours"))
        label.setBuddy(self.colormap)
        layout.addWidget(label)
        layout.addWidget(self.colormap)

    def set_opacity(self, layer: str, value: float) -> None:
        self.sliders[layer].setValue(round(100 * value))

    def set_colormap(self, name: str) -> None:
        self.colormap.setCurrentIndex(COLORMAPS.index(name))

    def _slider(self, layer: str, title: str) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, 100)
        slider.setPageStep(10)
        slider.setMinimumWidth(50)
        slider.setMaximumWidth(110)
        slider.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        slider.setAccessibleName(tr("{title} opacity", title=title))
        slider.setToolTip(tr("{title} opacity", title=title))
        slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        slider.valueChanged.connect(lambda value: self.opacity_changed.emit(layer, value / 100))
        self.sliders[layer] = slider
        return slider


def _switch(action: QAction) -> QCheckBox:
    """A check box that is on, off and grey as its action is."""
    box = QCheckBox(action.iconText())
    box.setToolTip(action.toolTip())
    box.setAccessibleName(action.iconText())
    box.setChecked(action.isChecked())
    box.setEnabled(action.isEnabled())
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    box.clicked.connect(action.trigger)
    action.toggled.connect(box.setChecked)
    action.enabledChanged.connect(box.setEnabled)
    return box
