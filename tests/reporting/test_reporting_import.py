"""What importing the room costs."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_room_loads_neither_the_pdf_library_nor_torch_nor_qt() -> None:
    script = (
        "import sys; import braintumor_desktop.reporting as r;"
        "print([m for m in ('fpdf', 'pypdfium2', 'highdicom', 'torch', 'PySide6') if m in sys.modules]);"
        "print(r.write_pdf.__name__, r.write_png.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "write_pdf write_png"]
