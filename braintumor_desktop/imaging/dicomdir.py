"""DICOMDIR: the list of files on a disc (PS3.10 8.6, PS3.3 F.3)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase, phrase_of_count
from braintumor_desktop.imaging.dicom_header import damaged
from braintumor_desktop.imaging.dicom_library import library
from braintumor_desktop.imaging.files import FileRef, Files

Parts = tuple[str, ...]


def is_dicomdir(head: bytes) -> bool:
    """By its file meta information (Media Storage Directory). head: the first bytes of the file."""
    return head[128:132] == b"DICM" and b"1.2.840.10008.1.3.10\0"[:20] in head[132:1024]


def resolve(ref: FileRef, files: Files) -> tuple[list[FileRef], list[BrainTumorError]]:
    """The files that a DICOMDIR on disk or in an archive names, as far as they are there and not outside its folder;
    and what is wrong with the others. Raises BrainTumorError.
    """
    with files.open(ref) as stream:
        listed = listed_files(stream)
    inside = [parts for parts in listed if not leads_outside(parts)]
    if ref.archive is None:
        paths = [find_listed(parts, ref.path.parent) for parts in inside]
        found = [FileRef(path, given=False) for path in paths if path is not None]
    else:
        names = {name.lower(): name for name in files.archive(ref.archive).namelist()}
        members = [find_member(parts, PurePosixPath(ref.member).parent, names) for parts in inside]
        found = [replace(ref, path=ref.archive / name, member=name) for name in members if name is not None]
    problems = []
    if len(inside) < len(listed):
        problems.append(outside_files(len(listed) - len(inside)))
    if len(found) < len(inside):
        problems.append(missing_files(len(inside) - len(found), len(inside)))
    return found, problems


def listed_files(stream: IO[bytes]) -> list[Parts]:
    """The files it names, each as the parts of its path from the DICOMDIR's folder. Raises BrainTumorError."""
    pydicom = library()
    try:
        dataset = pydicom.dcmread(stream, force=True, specific_tags=["DirectoryRecordSequence"])
        found = []
        for record in dataset.DirectoryRecordSequence:
            name = record.get("ReferencedFileID")
            if name:
                found.append((name,) if isinstance(name, str) else tuple(str(part) for part in name))
    except Exception as cause:
        raise damaged() from cause
    return found


def leads_outside(parts: Parts) -> bool:
    """Whether a listed path leaves the DICOMDIR's folder."""
    flat = "/".join(parts).replace("\\", "/")
    return flat.startswith("/") or ".." in flat.split("/") or ":" in flat.split("/")[0]


def find_listed(parts: Parts, folder: Path) -> Path | None:
    """The file of a listed path; discs differ in upper and lower case, and some add an ending or ``;1``."""
    here = folder
    for part in "/".join(parts).replace("\\", "/").split("/"):
        exact = here / part
        if os.path.exists(exact):  # noqa: PTH110 - `Path.exists` raises where a folder above may not be read
            here = exact
            continue
        try:
            alike = sorted(p for p in here.iterdir() if p.name.lower().removesuffix(";1") == part.lower())
        except OSError:
            return None
        if not alike:
            return None
        here = alike[0]
    return here if os.path.isfile(here) else None  # noqa: PTH113


def find_member(parts: Parts, folder: PurePosixPath, members: dict[str, str]) -> str | None:
    """As `find_listed` in an archive. members: names in lower case to names."""
    flat = "/".join(parts).replace("\\", "/")
    return members.get(str(folder / flat).lower())


def missing_files(missing: int, listed: int) -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.DICOMDIR_FILES_MISSING,
        phrase(
            "{missing} of the {listed} files that the DICOMDIR lists are missing; the others are shown.",
            missing=missing,
            listed=listed,
        ),
        phrase("Check that the whole disc or folder was copied."),
    )


def outside_files(outside: int) -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.DICOMDIR_POINTS_OUTSIDE,
        phrase_of_count(
            "{count} entry of the DICOMDIR leads outside of its folder and was not followed.",
            "{count} entries of the DICOMDIR lead outside of its folder and were not followed.",
            outside,
        ),
        phrase("Open the folder that holds these files, if you trust it."),
    )
