"""Help → User guide: docs/USER_GUIDE.md, as it lies beside the program, with its pictures, contents and a search."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QImage, QKeySequence, QShortcut, QTextBlock, QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from braintumor_desktop.language import tr
from braintumor_desktop.locations import bundled

GUIDE = "USER_GUIDE.md"
_WIDEST_PX = 780
_MARGIN = 16.0


def anchor_of(heading: str) -> str:
    """What a link to a heading is called in Markdown as code hosts read it: ``First case`` is ``#first-case``."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class GuideText(QTextBrowser):
    """Shows Markdown files of one folder and their pictures; nothing else can be opened from it."""

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder.resolve()
        self.setOpenLinks(False)  # the program opens no connections
        self.anchorClicked.connect(self.follow)

    def headings(self) -> list[tuple[int, str, QTextBlock]]:
        """Level from 1, words and place of every heading of the file shown."""
        blocks, block = [], self.document().begin()
        while block.isValid():
            if level := block.blockFormat().headingLevel():
                blocks.append((level, block.text(), block))
            block = block.next()
        return blocks

    def follow(self, link: QUrl) -> None:
        """Go where a link within the guide points; links that lead out of its folder do nothing."""
        target = self.source().resolved(link)
        file = Path(target.toLocalFile())
        if not target.isLocalFile() or file.suffix != ".md" or not file.resolve().is_relative_to(self._folder):
            return
        if file != Path(self.source().toLocalFile()):
            self.setSource(QUrl.fromLocalFile(str(file)), QTextDocument.ResourceType.MarkdownResource)
        for _, words, block in self.headings():
            if target.hasFragment() and anchor_of(words) == target.fragment():
                self.go_to(block)

    def go_to(self, block: QTextBlock) -> None:
        """Scroll so that a heading stands at the top."""
        self.setTextCursor(QTextCursor(block))
        top = self.document().documentLayout().blockBoundingRect(block).top()
        self.verticalScrollBar().setValue(round(top))

    def find_next(self, words: str) -> bool:
        """Select the next place with these words, from the top again after the last one; False where there is none."""
        if self.find(words):
            return True
        before = self.textCursor()
        self.moveCursor(QTextCursor.MoveOperation.Start)
        if self.find(words):
            return True
        self.setTextCursor(before)
        return False

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Files as Qt reads them, but only of the folder, and no picture wider than the text."""
        file = Path(self.source().resolved(QUrl(name)).toLocalFile())
        if not file.resolve().is_relative_to(self._folder):
            return None
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return super().loadResource(kind, name)
        picture = QImage(str(file))
        if picture.width() <= _WIDEST_PX:
            return picture
        return picture.scaledToWidth(_WIDEST_PX, Qt.TransformationMode.SmoothTransformation)


def show_guide(window: QWidget) -> None:
    """Open the guide beside a window, or bring the one that is open to the front."""
    dialog = window.findChild(GuideDialog) or GuideDialog(window)
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()


class GuideDialog(QDialog):
    """Contents at the left, text at the right. It may stay open beside the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(tr("User guide"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        file = bundled("docs", GUIDE)
        self.text = GuideText(file.parent)
        self.text.setAccessibleName(tr("User guide"))
        self.text.document().setDocumentMargin(_MARGIN)
        self.contents = QListWidget()
        self.contents.setAccessibleName(tr("Contents"))
        self.search = QLineEdit(placeholderText=tr("Find in the guide"), clearButtonEnabled=True)
        self.search.setAccessibleName(tr("Find in the guide"))
        self.told = QLabel()
        self.back = QPushButton(tr("&Back"))
        self.back.setAutoDefault(False)  # Enter in the search would press it
        self.back.setEnabled(False)
        bar = QHBoxLayout()
        bar.addWidget(self.back)
        bar.addWidget(self.search, 1)
        bar.addWidget(self.told)
        split = QSplitter()
        split.addWidget(self.contents)
        split.addWidget(self.text)
        split.setStretchFactor(1, 1)
        split.setSizes([230, 870])
        layout = QVBoxLayout(self)
        layout.addLayout(bar)
        layout.addWidget(split, 1)
        self.resize(1120, 680)
        self.back.clicked.connect(self.text.backward)
        self.text.backwardAvailable.connect(self.back.setEnabled)
        self.text.sourceChanged.connect(self._list_contents)
        self.contents.currentRowChanged.connect(self._go_to_row)
        self.search.returnPressed.connect(self.find_words)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.setFocus)
        if file.exists():
            self.text.setSource(QUrl.fromLocalFile(str(file)), QTextDocument.ResourceType.MarkdownResource)
        else:
            self.text.setPlainText(tr("The user guide is missing. Install the program again."))
        self.text.setFocus()

    def find_words(self) -> None:
        """The next place with the words of the search field, or that there is none."""
        words = self.search.text()
        self.told.setText("" if not words or self.text.find_next(words) else tr("Not found"))

    def _list_contents(self) -> None:
        self._headings = [heading for heading in self.text.headings() if heading[0] <= 3]
        self.contents.blockSignals(True)
        self.contents.clear()
        self.contents.addItems(["    " * (max(2, level) - 2) + words for level, words, _ in self._headings])
        self.contents.blockSignals(False)

    def _go_to_row(self, row: int) -> None:
        if 0 <= row < len(self._headings):
            self.text.go_to(self._headings[row][2])
