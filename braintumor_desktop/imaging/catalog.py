"""What lies in the files, folders and archives that a reader dropped: a list made from headers, pixels on demand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from braintumor_desktop.domain.errors import BrainTumorError, Cancelled, ErrorCode, internal_error
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import InputKind, Study
from braintumor_desktop.imaging.files import FileRef, Files
from braintumor_desktop.imaging.limits import DEFAULT_LIMITS, Limits
from braintumor_desktop.imaging.load import find_inputs, load_file
from braintumor_desktop.imaging.signatures import Family, recognise

if TYPE_CHECKING:
    from braintumor_desktop.imaging.dicom_series import Slice, Stack

Progress = Callable[[str, float], None]
Place = tuple[str, str]  # a file's absolute path, and its name in it where that is an archive
STAGE = phrase("Reading headers")
_NO_PICTURE = (ErrorCode.NOT_AN_IMAGE, ErrorCode.DICOM_NOT_AN_IMAGE)


@dataclass(frozen=True)
class Entry:
    """One thing that can be loaded: a picture file, a stack of DICOM slices, a NIfTI file.

    path: the file, or the folder that holds all files of a series; title, study_title: what the file calls series and
    study, else the file's name; slices, rows, columns: of one volume, None for pictures, whose headers are not read;
    frames: volumes at the same place, of which `load` takes one; notes: what is odd about it, as far as headers tell;
    stem: a file name for what is exported of it; stamps: bytes and time of change (ns) of each of `input_files` when
    it was listed.
    """

    path: Path
    kind: InputKind
    title: str
    stem: str
    study_title: str = ""
    study_uid: str | None = None
    series_uid: str | None = None
    series_number: int | None = None
    slices: int | None = None
    rows: int | None = None
    columns: int | None = None
    frames: int = 1
    sequence: str | None = None
    notes: tuple[str, ...] = ()
    files: int = 1
    stamps: tuple[tuple[int, int], ...] = field(default=(), repr=False, compare=False)
    _ref: FileRef | None = field(default=None, repr=False, compare=False)
    _stack: Stack | None = field(default=None, repr=False, compare=False)

    @property
    def pixels(self) -> int:
        """Pixels that loading one volume takes; 0 for pictures, which are small."""
        return (self.slices or 0) * (self.rows or 0) * (self.columns or 0)

    @property
    def input_files(self) -> tuple[Path, ...]:
        """The files on the disk that it is read from: of a ZIP the archive."""
        refs = [self._ref or FileRef(self.path)]
        if self._stack is not None:
            refs = [each.ref for frame in self._stack.frames for each in frame]
        return tuple(dict.fromkeys(ref.archive or ref.path for ref in refs))

    def load(
        self, limits: Limits = DEFAULT_LIMITS, *, frame: int = 0, cancelled: Callable[[], bool] | None = None
    ) -> Study:
        """Read the pixels. frame: which volume, 0 the first. Raises BrainTumorError, and Cancelled."""
        with Files() as files:
            if self._stack is not None:
                from braintumor_desktop.imaging.dicom import read_stack

                return read_stack(self._stack, self.path, files, limits, frame=frame, cancelled=cancelled)
            return load_file(self._ref or FileRef(self.path), files, limits, frame=frame)


@dataclass(frozen=True)
class Problem:
    """One file that gave nothing to load.

    ignorable: it only lay beside pictures (a text file or DICOM report in a folder); nobody named it, so it is no
    failure; archive: the ZIP it is in.
    """

    path: Path
    error: BrainTumorError
    ignorable: bool = False
    archive: Path | None = None

    @property
    def input_file(self) -> Path:
        """The file on the disk that it was met in: of a ZIP the archive."""
        return self.archive or self.path


@dataclass(frozen=True)
class Catalog:
    """Entries and problems together in input order."""

    items: tuple[Entry | Problem, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(item for item in self.items if isinstance(item, Entry))

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(item for item in self.items if isinstance(item, Problem) and not item.ignorable)

    @property
    def passed_over(self) -> int:
        """How many files were no pictures and only lay beside them."""
        return sum(isinstance(item, Problem) and item.ignorable for item in self.items)


def list_inputs(
    paths: Sequence[Path],
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Catalog:
    """Everything in these files, folders (any depth), ZIP archives and DICOMDIRs, in input order.

    Only headers are read. Hidden files in folders are skipped. DICOM slices are put together over all inputs. A file
    without a picture is a Problem, ignorable where it merely lies in a folder or archive. progress: called with the
    stage in words and the share done, 0..1. Raises Cancelled; never BrainTumorError.
    """
    with Files() as files:
        listing = _Listing(files, limits, progress or (lambda _stage, _share: None), cancelled or (lambda: False))
        listing.read([ref for path in paths for ref in _refs(path)])
        return listing.catalog()


def _refs(path: Path) -> Iterator[FileRef]:
    if not os.path.isdir(path):  # noqa: PTH112 - `Path.is_dir` raises where a folder above may not be read
        yield FileRef(path)
        return
    for found in find_inputs([path]):
        yield FileRef(found, given=False)


def _place(ref: FileRef) -> Place:
    return os.path.abspath(ref.archive or ref.path), ref.member  # noqa: PTH100 - links stay themselves


class _Listing:
    """One run over the inputs. Each thing found keeps the number of the file it was found at."""

    def __init__(self, files: Files, limits: Limits, progress: Progress, cancelled: Callable[[], bool]) -> None:
        self._files, self._limits = files, limits
        self._progress, self._cancelled = progress, cancelled
        self._found: list[tuple[int, Entry | Problem]] = []
        self._slices: list[tuple[int, Slice]] = []
        self._dicom_seen: set[Place] = set()

    def read(self, refs: list[FileRef]) -> None:
        """refs grows while archives and DICOMDIRs among them are opened.

        A file that lies in a folder or archive and is named beside it, or lies in two of the folders, is read once.
        """
        seen = {_place(ref) for ref in refs if ref.given}
        waiting = refs[::-1]
        number, share = 0, 0.0
        while waiting:
            if self._cancelled():
                raise Cancelled
            share = max(share, number / (number + len(waiting)))  # an archive makes more of what is left
            self._progress(STAGE, share)
            ref = waiting.pop()
            if not ref.given:
                if (place := _place(ref)) in seen:
                    continue
                seen.add(place)
            try:
                waiting += self._one(number, ref)[::-1]
            except BrainTumorError as error:
                ignorable = error.code in _NO_PICTURE and not ref.given
                self._found.append((number, Problem(ref.path, error, ignorable, ref.archive)))
            except Exception as cause:  # noqa: BLE001 - one bad file never ends the list
                self._found.append((number, Problem(ref.path, internal_error(cause), archive=ref.archive)))
            number += 1
        self._progress(STAGE, 1.0)

    def catalog(self) -> Catalog:
        if self._slices:
            from braintumor_desktop.imaging.dicom_series import make_stacks

            numbers = {id(each): number for number, each in self._slices}
            for stack in make_stacks([each for _, each in self._slices]):
                number = min(numbers[id(each)] for frame in stack.frames for each in frame)
                try:
                    self._found.append((number, _stack_entry(stack)))
                except Exception as cause:  # noqa: BLE001 - one bad series never ends the list
                    ref = stack.slices[0].ref
                    self._found.append((number, Problem(ref.path, internal_error(cause), archive=ref.archive)))
        found = [item for _, item in sorted(self._found, key=lambda pair: pair[0])]
        return Catalog(tuple(_stamped(item) if isinstance(item, Entry) else item for item in found))

    def _one(self, number: int, ref: FileRef) -> list[FileRef]:
        """Take in one file; the further files it names. Raises BrainTumorError where there is nothing in it."""
        head = self._files.head(ref)
        signature = recognise(head)
        family = None if signature is None else signature.family
        if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            return self._archive(ref)
        if family is Family.DICOM:
            return self._dicom(number, ref, head)
        if family is Family.NIFTI:
            self._found.append((number, self._nifti(ref)))
        elif family is Family.PICTURE:
            entry = Entry(ref.path, InputKind.PICTURE, ref.path.name, ref.path.stem, _ref=ref)
            self._found.append((number, entry))
        elif not ref.given and self._files.size(ref) > self._limits.max_file_bytes and family is not Family.OTHER_IMAGE:
            raise BrainTumorError(  # a viewer or a film on the disc: no reason to read all of it
                ErrorCode.NOT_AN_IMAGE,
                phrase("The file is not a picture but a large file of another kind."),
                phrase("Open a picture."),
            )
        else:
            load_file(ref, self._files, self._limits)  # raises the error that says what it is instead
        return []

    def _archive(self, ref: FileRef) -> list[FileRef]:
        from braintumor_desktop.imaging.archive import is_office_document, list_archive

        if ref.archive is not None:
            raise BrainTumorError(
                ErrorCode.ARCHIVE_UNSAFE,
                phrase("This is a ZIP archive inside a ZIP archive, which is not opened."),
                phrase("Unpack the outer one and open the folder."),
            )
        if is_office_document(ref.path, self._files):
            load_file(ref, self._files, self._limits)
        return list_archive(ref.path, self._files, self._limits)

    def _dicom(self, number: int, ref: FileRef, head: bytes) -> list[FileRef]:
        from braintumor_desktop.imaging.dicom_header import read_header
        from braintumor_desktop.imaging.dicom_series import Slice
        from braintumor_desktop.imaging.dicomdir import is_dicomdir

        if is_dicomdir(head):
            return self._dicomdir(number, ref)
        if (place := _place(ref)) not in self._dicom_seen:  # the same file may be named twice
            self._dicom_seen.add(place)
            with self._files.open(ref) as stream:
                self._slices += [(number, Slice(ref, header)) for header in read_header(stream, self._files.size(ref))]
        return []

    def _dicomdir(self, number: int, ref: FileRef) -> list[FileRef]:
        """The files it names, unless its whole folder is listed anyway; and what is wrong with it."""
        from braintumor_desktop.imaging.dicomdir import resolve

        found, errors = resolve(ref, self._files)
        self._found += [(number, Problem(ref.path, error, archive=ref.archive)) for error in errors]
        return found if ref.given else []

    def _nifti(self, ref: FileRef) -> Entry:
        from braintumor_desktop.imaging.nifti import nifti_stem, read_nifti_header
        from braintumor_desktop.imaging.sequence import SequenceFacts, recognise_sequence

        with self._files.open(ref) as stream:
            header = read_nifti_header(stream)
        slices, rows, columns = header.grid_shape
        sequence = recognise_sequence(SequenceFacts(names=(ref.path.name,)))
        return Entry(
            path=ref.path,
            kind=InputKind.NIFTI,
            title=ref.path.name,
            stem=nifti_stem(ref.path),
            slices=slices,
            rows=rows,
            columns=columns,
            frames=header.volumes,
            sequence=None if sequence is None else sequence.value,
            _ref=ref,
        )


def _stamped(entry: Entry) -> Entry:
    try:
        states = [path.stat() for path in entry.input_files]
    except OSError:  # gone since; loading will say so
        return entry
    return replace(entry, stamps=tuple((state.st_size, state.st_mtime_ns) for state in states))


def _stack_entry(stack: Stack) -> Entry:
    from braintumor_desktop.imaging.dicom import stack_notes
    from braintumor_desktop.imaging.dicom_series import geometry_of
    from braintumor_desktop.imaging.sequence import recognise_sequence

    header = stack.slices[0].header
    facts = header.file
    paths = list(dict.fromkeys(each.ref.path for frame in stack.frames for each in frame))
    path = paths[0] if len(paths) == 1 else _common_folder(paths)
    sequence = recognise_sequence(facts.sequence)
    numbered = phrase("Series {number}", number=facts.series_number) if facts.series_number is not None else path.name
    title = facts.series_description.strip() or numbered
    part = f" ({stack.part} of {stack.parts})" if stack.parts > 1 else ""
    return Entry(
        path=path,
        kind=InputKind.DICOM,
        title=title + part,
        stem=_dicom_stem(paths[0])
        if len(paths) == 1
        else _file_name(facts.series_description) or path.name or "series",
        study_title=facts.study_description.strip(),
        study_uid=facts.study_uid or None,
        series_uid=facts.series_uid or None,
        series_number=facts.series_number,
        slices=len(stack.slices),
        rows=header.rows,
        columns=header.columns,
        frames=len(stack.frames),
        sequence=None if sequence is None else sequence.value,
        notes=stack_notes(stack) + geometry_of(stack.slices)[1],
        files=len(paths),
        _stack=stack,
    )


def _common_folder(paths: Sequence[Path]) -> Path:
    try:
        return Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:  # relative and absolute, or two drives
        return paths[0].parent


def _dicom_stem(path: Path) -> str:
    """Names of DICOM files are often UIDs, whose last number is no ending."""
    return path.stem if path.suffix.lower() in (".dcm", ".dicom", ".ima", ".img") else path.name


def _file_name(words: str) -> str:
    """Words as a file name that every system takes."""
    kept = "".join(letter if letter.isalnum() or letter in "-+." else "_" for letter in words.strip())
    return kept.strip("._")[:60]
