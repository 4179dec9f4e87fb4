from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from braintumor_desktop.models.loading import save_weights


def test_kernels_keep_so_many_bits_rounded_to_nearest_and_the_rest_stays(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(3)
    kernel = 0.05 * torch.randn(64, 32, generator=generator)
    kernel[0, :2] = torch.tensor([1 + 1 / 64, 1 + 3 / 64])  # ties: to the even one of 32nds
    bias, counter = torch.randn(64, generator=generator), torch.tensor(7)
    save_weights({"kernel": kernel, "bias": bias, "counter": counter}, tmp_path / "w.safetensors", mantissa_bits=5)
    kept = load_file(tmp_path / "w.safetensors")
    mantissa, exponent = np.frexp(kernel.half().numpy().astype(np.float64))
    expected = np.ldexp(np.round(mantissa * 64) / 64, exponent)  # np.round takes ties to even
    assert kept["kernel"].dtype == np.float16
    ordinary = np.abs(expected) >= 2.0**-14  # below, half precision has fewer bits to begin with
    assert ordinary.mean() > 0.95
    assert (kept["kernel"][ordinary] == expected[ordinary]).all()
    assert (kept["bias"] == bias.half().numpy()).all()
    assert kept["counter"] == 7


def test_without_asking_no_bit_of_half_precision_is_lost(tmp_path: Path) -> None:
    kernel = torch.randn(16, 16, generator=torch.Generator().manual_seed(4))
    save_weights({"kernel": kernel}, tmp_path / "w.safetensors")
    assert (load_file(tmp_path / "w.safetensors")["kernel"] == kernel.half().numpy()).all()
