"""The pinned Qt binding keeps Python's reference counts.

PySide6 6.12.0 under Python 3.11 takes a reference to None with every method without a result, and the program ends
with "deallocating None" after some thousand calls.
"""

import subprocess
import sys


def test_methods_without_a_result_leave_the_count_of_none() -> None:
    program = (
        "import sys\n"
        "from PySide6.QtCore import QObject\n"
        "thing = QObject()\n"
        "before = sys.getrefcount(None)\n"
        "for _ in range(1000): thing.setObjectName('x')\n"
        "print(before - sys.getrefcount(None))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert abs(int(done.stdout)) < 100
