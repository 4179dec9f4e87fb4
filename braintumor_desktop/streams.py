"""Standard output and error: a windowed program may have none, and whoever reads them may go away."""

from __future__ import annotations

import contextlib
import os
import sys
from io import TextIOWrapper


def open_missing_streams() -> None:
    """Let what is written go nowhere where there is no stream, as in a windowed program on Windows."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for the whole run


def part_from_libraries() -> None:
    """Write errors to a copy of the stream that C code writes to, for that one is silenced at times for all threads."""
    stream = sys.stderr
    with contextlib.suppress(OSError, ValueError):  # one without a descriptor
        if isinstance(stream, TextIOWrapper) and stream.fileno() == 2:
            sys.stderr = open(os.dup(2), "w", 1, stream.encoding, stream.errors)  # noqa: PTH123, SIM115 - as above


def drop_unwritable_output() -> None:
    """Let what standard output can't be rid of go nowhere, or Python fails once more on it at its end."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
