"""What a command does where a stream, a disk or a display is not as it should be: the whole program as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from braintumor_desktop.imaging.sample import write_sample_picture

PROGRAM = (sys.executable, "-m", "braintumor_desktop")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [("models", "--json"), ("analyze", "nowhere.png", "--json", "-")])
def test_output_that_finds_a_full_disk_is_an_error_in_words(command: tuple[str, ...], unbuffered: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no full device")
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, *command], env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    words = 'The disk is full, "standard output" could not be written. Free some space or choose another disk.'
    assert done.stderr.splitlines()[-1] == f"braintumor {command[0]}: {words} [export_failed]"
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_reader_of_the_output_that_goes_away_ends_the_command_quietly() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    command, environment = [*PROGRAM, "models", "--json"], os.environ | {"PYTHONUNBUFFERED": ""}
    with os.fdopen(writes, "wb") as output:
        done = subprocess.run(command, env=environment, stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_command_works_where_there_is_no_standard_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_sample_picture(tmp_path / "in" / "head.png")
    places = [str(tmp_path / "in"), str(tmp_path / "out")]
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *PROGRAM, "deidentify", *places]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    assert "1 files written" in done.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
@pytest.mark.parametrize("arguments", [[], ["analyse", "folder"]])
def test_without_a_display_the_window_is_refused_in_one_line(arguments: list[str]) -> None:
    without = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in without}
    done = subprocess.run([*PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "no display" in done.stderr
    assert "--help" in done.stderr


def test_a_library_s_warning_never_reaches_the_terminal() -> None:
    """They quote names of patients."""
    code = (
        "import sys, threading, warnings; from braintumor_desktop.cli import main; sys.argv = ['braintumor', 'models'];"
        "main(); threading.Thread(target=warnings.warn, args=('DOEJANE is unlikely to be a name',)).start()"
    )
    environment = os.environ | {"PYTHONWARNINGS": "always"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_diagnostic_is_told_while_libraries_are_silenced() -> None:
    code = (
        "import os; from braintumor_desktop.cli import main; main(['models']);"
        "os.dup2(os.open(os.devnull, os.O_WRONLY), 2); main(['deidentify', 'nowhere.png', 'out'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "[file_not_found]" in done.stderr
