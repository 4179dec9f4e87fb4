"""The Analyzer: study in, analysis out, with one network on one device."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from braintumor_desktop.domain.errors import BrainTumorError, Cancelled, ErrorCode
from braintumor_desktop.domain.findings import Analysis, Explanation, Quality, QualityFlag, Segmentation, Timing
from braintumor_desktop.domain.phrases import Phrase, phrase
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging.head import head_mask
from braintumor_desktop.imaging.turning import UPRIGHT, Turn, to_upright
from braintumor_desktop.inference.cam_methods import CAM_TITLES, CamMethod
from braintumor_desktop.inference.device import choose_device
from braintumor_desktop.inference.explain import POOLED_LAYER, class_maps, energy_inside, pooled_gradient
from braintumor_desktop.inference.picture_reading import Reading, SliceAnswer, read_picture
from braintumor_desktop.inference.plain_series import read_plain_series
from braintumor_desktop.inference.planes import resample_to, resampled_flags, straight_grid
from braintumor_desktop.inference.preprocess import find_frame, pixel_ratio, prepare
from braintumor_desktop.inference.probability import binary_label, softmax, without_types
from braintumor_desktop.inference.quality import (
    FAMILIAR,
    body_part_flag,
    contradiction_flags,
    look_flag,
    picture_flags,
    pixel_flags,
    saturation_flag,
    sequence_flags,
    strangeness,
    upside_down_flag,
)
from braintumor_desktop.inference.reference_answers import answer_whole, banding_flag
from braintumor_desktop.inference.series import MOST_CANDIDATES, Look, great_section
from braintumor_desktop.inference.series_reading import read_series
from braintumor_desktop.models.architectures import ARCHITECTURES
from braintumor_desktop.models.familiarity import Familiarity
from braintumor_desktop.models.loading import load_network
from braintumor_desktop.models.manifest import DEFAULT_MODEL, Calibration, ManifestRow, find_model
from braintumor_desktop.models.neuro import NeuroOutput

NETWORK_SIZE = 256
BATCH = 8
NETWORK_SHARE = 0.9
"""Of the progress of a series, until all slices went through the network."""

CPU = torch.device("cpu")

Progress = Callable[[str, float], None]
Slices = Sequence[NDArray[np.generic]] | NDArray[np.generic]


class Analyzer:
    """One network, ready on one device. Not for use by two threads at once.

    mirrored: `neuro` answers with the mean of each slice and its mirror image (test-time augmentation), as it was
    calibrated; without, in 0.6 of the time, and the answer says so. The reference models answer as their originals did.
    """

    def __init__(
        self, network: nn.Module, row: ManifestRow, device: torch.device, cam: CamMethod = CamMethod.GRAD_CAM
    ) -> None:
        self.row = row
        self._cam = cam
        self.identity = row.identity
        self._architecture = ARCHITECTURES[row.architecture]
        self._wish = device
        self.mirrored = True
        # A card that failed for good doesn't give back what it holds.
        self._spare = network if device == CPU else copy.deepcopy(network)
        try:
            self._place(network, device)
        except RuntimeError:  # of the graphics card: full, or too old for torch
            self._place(self._spare, CPU)

    @classmethod
    def open(cls, model_id: str = DEFAULT_MODEL, device: str = "auto", cam: CamMethod = CamMethod.GRAD_CAM) -> Analyzer:
        """Load a bundled model.

        device: auto, cpu or cuda; cam: how the heat map is made. Raises BrainTumorError (model_unknown, model_missing,
        model_damaged, device_unavailable).
        """
        row = find_model(model_id)
        return cls(load_network(row), row, choose_device(device), cam)

    @property
    def device(self) -> str:
        return str(self._device)

    @property
    def cam(self) -> str:
        """How the heat map is made, one of `CamMethod`; what is unknown becomes the default."""
        return self._cam

    @cam.setter
    def cam(self, method: str) -> None:
        self._cam = CamMethod(method) if method in list(CamMethod) else CamMethod.GRAD_CAM

    def analyze(
        self,
        study: Study,
        *,
        load_ms: float = 0.0,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        keep_partial: Callable[[], bool] = lambda: False,
    ) -> Analysis:
        """Everything the model says of one study.

        load_ms: how long loading took, for the timings. progress: called with the stage in words and the
        share done, 0..1. Raises Cancelled as soon as `cancelled()` is true between two batches, and
        BrainTumorError (out_of_memory) where there is no room for the answer, nor on the CPU for the network.
        keep_partial: asked when a series is cancelled after the first batch; true gives an Analysis of the slices so
        far instead, see `Analysis.complete`.
        """
        tell = progress or (lambda _stage, _share: None)
        with _told_where_there_is_no_room():
            return self._analyze(study, load_ms, tell, cancelled or (lambda: False), keep_partial)

    def _analyze(
        self,
        study: Study,
        load_ms: float,
        tell: Progress,
        asked: Callable[[], bool],
        keep_partial: Callable[[], bool],
    ) -> Analysis:
        began = time.perf_counter()
        outlines = self._architecture.outlines
        tilted = straight_grid(study.pixels.shape, study.geometry) if outlines else None
        if tilted is not None:
            tell(phrase("Resampling"), 0.0)
        ratio = pixel_ratio(study.geometry.pixel_spacing_mm)
        answers, infer_s, explain_s = self._look(  # no name for the resampled volume: it goes when it was looked at
            study.pixels if tilted is None else resample_to(study.pixels, tilted.grid),
            ratio if tilted is None else 1.0,
            to_upright(study.geometry.orientation) if tilted is None else UPRIGHT,
            tell,
            asked,
            keep_partial=keep_partial,
        )
        tell(phrase("Measuring"), NETWORK_SHARE if study.slices > 1 else 1.0)
        calibration = self.row.calibration
        if study.slices == 1:
            reading = read_picture(study, answers[0], calibration, fixed=self._architecture.reference)
        elif not outlines:
            reading = read_plain_series(study, answers, calibration, types=self._architecture.types)
        else:
            grid = None if tilted is None else tilted.grid
            reading = read_series(study, answers, grid, calibration, self._second_look(tell, asked, keep_partial))
        if not self._architecture.types:
            reading = _untyped(reading)
        if self._hurries:  # the sets were calibrated on means with the mirror image
            reading = replace(reading, finding=replace(reading.finding, coverage=None))
        key, segmentation = reading.key, reading.segmentation
        # How a series was taken shows on a great section of the head, not where a lesion or doubt is greatest.
        typical = great_section(np.array([a.head_px or 0 for a in answers], np.int64))
        judged = typical if tilted is None and answers[typical].head_px else key
        head = head_mask(study.pixels[judged])
        frame = find_frame(study.pixels[judged], head, ratio)
        strange, elsewhere = strangeness(answers), body_part_flag(study)
        familiar = False if elsewhere else None if strange is None else strange < FAMILIAR
        flags = (
            elsewhere
            + sequence_flags(study)
            + picture_flags(study, head, frame.side)
            + pixel_flags(study, judged, head, frame)
            + saturation_flag(study.pixels[judged], head)
            + upside_down_flag(study, answers)
            + look_flag(study, answers)
            + contradiction_flags(reading.finding, segmentation)
            + reading.flags
            + resampled_flags(tilted)
            + self._own_flags()
        )
        inside = None if segmentation is None else energy_inside(reading.heatmap[key], segmentation.mask[key])
        elapsed_ms = 1000 * (time.perf_counter() - began)
        return Analysis(
            study=study,
            model=self.identity,
            device=self.device,
            finding=reading.finding,
            quality=Quality(familiar, strange, tuple(flags)),
            segmentation=_with_expected_dice(segmentation, calibration),
            explanation=Explanation(self._method, reading.heatmap, inside),
            slices=reading.slices,
            timing=Timing(load_ms, 1000 * infer_s, 1000 * explain_s, load_ms + elapsed_ms),
            key_slices=reading.key_slices,
        )

    def _look(
        self,
        pixels: NDArray[np.generic],
        ratio: float,
        turn: Turn,
        tell: Progress,
        asked: Callable[[], bool],
        *,
        keep_partial: Callable[[], bool],
    ) -> tuple[list[SliceAnswer], float, float]:
        """Every slice through the network; seconds of inference and of heat maps.

        ratio: see `pixel_ratio`; turn: what makes slices upright.
        """
        answers: list[SliceAnswer] = []
        infer_s = explain_s = 0.0
        count = len(pixels)
        for start in range(0, count, BATCH):
            if asked():
                if answers and keep_partial():
                    return answers, infer_s, explain_s
                raise Cancelled
            share = start / count * (NETWORK_SHARE if count > 1 else 1.0)
            stage = phrase("Analysing slice {number} of {slices}", number=start + 1, slices=count)
            tell(phrase("Analysing") if count == 1 else stage, share)
            batch, network_s, map_s = self._answer(pixels[start : start + BATCH], ratio, turn)
            infer_s, explain_s = infer_s + network_s, explain_s + map_s
            answers += batch
        if asked() and not keep_partial():
            raise Cancelled
        return answers, infer_s, explain_s

    def _second_look(self, tell: Progress, asked: Callable[[], bool], keep_partial: Callable[[], bool]) -> Look:
        """`_look_again`, that can be cancelled and is told of: two a candidate."""
        looks = itertools.count()

        def look(views: Sequence[NDArray[np.generic]]) -> tuple[NDArray[np.float64], list[NDArray[np.bool_]]]:
            if asked() and not keep_partial():
                raise Cancelled
            share = next(looks) / (2 * MOST_CANDIDATES)
            tell(phrase("Measuring"), NETWORK_SHARE + (1 - NETWORK_SHARE) * share)
            return self._look_again(views)

        return look

    def _look_again(self, views: Sequence[NDArray[np.generic]]) -> tuple[NDArray[np.float64], list[NDArray[np.bool_]]]:
        """Slices of any shapes and square pixels to calibrated probabilities (n, 4), their outlines (rows, columns)."""
        calibration = self.row.calibration
        answers = [a for i in range(0, len(views), BATCH) for a in self._answer(views[i : i + BATCH])[0]]
        probabilities = softmax(np.stack([a.logits for a in answers]) / calibration.temperature)
        maps = [a.frame.back(a.lesion) for a in answers if a.lesion is not None]
        return probabilities, [lesion > calibration.mask_threshold for lesion in maps]

    def _place(self, network: nn.Module, device: torch.device) -> None:
        self._network: nn.Module = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    @property
    def _hurries(self) -> bool:
        return not self.mirrored and not self._architecture.reference

    def _own_flags(self) -> list[QualityFlag]:
        flags = []
        if self._device != self._wish:
            words = phrase("The graphics card failed or had no room; the CPU gave this answer.")
            flags.append(QualityFlag("cpu_fallback", words))
        if self._hurries:
            words = phrase("Each slice was looked at once, without its mirror image.")
            flags.append(QualityFlag("not_mirrored", words))
        return flags

    def _answer(
        self, pixels: Slices, ratio: float = 1.0, turn: Turn = UPRIGHT
    ) -> tuple[list[SliceAnswer], float, float]:
        """Slices through the network; where a graphics card has no room or fails, once more on the CPU."""
        try:
            return self._forward(pixels, ratio, turn)
        except (MemoryError, RuntimeError):
            if self._device == CPU:
                raise
            self._place(self._spare, CPU)
            with suppress(RuntimeError):
                torch.cuda.empty_cache()
            return self._answer(pixels, ratio, turn)

    @property
    def _method(self) -> Phrase:
        layer = phrase(self._architecture.cam_title or POOLED_LAYER)
        return phrase("{method}, {layer}", method=CAM_TITLES[self._cam], layer=layer)

    def _forward(self, pixels: Slices, ratio: float, turn: Turn) -> tuple[list[SliceAnswer], float, float]:
        if self._architecture.reference:
            return answer_whole(self._network, self._architecture, self._device, pixels, self._cam, turn)
        return self._forward_framed(pixels, ratio, turn)

    @torch.inference_mode()
    def _forward_framed(self, pixels: Slices, ratio: float, turn: Turn) -> tuple[list[SliceAnswer], float, float]:
        began = time.perf_counter()
        seen = [prepare(one, NETWORK_SIZE, ratio) for one in pixels]
        images = torch.from_numpy(np.stack([turn.apply(image) for image, _, _ in seen]))[:, None]
        out = self._network_out(images.to(self._device).to(memory_format=torch.channels_last))
        lesions = F.interpolate(out.mask_logits, size=(NETWORK_SIZE,) * 2, mode="bilinear").sigmoid()[:, 0].cpu()
        logits = out.logits.float().cpu()
        middle = time.perf_counter()
        weight = self._network.get_parameter("classify.weight")
        gradient = pooled_gradient(out.features, weight, out.logits.argmax(1))
        maps = class_maps(out.features, gradient, self._cam, NETWORK_SIZE).cpu()
        strangeness, upright, sequences = self._familiarity(out)
        answers = [
            SliceAnswer(
                logits=logits[k].numpy(),
                lesion=np.ascontiguousarray(turn.undo(lesions[k].numpy())),
                heatmap=turn.undo(maps[k].numpy()).astype(np.float16),
                head_px=None if head is None else int(head.sum()),
                brightness=float(pixels[k].mean()),
                frame=frame,
                strangeness=strangeness[k],
                upright=upright[k],
                sequences=sequences[k],
            )
            for k, (_, frame, head) in enumerate(seen)
        ]
        return answers, middle - began, time.perf_counter() - middle

    def _network_out(self, images: Tensor) -> NeuroOutput:
        """Logits, mask and features of the images or, mirrored, the means with their mirror images, turned back.

        The class head is linear, so heat maps of the mean features explain the mean logits.
        """
        out: NeuroOutput = self._network(images)
        if not self.mirrored:
            return out
        other: NeuroOutput = self._network(images.flip(-1))
        return out._replace(
            logits=(out.logits + other.logits) / 2,
            mask_logits=(out.mask_logits + other.mask_logits.flip(-1)) / 2,
            features=(out.features + other.features.flip(-1)) / 2,
        )

    def _familiarity(
        self, out: NeuroOutput
    ) -> tuple[list[float | None], list[float | None], list[tuple[float, ...] | None]]:
        """Of each slice: strangeness, probability of standing upright, probabilities of `HEAD_LOOKS`."""
        known = self._network.get_submodule("familiarity")
        if out.descriptor is None or not isinstance(known, Familiarity) or not known.fitted:
            count = len(out.logits)
            return [None] * count, [None] * count, [None] * count
        sequences = known.sequence_probabilities(out.descriptor).tolist()
        return (
            known(out.descriptor).tolist(),
            known.upright_probability(out.descriptor).tolist(),
            [tuple(each) for each in sequences],
        )


@contextmanager
def _told_where_there_is_no_room() -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "alloc" not in str(error):
            raise
        raise BrainTumorError(
            ErrorCode.OUT_OF_MEMORY,
            phrase("There is not enough free memory for this picture."),
            phrase("Close other programs, or give a smaller picture."),
        ) from error


def _with_expected_dice(found: Segmentation | None, calibration: Calibration) -> Segmentation | None:
    if found is None or found.expected_dice is None:
        return found
    line = calibration.dice_offset + calibration.dice_slope * found.expected_dice
    return replace(found, expected_dice=min(max(line, 0.0), 1.0))


def _untyped(reading: Reading) -> Reading:
    """The reading of a model that tells tumour from no tumour only, with what its original made of it."""
    finding = without_types(reading.finding)
    slices = reading.slices
    if slices is not None:
        slices = tuple(replace(s, label=binary_label(1 - s.tumor_probability)) for s in slices)
    flags = reading.flags + banding_flag(finding.tumor_probability)
    return replace(reading, finding=finding, slices=slices, flags=flags)
