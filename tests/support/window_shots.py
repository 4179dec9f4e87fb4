"""Screenshots of a window under test, for people to look at."""

import os
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget


def shoot(window: QWidget, name: str) -> None:
    """Save the window as PNG in the folder that BRAINTUMOR_SHOTS names; without one, nothing."""
    for _ in range(5):  # a change of the results lays them out anew in a later turn of the event loop
        QApplication.sendPostedEvents()
        QApplication.processEvents()
    folder = os.environ.get("BRAINTUMOR_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        window.grab().save(str(Path(folder) / f"{window.width()}x{window.height()}-{name}.png"))
