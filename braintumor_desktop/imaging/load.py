"""The one road from a path to a `Study`: find, check, recognise by content, hand to the right reader."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.files import FileRef, Files, check_size
from braintumor_desktop.imaging.limits import DEFAULT_LIMITS, Limits
from braintumor_desktop.imaging.signatures import PICTURE_ENDINGS, Family, recognise

__all__ = ["Limits", "find_inputs", "load", "load_file", "load_pasted"]

_READ_FORMATS = "JPEG, PNG, BMP, TIFF, WebP or GIF"


def load(path: Path, limits: Limits = DEFAULT_LIMITS) -> Study:
    """Read one file: a picture, the slices of one DICOM file, or the first volume of a NIfTI file.

    Series of several files are found by `catalog.list_inputs`. Raises `BrainTumorError` and nothing else.
    """
    with Files() as files:
        return load_file(FileRef(path), files, limits)


def load_file(ref: FileRef, files: Files, limits: Limits = DEFAULT_LIMITS, *, frame: int = 0) -> Study:
    """`load` for a file on disk or in an archive. frame: which volume of a NIfTI file of several."""
    signature = recognise(files.head(ref))
    if signature is not None and signature.family is Family.DICOM:
        from braintumor_desktop.imaging.dicom import read_dicom_file

        return read_dicom_file(ref, files, limits)
    if signature is not None and signature.family is Family.NIFTI:
        from braintumor_desktop.imaging.nifti import read_nifti

        return read_nifti(ref, files, limits, frame=frame)
    return _decode(files.read(ref, limits.max_file_bytes), ref.path, limits, pasted=False)


def load_pasted(data: bytes, name: str = "pasted picture", limits: Limits = DEFAULT_LIMITS) -> Study:
    """Read an encoded picture (such as PNG) from the clipboard. Raises `BrainTumorError` and nothing else.

    The source's hash is that of the pixels, because the clipboard's encoding changes from paste to paste.
    """
    check_size(len(data), limits.max_file_bytes)
    return _decode(data, Path(name), limits, pasted=True)


def find_inputs(paths: Sequence[Path]) -> list[Path]:
    """The files to load: those given, and all under the folders given, recursively.

    Input order; inside a folder sorted by path. Hidden files and folders are skipped below a given folder, and
    links to folders are not followed. A folder that can't be listed stays in the list, so that loading it says so.
    """
    found: list[Path] = []
    for path in paths:
        # `Path.is_dir` raises where a folder above may not be read.
        found += sorted(_files_under(path)) if os.path.isdir(path) else [path]  # noqa: PTH112
    return found


def _files_under(folder: Path) -> Iterator[Path]:
    unreadable: list[Path] = []
    for here, folders, files in os.walk(folder, onerror=lambda e: unreadable.append(Path(e.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # Windows hides these two by attribute, not by name.
        yield from (Path(here, n) for n in files if not n.startswith(".") and n.lower() not in _SYSTEM_FILES)
    yield from unreadable


_SYSTEM_FILES = ("thumbs.db", "desktop.ini")


def _decode(data: bytes, path: Path, limits: Limits, *, pasted: bool) -> Study:
    signature = recognise(data)
    if signature is not None and signature.family is Family.PICTURE:
        from braintumor_desktop.imaging.pictures import read_picture  # Pillow loads only when a picture comes

        return read_picture(data, signature.name, path, limits.max_pixels, pasted=pasted)
    if signature is not None and signature.family is not Family.NOT_IMAGE:
        raise BrainTumorError(
            ErrorCode.UNSUPPORTED_FORMAT,
            phrase("This is a {format} picture, which is not read.", format=signature.name)
            if pasted
            else phrase("This is a {format} file, which is not read.", format=signature.name),
            phrase("Export it as {formats}, or as DICOM or NIfTI, and open that.", formats=_READ_FORMATS),
        )
    if _begins_like_jpeg_or_png(data):
        raise BrainTumorError(
            ErrorCode.IMAGE_TRUNCATED,
            phrase("The file ends within its first bytes."),
            phrase("Copy or export the picture again from its source."),
        )
    what = signature.name if signature is not None else phrase("data of an unknown kind")
    hint = phrase("Open a picture ({formats}), DICOM or NIfTI.", formats=_READ_FORMATS)
    if path.suffix.lower() in PICTURE_ENDINGS:
        message = phrase(
            "The file is named like a picture ({ending}) but holds {what}.", ending=path.suffix.lower(), what=what
        )
        raise BrainTumorError(ErrorCode.RENAMED_NOT_IMAGE, message, hint)
    raise BrainTumorError(ErrorCode.NOT_AN_IMAGE, phrase("The file is not a picture but {what}.", what=what), hint)


def _begins_like_jpeg_or_png(data: bytes) -> bool:
    return data == b"\xff\xd8" or (len(data) >= 4 and b"\x89PNG\r\n\x1a\n".startswith(data))
