"""OpenCV is imported when something of it is asked for, once, whoever asks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

LOOK = """
import sys, threading
from braintumor_desktop import app
mapped = lambda: any("cv2" in line for line in open("/proc/self/maps"))
before = mapped()
import cv2
found = set()
threads = [threading.Thread(target=lambda: found.add((cv2.INTER_AREA, id(cv2.resize)))) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
import cv2 as again
print(before, mapped(), len(found), again.resize is cv2.resize, cv2.utils.logging is again.utils.logging)
"""


def test_the_window_is_made_without_opencv_and_threads_that_want_it_at_once_get_the_same_one() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "1", "True", "True"]
