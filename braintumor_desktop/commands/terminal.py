"""What commands say to a person: lines and a progress bar on stderr, and whether a window can be shown."""

from __future__ import annotations

import os
import sys
import time

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode


class WrongUsage(BrainTumorError):  # noqa: N818 - named as the exit code is
    """Options that don't go together, where only the work itself can tell: the program ends with 2."""


def no_training() -> BrainTumorError:
    """Of `train` and `evaluate`, where what they need is not there."""
    return BrainTumorError(
        ErrorCode.DATA_INVALID,
        "This installation can't train or evaluate.",
        "Install the package with its extra: pip install 'braintumor-desktop[train]'.",
    )


def complain(name: str, error: BrainTumorError) -> None:
    """One diagnostic line: what, why, what next, and the code that programs match on."""
    sys.stderr.write(f"{name}: {error.message} {error.hint} [{error.code}]\n")
    sys.stderr.flush()


class ProgressBar:
    """A bar on stderr; silent where stderr is no terminal."""

    def __init__(self, total: int, unit: str) -> None:
        self._total = total
        self._unit = unit
        self._began = time.monotonic()
        self._shown = sys.stderr.isatty()

    def show(self, done: int) -> None:
        if not self._shown:
            return
        filled = 30 * done // max(self._total, 1)
        rate = done / max(time.monotonic() - self._began, 1e-9)
        bar = "#" * filled + "-" * (30 - filled)
        sys.stderr.write(f"\r[{bar}] {done}/{self._total} {self._unit}, {rate:.1f} a second")
        sys.stderr.flush()

    def clear(self) -> None:
        """Wipe the bar, so that the next line starts clean."""
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def has_display() -> bool:
    """Whether a window can be shown: always on Windows and macOS, elsewhere where X or Wayland is there."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
