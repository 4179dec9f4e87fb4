"""Other engines than torch's eager mode on the shipped network, side by side. Prints a table; takes minutes.

    python tests/benchmarks/engines.py DATA [--engine "ONNX Runtime" …] [--threads 2 1]

DATA: the folder that `braintumor train` reads; compared are all Cheng val pictures. The other engines are no
dependencies of the project: `pip install onnx onnxscript onnxruntime openvino nncf torchao` into an environment of its
own, beside the project; what is missing there is left out of the table. Each engine runs in a process of its own, on
batches of one picture, as the window's, and is compared with torch eager in channels_last order, the program's own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE, ROUNDS, WARM_UP, CALIBRATION = 256, 100, 10, 96
NAMES = ("logits", "mask_logits", "features", "descriptor")
Engine = Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], ...]]
"""(1, 1, 256, 256) to what the program needs of a forward pass, in the order of NAMES."""


def network() -> Any:
    """The shipped network, giving a plain tuple."""
    import torch

    from braintumor_desktop.models.loading import load_network
    from braintumor_desktop.models.manifest import find_model

    class Tuple(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = load_network(find_model("neuro"))

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            out = self.network(x)
            return tuple(getattr(out, name) for name in NAMES)

    return Tuple().eval()


def _torch_engine(call: Any, *, channels_last: bool = True) -> Engine:
    import torch

    @torch.inference_mode()
    def run(picture: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        image = torch.from_numpy(picture)
        return tuple(v.numpy() for v in call(image.to(memory_format=torch.channels_last) if channels_last else image))

    return run


def _last(module: Any) -> Any:
    import torch

    return module.to(memory_format=torch.channels_last)


def eager_last(_folder: Path, _threads: int) -> Engine:
    return _torch_engine(_last(network()))


def eager_default(_folder: Path, _threads: int) -> Engine:
    return _torch_engine(network(), channels_last=False)


def frozen_graph(_folder: Path, _threads: int) -> Engine:
    import torch

    example = torch.zeros(1, 1, SIZE, SIZE).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        traced = torch.jit.freeze(torch.jit.trace(_last(network()), example))
        return _torch_engine(torch.jit.optimize_for_inference(traced))


def compiled(_folder: Path, _threads: int) -> Engine:
    import torch

    return _torch_engine(torch.compile(_last(network())))


def int8_dynamic(_folder: Path, _threads: int) -> Engine:
    """Of the layers that torch quantises on the fly there are the linear ones alone."""
    import torch

    kinds = {torch.nn.Linear}
    return _torch_engine(torch.ao.quantization.quantize_dynamic(_last(network()), kinds))


def int8_static(folder: Path, _threads: int) -> Engine:
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (
        X86InductorQuantizer,
        get_default_x86_inductor_quantization_config,
    )

    pictures = torch.from_numpy(np.load(folder / "calibration.npy"))
    with torch.no_grad():
        program = torch.export.export(_last(network()), (pictures[:1].to(memory_format=torch.channels_last),)).module()
        quantizer = X86InductorQuantizer().set_global(get_default_x86_inductor_quantization_config())
        prepared = prepare_pt2e(program, quantizer)
        for picture in pictures:
            prepared(picture[None])
        converted = convert_pt2e(prepared)
        return _torch_engine(torch.compile(converted), channels_last=True)


def onnx_runtime(folder: Path, threads: int, file: str = "network.onnx") -> Engine:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(folder / file, options, providers=["CPUExecutionProvider"])
    return lambda picture: tuple(session.run(list(NAMES), {"picture": picture}))


def onnx_runtime_int8(folder: Path, threads: int) -> Engine:
    return onnx_runtime(folder, threads, "network-int8.onnx")


def openvino(folder: Path, threads: int, file: str = "network.onnx") -> Engine:
    import openvino as ov

    core = ov.Core()
    # As told by default it computes in bfloat16 where the processor can; here the same precision is compared.
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    model = core.compile_model(core.read_model(folder / file), "CPU", settings)
    return lambda picture: tuple(np.array(model(picture)[name]) for name in NAMES)


def openvino_int8(folder: Path, threads: int) -> Engine:
    return openvino(folder, threads, "network-int8.xml")


ENGINES: dict[str, Callable[[Path, int], Engine]] = {
    "torch eager, channels_last": eager_last,
    "torch eager": eager_default,
    "torch.jit, frozen graph": frozen_graph,
    "torch.compile": compiled,
    "torch int8, dynamic": int8_dynamic,
    "torch int8, static": int8_static,
    "ONNX Runtime": onnx_runtime,
    "ONNX Runtime int8": onnx_runtime_int8,
    "OpenVINO": openvino,
    "OpenVINO int8": openvino_int8,
}
REFERENCE = next(iter(ENGINES))


def measure(name: str, threads: int, folder: Path) -> dict[str, Any]:
    """In a process of its own: times, memory, and on two threads the answers on all pictures, into a file."""
    import psutil

    if "torch" in name:
        import torch

        torch.set_num_threads(threads)
    pictures = np.load(folder / "pictures.npy", mmap_mode="r")
    first = np.ascontiguousarray(pictures[:1])
    began = time.perf_counter()
    engine = ENGINES[name](folder, threads)
    engine(first)
    opened = time.perf_counter() - began
    for _ in range(WARM_UP):
        engine(first)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        engine(first)
        times.append(time.perf_counter() - began)
    memory = psutil.Process().memory_info().rss / 2**20
    answers = folder / f"{list(ENGINES).index(name)}.npz"
    if not answers.exists():
        found = [engine(np.ascontiguousarray(picture[None])) for picture in pictures]
        np.savez(answers, logits=np.concatenate([f[0] for f in found]), mask=np.concatenate([f[1] for f in found]))
    return {"open_s": opened, "median_ms": 1000 * statistics.median(times), "memory_mb": memory}


def prepare_files(data: Path, folder: Path) -> None:
    """The val pictures as the network sees them, some of training for calibration, and the network as ONNX."""
    from braintumor_desktop.inference.preprocess import prepare
    from braintumor_desktop.training.data import read_grey, read_rows

    rows = read_rows(data)
    val = [row for row in rows if row.split == "val" and row.path.parts[-3] == "cheng"]
    train = [row for row in rows if row.split == "train"]
    train = train[:: max(1, len(train) // CALIBRATION)][:CALIBRATION]
    for name, chosen in (("pictures", val), ("calibration", train)):
        images = [prepare(read_grey(row.path), SIZE)[0] for row in chosen]
        np.save(folder / f"{name}.npy", np.stack(images)[:, None])
    print(f"{len(val)} pictures", file=sys.stderr)


def export(folder: Path) -> None:
    """The network as ONNX, and int8 files made from it; whatever is not installed is left out."""
    import torch

    example = (torch.zeros(1, 1, SIZE, SIZE),)
    names: dict[str, Any] = {"input_names": ["picture"], "output_names": list(NAMES)}
    torch.onnx.export(network(), example, folder / "network.onnx", dynamo=True, external_data=False, **names)
    calibration = np.load(folder / "calibration.npy")[:, None]
    try:
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process

        class Reader(CalibrationDataReader):
            def __init__(self) -> None:
                self.left = iter(calibration)

            def get_next(self) -> dict[str, Any] | None:
                picture = next(self.left, None)
                return None if picture is None else {"picture": picture}

        plain = folder / "network-plain.onnx"
        quant_pre_process(folder / "network.onnx", plain)
        options = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8, "per_channel": True}
        quantize_static(plain, folder / "network-int8.onnx", Reader(), quant_format=QuantFormat.QDQ, **options)
    except ImportError as missing:
        print(f"left out: {missing}", file=sys.stderr)
    try:
        import nncf
        import openvino as ov

        dataset = nncf.Dataset(list(calibration))
        model = nncf.quantize(ov.Core().read_model(folder / "network.onnx"), dataset)
        ov.save_model(model, folder / "network-int8.xml", compress_to_fp16=False)
    except ImportError as missing:
        print(f"left out: {missing}", file=sys.stderr)


def differences(folder: Path, name: str) -> str:
    """Against the reference, over all pictures: greatest of probabilities and of the mask's, other answers, overlap."""
    import torch
    from torch.nn import functional as F

    from braintumor_desktop.inference.probability import softmax
    from braintumor_desktop.models.manifest import find_model

    calibration = find_model("neuro").calibration

    def answers(which: str) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        with np.load(folder / f"{list(ENGINES).index(which)}.npz") as held:
            probabilities = softmax(held["logits"] / calibration.temperature)
            mask = F.interpolate(torch.from_numpy(held["mask"]), size=(SIZE, SIZE), mode="bilinear").sigmoid()
        return probabilities, mask[:, 0].numpy()

    (wanted, wanted_mask), (given, mask) = answers(REFERENCE), answers(name)
    outlined, other = (m > calibration.mask_threshold for m in (wanted_mask, mask))
    sums = outlined.sum(axis=(1, 2)) + other.sum(axis=(1, 2))
    dice = 2 * (outlined & other).sum(axis=(1, 2))[sums > 0] / sums[sums > 0]
    changed = int((wanted.argmax(1) != given.argmax(1)).sum())
    return f"{np.abs(wanted - given).max():.1e} | {np.abs(wanted_mask - mask).max():.1e} | {changed} | {dice.min():.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--engine", nargs="+", choices=list(ENGINES), default=list(ENGINES), help="beside the reference"
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--keep", type=Path, help="a folder for pictures, networks and answers; used again when there")
    parser.add_argument("--one", choices=list(ENGINES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.threads[0], options.data)))
        return
    with tempfile.TemporaryDirectory(prefix="braintumor-engines-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        if not (folder / "pictures.npy").exists():
            prepare_files(options.data, folder)
        if not (folder / "network.onnx").exists():
            export(folder)
        latencies = " | ".join(f"median, {n} thread{'s' if n > 1 else ''}" for n in options.threads)
        print(f"| engine | {latencies} | opening | memory | probabilities | mask | other answers | least overlap |")
        print("|---" * (7 + len(options.threads)) + "|", flush=True)
        for name in dict.fromkeys([REFERENCE, *options.engine]):
            figures = [_in_a_process(name, threads, folder) for threads in options.threads]
            if None in figures:
                continue
            taken = " | ".join(f"{f['median_ms']:.1f} ms" for f in figures if f)
            first = figures[0] or {}
            print(
                f"| {name} | {taken} | {first['open_s']:.1f} s | {first['memory_mb']:.0f} MiB |"
                f" {differences(folder, name)} |",
                flush=True,
            )


def _in_a_process(name: str, threads: int, folder: Path) -> dict[str, Any] | None:
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "GOMP_SPINCOUNT": "2000"}  # as the program has it
    command = [sys.executable, __file__, str(folder), "--one", name, "--threads", str(threads)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"{name}, {threads} threads, left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
