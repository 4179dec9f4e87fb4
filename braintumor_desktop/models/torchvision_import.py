"""Import torchvision beside a CPU-only torch, where its compiled operators are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

import torch

_LIBRARY: torch.library.Library | None = None  # must outlive the operators it defines


def import_torchvision() -> ModuleType:
    """The torchvision module; call this instead of ``import torchvision``.

    torchvision registers kernels for ``torchvision::nms`` and ``qnms`` when it is imported, and fails where its
    compiled extension was built for another torch and did not load. Declaring the operators first is enough:
    network definitions and transforms are pure Python. Calling them still fails, as it must.
    Raises ImportError where torchvision is not installed.
    """
    global _LIBRARY
    if _LIBRARY is None and not hasattr(torch.ops.torchvision, "nms"):
        _LIBRARY = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            _LIBRARY.define(  # type: ignore[no-untyped-call]
                f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            )
    return importlib.import_module("torchvision")
