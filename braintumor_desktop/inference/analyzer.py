"""The Analyzer: study in, analysis out, with one network on one device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from braintumor_desktop.domain.errors import BrainTumorError, Cancelled, ErrorCode
from braintumor_desktop.domain.findings import (
    CLASSES,
    INDETERMINATE,
    Analysis,
    Explanation,
    Finding,
    Quality,
    QualityFlag,
    SliceFinding,
    Timing,
    TumorClass,
)
from braintumor_desktop.domain.study import Study
from braintumor_desktop.inference.device import choose_device
from braintumor_desktop.inference.explain import METHOD, class_activation, energy_inside
from braintumor_desktop.inference.measure import SMALLEST_SHARE, clean, measure
from braintumor_desktop.inference.preprocess import Frame, prepare
from braintumor_desktop.inference.quality import contradiction_flags, picture_flags, saturation_flag
from braintumor_desktop.models.loading import load_network
from braintumor_desktop.models.manifest import DEFAULT_MODEL, Calibration, ManifestRow, find_model

NETWORK_SIZE = 256
BATCH = 8

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class SliceAnswer:
    """One slice through the network, on the slice's own grid.

    logits: (4,); lesion, heatmap: (rows, columns) float32 0..1; head: outline or None; frame: what was seen.
    """

    logits: NDArray[np.float32]
    lesion: NDArray[np.float32]
    heatmap: NDArray[np.float32]
    head: NDArray[np.bool_] | None
    frame: Frame


class Analyzer:
    """One network, ready on one device. Not for use by two threads at once."""

    def __init__(self, network: nn.Module, row: ManifestRow, device: torch.device) -> None:
        self.row = row
        self.identity = row.identity
        self._wish = device
        self._place(network, device)

    @classmethod
    def open(cls, model_id: str = DEFAULT_MODEL, device: str = "auto") -> Analyzer:
        """Load a bundled model.

        device: auto, cpu or cuda. Raises BrainTumorError (model_unknown, model_missing, model_damaged,
        device_unavailable).
        """
        row = find_model(model_id)
        return cls(load_network(row), row, choose_device(device))

    @property
    def device(self) -> str:
        return str(self._device)

    def analyze(
        self,
        study: Study,
        *,
        load_ms: float = 0.0,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Analysis:
        """Everything the model says of one study.

        load_ms: how long loading took, for the timings. progress: called with the stage in words and the
        share done, 0..1. Raises Cancelled as soon as `cancelled()` is true between two batches, and
        BrainTumorError (out_of_memory) where even the CPU has no room.
        """
        began = time.perf_counter()
        tell = progress or (lambda _stage, _share: None)
        asked = cancelled or (lambda: False)
        lesion = np.empty(study.pixels.shape, np.float32)
        heatmap = np.empty(study.pixels.shape, np.float32)
        mask = np.empty(study.pixels.shape, np.bool_)
        answers: list[SliceAnswer] = []
        infer_s = explain_s = 0.0
        for start in range(0, study.slices, BATCH):
            if asked():
                raise Cancelled
            tell("Analysing", start / study.slices)
            batch, network_s, map_s = self._answer(study.pixels[start : start + BATCH])
            infer_s, explain_s = infer_s + network_s, explain_s + map_s
            for index, answer in enumerate(batch, start):
                lesion[index], heatmap[index] = answer.lesion, answer.heatmap
                above = answer.lesion > self.row.calibration.mask_threshold
                mask[index] = clean(above, SMALLEST_SHARE * answer.frame.side**2)
                answers.append(replace(answer, lesion=_NOTHING, heatmap=_NOTHING))
        if asked():
            raise Cancelled
        tell("Measuring", 1.0)
        heads = [None if a.head is None else int(a.head.sum()) for a in answers]
        segmentation = measure(mask, lesion, heads, study.geometry)
        probabilities = softmax(np.stack([a.logits for a in answers]) / self.row.calibration.temperature)
        finding = finding_from(series_probabilities(probabilities), self.row.calibration)
        per_slice = _slice_findings(probabilities, segmentation.mask, self.row.calibration, study)
        key = segmentation.slice_index if segmentation.present else int(probabilities[:, 3].argmin())
        inside = energy_inside(heatmap[key], mask[key])
        flags = (
            picture_flags(study, answers[key].head, answers[key].frame.side)
            + saturation_flag(study.pixels[key], answers[key].head)
            + contradiction_flags(finding, segmentation)
            + self._device_flags()
        )
        elapsed_ms = 1000 * (time.perf_counter() - began)
        return Analysis(
            study=study,
            model=self.identity,
            device=self.device,
            finding=finding,
            quality=Quality(flags=tuple(flags)),
            segmentation=segmentation,
            explanation=Explanation(METHOD, heatmap, inside),
            slices=per_slice if study.slices > 1 else None,
            timing=Timing(load_ms, 1000 * infer_s, 1000 * explain_s, load_ms + elapsed_ms),
        )

    def _place(self, network: nn.Module, device: torch.device) -> None:
        self._network: nn.Module = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    def _device_flags(self) -> list[QualityFlag]:
        if self._device == self._wish:
            return []
        return [QualityFlag("cpu_fallback", "The graphics card had no room; the CPU gave this answer.")]

    def _answer(self, pixels: NDArray[np.generic]) -> tuple[list[SliceAnswer], float, float]:
        """Slices (n, rows, columns) through the network; on CUDA without room, once more on the CPU."""
        try:
            return self._forward(pixels)
        except torch.cuda.OutOfMemoryError:
            self._place(self._network, torch.device("cpu"))
            torch.cuda.empty_cache()
            return self._forward(pixels)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "alloc" not in str(error):
                raise
            raise BrainTumorError(
                ErrorCode.OUT_OF_MEMORY,
                "There is not enough free memory for this picture.",
                "Close other programs, or give a smaller picture.",
            ) from error

    @torch.inference_mode()
    def _forward(self, pixels: NDArray[np.generic]) -> tuple[list[SliceAnswer], float, float]:
        began = time.perf_counter()
        seen = [prepare(one, NETWORK_SIZE) for one in pixels]
        images = torch.from_numpy(np.stack([image for image, _, _ in seen]))[:, None]
        out = self._network(images.to(self._device).to(memory_format=torch.channels_last))
        lesions = F.interpolate(out.mask_logits, size=(NETWORK_SIZE,) * 2, mode="bilinear").sigmoid()[:, 0].cpu()
        logits = out.logits.float().cpu()
        middle = time.perf_counter()
        weight = self._network.get_parameter("classify.weight")
        maps = class_activation(out.features, weight, out.logits.argmax(1), NETWORK_SIZE).cpu()
        answers = [
            SliceAnswer(logits[k].numpy(), frame.back(lesions[k].numpy()), frame.back(maps[k].numpy()), head, frame)
            for k, (_, frame, head) in enumerate(seen)
        ]
        return answers, middle - began, time.perf_counter() - middle


_NOTHING: NDArray[np.float32] = np.empty((0, 0), np.float32)


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities along the last axis."""
    shifted = np.exp(np.asarray(logits, np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def series_probabilities(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """One probability vector (4,) for all slices (n, 4).

    A tumour shows on neighbouring slices: the answer is the mean over the three neighbours whose lowest
    tumour probability is highest (over all where there are fewer). For one slice it is that slice's own.
    """
    if len(probabilities) <= 3:
        return np.asarray(probabilities.mean(axis=0))
    tumor = 1 - probabilities[:, CLASSES.index(TumorClass.NO_TUMOR)]
    together = np.minimum(np.minimum(tumor[:-2], tumor[1:-1]), tumor[2:])
    first = int(together.argmax())
    return np.asarray(probabilities[first : first + 3].mean(axis=0))


def finding_from(probabilities: NDArray[np.float64], calibration: Calibration) -> Finding:
    """Finding with its prediction set. probabilities: (4,), calibrated."""
    members: tuple[TumorClass, ...] | None = None
    label: str = CLASSES[int(probabilities.argmax())]
    if calibration.set_threshold is not None:
        members = tuple(c for c, p in zip(CLASSES, probabilities, strict=True) if p >= calibration.set_threshold)
        if len(members) in (0, len(CLASSES)):
            label = INDETERMINATE
    named = {c: float(p) for c, p in zip(CLASSES, probabilities, strict=True)}
    return Finding(label, named, members, calibration.coverage if members is not None else None)


def _slice_findings(
    probabilities: NDArray[np.float64], mask: NDArray[np.bool_], calibration: Calibration, study: Study
) -> tuple[SliceFinding, ...]:
    places, spacing = study.geometry.slice_positions_mm, study.geometry.slice_spacing_mm
    found = []
    for index, row in enumerate(probabilities):
        finding = finding_from(row, calibration)
        position = places[index] if places else None if spacing is None else index * spacing
        found.append(SliceFinding(index, position, finding.tumor_probability, finding.label, int(mask[index].sum())))
    return tuple(found)
