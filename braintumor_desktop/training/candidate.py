"""The manifest row of freshly trained weights, and their file in the precision they would be shipped in."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from braintumor_desktop import __version__
from braintumor_desktop.domain.findings import CLASSES
from braintumor_desktop.models.architectures import ARCHITECTURES, Architecture
from braintumor_desktop.models.loading import save_weights
from braintumor_desktop.models.manifest import ManifestRow
from braintumor_desktop.training.familiar import with_familiarity

REFERENCE_BITS = 5
"""Of mantissa in the weights of the reference models, so that the largest pack to half their size in an installer; an
error of 0.6 % a weight on average. All figures are of the weights so rounded."""

_PICTURES = (
    "Cheng et al. 2015 (CC BY 4.0), train patients; web pictures of SARTAJ, Br35H and BRISC 2025 (CC BY 4.0), "
    "train groups"
)


def candidate(model: str, weights: Path, folder: Path, data: Path | None) -> ManifestRow:
    """Write ``<model>.safetensors`` to `folder` and describe it. weights: a run's ``weights.pt``; a reference model's
    ``run.json`` beside it tells how long it was trained; data: the data folder, whose training pictures `neuro` is to
    find familiar; None leaves that out.
    """
    state = torch.load(weights, weights_only=True, map_location="cpu")
    file = f"{model}.safetensors"
    name = model if model in ARCHITECTURES else "neuro"
    architecture = ARCHITECTURES[name]
    if not architecture.reference:
        state = with_familiarity(state, data, weights.parent.parent / "cache")
    digest = save_weights(state, folder / file, mantissa_bits=REFERENCE_BITS if architecture.reference else 10)
    given, seen, learnt = _neuro() if architecture.feeding is None else _reference(architecture, weights.parent)
    return ManifestRow(
        id=model,
        title=architecture.title,
        version=__version__,
        architecture=name,
        file=file,
        sha256=digest,
        input=given,
        preprocessing=seen,
        classes=tuple(c.value for c in CLASSES) if architecture.types else ("tumor", "no_tumor"),
        training_data=learnt,
        metrics={},
        licence="CC BY 4.0",
        default=model == "neuro",
    )


def _neuro() -> tuple[str, str, str]:
    return (
        "256x256 grey",
        "head outline, square crop with 4 % margin, area resampling, 1st..99.5th percentile to 0..1",
        f"{_PICTURES}; tumour-free volumes of Lesjak et al. 2017 (CC BY), two of four subjects; "
        "the encoder began with weights learned on ImageNet",
    )


def _reference(architecture: Architecture, run: Path) -> tuple[str, str, str]:
    """Input, preprocessing and training data in words."""
    assert architecture.feeding is not None
    size = architecture.feeding.size
    length = ""
    if (record := run / "run.json").is_file():
        told = json.loads(record.read_text(encoding="utf-8"))
        why = {"early": ", ended by early stopping", "time": ", ended for want of time"}.get(told["ended"], "")
        length = f"; {told['pictures']} pictures, {told['epochs_done']} of {told['epochs_planned']} epochs{why}"
    return f"{size}x{size} grey in three channels", architecture.feeding.words, f"{_PICTURES}{length}"
