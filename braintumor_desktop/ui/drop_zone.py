"""Where pictures come in: the inviting empty page, the sign that a drop will be taken, and what was dropped."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.language import tr
from braintumor_desktop.ui.viewer import BACKGROUND

_TEXT = QColor(224, 227, 231)
_FAINT = QColor(150, 156, 164)
_PICTURE_FORMATS = ("image/png", "image/jpeg", "image/tiff", "image/bmp")


def files_in(data: QMimeData) -> list[Path]:
    """Files and folders of this machine; web addresses are left out, nothing is ever fetched."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def picture_in(data: QMimeData) -> bytes | None:
    """An encoded picture: the sender's own bytes where there are any, else its pixels as PNG."""
    for name in _PICTURE_FORMATS:
        if data.hasFormat(name):
            return bytes(data.data(name).data())
    image = data.imageData()
    if not isinstance(image, QImage) or image.isNull():
        return None
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"png"))
    writer.setQuality(100)  # hardly compressed, so quick
    writer.write(image)
    return bytes(buffer.data().data())


def takes(data: QMimeData) -> bool:
    """Whether a drop or a paste of this would be opened."""
    return bool(files_in(data)) or data.hasImage() or any(map(data.hasFormat, _PICTURE_FORMATS))


class EmptyPage(QWidget):
    """What the middle of the window shows while there is nothing to see; its words say what to do."""

    open_asked = Signal()
    sample_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, _TEXT)
        self.setPalette(palette)
        self.headline = self._label(1.7, _TEXT)
        self.detail = self._label(1.0, _FAINT)
        self.open_button = QPushButton(tr("Open…"))
        self.open_button.setToolTip(tr("Choose MRI pictures on this computer"))
        self.sample_button = QPushButton(tr("Try the synthetic sample"))
        self.sample_button.setToolTip(tr("Open a synthetic head made by this program; there is no patient"))
        self.open_button.clicked.connect(self.open_asked)
        self.sample_button.clicked.connect(self.sample_asked)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.sample_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(48, 48, 48, 48)
        layout.setSpacing(14)
        layout.addStretch(1)
        layout.addWidget(self.headline)
        layout.addWidget(self.detail)
        layout.addSpacing(8)
        layout.addLayout(buttons)
        layout.addStretch(1)
        self.invite()

    def invite(self) -> None:
        """Nothing is open yet."""
        self.headline.setText(tr("Drop an MRI study here, or press Ctrl+O"))
        self.detail.setText(
            tr(
                "DICOM files, folders, ZIPs or a DICOMDIR; NIfTI volumes; JPEG, PNG, BMP or TIFF pictures.\n"
                "Several at once, or a whole folder (Ctrl+Shift+O); Ctrl+V pastes.\n"
                "Everything stays on this computer."
            )
        )
        self._show_buttons(True)

    def wait(self, name: str) -> None:
        """A case is chosen whose picture is not loaded yet."""
        self.headline.setText(tr("Loading…"))
        self.detail.setText(name)
        self._show_buttons(False)

    def stop(self, name: str) -> None:
        """A case is chosen that was cancelled before its picture was loaded."""
        self.headline.setText(tr("Cancelled"))
        self.detail.setText(name)
        self._show_buttons(False)

    def lament(self, name: str, error: BrainTumorError) -> None:
        """A case is chosen whose picture can't be loaded."""
        self.headline.setText(tr("This file can't be shown"))
        self.detail.setText(
            f"{name}\n\n{tr(error.message)}\n{tr(error.hint)}\n\n{tr('Code: {code}', code=error.code.value)}"
        )
        self._show_buttons(False)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), BACKGROUND)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(84, 90, 98), 1.6, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(20, 20, -20, -20), 14, 14)
        painter.end()

    def _show_buttons(self, on: bool) -> None:
        self.open_button.setVisible(on)
        self.sample_button.setVisible(on)

    def _label(self, size: float, colour: QColor) -> QLabel:
        label = QLabel()
        font = label.font()
        font.setPointSizeF(size * font.pointSizeF())
        label.setFont(font)
        palette = label.palette()
        palette.setColor(QPalette.ColorRole.WindowText, colour)
        label.setPalette(palette)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        label.setWordWrap(True)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # however long a file's name is
        label.setTextFormat(Qt.TextFormat.PlainText)
        return label


class DropSign(QWidget):
    """Lies over the middle of the window while something that can be opened is dragged over it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def appear(self) -> None:
        self.setGeometry(self._over.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(12, 24, 36, 235))
        accent = QColor(86, 180, 233)
        painter.setPen(QPen(accent, 3))
        painter.setBrush(QColor(86, 180, 233, 28))
        frame = QRectF(self.rect()).adjusted(14, 14, -14, -14)
        painter.drawRoundedRect(frame, 14, 14)
        font = painter.font()
        font.setPointSizeF(1.7 * font.pointSizeF())
        painter.setFont(font)
        painter.setPen(Qt.GlobalColor.white)
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, tr("Release to open and analyse"))
        painter.end()
