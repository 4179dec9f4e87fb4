"""A PDF's pages as pictures, for the screen and for the printer."""

from __future__ import annotations

from PySide6.QtGui import QImage

_POINTS = 72


def draw_pages(content: bytes, dots_per_inch: int) -> list[QImage]:
    """Every page of a PDF. Call it on the exporter's thread only: PDFium is not made for several."""
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    try:
        pages = []
        for page in document:
            bitmap = page.render(scale=dots_per_inch / _POINTS, rev_byteorder=True)
            pixels = bitmap.to_numpy()
            kind = QImage.Format.Format_RGB888 if pixels.shape[2] == 3 else QImage.Format.Format_RGBX8888
            lent = QImage(pixels.data, bitmap.width, bitmap.height, pixels.strides[0], kind)
            pages.append(lent.copy())
        return pages
    finally:
        document.close()
