"""Where bundled files lie: one answer for the checkout, an installed wheel and the frozen program."""

from __future__ import annotations

import sys
from pathlib import Path


def bundled(*parts: str) -> Path:
    """Path of a file or folder of ``resources/``, ``weights/`` or ``docs/``, such as ``("weights", "manifest.json")``.

    Frozen, they lie beside the program's own data; in a wheel inside the package; in a checkout at its top.
    """
    package = Path(__file__).resolve().parent
    frozen = getattr(sys, "_MEIPASS", None)
    roots = [Path(frozen)] if frozen else [package, package.parent]
    for root in roots:
        if (root / parts[0]).is_dir():
            return root.joinpath(*parts)
    return roots[-1].joinpath(*parts)
