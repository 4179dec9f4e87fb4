"""The suite itself sees to it that the program stays offline."""

import shutil
import subprocess
import sys
from pathlib import Path

TRIES = """
import contextlib
import socket

def test_tcp_and_a_program_that_lives_with_every_fault():
    with contextlib.suppress(Exception):
        socket.create_connection(("192.0.2.1", 80), timeout=1)

def test_udp_and_a_program_that_lives_with_every_fault():
    with contextlib.suppress(Exception), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(b"hello", ("192.0.2.1", 9))

def test_local():
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"hello")
        assert other.recv(5) == b"hello"
"""


def test_a_test_that_tries_a_connection_fails_also_where_the_refusal_is_swallowed(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[1] / "conftest.py", tmp_path)
    (tmp_path / "test_tries.py").write_text(TRIES)
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:pytest-qt", "--rootdir", str(tmp_path), "-c", "/dev/null"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)], capture_output=True, text=True, check=False
    )
    lines = [line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("ERROR ", "FAILED "))]
    assert [line.rpartition("::")[2] for line in lines] == [
        "test_tcp_and_a_program_that_lives_with_every_fault",
        "test_udp_and_a_program_that_lives_with_every_fault",
    ], done.stdout
