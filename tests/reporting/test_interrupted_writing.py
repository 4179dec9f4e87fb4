"""Reports written while things go wrong: no room, no permission, a killed process, a file someone has open."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.reporting import atomic, atomic_write, build_report, json_line, table_rows, write_table
from braintumor_desktop.reporting.pdf import write_pdf
from braintumor_desktop.reporting.png import write_png

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")
OLD = b"the old report"
NOBODY = 65534


def in_folder(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run_python(code: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=60, **options)


@posix
def test_pdf_png_and_table_on_a_full_disk_leave_the_old_files_and_say_so(make_analysis: Any, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    report = build_report(make_analysis())
    rows = table_rows(json_line(make_analysis())) * 50
    writers = {
        "a.pdf": lambda path: write_pdf(report, path),
        "a.png": lambda path: write_png(report, path),
        "a.csv": lambda path: write_table(rows, path),
    }
    for name in writers:
        (tmp_path / name).write_bytes(OLD)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for name, write in writers.items():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # no file beyond it, as on a full disk
        try:
            with pytest.raises(BrainTumorError) as refused:
                write(tmp_path / name)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert refused.value.code is ErrorCode.EXPORT_FAILED
        assert "disk is full" in refused.value.message
    assert in_folder(tmp_path) == dict.fromkeys(writers, OLD)


@pytest.mark.skipif(sys.platform != "linux", reason="needs another user's rights")
def test_a_read_only_folder_keeps_the_old_file_and_is_said_to_be_read_only() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users
        folder = Path(name)
        (folder / "report.pdf").write_bytes(OLD)
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR | stat.S_IROTH | stat.S_IXOTH)
        try:
            told = write_as_another_user(folder / "report.pdf")
        finally:
            folder.chmod(stat.S_IRWXU)
        assert in_folder(folder) == {"report.pdf": OLD}
    assert told.startswith("export_failed")
    assert "read-only" in told
    assert "Choose a folder where you may write" in told


def write_as_another_user(path: Path) -> str:
    code = """
        import os, sys
        from pathlib import Path
        from braintumor_desktop.domain.errors import BrainTumorError
        from braintumor_desktop.reporting.atomic import atomic_write
        if os.geteuid() == 0:
            os.setuid(int(sys.argv[2]))
        try:
            with atomic_write(Path(sys.argv[1])) as stream:
                stream.write(b"new")
        except BrainTumorError as error:
            print(error.code, error.message, error.hint)
    """
    return run_python(code, path, NOBODY).stdout


@posix
def test_a_process_killed_half_way_leaves_the_old_file_and_no_name_of_a_patient(tmp_path: Path) -> None:
    (tmp_path / "Doe Jane.pdf").write_bytes(OLD)
    code = """
        import os, signal, sys
        from pathlib import Path
        from braintumor_desktop.reporting.atomic import atomic_write
        with atomic_write(Path(sys.argv[1])) as stream:
            stream.write(b"half of it")
            stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_python(code, tmp_path / "Doe Jane.pdf").returncode == -signal.SIGKILL
    left = in_folder(tmp_path)
    assert left.pop("Doe Jane.pdf") == OLD
    assert all(name.startswith(".") and "Doe" not in name for name in left)


def test_what_killed_processes_left_is_taken_away_after_a_day(tmp_path: Path) -> None:
    names = {".0123456789abcdef.part": 2, ".fedcba9876543210.part": 0, ".mine.part": 2, "0123456789abcdef.part": 2}
    for name, days in names.items():
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (time.time() - days * 86400,) * 2)
    atomic._swept.discard(tmp_path)
    with atomic_write(tmp_path / "report.pdf") as stream:
        stream.write(b"new")
    assert sorted(in_folder(tmp_path)) == sorted([*list(names)[1:], "report.pdf"])


@posix
def test_who_has_the_old_report_open_goes_on_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(OLD)
    with path.open("rb") as reader:
        first = reader.read(4)
        with atomic_write(path) as stream:
            stream.write(b"the new report")
        assert first + reader.read() == OLD
    assert path.read_bytes() == b"the new report"
