"""``braintumor analyze``: files and folders in, one JSON object a line out, in input order."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from braintumor_desktop.commands.terminal import ProgressBar, complain
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode, internal_error
from braintumor_desktop.domain.findings import Analysis
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging import find_inputs, load
from braintumor_desktop.inference import Analyzer
from braintumor_desktop.models.manifest import find_model
from braintumor_desktop.reporting import (
    batch_stems,
    build_report,
    ensure_folder,
    error_line,
    json_line,
    write_heatmap,
    write_mask,
    write_pdf,
    write_png,
)

READ_AHEAD = 4
"""Inputs kept loaded ahead of the network, a worker; bounds the memory of a long batch."""


@dataclass(frozen=True)
class Options:
    """The options of the command. json: a file, ``-`` for standard output, None for plain lines."""

    paths: tuple[Path, ...]
    json: str | None = None
    masks: Path | None = None
    heatmaps: Path | None = None
    report: Path | None = None
    model: str = "neuro"
    device: str = "auto"
    workers: int = 1
    debug: bool = False


def run(options: Options) -> int:
    """Analyse everything. Returns 0, or 1 where some input failed; the others are still written.

    Raises BrainTumorError where nothing can start: no such model, damaged weights, no such device, or a
    JSON file that can't be opened.
    """
    analyzer = Analyzer.open(options.model, options.device)
    inputs = find_inputs(options.paths)
    given = {str(path) for path in options.paths}
    stems = dict(zip(map(str, inputs), batch_stems(inputs), strict=True))
    failed = skipped = 0
    bar = ProgressBar(len(inputs), "files")
    with ExitStack() as stack:
        lines = _open_lines(options.json, stack)
        for done, (path, outcome, load_ms) in enumerate(_loaded(inputs, options.workers), 1):
            try:
                if isinstance(outcome, BaseException):
                    raise outcome
                analysis = analyzer.analyze(outcome, load_ms=load_ms)
                line = _write(analysis, options, stems[str(path)])
                summary = f"{path}: {analysis.finding.sentence()}"
            except Exception as cause:  # noqa: BLE001 - one bad input never ends the batch
                error = cause if isinstance(cause, BrainTumorError) else internal_error(cause)
                if error.code is ErrorCode.NOT_AN_IMAGE and str(path) not in given:
                    skipped += 1  # a text file in a folder of pictures is no failure
                    continue
                failed += 1
                line, summary = error_line(path, error, model=analyzer.identity), None
                bar.clear()
                complain(str(path), error)
                if options.debug:
                    traceback.print_exception(cause)
            if lines is not None:
                lines.write(json.dumps(line) + "\n")
                lines.flush()
            elif summary is not None:
                bar.clear()
                print(summary)
            bar.show(done)
    bar.clear()
    if skipped:
        sys.stderr.write(f"{skipped} files in folders are no pictures and were passed over\n")
    if not inputs:
        sys.stderr.write("nothing to analyse: the folders are empty\n")
    return 1 if failed else 0


def _open_lines(target: str | None, stack: ExitStack) -> TextIO | None:
    if target is None:
        return None
    if target == "-":
        return sys.stdout
    try:
        return stack.enter_context(Path(target).open("w", encoding="utf-8"))
    except OSError as cause:
        raise BrainTumorError(
            ErrorCode.EXPORT_FAILED,
            f"The JSON file can't be written: {target}.",
            "Choose a folder that exists and that you may write to.",
        ) from cause


Loaded = tuple[Path, Study | BaseException, float]


def _loaded(inputs: Sequence[Path], workers: int) -> Iterator[Loaded]:
    """Every input, loaded by `workers` threads a little ahead, in input order."""
    waiting = iter(inputs)
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        ahead: list[Future[Loaded]] = [pool.submit(_load, path) for path in islice(waiting, READ_AHEAD * workers)]
        while ahead:
            yield ahead.pop(0).result()
            ahead += [pool.submit(_load, path) for path in islice(waiting, 1)]


def _load(path: Path) -> Loaded:
    began = time.perf_counter()
    try:
        return path, load(path), 1000 * (time.perf_counter() - began)
    except Exception as error:  # noqa: BLE001 - told by the caller, in input order
        return path, error, 0.0


def _write(analysis: Analysis, options: Options, stem: str) -> dict[str, object]:
    """Write the files asked for; the JSON object that names them."""
    mask = write_mask(analysis, options.masks, stem=stem) if options.masks else None
    apart = stem if options.heatmaps != options.masks else f"{stem}.heatmap"
    heatmap = write_heatmap(analysis, options.heatmaps, stem=apart) if options.heatmaps else None
    if options.report:
        write_reports(analysis, options.report, stem)
    return json_line(analysis, mask_path=mask, heatmap_path=heatmap)


def write_reports(analysis: Analysis, folder: Path, stem: str) -> tuple[Path, Path]:
    """PDF and PNG report of one analysis; their paths. Raises BrainTumorError (export_failed)."""
    ensure_folder(folder)
    report = build_report(analysis, model_facts=find_model(analysis.model.id).facts())
    pdf, png = folder / f"{stem}.pdf", folder / f"{stem}.report.png"
    write_pdf(report, pdf)
    write_png(report, png)
    return pdf, png
