"""ZIP archives: what they hold, read in place. Nothing is unpacked to disk, so nothing is left behind.

An archive whose names leave it, that is encrypted or that unpacks to more than a study can be is refused as a whole.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.imaging.files import FileRef, Files, refusing
from braintumor_desktop.imaging.limits import Limits

BOMB_RATIO = 200
"""Unpacked to packed size from which a large member is a bomb: images pack 2 to 10 times, blank ones some 100 times."""
BOMB_BYTES = 32 * 2**20
_OFFICE = ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF")


def is_office_document(path: Path, files: Files) -> bool:
    """Whether this ZIP is a document or a program in ZIP's clothing."""
    with refusing():
        return not set(_OFFICE).isdisjoint(files.archive(path).namelist())


def list_archive(path: Path, files: Files, limits: Limits) -> list[FileRef]:
    """The files in a ZIP, sorted by name, hidden ones left out.

    Raises BrainTumorError: archive_unsafe, archive_encrypted, archive_too_large, archive_damaged, not_an_image (empty).
    """
    with refusing():
        members = [member for member in files.archive(path).infolist() if not member.is_dir()]
    _check(members, limits)
    names = [member.filename for member in members if not _is_hidden(member.filename)]
    if not names:
        raise BrainTumorError(
            ErrorCode.NOT_AN_IMAGE,
            phrase("The ZIP archive is empty."),
            phrase("Ask for it again, with the pictures in it."),
        )
    with refusing():
        if len(set(names)) < len(names):  # by its name only the last of them could be opened
            raise zipfile.BadZipFile("repeated names")
    return [FileRef(path / PurePosixPath(name), path, name, given=False) for name in sorted(names)]


def _check(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    total = sum(member.file_size for member in members)
    if len(members) > limits.max_archive_files or total > limits.max_archive_bytes:
        raise _too_large(phrase("{count} files of {size:.0f} MB", count=len(members), size=total / 2**20))
    for member in members:
        name = member.orig_filename
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
            raise BrainTumorError(
                ErrorCode.ARCHIVE_UNSAFE,
                phrase("The ZIP archive holds names that point outside of it; it was not opened."),
                phrase("Ask for it again, or unpack it with another program and look at it first."),
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise BrainTumorError(
                ErrorCode.ARCHIVE_UNSAFE,
                phrase("The ZIP archive holds links to other files; it was not opened."),
                phrase("Ask for it again with the files themselves."),
            )
        if member.flag_bits & 1:
            raise BrainTumorError(
                ErrorCode.ARCHIVE_ENCRYPTED,
                phrase("The ZIP archive is encrypted."),
                phrase("Unpack it with its password and open the folder."),
            )
        if member.file_size > BOMB_BYTES and member.file_size > BOMB_RATIO * max(1, member.compress_size):
            raise _too_large(
                phrase(
                    "{size:.0f} MB from {packed:.1f} MB",
                    size=member.file_size / 2**20,
                    packed=member.compress_size / 2**20,
                )
            )


def _too_large(what: str) -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.ARCHIVE_TOO_LARGE,
        phrase("The ZIP archive unpacks to more than a study can be ({what}); it was not opened.", what=what),
        phrase("Unpack it with another program and open the part you need."),
    )


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)
