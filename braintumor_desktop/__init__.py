"""Offline brain-tumour MRI analysis: a desktop program and a command line. Research use only."""

import os

from braintumor_desktop.deferred import defer
from braintumor_desktop.domain.phrases import phrase

# 70 MB that the window doesn't need before there is a picture in it.
defer("cv2")

# Torch's threads wait for each other by asking again and again. That is quickest on an idle machine; on a busy one they
# ask in vain, while the one waited for gets no processor: an analysis then takes twenty times as long. After some
# microseconds they sleep instead. Read by GNU's OpenMP when torch is loaded; figures in docs/PERFORMANCE.md.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

__version__ = "0.5.0"

RESEARCH_USE: str = phrase("Research use only. Not a medical device. Not for diagnosis.")
"""The statement that every window, report and export carries."""
