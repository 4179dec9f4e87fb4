"""A guard against a fault of PySide6 6.12 under Python 3.11 that ends the program after some thousand Qt calls.

Its methods return None, True, False and NotImplemented without counting a reference, as is right from Python 3.12 on,
where these are immortal (PEP 683). Under Python 3.11 each such call takes one reference away that was never given,
until the interpreter aborts ("deallocating None"). A count far beyond what a session can use up makes them immortal
here too.
"""

from __future__ import annotations

import ctypes
import sys

_BEYOND_USE = 1 << 40  # of 63 bits: a thousand calls a millisecond would take twelve days


def make_singletons_immortal() -> None:
    """Does nothing where Python itself does it."""
    if sys.version_info < (3, 12) and sys.implementation.name == "cpython":
        for singleton in (None, True, False, NotImplemented):
            if sys.getrefcount(singleton) < _BEYOND_USE // 2:
                ctypes.c_ssize_t.from_address(id(singleton)).value += _BEYOND_USE  # the count is the first field
