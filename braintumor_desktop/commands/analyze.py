"""``braintumor analyze``: files and folders in, one JSON object a picture or series out, in input order."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from stat import S_ISDIR
from typing import TextIO

from braintumor_desktop import reporting
from braintumor_desktop.commands.own_settings import limits_of, own_settings
from braintumor_desktop.commands.terminal import ProgressBar, WrongUsage, complain
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode, internal_error
from braintumor_desktop.domain.findings import DISTRUST, Analysis
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import InputKind, Study
from braintumor_desktop.imaging import Entry, Limits, Problem, list_inputs
from braintumor_desktop.imaging.burnt_in_text import MAY_HOLD_TEXT
from braintumor_desktop.inference import Analyzer
from braintumor_desktop.inference.cam_methods import CamMethod
from braintumor_desktop.models.manifest import find_model
from braintumor_desktop.reporting import (
    Letterhead,
    Report,
    atomic_write,
    build_report,
    distinct_stems,
    ensure_folder,
    error_line,
    json_line,
    table_rows,
    write_heatmap,
    write_heatmap_nifti,
    write_mask,
    write_mask_nifti,
    write_pdf,
    write_png,
    write_table,
)
from braintumor_desktop.reporting.deidentification.analyses import deidentified, without_names
from braintumor_desktop.reporting.deidentification.pseudonyms import Pseudonyms
from braintumor_desktop.reporting.dicom.kinds import USUAL_KINDS, DicomKind
from braintumor_desktop.storage.settings import Settings

READ_AHEAD = 4
"""Inputs kept loaded ahead of the network, a worker; bounds the memory of a long batch."""
PIXELS_AHEAD = 32_000_000
"""Volumes are read ahead only while they have fewer pixels than this together."""


@dataclass(frozen=True)
class Options:
    """The options of the command.

    json: a file, that appears whole at the end, ``-`` for standard output as it comes, None for plain lines;
    csv: the summary table; frame: which volume of inputs that hold several at one place, from 1; deidentify: leave out
    of all files what could tell who the patient is; blank_text: and make places black that may hold text.
    """

    paths: tuple[Path, ...]
    json: str | None = None
    masks: Path | None = None
    heatmaps: Path | None = None
    report: Path | None = None
    dicom: Path | None = None
    dicom_kinds: tuple[DicomKind, ...] = USUAL_KINDS
    csv: Path | None = None
    model: str = "neuro"
    device: str = "auto"
    cam: str = "grad-cam"
    mirrored: bool = True
    workers: int = 1
    frame: int = 1
    debug: bool = False
    deidentify: bool = False
    blank_text: bool = False


def run(options: Options) -> int:
    """Analyse everything. Returns 0, or 1 where some input failed; the others are still written.

    Raises BrainTumorError where nothing can start: no such model, damaged weights, no such device, a JSON file that
    can't be opened, or an input that would be overwritten.
    """
    analyzer = Analyzer.open(options.model, options.device, CamMethod(options.cam))
    analyzer.mirrored = options.mirrored
    settings = own_settings()
    limits = limits_of(settings)
    catalog = list_inputs(options.paths, limits=limits)
    items = [item for item in catalog.items if isinstance(item, Entry) or not item.ignorable]
    pseudonyms = Pseudonyms() if options.deidentify else None
    if pseudonyms is not None:
        stems = [f"case-{number:04d}" for number in range(1, len(items) + 1)]
    else:
        stems = _distinct_stems(items, options)
    _check_targets(items, stems, options)
    if options.csv is not None:
        ensure_folder(options.csv.parent)  # told now and not after an hour's work
    failed = 0
    table: list[dict[str, object]] = []
    bar = ProgressBar(len(items), "inputs")
    with ExitStack() as stack:
        lines = _open_lines(options.json, stack)
        for done, ((item, outcome, load_ms), stem) in enumerate(
            zip(_loaded(items, options.workers, options.frame, limits), stems, strict=True), 1
        ):
            try:
                if isinstance(outcome, BaseException):
                    raise outcome
                analysis = analyzer.analyze(outcome, load_ms=load_ms)
                summary = f"{_called(item)}: {analysis.finding.sentence()}"
                if analysis.quality.in_distribution is False:
                    summary = f"{summary} {DISTRUST}"
                bar.clear()
                _tell_notes(item, outcome)
                if pseudonyms is not None:
                    analysis, texts = deidentified(
                        analysis, pseudonyms, stem, headers=options.dicom is not None, blank_text=options.blank_text
                    )
                    if texts:
                        done_to_it = "; the places are black in the exports" if options.blank_text else ""
                        sys.stderr.write(f"{_called(item)}: {MAY_HOLD_TEXT}{done_to_it}\n")
                line = _write(analysis, options, stem, settings)
            except Exception as cause:  # noqa: BLE001 - one bad input never ends the batch
                error = cause if isinstance(cause, BrainTumorError) else internal_error(cause)
                failed += 1
                path, told = (item.path, error) if pseudonyms is None else (Path(stem), without_names(error, stem))
                line, summary = error_line(path, told, model=analyzer.identity), None
                bar.clear()
                complain(str(item.path), error)
                if options.debug:
                    traceback.print_exception(cause)
            if options.csv is not None:
                table += table_rows(line, report=_report_path(options, stem) if line["status"] == "ok" else None)
            if lines is not None:
                lines.write(json.dumps(line) + "\n")
                lines.flush()
            elif summary is not None:
                bar.clear()
                print(summary)
            bar.show(done)
    bar.clear()
    if options.csv is not None:
        write_table(table, options.csv)
    if catalog.passed_over:
        sys.stderr.write(f"not pictures and passed over: {catalog.passed_over} in folders\n")
    if not items:
        sys.stderr.write("nothing to analyse: the folders hold no pictures\n")
    return 1 if failed else 0


def _distinct_stems(items: Sequence[Entry | Problem], options: Options) -> list[str]:
    """Stems under which no input's files are those of another one."""
    folder_of = cache(_real)

    def files(place: int, stem: str) -> Iterator[str]:
        for path in _files(items[place], stem, options):
            yield f"{folder_of(path.parent)}/{path.name}"

    return distinct_stems([item.stem if isinstance(item, Entry) else item.path.stem for item in items], files)


def _check_targets(items: Sequence[Entry | Problem], stems: Sequence[str], options: Options) -> None:
    """Raises BrainTumorError (export_failed) where a file to be written is one of the inputs.

    Raises WrongUsage where the JSON file or the table is one of the other files to be written.
    """
    named = [Path(target) for target in (options.json, options.csv) if target is not None and target != "-"]
    targets = [target for target in named if not _is_stream(target)]
    written = {
        _real(path) for item, stem in zip(items, stems, strict=True) if targets for path in _files(item, stem, options)
    }
    for target in targets:
        if _real(target) in written:
            words = f'"{target.name}" is the name of two files to be written.'
            raise WrongUsage(ErrorCode.EXPORT_FAILED, words, "Give each a name of its own.")
        written.add(_real(target))
    for item, stem in zip(items, stems, strict=True):
        if isinstance(item, Entry):
            targets += _targets(item, stem, options)
    there = {place: target for target in targets if (place := _place_on_disk(target)) is not None}
    for item in items if there else ():
        for path in item.input_files if isinstance(item, Entry) else (item.input_file,):
            if (place := _place_on_disk(path)) in there:
                name = f'"{there[place].name}"'
                raise BrainTumorError(
                    ErrorCode.EXPORT_FAILED,
                    phrase("{name} is one of the inputs and would be overwritten.", name=name),
                    phrase("Choose another folder."),
                )


def _real(path: Path) -> str:
    """The same for all names of a path, also on disks that ignore upper and lower case."""
    return os.path.realpath(path).casefold()


def _files(item: Entry | Problem, stem: str, options: Options) -> Iterator[Path]:
    """The files that may be written of one input, and the folder of its DICOM objects."""
    if isinstance(item, Problem):
        return
    for folder, name in ((options.masks, stem), (options.heatmaps, _heatmap_stem(options, stem))):
        for ending in (".png", ".tif") if item.kind is InputKind.PICTURE else (".nii.gz",):
            if folder is not None:
                yield folder / f"{name}{ending}"
    if options.report is not None:
        yield from _report_files(options.report, stem)
    if options.dicom is not None:
        yield options.dicom / stem


def _targets(item: Entry, stem: str, options: Options) -> Iterator[Path]:
    """The files that may be written of one input; of TIFFs and DICOM objects those that are there."""
    for path in _files(item, stem, options):
        if path.suffix != ".tif" or (_place_on_disk(path) is not None and _may_have_pages(item)):
            yield path
    if options.dicom is not None:
        for object_name in (*DicomKind, "source"):  # kinds that aren't written again are taken away
            yield from (options.dicom / stem).glob(f"{object_name}*.dcm")


def _may_have_pages(item: Entry) -> bool:
    """Of several pages the mask is a TIFF; true also where nobody can tell yet, as in an archive."""
    from PIL import Image

    try:
        with Image.open(item.input_files[0]) as picture:
            return getattr(picture, "n_frames", 1) > 1
    except Exception:  # noqa: BLE001 - decoders raise nearly every type on broken files
        return True


def _place_on_disk(path: Path) -> tuple[int, int] | None:
    """The same for all names and links of a file; None where there is none, or a folder."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return None if S_ISDIR(status.st_mode) else (status.st_dev, status.st_ino)


def _called(item: Entry | Problem) -> str:
    """A folder may hold several series: their descriptions tell them apart."""
    is_series = isinstance(item, Entry) and item.kind is InputKind.DICOM and item.files > 1
    return f"{item.path} ({item.title})" if isinstance(item, Entry) and is_series else str(item.path)


def _tell_notes(item: Entry | Problem, study: Study) -> None:
    """What is odd about a series or volume, one line each; a picture's notes stand in its report."""
    if study.source.kind is not InputKind.PICTURE:
        for note in study.notes:
            sys.stderr.write(f"{_called(item)}: {note}\n")


def _is_stream(path: Path) -> bool:
    return path.is_fifo() or path.is_char_device()


def _open_lines(target: str | None, stack: ExitStack) -> TextIO | None:
    if target is None:
        return None
    if target == "-":
        return sys.stdout
    path = Path(target)
    if _is_stream(path):
        return stack.enter_context(path.open("w", encoding="utf-8"))
    lines = TextIOWrapper(stack.enter_context(atomic_write(path)), encoding="utf-8")
    stack.callback(lines.detach)  # or it would close the file before it is in place
    return lines


Loaded = tuple[Entry | Problem, Study | BaseException, float]


def _loaded(items: Sequence[Entry | Problem], workers: int, frame: int, limits: Limits) -> Iterator[Loaded]:
    """Every input, loaded by `workers` threads a little ahead, in input order."""
    waiting = deque(items)
    ahead: deque[tuple[int, Future[Loaded]]] = deque()
    pool = ThreadPoolExecutor(max_workers=max(1, workers))
    try:
        while waiting or ahead:
            while waiting and len(ahead) < READ_AHEAD * workers:
                pixels = waiting[0].pixels if isinstance(waiting[0], Entry) else 0
                if ahead and pixels + sum(size for size, _ in ahead) > PIXELS_AHEAD:
                    break
                ahead.append((pixels, pool.submit(_load, waiting.popleft(), frame, limits)))
            yield ahead.popleft()[1].result()
    finally:
        pool.shutdown(cancel_futures=True)


def _load(item: Entry | Problem, frame: int, limits: Limits) -> Loaded:
    if isinstance(item, Problem):
        return item, item.error, 0.0
    began = time.perf_counter()
    try:
        study = item.load(limits, frame=frame - 1 if item.frames > 1 else 0)
        return item, study, 1000 * (time.perf_counter() - began)
    except Exception as error:  # noqa: BLE001 - told by the caller, in input order
        return item, error, 0.0


def _write(analysis: Analysis, options: Options, stem: str, settings: Settings) -> dict[str, object]:
    """Write the files asked for; the JSON object that names them."""
    picture = analysis.study.source.kind is InputKind.PICTURE
    to_mask, to_heatmap = (write_mask, write_heatmap) if picture else (write_mask_nifti, write_heatmap_nifti)
    mask = to_mask(analysis, options.masks, stem=stem) if options.masks else None
    heatmap = to_heatmap(analysis, options.heatmaps, stem=_heatmap_stem(options, stem)) if options.heatmaps else None
    if options.report or options.dicom:
        report = report_of(analysis, settings, deidentified=options.deidentify)
        if options.report:
            write_reports(report, options.report, stem, settings)
        if options.dicom:
            _write_dicom(report, analysis, options.dicom / stem, options, settings)
    return json_line(analysis, mask_path=_named(mask, options), heatmap_path=_named(heatmap, options))


def _heatmap_stem(options: Options, stem: str) -> str:
    """Masks and heat maps may have one folder, by whatever names."""
    if options.masks is None or options.heatmaps is None:
        return stem
    return f"{stem}.heatmap" if _real(options.masks) == _real(options.heatmaps) else stem


def _named(path: Path | None, options: Options) -> Path | None:
    """How an exported file is called in another one: folders may be named after patients."""
    return Path(path.name) if path is not None and options.deidentify else path


def _write_dicom(report: Report, analysis: Analysis, folder: Path, options: Options, settings: Settings) -> None:
    from braintumor_desktop.reporting.dicom.identity import Identity  # as slow as pydicom
    from braintumor_desktop.reporting.pdf import paper_of  # with a library that not every run needs

    identity = Identity.of_deidentified(analysis.study) if options.deidentify else Identity()
    reporting.write_dicom(report, analysis, folder, options.dicom_kinds, identity, paper_of(settings.paper))


def _report_path(options: Options, stem: str) -> Path | None:
    return None if options.report is None else _named(options.report / f"{stem}.pdf", options)


def _report_files(folder: Path, stem: str) -> tuple[Path, Path]:
    return folder / f"{stem}.pdf", folder / f"{stem}.report.png"


def report_of(analysis: Analysis, settings: Settings, *, deidentified: bool = False) -> Report:
    """With the clinic's letterhead.

    deidentified: of an analysis of `reporting.deidentification.analyses.deidentified`.
    """
    head = Letterhead.from_settings(
        settings.clinic_name, settings.clinic_address, settings.clinic_footer, settings.clinic_logo
    )
    facts = find_model(analysis.model.id).facts()
    return build_report(analysis, model_facts=facts, letterhead=head, deidentified=deidentified)


def write_reports(report: Report, folder: Path, stem: str, settings: Settings) -> tuple[Path, Path]:
    """PDF and PNG of one report; their paths. Raises BrainTumorError (export_failed)."""
    from braintumor_desktop.reporting.pdf import paper_of

    ensure_folder(folder)
    pdf, png = _report_files(folder, stem)
    write_pdf(report, pdf, paper=paper_of(settings.paper))
    write_png(report, png)
    return pdf, png
