"""``braintumor train`` and ``braintumor evaluate``: need the extra ``train``, are not in the frozen program."""

from __future__ import annotations

from pathlib import Path

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode


def run_train(data: Path, config: Path, run: Path, *, start: Path | None, device: str) -> int:
    """Train, or go on from the run folder's checkpoint. Raises BrainTumorError."""
    try:
        from braintumor_desktop.training.train import Config, train
    except ImportError as error:
        raise _no_training() from error
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


def _no_training() -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.DATA_INVALID,
        "This installation can't train or evaluate.",
        "Install the package with its extra: pip install 'braintumor-desktop[train]'.",
    )
