"""The command line. Its commands, options, exit codes and JSON are a stable contract."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import fields
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from braintumor_desktop import RESEARCH_USE, __version__
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode, internal_error
from braintumor_desktop.streams import drop_unwritable_output, open_missing_streams, part_from_libraries

if TYPE_CHECKING:
    from braintumor_desktop.reporting.dicom.kinds import DicomKind

_USUAL_DICOM = "seg,sr,sc,pdf"
_NOT_TOGETHER = (
    ("all", "fold"),
    ("all", "model"),
    ("all", "weights"),
    ("all", "publish"),
    ("fold", "model"),
    ("fold", "publish"),
)
_ONLY_TOGETHER = (("only", "all"), ("fold", "weights"))
COMMANDS = ("analyze", "models", "doctor", "demo", "bench", "deidentify", "train", "evaluate")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; without one, open the window. Returns 0, 1 (some inputs failed) or 2 (wrong usage)."""
    if argv is None:  # the process is the program's own
        warnings.simplefilter("ignore")  # libraries' warnings quote names of patients
    open_missing_streams()
    part_from_libraries()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file name that the terminal can't show must not end a batch
            stream.reconfigure(errors="backslashreplace")
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or (arguments[0] not in COMMANDS and not arguments[0].startswith("-")):
        return _window([Path(argument) for argument in arguments])
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "evaluate":
        _refuse_what_would_be_ignored(parser, options)
    try:
        code = _dispatch(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped\n")
        return 130
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        return 1
    except Exception as cause:  # noqa: BLE001 - its text may name a patient
        from braintumor_desktop.commands.terminal import WrongUsage, complain

        error = _typed(cause)
        complain(f"braintumor {options.command}", error)
        if options.debug:
            traceback.print_exc()
        return 2 if isinstance(error, WrongUsage) or error.code is ErrorCode.MODEL_UNKNOWN else 1
    finally:
        drop_unwritable_output()


def _window(paths: Sequence[Path]) -> int:
    from braintumor_desktop.commands.terminal import has_display

    if not has_display() and "QT_QPA_PLATFORM" not in os.environ:
        sys.stderr.write("braintumor: there is no display to open the window on; `braintumor --help` lists commands\n")
        return 2
    from braintumor_desktop.app import run

    return run(paths)


def _refuse_what_would_be_ignored(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends with wrong usage where options of `evaluate` don't go together."""
    given = {name for name, value in vars(options).items() if value not in (None, False)}
    for one, other in _NOT_TOGETHER:
        if {one, other} <= given:
            parser.error(f"evaluate: --{other} does not go with --{one}")
    for one, needed in _ONLY_TOGETHER:
        if one in given and needed not in given:
            parser.error(f"evaluate: --{one} needs --{needed}")


def _typed(cause: Exception) -> BrainTumorError:
    if isinstance(cause, BrainTumorError):
        return cause
    if isinstance(cause, OSError) and cause.filename is None:  # of no file, so of what is printed
        from braintumor_desktop.reporting.atomic import refusals_told

        try:
            with refusals_told(Path("standard output")):
                raise cause
        except BrainTumorError as error:
            return error
    return internal_error(cause)


def _dispatch(options: argparse.Namespace) -> int:
    """Import only what the command needs: torch takes seconds."""
    match options.command:
        case "analyze":
            from braintumor_desktop.commands import analyze

            given = {field.name: getattr(options, field.name) for field in fields(analyze.Options)}
            return analyze.run(analyze.Options(**given | {"paths": tuple(options.paths)}))
        case "models":
            from braintumor_desktop.commands import models

            return models.run(as_json=options.json)
        case "doctor":
            from braintumor_desktop.commands import doctor

            return doctor.run(as_json=options.json)
        case "demo":
            from braintumor_desktop.commands import demo

            return demo.run(options.out, show=not options.no_window)
        case "bench":
            from braintumor_desktop.commands import bench

            if options.probe is not None:
                return bench.probe(options.probe, options.began)
            return bench.run(as_json=options.json)
        case "deidentify":
            from braintumor_desktop.commands import deidentify

            return deidentify.run(options.source, options.target, dates=options.dates, blank_text=options.blank_text)
        case _:
            try:
                from braintumor_desktop.commands import training
            except ImportError as error:  # the frozen program has none
                from braintumor_desktop.commands.terminal import no_training

                raise no_training() from error
            if options.command == "train":
                return training.run_train(
                    options.data,
                    options.config,
                    options.run,
                    start=options.start,
                    device=options.device,
                    max_minutes=options.max_minutes,
                    without_fold=options.without_fold,
                    lesion_edits=not options.without_lesion_edits,
                    runs=options.runs,
                )
            if options.fold is not None:
                return training.run_fold(
                    options.data, options.weights, options.fold, options.out, device=options.device
                )
            if options.all:
                return training.run_compare(options.data, options.out, only=options.only, device=options.device)
            return training.run_evaluate(
                options.data,
                options.model or "neuro",
                options.out,
                weights=options.weights,
                device=options.device,
                publish=options.publish,
            )


def _parser() -> argparse.ArgumentParser:
    from braintumor_desktop.inference.cam_methods import CamMethod

    parser = argparse.ArgumentParser(
        prog="braintumor",
        description=f"Offline brain-tumour MRI analysis. {RESEARCH_USE}",
        epilog="Without a command, opens the window; `braintumor PATH…` opens it with these studies.",
    )
    parser.add_argument("--version", action="version", version=f"braintumor {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, words: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, description=words)
        made.add_argument("--debug", action="store_true", help="show tracebacks")
        return made

    one = command("analyze", "analyse files and folders; one JSON object a line per picture or series")
    one.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    one.add_argument("--json", metavar="FILE|-", help="write JSON lines to a file, or - for standard output")
    one.add_argument("--masks", type=Path, metavar="DIR", help="write lesion masks here")
    one.add_argument("--heatmaps", type=Path, metavar="DIR", help="write heat maps here")
    one.add_argument("--report", type=Path, metavar="DIR", help="write PDF and PNG reports here")
    one.add_argument("--dicom", type=Path, metavar="DIR", help="write DICOM objects here, a folder for each input")
    one.add_argument(
        "--dicom-kinds",
        type=_dicom_kinds,
        default=_USUAL_DICOM,
        metavar="LIST",
        help="which: seg (outline), prob (probability map), sr (measurements), sc (key images), pdf (report); "
        f"{_USUAL_DICOM} unless said otherwise",
    )
    one.add_argument("--csv", type=Path, metavar="FILE", help="write one summary table, a row an input and a lesion")
    one.add_argument("--model", default="neuro", metavar="ID", help="which model answers (see `braintumor models`)")
    one.add_argument("--cam", default="grad-cam", choices=[m.value for m in CamMethod], help="how heat maps are made")
    words = "answer with the mean of each slice and its mirror image, or in less time without (neuro only)"
    one.add_argument("--mirrored", action=argparse.BooleanOptionalAction, default=True, help=words)
    _device(one)
    one.add_argument("--workers", type=_positive, default=2, metavar="N", help="threads that read files ahead")
    one.add_argument(
        "--frame", type=_positive, default=1, metavar="N", help="which volume of series that hold several, from 1"
    )

    words = "leave out of all files what could tell who the patient is; they are called case-0001 and so on"
    one.add_argument("--deidentify", action="store_true", help=words)
    _blank_text(one)

    command("models", "the bundled models").add_argument("--json", action="store_true")
    command("doctor", "is the program ready, and if not, why").add_argument("--json", action="store_true")
    demo = command("demo", "make the phantom, analyse it, write the report, open it in the window")
    demo.add_argument("--out", type=Path, default=Path("demo-report"), metavar="DIR")
    demo.add_argument("--no-window", action="store_true", help="only write the files")
    bench = command("bench", "start-up, latency, memory and throughput of this machine")
    bench.add_argument("--json", action="store_true")
    bench.add_argument("--probe", type=Path, help=argparse.SUPPRESS)
    bench.add_argument("--began", type=float, help=argparse.SUPPRESS)

    clean = command("deidentify", "copy files, folders, ZIPs or DICOMDIRs without what could tell who the patient is")
    clean.add_argument("source", type=Path, metavar="IN")
    clean.add_argument("target", type=Path, metavar="OUT", help="a new or empty folder")
    words = "remove them (default), or shift them by one secret amount a patient"
    clean.add_argument("--dates", choices=("remove", "shift"), default="remove", help=words)
    _blank_text(clean)

    train = command("train", "train a model (extra `train`)")
    train.add_argument("--data", type=Path, required=True, metavar="DIR")
    train.add_argument("--config", type=Path, required=True, metavar="FILE")
    train.add_argument("--run", type=Path, default=Path("runs/latest"), metavar="DIR", help="checkpoints and log")
    train.add_argument("--start", type=Path, metavar="FILE", help="begin from another run's weights.pt")
    train.add_argument("--max-minutes", type=float, metavar="N", help="reference models: stop after N minutes")
    words = "neuro: leave these official folds of the Cheng pictures out, to be judged on them"
    train.add_argument("--without-fold", type=int, nargs="+", default=(), choices=range(1, 6), metavar="K", help=words)
    words = "neuro: take no lesions out, put none in and hollow none, to see what that is worth"
    train.add_argument("--without-lesion-edits", action="store_true", help=words)
    words = "neuro: so many runs instead of those in the configuration, to be averaged"
    train.add_argument("--runs", type=int, metavar="N", help=words)
    _device(train)
    evaluate = command("evaluate", "evaluate a model on the held-out pictures (extra `train`)")
    evaluate.add_argument("--data", type=Path, required=True, metavar="DIR")
    evaluate.add_argument("--model", metavar="ID", help="neuro unless said otherwise")
    evaluate.add_argument("--all", action="store_true", help="every model, side by side, and the model card's tables")
    words = "with --all: measure these models, keep the earlier figures of the others"
    evaluate.add_argument("--only", nargs="+", metavar="ID", help=words)
    words = "neuro: judge --weights on the official fold they were trained without"
    evaluate.add_argument("--fold", type=int, choices=range(1, 6), metavar="K", help=words)
    evaluate.add_argument("--weights", type=Path, metavar="FILE", help="a training run's weights.pt instead")
    evaluate.add_argument("--out", type=Path, default=Path("docs/evaluation"), metavar="DIR")
    words = "keep calibration and figures with the bundled model, which --weights become"
    evaluate.add_argument("--publish", action="store_true", help=words)
    _device(evaluate)
    return parser


def _device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def _blank_text(parser: argparse.ArgumentParser) -> None:
    words = "of what is de-identified, make places black that may hold text burnt into the picture"
    parser.add_argument("--blank-text", action="store_true", help=words)


def _dicom_kinds(text: str) -> tuple[DicomKind, ...]:
    from braintumor_desktop.reporting.dicom.kinds import DicomKind, kinds_of

    try:
        return kinds_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"choose among {','.join(DicomKind)}") from None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
