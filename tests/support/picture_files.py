"""Written pictures, read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def read(path: Path | str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)
