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
def connections_tried() -> Iterator[list[str]]:
    """The program is offline: what would go out of the machine is refused, and the calls that tried are noted here.

    Local (AF_UNIX) sockets stay open: the display and the desktop's message bus need them.
    """
    tried: list[str] = []

    def refuse(name: str) -> NoReturn:
        tried.append(name)
        raise RuntimeError("a test tried to open a network connection")

    def local_only(name: str) -> Any:
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, *args: Any) -> Any:
            return original(self, *args) if self.family == getattr(socket, "AF_UNIX", None) else refuse(name)

        return guarded

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto", "sendmsg"):
            if hasattr(socket.socket, name):  # not all of them on Windows
                patch.setattr(socket.socket, name, local_only(name))
        for name in ("create_connection", "getaddrinfo"):
            patch.setattr(socket, name, lambda *_args, _name=name, **_kwargs: refuse(_name))
        yield tried


@pytest.fixture(autouse=True)
def no_network(connections_tried: list[str]) -> Iterator[None]:
    """A connection fails the test that tried it, also where the program took the refusal for a fault to live with."""
    yield
    tried = connections_tried.copy()
    connections_tried.clear()
    assert tried == []


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands keep to the user's settings: those of whoever runs the tests stay out of them, and as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRAINTUMOR_CONFIG_DIR", str(tmp_path_factory.mktemp("settings")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared data folder beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data folder is absent")
    return folder
