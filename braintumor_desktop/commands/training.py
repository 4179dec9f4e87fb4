"""``braintumor train`` and ``braintumor evaluate``: need the extra ``train``, are not in the frozen program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from braintumor_desktop.commands.terminal import WrongUsage, no_training
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode


def run_train(
    data: Path,
    config: Path,
    run: Path,
    *,
    start: Path | None,
    device: str,
    max_minutes: float | None = None,
    without_fold: Sequence[int] = (),
    lesion_edits: bool = True,
    runs: int | None = None,
) -> int:
    """Train, or go on from the run folder's checkpoint. Raises BrainTumorError.

    start: for `neuro` only, as the reference models begin at random; max_minutes: for the reference models only;
    without_fold: official folds to leave out, for `neuro` only, and so is lesion_edits: whether lesions are taken out
    of training pictures, put into them and hollowed; runs: for `neuro` only, instead of those in the configuration.
    """
    try:
        from braintumor_desktop.training.config import Config
        from braintumor_desktop.training.data import FOLDS
        from braintumor_desktop.training.recipes import Recipe, is_recipe
        from braintumor_desktop.training.reference_train import train_reference
        from braintumor_desktop.training.train import train
    except ImportError as error:
        raise no_training() from error
    if is_recipe(config):
        if without_fold:
            raise _not_for("--without-fold", "neuro", "a reference model")
        if not lesion_edits:
            raise _not_for("--without-lesion-edits", "neuro", "a reference model")
        if start is not None:
            raise _not_for("--start", "neuro", "a reference model")
        if runs is not None:
            raise _not_for("--runs", "neuro", "a reference model")
        print(train_reference(data, Recipe.read(config), run, device=device, max_minutes=max_minutes))
        return 0
    if max_minutes is not None:
        raise _not_for("--max-minutes", "the reference models", "neuro, whose schedule has a fixed length")
    settings = Config.read(config)
    if runs is not None:
        if runs < 1:
            raise WrongUsage(ErrorCode.DATA_INVALID, f"{runs} is no number of runs.", "Give --runs 1 or more.")
        settings = replace(settings, runs=runs)
    if without_fold:
        settings = replace(settings, folds=tuple(fold for fold in FOLDS if fold not in without_fold))
    if not lesion_edits:
        settings = replace(settings, remove=0.0, cover=0.0, transplant=0.0, hollow=0.0)
    print(train(data, settings, run, start=start, device=device))
    return 0


def run_evaluate(data: Path, model: str, out: Path, *, weights: Path | None, device: str, publish: bool) -> int:
    """Evaluate on the val pictures, print the figures, write them with plots. Raises BrainTumorError."""
    try:
        from braintumor_desktop.training.evaluate import evaluate
    except ImportError as error:
        raise no_training() from error
    if weights is not None:
        _check_weights(weights)
    print(evaluate(data, model, out, weights=weights, device=device, publish=publish))
    return 0


def run_fold(data: Path, weights: Path, fold: int, out: Path, *, device: str) -> int:
    """Judge weights that were trained without a fold on it. Raises BrainTumorError."""
    try:
        from braintumor_desktop.training.folds import evaluate_fold
    except ImportError as error:
        raise no_training() from error
    _check_weights(weights)
    print(evaluate_fold(data, weights, fold, out, device=device), end="")
    return 0


def _check_weights(weights: Path) -> None:
    if not weights.is_file():
        raise BrainTumorError(
            ErrorCode.FILE_NOT_FOUND, f"There are no weights {weights.name} there.", "Give the weights.pt of a run."
        )


def _not_for(option: str, meant: str, given: str) -> WrongUsage:
    return WrongUsage(ErrorCode.DATA_INVALID, f"{option} is for {meant}, not for {given}.", f"Leave {option} out.")


def run_compare(data: Path, out: Path, *, only: list[str] | None = None, device: str) -> int:
    """Evaluate every model and write the comparison and the model card's tables anew. Raises BrainTumorError.

    only: the models to measure; the others keep the figures of an earlier run with the same weights.
    """
    try:
        from braintumor_desktop.training.comparison import compare
    except ImportError as error:
        raise no_training() from error
    card = out.parent / "MODEL_CARD.md"
    print(compare(data, out, card if card.is_file() else None, only=only, device=device))
    return 0
