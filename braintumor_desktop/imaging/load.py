"""The one road from a path to a `Study`: find, check, recognise by content, hand to the right reader."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.signatures import PICTURE_ENDINGS, Family, recognise

_READ_FORMATS = "JPEG, PNG, BMP, TIFF, WebP or GIF"


@dataclass(frozen=True)
class Limits:
    """What is refused before it costs memory.

    max_file_bytes: size on disk; max_pixels: pixels after decoding, all slices together, read from the header.
    """

    max_file_bytes: int = 16 * 2**20
    max_pixels: int = 64_000_000


def load(path: Path, limits: Limits = Limits()) -> Study:
    """Read one file. Raises `BrainTumorError` and nothing else."""
    return _decode(_read(path, limits), path, limits, pasted=False)


def load_pasted(data: bytes, name: str = "pasted picture", limits: Limits = Limits()) -> Study:
    """Read an encoded picture (such as PNG) from the clipboard. Raises `BrainTumorError` and nothing else.

    The source's hash is that of the pixels, because the clipboard's encoding changes from paste to paste.
    """
    _check_size(len(data), limits)
    return _decode(data, Path(name), limits, pasted=True)


def find_inputs(paths: Sequence[Path]) -> list[Path]:
    """The files to load: those given, and all under the folders given, recursively.

    Input order; inside a folder sorted by path. Hidden files and folders are skipped below a given folder, and
    links to folders are not followed. A folder that can't be listed stays in the list, so that loading it says so.
    """
    found: list[Path] = []
    for path in paths:
        found += sorted(_files_under(path)) if path.is_dir() else [path]
    return found


def _files_under(folder: Path) -> Iterator[Path]:
    unreadable: list[Path] = []
    for here, folders, files in os.walk(folder, onerror=lambda e: unreadable.append(Path(e.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # Windows hides these two by attribute, not by name.
        yield from (Path(here, n) for n in files if not n.startswith(".") and n.lower() not in _SYSTEM_FILES)
    yield from unreadable


_SYSTEM_FILES = ("thumbs.db", "desktop.ini")


def _read(path: Path, limits: Limits) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise BrainTumorError(
                ErrorCode.IS_DIRECTORY,
                "This is a folder, not a picture, or its list of files can't be read.",
                "Choose a picture inside it, or a folder that you may open.",
            )
        if not stat.S_ISREG(status.st_mode):  # opening a pipe or a device may wait for ever
            raise BrainTumorError(
                ErrorCode.FILE_UNREADABLE,
                "This is a device or a pipe, not a file.",
                "Save the picture as a file and open that.",
            )
        _check_size(status.st_size, limits)
        with path.open("rb") as file:
            data = file.read(limits.max_file_bytes + 1)
    except (FileNotFoundError, NotADirectoryError) as cause:
        raise BrainTumorError(
            ErrorCode.FILE_NOT_FOUND,
            "The file does not exist.",
            "Check its name, or whether it was moved or its drive was removed.",
        ) from cause
    except (OSError, ValueError) as cause:  # ValueError: a name that no file can have
        reason = "you have no right to read it" if isinstance(cause, PermissionError) else "the system refused"
        raise BrainTumorError(
            ErrorCode.FILE_UNREADABLE,
            f"The file can't be read: {reason}.",
            "Check the rights on the file and the drive it lies on, or copy it to another place.",
        ) from cause
    _check_size(len(data), limits)  # it may have changed since stat
    return data


def _check_size(size: int, limits: Limits) -> None:
    if size == 0:
        raise BrainTumorError(
            ErrorCode.FILE_EMPTY, "The file is empty (0 bytes).", "Copy or export it again from its source."
        )
    if size > limits.max_file_bytes:
        raise BrainTumorError(
            ErrorCode.FILE_TOO_LARGE,
            f"The file has {_megabytes(size)}, more than the limit of {_megabytes(limits.max_file_bytes)}.",
            "Export a smaller picture, or raise the limit in the settings.",
        )


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MB"


def _decode(data: bytes, path: Path, limits: Limits, *, pasted: bool) -> Study:
    signature = recognise(data)
    if signature is not None and signature.family is Family.PICTURE:
        from braintumor_desktop.imaging.pictures import read_picture  # Pillow loads only when a picture comes

        return read_picture(data, signature.name, path, limits.max_pixels, pasted=pasted)
    # Readers for DICOM and NIfTI take their place here; until then these two are refused like other formats.
    if signature is not None and signature.family is not Family.NOT_IMAGE:
        raise BrainTumorError(
            ErrorCode.UNSUPPORTED_FORMAT,
            f"This is a {signature.name} file; this version reads pictures only.",
            f"Export the slice as {_READ_FORMATS} and open that.",
        )
    if _begins_like_jpeg_or_png(data):
        raise BrainTumorError(
            ErrorCode.IMAGE_TRUNCATED,
            "The file ends within its first bytes.",
            "Copy or export the picture again from its source.",
        )
    what = signature.name if signature is not None else "data of an unknown kind"
    hint = f"Open a picture: {_READ_FORMATS}."
    if path.suffix.lower() in PICTURE_ENDINGS:
        message = f"The file is named like a picture ({path.suffix.lower()}) but holds {what}."
        raise BrainTumorError(ErrorCode.RENAMED_NOT_IMAGE, message, hint)
    raise BrainTumorError(ErrorCode.NOT_AN_IMAGE, f"The file is not a picture but {what}.", hint)


def _begins_like_jpeg_or_png(data: bytes) -> bool:
    return data == b"\xff\xd8" or (len(data) >= 4 and b"\x89PNG\r\n\x1a\n".startswith(data))
