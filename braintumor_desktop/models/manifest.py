"""``weights/manifest.json``: what each bundled model is. Reading it needs no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import ModelIdentity
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.locations import bundled

DEFAULT_MODEL = "neuro"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Calibration:
    """Numbers fitted after training, on val.

    temperature: divides the logits (Guo et al., ICML 2017);
    set_threshold: a class joins the prediction set from this probability on (split conformal, LAC,
    Sadinle et al., JASA 2019), None where not calibrated; coverage: the set's nominal coverage;
    mask_threshold: a pixel is lesion from this probability on;
    dice_offset, dice_slope: line from the raw estimate of an outline's Dice to the one that is shown.
    """

    temperature: float = 1.0
    set_threshold: float | None = None
    coverage: float | None = None
    mask_threshold: float = 0.5
    dice_offset: float = 0.0
    dice_slope: float = 1.0


@dataclass(frozen=True)
class ManifestRow:
    """One model. file: name under weights/; sha256: of that file; input: such as ``256x256 grey``.

    metrics: the few figures on every report; figures: more of them with their 95 % intervals, as ``value``, ``low`` and
    ``high``, the latter two None where no interval was measured.
    """

    id: str
    title: str
    version: str
    architecture: str
    file: str
    sha256: str
    input: str
    preprocessing: str
    classes: tuple[str, ...]
    training_data: str
    metrics: Mapping[str, float]
    licence: str
    default: bool
    calibration: Calibration = field(default_factory=Calibration)
    figures: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity(self.id, self.version, self.sha256)

    def facts(self) -> dict[str, str]:
        """What a report says of the model beside its name, version and hash: label and sentence."""
        places = ", ".join(f"{name} {{value_{n}:.3f}}" for n, name in enumerate(self.metrics))
        figures = phrase(places, **{f"value_{n}": value for n, value in enumerate(self.metrics.values())})
        return {
            phrase("Network"): phrase("{network}; input {input}", network=phrase(self.title), input=phrase(self.input)),
            phrase("Training data"): self.training_data,
            phrase("Held-out figures"): figures or phrase("none recorded"),
            phrase("Licence of the weights"): self.licence,
        }

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, as it stands in the manifest."""
        return asdict(self) | {"classes": list(self.classes), "metrics": dict(self.metrics)}


def manifest_path() -> Path:
    """The bundled manifest."""
    return bundled("weights", "manifest.json")


def read_manifest(path: Path | None = None) -> dict[str, ManifestRow]:
    """All models by id, in file order.

    Raises BrainTumorError: model_missing where there is no manifest, model_damaged where it can't be read.
    """
    file = path or manifest_path()
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        rows = [_row(entry) for entry in content["models"]]
    except FileNotFoundError as error:
        raise BrainTumorError(
            ErrorCode.MODEL_MISSING,
            phrase("The program's models are missing: there is no weights/manifest.json."),
            phrase("Install the program again; its weights folder was not copied."),
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrainTumorError(
            ErrorCode.MODEL_DAMAGED,
            phrase("The list of models, weights/manifest.json, can't be read."),
            phrase("Install the program again; the file was changed or damaged."),
        ) from error
    return {row.id: row for row in rows}


def _row(entry: dict[str, Any]) -> ManifestRow:
    values = dict(entry)
    values["classes"] = tuple(values["classes"])
    values["calibration"] = Calibration(**values.get("calibration", {}))
    return ManifestRow(**values)


def write_manifest(rows: Mapping[str, ManifestRow], path: Path) -> None:
    """Write all rows, in order."""
    content = {"format": FORMAT_VERSION, "models": [row.as_dict() for row in rows.values()]}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def find_model(model_id: str, path: Path | None = None) -> ManifestRow:
    """The row of one model. Raises BrainTumorError (model_unknown, model_missing, model_damaged)."""
    rows = read_manifest(path)
    if model_id not in rows:
        raise BrainTumorError(
            ErrorCode.MODEL_UNKNOWN,
            phrase("There is no model called {model_id}.", model_id=repr(model_id)),
            phrase("Choose one of: {join}.", join=", ".join(rows)),
        )
    return rows[model_id]


def verified_weights(row: ManifestRow, folder: Path | None = None) -> Path:
    """Path of the model's weight file, its hash checked.

    Raises BrainTumorError: model_missing where it is not there, model_damaged where the hash differs.
    """
    file = (folder or manifest_path().parent) / row.file
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BrainTumorError(
            ErrorCode.MODEL_MISSING,
            phrase("The weight file of model {id} is missing or can't be read: {file}.", id=row.id, file=row.file),
            phrase("Install the program again, or choose another model."),
        ) from error
    if digest != row.sha256:
        raise BrainTumorError(
            ErrorCode.MODEL_DAMAGED,
            phrase("The weight file of model {id} is not the one it was shipped with, so it is refused.", id=row.id),
            phrase("Install the program again, or choose another model."),
        )
    return file
