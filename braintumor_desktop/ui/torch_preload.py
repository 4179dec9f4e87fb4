"""Bring torch and OpenCV in on the worker's thread without a stall of the window.

`import torch` maps some hundred megabytes of libraries while it holds Python's global lock, and for that time
(a third of a second) no Python code of the window runs. Mapping the same libraries first through a foreign
function call, which gives the lock away, leaves only stretches of some tens of milliseconds.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from braintumor_desktop.inference.analyzer import Analyzer

# In the order in which they need each other.
_LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libtorch.so", "libtorch_python.so")


def preload_libraries() -> list[str]:
    """Map OpenCV's and torch's libraries into the process; returns the names of those mapped.

    A convenience that may fail in any way it likes: `import torch` finds what is missing itself, only slower.
    On Windows torch is imported before Qt anyway (see `app.main`), so there is nothing to win.
    """
    if "torch" in sys.modules or not sys.platform.startswith("linux"):
        return []
    opencv, torch = _folder("cv2"), _folder("torch") / "lib"
    dlopen = ctypes.CDLL(None).dlopen  # called as a foreign function it releases the lock; ctypes.CDLL(path) would not
    dlopen.restype = ctypes.c_void_p
    dlopen.argtypes = [ctypes.c_char_p, ctypes.c_int]
    paths = [*opencv.glob("cv2*.so"), *(torch / name for name in _LIBRARIES)]
    return [p.name for p in paths if p.exists() and dlopen(os.fsencode(p), os.RTLD_NOW)]


def _folder(package: str) -> Path:
    """Where a package lies, or would if it were there."""
    spec = importlib.util.find_spec(package)
    return Path(package) if spec is None or spec.origin is None else Path(spec.origin).parent


def open_analyzer(model_id: str, device: str) -> Analyzer:
    """The program's analyzer factory: torch and weights, loaded where the window is not kept waiting.

    Raises BrainTumorError as `Analyzer.open` does.
    """
    preload_libraries()
    with _no_collecting():
        from braintumor_desktop.inference.analyzer import Analyzer  # imports torch, so only here and only now

    return Analyzer.open(model_id, device)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """No search for garbage among the objects made meanwhile, now or ever.

    An import makes no garbage but some hundred thousand objects that stay, and each full search through them holds
    Python's lock for a tenth of a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
