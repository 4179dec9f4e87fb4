"""Where in a series to look: its lesions, and the slices that the model is most and least sure of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QSizePolicy, QWidget

from braintumor_desktop.domain.findings import Analysis, Lesion
from braintumor_desktop.language import tr
from braintumor_desktop.reporting.figures import diameter_in_words, in_words


class PlacesList(QListWidget):
    """One row a place, and a click or Enter goes there.

    place_chosen: a slice as acquired, and a point on it in RAS millimetres, None where that is unknown.
    """

    place_chosen = Signal(int, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places: list[tuple[int, object]] = []
        self.setAccessibleName(tr("Where to look"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrap(True)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.itemClicked.connect(self._chosen)
        self.itemActivated.connect(self._chosen)

    def show_places(self, analysis: Analysis) -> None:
        """The places of a series; none for a picture."""
        self.clear()
        self._places = []
        found, keys = analysis.segmentation, analysis.key_slices
        for number, lesion in enumerate(() if found is None else found.lesions, 1):
            words = lesion_words(number, lesion, doubted=analysis.finding.doubted)
            self._add(words, lesion.key_slice, _point_on_key_slice(analysis, lesion))
        if keys is not None:
            self._add(tr("Most certain: slice {number}", number=keys.most_confident + 1), keys.most_confident, None)
            self._add(tr("Least certain: slice {number}", number=keys.most_uncertain + 1), keys.most_uncertain, None)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        self.executeDelayedItemsLayout()  # what rows ask for is not always what they take
        return QSize(200, self.contentsSize().height() + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()  # narrower rows take more lines

    def _add(self, words: str, slice_index: int, patient: object) -> None:
        self._places.append((slice_index, patient))
        item = QListWidgetItem(words, self)
        item.setForeground(self.palette().link())
        item.setToolTip(tr("Go there"))

    def _chosen(self, item: QListWidgetItem) -> None:
        self.place_chosen.emit(*self._places[self.row(item)])


def lesion_words(number: int, lesion: Lesion, *, doubted: bool = False) -> str:
    """Size and place of one lesion, in two lines."""
    first = [tr("Doubted outline {number}", number=number) if doubted else tr("Lesion {number}", number=number)]
    if lesion.volume_ml is not None:
        first.append(in_words(lesion.volume_ml, 2, "ml"))
    begin, end = lesion.slices
    where = tr("slices {first} to {last}", first=begin + 1, last=end + 1)
    second = [tr("slice {number}", number=begin + 1) if begin == end else where]
    if lesion.diameters is not None:
        both = (lesion.diameters.longest, lesion.diameters.perpendicular)
        # where the name is longer there is room in the second line
        (second if doubted else first).append(" × ".join(diameter_in_words(each) for each in both))
    if lesion.measurable is not None and not doubted:
        second.append(tr("RANO measurable") if lesion.measurable else tr("not RANO measurable"))
    return " · ".join(first) + "\n" + " · ".join(second)


def _point_on_key_slice(analysis: Analysis, lesion: Lesion) -> NDArray[np.float64] | None:
    """RAS millimetres (3,) of the lesion's centre, moved along the series to where its area is largest."""
    affine = analysis.study.geometry.affine
    if affine is None:
        return None
    _, row, column = lesion.center
    return np.asarray((affine @ (column, row, lesion.key_slice, 1.0))[:3])
