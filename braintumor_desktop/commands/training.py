"""``braintumor train`` and ``braintumor evaluate``: need the extra ``train``, are not in the frozen program."""

from __future__ import annotations

from pathlib import Path

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode


def run_train(
    data: Path, config: Path, run: Path, *, start: Path | None, device: str, max_minutes: float | None = None
) -> int:
    """Train, or go on from the run folder's checkpoint. Raises BrainTumorError.

    start: for `neuro` only, as the reference models begin at random; max_minutes: for the reference models only.
    """
    try:
        from braintumor_desktop.training.recipes import Recipe, is_recipe
        from braintumor_desktop.training.reference_train import train_reference
        from braintumor_desktop.training.train import Config, train
    except ImportError as error:
        raise _no_training() from error
    if is_recipe(config):
        if start is not None:
            raise _not_for("--start", "neuro", "a reference model")
        print(train_reference(data, Recipe.read(config), run, device=device, max_minutes=max_minutes))
        return 0
    if max_minutes is not None:
        raise _not_for("--max-minutes", "the reference models", "neuro, whose schedule has a fixed length")
    print(train(data, Config.read(config), run, start=start, device=device))
    return 0


def run_evaluate(data: Path, model: str, out: Path, *, weights: Path | None, device: str, publish: bool) -> int:
    """Evaluate on the val pictures, print the figures, write them with plots. Raises BrainTumorError."""
    try:
        from braintumor_desktop.training.evaluate import evaluate
    except ImportError as error:
        raise _no_training() from error
    print(evaluate(data, model, out, weights=weights, device=device, publish=publish))
    return 0


def _not_for(option: str, meant: str, given: str) -> BrainTumorError:
    return BrainTumorError(ErrorCode.DATA_INVALID, f"{option} is for {meant}, not for {given}.", f"Leave {option} out.")


def _no_training() -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.DATA_INVALID,
        "This installation can't train or evaluate.",
        "Install the package with its extra: pip install 'braintumor-desktop[train]'.",
    )
