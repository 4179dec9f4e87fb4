"""``braintumor bench``: start-up, stages, memory and throughput on this machine."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from braintumor_desktop.commands.terminal import has_display
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging import load
from braintumor_desktop.imaging.phantom import make_picture
from braintumor_desktop.imaging.phantom_files import write_png
from braintumor_desktop.imaging.sample import LESION, write_sample_picture

STARTS = 3
ROUNDS = 20
PICTURES = 40
PROBE_TIMEOUT_S = 120


def run(*, as_json: bool) -> int:
    """Measure and print; a few minutes. Raises BrainTumorError where the window or a model can't start."""
    with tempfile.TemporaryDirectory(prefix="braintumor-bench-") as temporary:
        folder = Path(temporary)
        picture = write_sample_picture(folder / "phantom.png")
        figures: dict[str, Any] = {"machine": _machine(), "window": _window(picture, folder)}
        figures["models"] = _models(picture)
        figures["batch"] = _batch(folder)
    if as_json:
        print(json.dumps(figures, indent=2))
        return 0
    for title, part in figures.items():
        print(title)
        for name, value in part.items():
            print(f"  {name}: {value}")
    return 0


def probe(picture: Path, began: float) -> int:
    """Run in a process of its own by `run`: the window's figures as one JSON object."""
    from braintumor_desktop.app import run as run_window
    from braintumor_desktop.ui.probe import Probe

    probes: list[Probe] = []
    run_window([picture], on_window=lambda window: probes.append(Probe(window, began)))
    print(json.dumps(asdict(probes[0].figures)))
    return 0


def _machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
    }


def _window(picture: Path, folder: Path) -> dict[str, Any]:
    """Medians over some starts; the first start of a freshly booted machine is slower."""
    environment = os.environ | {"BRAINTUMOR_CONFIG_DIR": str(folder / "settings")}
    if not has_display():
        environment |= {"QT_QPA_PLATFORM": "offscreen"}
    starts = [_one_start(picture, environment) for _ in range(STARTS)]
    medians = {k: round(statistics.median(s[k] for s in starts), 1) for k in starts[0] if k != "failed"}
    return {"display": "real" if has_display() else "offscreen", "starts": STARTS, **medians}


def _one_start(picture: Path, environment: dict[str, str]) -> dict[str, Any]:
    own = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "braintumor_desktop"]
    try:
        done = subprocess.run(
            [*own, "bench", "--probe", str(picture), "--began", str(time.time())],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
        figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        figures = {"failed": f"no answer in {PROBE_TIMEOUT_S} s"}
    except (IndexError, ValueError):
        figures = {"failed": f"exit {done.returncode}"}
    if figures["failed"]:
        raise BrainTumorError(
            ErrorCode.INTERNAL,
            f"The window could not be measured ({figures['failed']}).",
            "Run `braintumor doctor` to see what is missing.",
        )
    return figures


def _models(picture: Path) -> dict[str, Any]:
    """Medians a stage of each bundled model on the sample picture, in this process."""
    from braintumor_desktop.inference import Analyzer
    from braintumor_desktop.models.manifest import read_manifest

    found: dict[str, Any] = {}
    for model in read_manifest():
        began = time.perf_counter()
        analyzer = Analyzer.open(model)
        open_ms = 1000 * (time.perf_counter() - began)
        timings = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            study = load(picture)
            timings.append(analyzer.analyze(study, load_ms=1000 * (time.perf_counter() - began)).timing)
        found[model] = {
            "device": analyzer.device,
            "open_ms": round(open_ms, 1),
            **{
                f"{stage}_ms": round(statistics.median(getattr(t, stage) for t in timings), 2)
                for stage in ("load", "infer", "explain", "total")
            },
        }
    return found


def _batch(folder: Path) -> dict[str, Any]:
    """The command line on a folder of pictures: pictures a second and peak memory of that process."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for seed in range(PICTURES):
        pixels, _ = make_picture(seed, 512, LESION if seed % 2 else None)
        write_png(pixels, pictures / f"{seed:03d}.png", seed=seed)
    from braintumor_desktop.commands import analyze

    process = psutil.Process()
    options = analyze.Options(
        (pictures,), json=str(folder / "out.jsonl"), masks=folder / "masks", heatmaps=folder / "maps", workers=2
    )
    began = time.perf_counter()
    analyze.run(options)
    seconds = time.perf_counter() - began
    return {
        "pictures": PICTURES,
        "pictures_per_second": round(PICTURES / seconds, 2),
        "memory_mb": round(process.memory_info().rss / 2**20, 1),
    }
