"""Start-up and memory of the program by the clock, cold and warm. Prints a table; a minute on an idle machine.

    python tests/benchmarks/startup.py [dist/braintumor/braintumor] [--starts 5]

Without a program the checkout is measured. Each start is `braintumor bench --probe`: the window with the sample
picture, without a display. Cold means that no file of it is in the system's cache; only root on Linux can have that.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from braintumor_desktop.imaging.sample import write_sample_picture

DROP = Path("/proc/sys/vm/drop_caches")
ROWS = {
    "shown_ms": "window usable, ms",
    "first_result_ms": "first result, ms",
    "shown_cpu_ms": "window usable, processor ms",
    "first_result_cpu_ms": "first result, processor ms",
    "stall_start_ms": "longest stall of the window until then, ms",
    "idle_mb": "memory, window usable, MiB",
    "ready_mb": "memory, first result, MiB",
    "peak_mb": "memory, peak over six analyses, MiB",
}


def drop_caches() -> None:
    os.sync()
    DROP.write_text("3")


def one_start(program: list[str], picture: Path, settings: Path) -> dict[str, Any]:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "BRAINTUMOR_CONFIG_DIR": str(settings)}
    command = [*program, "bench", "--probe", str(picture), "--began", str(time.time())]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = status
    figures: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return figures | {"peak_mb": used.ru_maxrss / 1024}


def medians(starts: list[dict[str, Any]]) -> dict[str, float]:
    return {key: statistics.median(start[key] for start in starts) for key in ROWS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("program", type=Path, nargs="?")
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    program = [str(options.program.resolve())] if options.program else [sys.executable, "-m", "braintumor_desktop"]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="braintumor-startup-") as folder:
        picture, settings = write_sample_picture(Path(folder, "phantom.png")), Path(folder, "settings")
        warm = [one_start(program, picture, settings) for _ in range(options.starts + 1)][1:]
        columns = {"warm": medians(warm)}
        if os.access(DROP, os.W_OK):
            cold = []
            for _ in range(options.starts):
                drop_caches()
                cold.append(one_start(program, picture, settings))
            columns = {"cold": medians(cold), **columns}
    print(f"| medians of {options.starts} starts | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for key, words in ROWS.items():
        print(f"| {words} | {' | '.join(f'{found[key]:.0f}' for found in columns.values())} |")


if __name__ == "__main__":
    main()
