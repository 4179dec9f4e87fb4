"""How long and how much memory does a large series take, and is the window deaf meanwhile? Run it by hand.

    python tests/benchmarks/whole_series.py [--slices 200] [--size 512] [--tilt 0 40] [--profile]

A synthetic head with a lesion, of so many slices of 512 x 512, straight and tilted, is written as NIfTI and dropped on
the real window (without a display: Qt's offscreen platform), each in a process of its own. Printed are seconds from
reading to the answer, the process's greatest memory, and the longest time that the window's event loop served nothing
while the analysis ran, after torch was loaded. The goals are 25 s and 1.5 GB on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def write_series(path: Path, slices: int, size: int, tilt: float) -> None:
    """A head of 1 mm resampled to slices of 180 mm / `slices`, tilted about the left-right axis by so many degrees."""
    from braintumor_desktop.imaging.phantom import Lesion, make_volume
    from braintumor_desktop.inference.planes import Volume

    head = make_volume(7, (180, 256, 256), (1.0, 0.9, 0.9), Lesion(kind="homogeneous"))
    angle = np.radians(tilt)
    turned = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turned @ np.diag([-1.0, -1.0, 1.0]) * np.array([230 / size, 230 / size, 180 / slices])
    shape = (slices, size, size)
    affine[:3, 3] = np.array([0.0, -6.0, 8.0]) - affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    volume, to_head = Volume(head.pixels), np.linalg.inv(head.affine) @ affine
    pixels = np.empty(shape, np.uint16)
    for index in range(slices):
        pixels[index] = np.rint(volume.slice(index, shape, to_head))
    nibabel.save(nibabel.Nifti1Image(pixels.transpose(2, 1, 0), affine), path)


def measure(path: Path, profile: Path | None) -> dict[str, Any]:
    """The window with one series, to the answer."""
    import cProfile

    from PySide6.QtCore import QEventLoop
    from PySide6.QtWidgets import QApplication

    from braintumor_desktop.inference.analyzer import Analyzer
    from braintumor_desktop.storage.settings import Settings
    from braintumor_desktop.ui.case import CaseState
    from braintumor_desktop.ui.heartbeat import Heartbeat
    from braintumor_desktop.ui.main_window import MainWindow
    from braintumor_desktop.ui.torch_preload import open_analyzer

    class Profiled:
        """An analyzer that writes down where its time goes."""

        def __init__(self, inner: Analyzer) -> None:
            self._inner, self.cam = inner, inner.cam
            self.identity, self.device = inner.identity, inner.device

        def analyze(self, *args: Any, **named: Any) -> Any:
            with cProfile.Profile() as run:
                found = self._inner.analyze(*args, **named)
            run.dump_stats(str(profile))
            return found

    def opened(model: str, device: str) -> Any:
        analyzer = open_analyzer(model, device)
        return analyzer if profile is None else Profiled(analyzer)

    application = QApplication.instance() or QApplication([])
    wait = QEventLoop.ProcessEventsFlag.WaitForMoreEvents  # a loop that spins would take a core
    with tempfile.TemporaryDirectory() as folder:
        window = MainWindow(Settings(device="cpu"), opened, Path(folder) / "settings.json")
        window.resize(1366, 768)
        window.show()
        window.start()
        ready: list[str] = []
        window.workspace.model_changed.connect(ready.append)
        while not any("ready" in words for words in ready):
            application.processEvents(wait)
        heartbeat = Heartbeat()
        heartbeat.start()
        window.commands.open_paths([path])
        case = None
        while case is None or case.state.busy:
            application.processEvents(wait)
            case = next(iter(window.workspace.model.cases), None)
        for _ in range(50):  # what the answer changes in the window counts as well
            application.processEvents()
        heartbeat.stop()
        assert case.state is CaseState.DONE, case.error
        analysis = case.analysis
        assert analysis is not None
        assert analysis.segmentation is not None
        stalls = heartbeat.stalls_ms(16)
        window.close()
    return {
        "seconds": analysis.timing.total / 1000,
        "load_s": analysis.timing.load / 1000,
        "network_s": analysis.timing.infer / 1000,
        "explain_s": analysis.timing.explain / 1000,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "longest_stall_ms": heartbeat.longest_ms,
        "stalls_over_16_ms": len(stalls),
        "stalls_over_50_ms": len(heartbeat.stalls_ms(50)),
        "cpu_s": sum(os.times()[:2]),
        "finding": analysis.finding.label,
        "lesions": len(analysis.segmentation.lesions),
        "flags": [flag.code for flag in analysis.quality.flags],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--tilt", type=float, nargs="+", default=[0.0, 40.0])
    parser.add_argument("--profile", action="store_true", help="print where the time goes; slower")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        stats = options.one.with_suffix(".profile") if options.profile else None
        print(json.dumps(measure(options.one, stats)))
        return
    with tempfile.TemporaryDirectory() as folder:
        for tilt in options.tilt:
            path = Path(folder) / f"tilt{tilt:g}.nii"
            write_series(path, options.slices, options.size, tilt)
            own = [sys.executable, __file__, "--one", str(path), *(["--profile"] if options.profile else [])]
            done = subprocess.run(own, capture_output=True, text=True, check=True)
            print(f"tilt {tilt:g}°: {done.stdout.strip().splitlines()[-1]}", flush=True)
            if options.profile:
                import pstats

                pstats.Stats(str(path.with_suffix(".profile"))).sort_stats("tottime").print_stats(25)
            path.unlink()


if __name__ == "__main__":
    main()
