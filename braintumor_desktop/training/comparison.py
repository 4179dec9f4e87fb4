"""All models side by side, on the same pictures in one run: figures, cost, heat maps, stress and strangers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.inference.analyzer import NETWORK_SIZE, Analyzer
from braintumor_desktop.models.architectures import ARCHITECTURES
from braintumor_desktop.models.loading import load_network
from braintumor_desktop.models.manifest import ManifestRow, find_model, manifest_path, read_manifest
from braintumor_desktop.training import comparison_page
from braintumor_desktop.training.comparison_plot import plot_stress
from braintumor_desktop.training.data import array_study, read_grey, read_rows
from braintumor_desktop.training.evaluate import evaluate, healthy_slices, one_a_group
from braintumor_desktop.training.explanations import explained
from braintumor_desktop.training.faults import how_flagged
from braintumor_desktop.training.folds import ablation_table, folds_table, read_folds
from braintumor_desktop.training.robustness import under_stress
from braintumor_desktop.training.sequences import how_warned, known_sequences, read_sequences
from braintumor_desktop.training.strangers import how_strange

EVERY_BRAIN = 4
"""Every so many of the val pictures take part in the comparison with strangers."""

EVERY_STRESSED = 3
"""Every so many of the Cheng val slices are explained by every method, and changed in every way."""

ANALYSES = 21
"""Analyses of the sample picture whose median time is told."""


def compare(
    data: Path, out: Path, card: Path | None = None, *, only: Sequence[str] | None = None, device: str = "auto"
) -> str:
    """Evaluate every bundled model; write its own page and ``comparison.json``, ``comparison.md`` and plots to `out`.

    card: the model card, whose marked tables are written anew; only: the models to measure, where their own pages are
    not of the same weights already; the others keep what an earlier run found with the same weights, but for the
    figures of their own pages, which may be newer.
    Returns the page. Raises BrainTumorError (data_invalid, model_unknown).
    """
    found: dict[str, dict[str, Any]] = {}
    earlier = {} if only is None else _earlier(out, only)
    for model, row in read_manifest().items():
        if model in earlier:
            found[model] = earlier[model]
            continue
        sys.stderr.write(f"{model}\n")
        figures = None if only is None else _published(out, row)
        if figures is None:
            evaluate(data, model, out, device=device)
            figures = json.loads((out / f"{model}.json").read_text(encoding="utf-8"))
        found[model] = {
            "figures": figures,
            "trained": row.training_data,
            "cost": cost(row),
            **examine(Analyzer.open(model, device), data),
        }
    (out / "comparison.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    page = comparison_page.write(found, out)
    plot_stress(found, out / "robustness.png")
    if card is not None:
        tables = {"folds": folds_table(read_folds(out)), "ablation": ablation_table(out)}
        comparison_page.fill(card, found, tables)
    return page


def _earlier(out: Path, only: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What an earlier run found on the models that aren't to be measured again."""
    for model in only:
        find_model(model)
    file = out / "comparison.json"
    stored: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    kept = {}
    for model, row in read_manifest().items():
        if model in only:
            continue
        if model not in stored or stored[model]["figures"]["model"]["sha256"] != row.sha256:
            raise BrainTumorError(
                ErrorCode.DATA_INVALID,
                f"{file.name} has no figures of {model} with its present weights.",
                f"Measure it too: --only {model}, or leave --only out.",
            )
        kept[model] = stored[model] | {"figures": _published(out, row) or stored[model]["figures"]}
    return kept


def _published(out: Path, row: ManifestRow) -> dict[str, Any] | None:
    """The figures of a model's own page, where they are of its present weights."""
    file = out / f"{row.id}.json"
    figures: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return figures if figures.get("model", {}).get("sha256") == row.sha256 else None


def examine(analyzer: Analyzer, data: Path) -> dict[str, Any]:
    """Heat maps, stress, strangers, made faults and sequences on val pictures."""
    rows = [r for r in read_rows(data) if r.split == "val"]
    cheng = [r for r in rows if r.source == "cheng"]
    web = one_a_group([r for r in rows if r.source != "cheng"])
    told = read_sequences("val")
    reference = ARCHITECTURES[analyzer.row.architecture].reference
    stages: dict[str, Callable[[], Any]] = {
        "explanations": lambda: explained(analyzer, cheng[::EVERY_STRESSED]),
        "stress": lambda: under_stress(analyzer, cheng[::EVERY_STRESSED]),
        "strangers": lambda: how_strange(
            analyzer,
            data,
            (
                *(("Cheng val", array_study(read_grey(r.path))) for r in cheng[::EVERY_BRAIN]),
                *(("web val, without CT", array_study(read_grey(r.path))) for r in web if told.get(r.group) != "CT"),
                *(("tumour-free heads", study) for _, study in list(healthy_slices(data))[::EVERY_BRAIN]),
            ),
        ),
        "faults": lambda: None if reference else how_flagged(analyzer, cheng[::EVERY_BRAIN]),
        "sequences": lambda: how_warned(
            analyzer, known_sequences(cheng[::EVERY_BRAIN], web, list(healthy_slices(data))[::EVERY_BRAIN])
        ),
    }
    found = {}
    for name, stage in stages.items():
        sys.stderr.write(f"  {name}\n")
        found[name] = stage()
    return found


def cost(row: ManifestRow) -> dict[str, float]:
    """Parameters, multiply-adds of one picture, bytes of the weight file, and what a fresh process needs to answer.

    `neuro` looks at a picture and its mirror image, so its multiply-adds are of two passes. What a process needs: its
    peak memory in bytes, and the median time of a whole analysis of the sample picture in milliseconds.
    """
    network = load_network(row)
    architecture = ARCHITECTURES[row.architecture]
    if architecture.feeding is None:
        picture = torch.rand(1, 1, NETWORK_SIZE, NETWORK_SIZE)
    else:
        picture = torch.rand(1, 3, architecture.feeding.size, architecture.feeding.size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(picture)
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "gmac": (1 if architecture.reference else 2) * counter.get_total_flops() / 2e9,
        "file_bytes": (manifest_path().parent / row.file).stat().st_size,
        **_in_a_process_of_its_own(row.id),
    }


def _in_a_process_of_its_own(model: str) -> dict[str, float]:
    """Opening the model and analysing the sample picture: largest resident size in bytes (Linux), median time in ms."""
    code = f"""
import statistics, time
from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.inference.analyzer import Analyzer
analyzer, picture, times = Analyzer.open({model!r}, "cpu"), sample_picture(), []
for _ in range({ANALYSES}):
    began = time.perf_counter()
    analyzer.analyze(picture)
    times.append(1000 * (time.perf_counter() - began))
kilobytes = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(kilobytes, statistics.median(times))
"""
    # The size that wait4 tells would not do: it is never less than that of the process that started this one.
    said = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout
    kilobytes, milliseconds = said.split()
    return {"peak_memory_bytes": 1024 * int(kilobytes), "milliseconds_median": float(milliseconds)}
