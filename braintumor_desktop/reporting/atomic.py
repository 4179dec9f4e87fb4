"""Whole files or none: what is exported appears complete, or the old file stays as it was."""

from __future__ import annotations

import errno
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_BUSY = {errno.EBUSY, errno.ETXTBSY}
_LEFT_BEHIND = re.compile(r"\.[0-9a-f]{16}\.part")
_ABANDONED_S = 24 * 3600
_swept: set[Path] = set()
_OPEN_ELSEWHERE_ON_WINDOWS = {32, 33}  # ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write to, that becomes `path` only when the block ends without an error.

    The bytes go to a hidden file of a random name (no patient data in it) in the same folder, reach the disk (fsync),
    and replace `path` in one step. On any failure or interruption the hidden file is removed and `path` is as it was.
    A link is followed. Raises BrainTumorError EXPORT_FAILED for whatever the system refuses, also inside the block:
    so prepare the content before, and only write inside.
    """
    with refusals_told(path):
        target = _target(path)
        hidden = _beside(target)
        with open(hidden, "xb") as stream:  # noqa: PTH123 - "x" never follows or overwrites what someone else put there
            try:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
                stream.close()  # Windows can't rename an open file
                os.replace(hidden, target)  # noqa: PTH105 - the call with the promise of atomicity
            except BaseException:
                with suppress(OSError):
                    stream.close()
                hidden.unlink(missing_ok=True)
                raise
        _sync_folder(target.parent)


def replace_together(contents: Mapping[Path, bytes], outdated: Iterable[Path] = ()) -> None:
    """Write files that are of use only together, and take away outdated ones: all of it, or all stays as it was.

    Each is first written whole under a hidden name, as by `atomic_write`; then the old files move aside and the new
    ones into place, and where one is refused all move back. Raises BrainTumorError EXPORT_FAILED.
    """
    written: dict[Path, Path] = {}
    aside: list[Path] = []
    moves: list[tuple[Path, Path]] = []

    def move(source: Path, to: Path) -> None:
        moves.append((source, to))
        os.replace(source, to)  # noqa: PTH105 - as in `atomic_write`

    try:
        for path, content in contents.items():
            with refusals_told(path):
                target = _target(path)
                written[target] = _beside(target)
                with open(written[target], "xb") as stream:  # noqa: PTH123 - as in `atomic_write`
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
        for old in (*written, *outdated):
            with refusals_told(old):
                if old.exists():
                    aside.append(_beside(old))
                    move(old, aside[-1])
                    with suppress(OSError):
                        os.utime(aside[-1])  # or the next export would sweep it away at once, see `_sweep`
        for target, hidden in written.items():
            with refusals_told(target):
                move(hidden, target)
    except BaseException:
        for source, to in reversed(moves):
            with suppress(OSError):  # the last one may not have moved
                os.replace(to, source)  # noqa: PTH105
        for hidden in written.values():
            with suppress(OSError):
                hidden.unlink()
        raise
    for each in aside:
        with suppress(OSError):
            each.unlink()
    for folder in {target.parent for target in written}:
        _sync_folder(folder)


def ensure_folder(folder: Path) -> None:
    """Make the folder, and those above it, where it doesn't exist. Raises BrainTumorError EXPORT_FAILED."""
    with refusals_told(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def refusals_told(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a BrainTumorError EXPORT_FAILED with the next step.

    path: what was to be written.
    """
    try:
        yield
    except OSError as refusal:
        message, hint = _explain(refusal, path)
        raise BrainTumorError(ErrorCode.EXPORT_FAILED, message, hint) from refusal


def _target(path: Path) -> Path:
    """The regular file to replace, at the end of links. Raises OSError."""
    target = Path(os.path.realpath(path))
    _sweep(target.parent)
    if target.exists() and not target.is_file():
        raise IsADirectoryError(errno.EISDIR, "not a regular file")
    return target


def _beside(target: Path) -> Path:
    """A new hidden name in the same folder, see _LEFT_BEHIND."""
    return target.with_name(f".{secrets.token_hex(8)}.part")


def _explain(refusal: OSError, path: Path) -> tuple[str, str]:
    name = f'"{path.name}"'
    if refusal.errno in _FULL:
        return phrase("The disk is full, {name} could not be written.", name=name), phrase(
            "Free some space or choose another disk."
        )
    if refusal.errno in _BUSY or getattr(refusal, "winerror", None) in _OPEN_ELSEWHERE_ON_WINDOWS:
        return phrase("{name} is open in another program.", name=name), phrase(
            "Close it there, or choose another name."
        )
    if refusal.errno in _REFUSED:
        return (
            phrase(
                "Writing {name} is not allowed: the folder or the file is read-only, or the file is open elsewhere.",
                name=name,
            ),
            phrase("Choose a folder where you may write, or close the file in the other program."),
        )
    if refusal.errno == errno.ENOENT:
        return phrase("The folder for {name} doesn't exist.", name=name), phrase(
            "Make the folder first, or choose another one."
        )
    if refusal.errno == errno.ENOTDIR:
        return phrase("The folder for {name} is a file, not a folder.", name=name), phrase("Choose another folder.")
    if refusal.errno in (errno.EISDIR, errno.EEXIST):
        return phrase("{name} can't be written: something that is not a file has that name.", name=name), phrase(
            "Choose another name."
        )
    if refusal.errno == errno.ENAMETOOLONG:
        return phrase("The file name is too long for this disk."), phrase("Choose a shorter name.")
    return phrase(
        "{name} could not be written ({value}).", name=name, value=refusal.strerror or "unknown reason"
    ), phrase("Try another folder or disk.")


def _sweep(folder: Path) -> None:
    """Take away what killed processes left behind, once a folder."""
    if folder in _swept:
        return
    _swept.add(folder)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _LEFT_BEHIND.fullmatch(entry.name) and time.time() - entry.stat().st_mtime > _ABANDONED_S:
                with suppress(OSError):
                    os.unlink(entry.path)  # noqa: PTH108 - an os.DirEntry is no Path


def _sync_folder(folder: Path) -> None:
    """Let the new name survive a power cut, where the system can do that for folders (not on Windows)."""
    if os.name != "posix":
        return
    with suppress(OSError):  # the file is written and in place; some network disks refuse to sync a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
