"""The cases as a tree: studies with their series, and pictures and volumes that name no study beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage, QPixmap

from braintumor_desktop.language import tr, tr_count
from braintumor_desktop.ui.case import Case

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


def grey_image(pixels: NDArray[np.uint8]) -> QImage:
    """uint8 (rows, columns) as a QImage with its own memory."""
    pixels = np.ascontiguousarray(pixels)
    rows, columns = pixels.shape
    return QImage(pixels.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()


@dataclass(eq=False)
class StudyRow:
    """A study that at least one case belongs to. number: its own, never 0; uid: of the study."""

    number: int
    uid: str
    name: str
    cases: list[Case] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.name or tr('Study')} · {tr_count('{count} series', '{count} series', len(self.cases))}"


def _number(case: Case) -> float:
    """What the scanner called the series; those without a number come last."""
    return math.inf if case.entry is None or case.entry.series_number is None else case.entry.series_number


class CaseModel(QAbstractItemModel):
    """Cases in the order they came; those of one study together, by the numbers of their series.

    cases: all of them, as they stand one under the other; always the same list.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cases: list[Case] = []
        self._top: list[StudyRow | Case] = []
        self._numbers = 0
        self._thumbnails: dict[int, tuple[NDArray[np.uint8], QPixmap]] = {}  # by case, drawn of what

    # What Qt asks: the internal number of a series is that of its study, of all else 0

    def index(self, row: int, column: int = 0, parent: Index = _ROOT) -> QModelIndex:
        if not 0 <= row < self.rowCount(parent):
            return QModelIndex()
        study = self._top[parent.row()] if parent.isValid() else None
        return self.createIndex(row, column, study.number if isinstance(study, StudyRow) else 0)

    def parent(self, index: Index = _ROOT) -> QModelIndex:  # type: ignore[override] # Qt has another one, of objects
        number = index.internalId() if index.isValid() else 0
        for row, each in enumerate(self._top):
            if number and isinstance(each, StudyRow) and each.number == number:
                return self.createIndex(row, 0, 0)
        return QModelIndex()

    def rowCount(self, parent: Index = _ROOT) -> int:
        if not parent.isValid():
            return len(self._top)
        row = self.at(parent)
        return len(row.cases) if isinstance(row, StudyRow) else 0

    def columnCount(self, _parent: Index = _ROOT) -> int:
        return 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.at(index)
        if role == Qt.ItemDataRole.UserRole or row is None:
            return row
        return self._of_study(row, role) if isinstance(row, StudyRow) else self._of_case(row, role)

    def at(self, index: Index) -> StudyRow | Case | None:
        """What stands at an index."""
        if not index.isValid():
            return None
        number = index.internalId()
        if not number:
            return self._top[index.row()]
        return next(row for row in self._top if isinstance(row, StudyRow) and row.number == number).cases[index.row()]

    def index_of(self, case: Case) -> QModelIndex:
        for row, each in enumerate(self._top):
            if each is case:
                return self.createIndex(row, 0, 0)
            if isinstance(each, StudyRow) and case in each.cases:
                return self.createIndex(each.cases.index(case), 0, each.number)
        raise ValueError("no such case")

    # What the workspace does

    def add(self, cases: list[Case]) -> None:
        for case in cases:
            entry = case.entry
            if entry is None or not entry.study_uid:
                self._put_on_top(case)
                continue
            study = next((s for s in self._top if isinstance(s, StudyRow) and s.uid == entry.study_uid), None)
            if study is None:
                self._numbers += 1
                self._put_on_top(StudyRow(self._numbers, entry.study_uid, entry.study_title, [case]))
                continue
            row = sum(_number(other) <= _number(case) for other in study.cases)
            self.beginInsertRows(self._row_of(study), row, row)
            self.cases.insert(self.cases.index(study.cases[0]) + row, case)
            study.cases.insert(row, case)
            self.endInsertRows()
            self.dataChanged.emit(self._row_of(study), self._row_of(study))

    def remove(self, case: Case) -> None:
        """Take a case off; the last of a study takes the study with it."""
        index = self.index_of(case)
        parent = self.parent(index)
        study = self.at(parent)
        if isinstance(study, StudyRow) and len(study.cases) > 1:
            self.beginRemoveRows(parent, index.row(), index.row())
            study.cases.remove(case)
        else:
            row = parent.row() if isinstance(study, StudyRow) else index.row()
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._top[row]
        self._thumbnails.pop(case.id, None)
        self._line_up()
        self.endRemoveRows()

    def clear(self) -> None:
        self.beginResetModel()
        self._top, self._thumbnails = [], {}
        self._line_up()
        self.endResetModel()

    def case(self, case_id: int) -> Case | None:
        """The case of that number, None once it was removed."""
        return next((c for c in self.cases if c.id == case_id), None)

    def touched(self, case: Case) -> None:
        """Tell the view that a case looks different now."""
        index = self.index_of(case)
        self.dataChanged.emit(index, index)

    def _put_on_top(self, row: StudyRow | Case) -> None:
        self.beginInsertRows(QModelIndex(), len(self._top), len(self._top))
        self._top.append(row)
        self.cases += row.cases if isinstance(row, StudyRow) else [row]
        self.endInsertRows()

    def _line_up(self) -> None:
        self.cases[:] = [case for row in self._top for case in (row.cases if isinstance(row, StudyRow) else [row])]

    def _row_of(self, study: StudyRow) -> QModelIndex:
        return self.createIndex(self._top.index(study), 0, 0)

    def _of_study(self, study: StudyRow, role: int) -> Any:
        words = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole)
        return study.title if role in words else None

    def _of_case(self, case: Case, role: int) -> Any:
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return case.name
            case Qt.ItemDataRole.DecorationRole:
                return self._thumbnail(case)
            case Qt.ItemDataRole.AccessibleTextRole:
                return ", ".join(words for words in (case.name, case.facts) if words) + f": {case.status_line}"
            case Qt.ItemDataRole.ToolTipRole:
                hint = f"\n{tr(case.error.hint)}" if case.error is not None else ""
                study = "" if case.entry is None else case.entry.study_title
                where = "" if case.path is None else str(case.path)
                lines = [case.name, study, case.facts, where, f"{case.status_line}{hint}"]
                return "\n".join(line for line in lines if line)
        return None

    def _thumbnail(self, case: Case) -> QPixmap | None:
        if case.thumbnail is None:
            return None
        of, pixmap = self._thumbnails.get(case.id, (None, None))
        if of is not case.thumbnail:
            pixmap = QPixmap.fromImage(grey_image(case.thumbnail))
            self._thumbnails[case.id] = case.thumbnail, pixmap
        return pixmap
