"""Fixtures for the whole suite: no network, no display, and the shared data folder where there is one."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """The program is offline: any connection out of the machine fails the test that tried it.

    Local (AF_UNIX) sockets stay open: the display and the desktop's message bus need them.
    """
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise RuntimeError("a test tried to open a network connection")

    def local_only(original: Any) -> Any:
        def guarded(self: socket.socket, address: Any) -> Any:
            return original(self, address) if self.family == getattr(socket, "AF_UNIX", None) else refuse()

        return guarded

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_only(connect))
        patch.setattr(socket.socket, "connect_ex", local_only(connect_ex))
        patch.setattr(socket, "create_connection", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared data folder beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data folder is absent")
    return folder
