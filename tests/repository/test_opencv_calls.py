"""The frozen program has stand-ins for OpenCV's matrix solvers and video codecs: nothing may call what needs them."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "braintumor_desktop"
NEED_NO_SOLVER = {
    "GaussianBlur", "Laplacian", "Sobel", "applyColorMap", "blur", "bilateralFilter", "circle", "connectedComponents",
    "connectedComponentsWithStats", "copyMakeBorder", "dilate", "distanceTransform", "drawContours", "ellipse",
    "findContours", "getRotationMatrix2D", "getStructuringElement", "imdecode", "imdecodemulti", "imencode", "imread",
    "invertAffineTransform", "line", "morphologyEx", "polylines", "putText", "rectangle", "remap", "resize",
    "setNumThreads", "threshold", "utils", "warpAffine",
}  # fmt: skip
"""Of OpenCV's functions, those that neither solve, decompose nor multiply matrices nor read videos."""


def test_the_program_calls_only_functions_of_opencv_that_the_frozen_one_has() -> None:
    sources = [path.read_text() for path in PACKAGE.rglob("*.py") if "training" not in path.parts]
    called = {name for source in sources for name in re.findall(r"\bcv2\.([a-z]\w*)", source)}
    assert {"resize", "findContours"} <= called
    assert called <= NEED_NO_SOLVER | {name for name in called if name.isupper()}
    assert not [source for source in sources if re.search(r"from cv2 import|getattr\(cv2", source)]
