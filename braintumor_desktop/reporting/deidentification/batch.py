"""``IN`` to ``OUT``: every picture, DICOM object and volume of a file, folder, ZIP or DICOMDIR, without identity.

Names in OUT are pseudonyms and numbers: ``anon-1f…/study-1/series-2/0001.dcm``, ``pictures/0001.png``,
``volumes/0001.nii.gz``. Input is only read; OUT must be new or empty and apart from it; each file appears whole or not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from braintumor_desktop import RESEARCH_USE, __version__
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode, internal_error
from braintumor_desktop.imaging.archive import is_office_document, list_archive
from braintumor_desktop.imaging.burnt_in_text import Box
from braintumor_desktop.imaging.dicomdir import is_dicomdir, resolve
from braintumor_desktop.imaging.files import FileRef, Files, refusing
from braintumor_desktop.imaging.limits import DEFAULT_LIMITS, Limits
from braintumor_desktop.imaging.load import find_inputs, load_file
from braintumor_desktop.imaging.signatures import Family, recognise
from braintumor_desktop.reporting.atomic import atomic_write, ensure_folder, refusals_told
from braintumor_desktop.reporting.deidentification.dicom_files import clean_dicom
from braintumor_desktop.reporting.deidentification.dicom_headers import Dates
from braintumor_desktop.reporting.deidentification.pictures import clean_picture
from braintumor_desktop.reporting.deidentification.pseudonyms import Pseudonyms
from braintumor_desktop.reporting.deidentification.volumes import clean_nifti

RECORD = "deidentification.json"


@dataclass
class Outcome:
    """What a run did. written: paths within OUT, by kind; texts: which of them may hold burnt-in text, and where;
    failed: inputs that gave an error; passed_over: files in folders and archives that are of no kind treated here.
    """

    written: dict[str, list[str]] = field(default_factory=lambda: {"dicom": [], "volumes": [], "pictures": []})
    texts: dict[str, tuple[Box, ...]] = field(default_factory=dict)
    failed: list[tuple[Path, BrainTumorError]] = field(default_factory=list)
    passed_over: int = 0

    @property
    def count(self) -> int:
        return sum(map(len, self.written.values()))


def deidentify(
    source: Path,
    target: Path,
    *,
    dates: Dates = Dates.REMOVE,
    blank_text: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    limits: Limits = DEFAULT_LIMITS,
) -> Outcome:
    """Write what is in `source` to the folder `target` without identity, and a record of the run.

    progress: files done, files in all. Raises BrainTumorError where the run can't begin (file_not_found,
    file_unreadable, data_invalid, export_failed) or the disk refuses a file; a file that can't be treated only stands
    among those that failed.
    """
    _check_places(source, target)
    run = _Run(target, Pseudonyms(), dates, blank_text, limits)
    with Files() as files:
        refs = _files_of(source, files, limits, run.outcome)
        ensure_folder(target)
        for done, ref in enumerate(refs, 1):
            try:
                run.treat(ref, files)
            except BrainTumorError as error:
                if error.code is ErrorCode.EXPORT_FAILED:
                    raise
                run.outcome.failed.append((ref.path, error))
            except Exception as cause:  # noqa: BLE001 - one bad file never ends the run
                run.outcome.failed.append((ref.path, internal_error(cause)))
            progress(done, len(refs))
    run.write_record()
    return run.outcome


def _check_places(source: Path, target: Path) -> None:
    with refusing():
        there = source.exists()
    if not there:
        raise BrainTumorError(ErrorCode.FILE_NOT_FOUND, "The input does not exist.", "Check its name.")
    inside, outside = source.resolve(), target.resolve()
    if outside == inside or inside in outside.parents or outside in inside.parents:
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            "The output folder lies inside the input, or the input inside it.",
            "Choose an output folder elsewhere.",
        )
    with refusals_told(target):
        used = target.exists() and (not target.is_dir() or any(target.iterdir()))
    if used:
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            "The output folder is not empty; nothing is ever overwritten or mixed.",
            "Choose a new or empty folder.",
        )


def _files_of(source: Path, files: Files, limits: Limits, outcome: Outcome) -> list[FileRef]:
    """Folders at any depth; the members of ZIP archives; of a DICOMDIR given by itself the files it lists."""
    refs: list[FileRef] = []
    given = not source.is_dir()
    for path in find_inputs([source]):
        ref = FileRef(path, given=given)
        try:
            refs += _opened(ref, files, limits, outcome)
        except BrainTumorError as error:
            outcome.failed.append((path, error))
    return refs


def _opened(ref: FileRef, files: Files, limits: Limits, outcome: Outcome) -> Iterator[FileRef]:
    head = files.head(ref)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06") and not is_office_document(ref.path, files):
        yield from list_archive(ref.path, files, limits)
    elif is_dicomdir(head) and ref.given:
        found, errors = resolve(ref, files)
        outcome.failed += [(ref.path, error) for error in errors]
        yield from found
    else:
        yield ref


class _Run:
    """Numbers the patients' studies, series and files, and keeps what was done."""

    def __init__(self, target: Path, pseudonyms: Pseudonyms, dates: Dates, blank_text: bool, limits: Limits) -> None:
        self.outcome = Outcome()
        self._target, self._pseudonyms, self._dates = target, pseudonyms, dates
        self._blank_text, self._limits = blank_text, limits
        self._numbers: dict[tuple[str, ...], int] = {}
        self._counts: Counter[tuple[str, ...]] = Counter()

    def treat(self, ref: FileRef, files: Files) -> None:
        """Write one input. Raises BrainTumorError."""
        head = files.head(ref)
        signature = recognise(head)
        family = None if signature is None else signature.family
        if family is Family.DICOM:
            if is_dicomdir(head):  # in a folder or archive, whose files come by themselves; OUT needs none
                self.outcome.failed += [(ref.path, error) for error in resolve(ref, files)[1]]
            else:
                self._dicom(files.read(ref, self._limits.max_volume_bytes))
        elif family is Family.NIFTI:
            data = files.read(ref, self._limits.max_volume_bytes)
            packed = data[:2] == b"\x1f\x8b"
            cleaned = clean_nifti(data, packed=packed, most_bytes=self._limits.max_volume_bytes)
            self._write("volumes", ("volumes",), ".nii.gz" if packed else ".nii", cleaned, ())
        elif family is Family.PICTURE:
            study = load_file(ref, files, self._limits)
            cleaned, ending, texts = clean_picture(study, blank_text=self._blank_text)
            self._write("pictures", ("pictures",), ending, cleaned, texts)
        elif ref.given:
            load_file(ref, files, self._limits)  # raises the error that says what it is instead
        else:
            self.outcome.passed_over += 1

    def _dicom(self, data: bytes) -> None:
        clean = clean_dicom(data, self._pseudonyms, dates=self._dates, blank_text=self._blank_text)
        patient, study, series = clean.place
        folders = (
            patient,
            f"study-{self._number(patient, study)}",
            f"series-{self._number(patient, study, series)}",
        )
        self._write("dicom", folders, ".dcm", clean.data, clean.texts)

    def _number(self, *place: str) -> int:
        """Which study of its patient, or series of its study, in the order they came."""
        if place not in self._numbers:
            self._counts[place[:-1]] += 1
            self._numbers[place] = self._counts[place[:-1]]
        return self._numbers[place]

    def _write(self, kind: str, folders: tuple[str, ...], ending: str, data: bytes, texts: tuple[Box, ...]) -> None:
        self._counts[("files", *folders)] += 1
        place = PurePosixPath(*folders, f"{self._counts[('files', *folders)]:04d}{ending}")
        path = self._target / place
        ensure_folder(path.parent)
        with atomic_write(path) as stream:
            stream.write(data)
        self.outcome.written[kind].append(str(place))
        if texts:
            self.outcome.texts[str(place)] = texts

    def write_record(self) -> None:
        """What was done, for those who get the files; no name of an input is in it."""
        record = {
            "program": f"braintumor-desktop {__version__}",
            "notice": RESEARCH_USE,
            "method": "DICOM PS3.15 Basic Application Level Confidentiality Profile, edition 2026c, with Clean"
            " Descriptors and Clean Structured Content; see docs/DEIDENTIFICATION.md. No guarantee: check it.",
            "dates": "shifted, by one amount a patient" if self._dates is Dates.SHIFT else "removed",
            "burnt_in_text": "blanked where found" if self._blank_text else "looked for, not blanked",
            "written": {kind: len(paths) for kind, paths in self.outcome.written.items()},
            "not_written": len(self.outcome.failed),
            "passed_over": self.outcome.passed_over,
            "may_contain_text": sorted(self.outcome.texts),
        }
        with atomic_write(self._target / RECORD) as stream:
            stream.write((json.dumps(record, indent=1) + "\n").encode())
