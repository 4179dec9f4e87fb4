"""Where bytes come from: files on disk and members of ZIP archives, opened alike and refused in words."""

from __future__ import annotations

import contextlib
import lzma
import stat
import threading
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase

HEAD_BYTES = 4096
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError)  # of the ZIP reader


@dataclass(frozen=True)
class FileRef:
    """One file. path: what it is called to the reader; archive, member: set for a member of a ZIP;
    given: named by the reader, not found in a folder or archive.
    """

    path: Path
    archive: Path | None = None
    member: str = ""
    given: bool = True


class Files:
    """Opens files; a context manager that keeps each archive open while it lasts. Nothing is ever unpacked to disk."""

    def __init__(self) -> None:
        self._archives: dict[Path, zipfile.ZipFile] = {}
        self._stack = contextlib.ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> Files:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._archives.clear()

    @contextlib.contextmanager
    def open(self, ref: FileRef) -> Iterator[IO[bytes]]:
        """The file's bytes as a stream that can seek.

        Raises BrainTumorError: is_directory, file_not_found, file_unreadable, file_empty, archive_damaged.
        """
        self.size(ref)
        with refusing():
            file = ref.path.open("rb") if ref.archive is None else self.archive(ref.archive).open(ref.member)
        with file:
            try:
                yield file
            except (OSError, *_DAMAGED) as cause:
                raise _refusal(cause) from cause

    def size(self, ref: FileRef) -> int:
        """Bytes of the file, at least 1. Raises BrainTumorError as `open`."""
        with refusing():
            if ref.archive is None:
                return _checked_size(ref.path)
            size = self.archive(ref.archive).getinfo(ref.member).file_size
            if size == 0:
                raise empty()
            return size

    def head(self, ref: FileRef) -> bytes:
        """The first bytes, enough for `signatures.recognise`. Raises BrainTumorError as `open`."""
        with self.open(ref) as file, refusing():
            return file.read(HEAD_BYTES)

    def read(self, ref: FileRef, max_bytes: int) -> bytes:
        """The whole file. Raises BrainTumorError as `open`, and file_too_large."""
        size = self.size(ref)
        check_size(size, max_bytes)
        with self.open(ref) as file, refusing():
            data = file.read(size + 1)  # Python makes room for as much as is asked for
            if len(data) > size:  # it has changed since
                data += file.read(max_bytes + 1 - len(data))
        check_size(len(data), max_bytes)
        return data

    def archive(self, path: Path) -> zipfile.ZipFile:
        """The archive, opened once."""
        with self._lock:
            if path not in self._archives:
                self._archives[path] = self._stack.enter_context(zipfile.ZipFile(path))
            return self._archives[path]


def _checked_size(path: Path) -> int:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise BrainTumorError(
            ErrorCode.IS_DIRECTORY,
            phrase("This is a folder, not a picture, or its list of files can't be read."),
            phrase("Choose a picture inside it, or a folder that you may open."),
        )
    if not stat.S_ISREG(status.st_mode):  # opening a pipe or a device may wait for ever
        raise BrainTumorError(
            ErrorCode.FILE_UNREADABLE,
            phrase("This is a device or a pipe, not a file."),
            phrase("Save the picture as a file and open that."),
        )
    if status.st_size == 0:
        raise empty()
    return status.st_size


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Turn what the system and the ZIP reader raise on opening into typed errors."""
    try:
        yield
    except (OSError, ValueError, *_DAMAGED) as cause:
        raise _refusal(cause) from cause


def _refusal(cause: Exception) -> BrainTumorError:
    if isinstance(cause, (FileNotFoundError, NotADirectoryError)):
        return BrainTumorError(
            ErrorCode.FILE_NOT_FOUND,
            phrase("The file does not exist."),
            phrase("Check its name, or whether it was moved or its drive was removed."),
        )
    if isinstance(cause, _DAMAGED):
        return BrainTumorError(
            ErrorCode.ARCHIVE_DAMAGED,
            phrase("The ZIP archive is damaged, or packed in a way that is not read."),
            phrase("Unpack it with another program and open the folder, or ask for it again."),
        )
    reason = (
        phrase("you have no right to read it") if isinstance(cause, PermissionError) else phrase("the system refused")
    )
    return BrainTumorError(  # ValueError: a name that no file can have
        ErrorCode.FILE_UNREADABLE,
        phrase("The file can't be read: {reason}.", reason=reason),
        phrase("Check the rights on the file and the drive it lies on, or copy it to another place."),
    )


def empty() -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.FILE_EMPTY, phrase("The file is empty (0 bytes)."), phrase("Copy or export it again from its source.")
    )


def check_size(size: int, limit: int) -> None:
    """Raises BrainTumorError file_empty or file_too_large."""
    if size == 0:
        raise empty()
    if size > limit:
        raise BrainTumorError(
            ErrorCode.FILE_TOO_LARGE,
            phrase(
                "The file has {size:.1f} MB, more than the limit of {limit:.1f} MB.",
                size=size / 2**20,
                limit=limit / 2**20,
            ),
            phrase("Export a smaller picture, or raise the limit in the settings."),
        )
