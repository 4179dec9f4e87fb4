"""Draw the program's icon from its SVG in every form that systems want: `python shipping/draw_icons.py FOLDER`.

`resources/icons/braintumor.png`, which the window carries, is the 256 pixel one.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SVG = Path(__file__).resolve().parents[1] / "resources" / "icons" / "braintumor.svg"
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)


def draw(folder: Path) -> dict[int, Path]:
    """PNG files by size in pixels, `braintumor.ico` and `braintumor.icns`."""
    application = QGuiApplication.instance() or QGuiApplication([])
    renderer = QSvgRenderer(str(SVG))
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        drawn[size] = folder / f"braintumor-{size}.png"
        image.save(str(drawn[size]))
    del application
    pictures = [Image.open(drawn[size]) for size in SIZES]
    pictures[-2].save(folder / "braintumor.ico", append_images=pictures[:-2], sizes=[(s, s) for s in SIZES[:-1]])
    pictures[-1].save(folder / "braintumor.icns", append_images=pictures[:-1])
    return drawn


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
