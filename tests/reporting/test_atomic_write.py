"""Whole files or none. The refusals here are the system's own, where one can be had (the tests may run as root)."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.reporting import atomic_write, ensure_folder
from braintumor_desktop.reporting.atomic import replace_together

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


def refusal(path: Path, content: bytes = b"new") -> BrainTumorError:
    """The error of writing `content` to `path`."""
    with pytest.raises(BrainTumorError) as refused, atomic_write(path) as stream:
        stream.write(content)
    assert refused.value.code is ErrorCode.EXPORT_FAILED
    assert isinstance(refused.value.__cause__, OSError)
    return refused.value


def test_content_appears_whole_and_replaces_the_old(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    for content in (b"first, longer", b"second"):
        with atomic_write(path) as stream:
            stream.write(content)
        assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["report.pdf"]


def test_the_old_file_is_there_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"old")
    with atomic_write(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_bytes() == b"old"
        hidden = [each.name for each in tmp_path.iterdir() if each != path]
        assert len(hidden) == 1
        assert "report" not in hidden[0]  # a name may be a patient's
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_a_failure_on_the_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"old")
    with pytest.raises(failure), atomic_write(path) as stream:  # noqa: PT012 - writing and failing is one event
        stream.write(b"half of the n")
        raise failure
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"report.pdf": b"old"}


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size`, as on a full disk; the log of the test run is one such file."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_more_room_half_way_leaves_the_old_file_and_says_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"old")
    with no_file_beyond(4096):
        error = refusal(path, b"x" * 40_960)
    assert "disk is full" in error.message
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"report.pdf": b"old"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_met_while_writing_says_the_disk_is_full(tmp_path: Path) -> None:
    with pytest.raises(BrainTumorError) as refused, atomic_write(tmp_path / "a.pdf"):
        Path("/dev/full").write_bytes(b"x")
    assert "disk is full" in refused.value.message
    assert "Free some space" in refused.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    link = tmp_path / "a.pdf"
    link.symlink_to("/dev/full")
    assert "not a file" in refusal(link).message
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /sys")
def test_a_folder_that_takes_no_files_says_so(tmp_path: Path) -> None:
    error = refusal(Path("/sys/kernel/report.pdf"))
    assert "not allowed" in error.message
    assert "Choose a folder" in error.hint


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    assert "doesn't exist" in refusal(tmp_path / "nowhere" / "report.pdf").message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_that_name_says_so(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").mkdir()
    assert "not a file" in refusal(tmp_path / "report.pdf").message
    assert [each.name for each in tmp_path.iterdir()] == ["report.pdf"]


@posix
def test_a_file_in_place_of_the_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder").write_bytes(b"")
    assert "is a file" in refusal(tmp_path / "folder" / "report.pdf").message


@posix
def test_a_name_too_long_for_the_disk_says_so(tmp_path: Path) -> None:
    assert "too long" in refusal(tmp_path / ("x" * 300)).message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "read-only"),
        (errno.EACCES, "open elsewhere"),
        (errno.EBUSY, "open in another program"),
        (errno.EDQUOT, "disk is full"),
        (errno.EIO, "could not be written"),
    ],
)
def test_refusals_that_can_t_be_had_here_are_told_in_words(tmp_path: Path, number: int, words: str) -> None:
    with pytest.raises(BrainTumorError) as refused, atomic_write(tmp_path / "a.pdf"):
        raise OSError(number, os.strerror(number))
    assert words in refused.value.message
    assert refused.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("refused", range(1, 6))
def test_files_that_belong_together_are_all_replaced_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    old, new = ({name: f"{age} {name}".encode() for name in "ab"} for age in ("old", "new"))
    for name, content in {**old, "outdated": b"old"}.items():
        (tmp_path / name).write_bytes(content)
    contents = {tmp_path / name: content for name, content in new.items()}
    done, count = os.replace, 0

    def busy(source: Path, to: Path) -> None:
        nonlocal count
        count += 1
        if count == refused:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        done(source, to)

    with monkeypatch.context() as patched, pytest.raises(BrainTumorError, match="open in another program"):  # noqa: PT012
        patched.setattr(os, "replace", busy)
        replace_together(contents, outdated=[tmp_path / "outdated"])
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {**old, "outdated": b"old"}
    replace_together(contents, outdated=[tmp_path / "outdated"])
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == new


def test_no_more_room_for_the_last_of_several_files_leaves_the_old_ones(tmp_path: Path) -> None:
    old = {"a": b"old a", "b": b"old b"}
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    with no_file_beyond(4096), pytest.raises(BrainTumorError, match="disk is full"):
        replace_together({tmp_path / "a": b"new", tmp_path / "b": b"x" * 40_960})
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == old


@posix
def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.pdf", tmp_path / "link.pdf"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with atomic_write(link) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@posix
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    with atomic_write(tmp_path / "report.pdf") as stream:
        stream.write(b"x")
    assert (tmp_path / "report.pdf").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_folders_are_made_on_the_way_and_kept_where_they_exist(tmp_path: Path) -> None:
    ensure_folder(tmp_path / "a" / "b")
    ensure_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
