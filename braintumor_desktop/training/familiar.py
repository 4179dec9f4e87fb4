"""What a trained network finds familiar: fitted on its training pictures, kept with its weights."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.study import HEAD_LOOKS
from braintumor_desktop.models.neuro import Neuro
from braintumor_desktop.training.data import Pack, load_pack
from braintumor_desktop.training.sequences import read_sequences

KEPT = 0.9925
"""Share of the val pictures that count as familiar: the limit is set by them."""

EVERY = 2
"""Every so many of the training pictures; neighbours in the list are alike."""

Bytes = NDArray[np.uint8]


def with_familiarity(state: dict[str, Tensor], data: Path | None, cache: Path) -> dict[str, Tensor]:
    """The weights with `Familiarity` fitted to them as they will be kept, in half precision.

    state: of `Neuro`; data: the data folder, None to fit nothing; cache: of its packs.
    Raises BrainTumorError (data_invalid) where the weights are of another network.
    """
    network = Neuro()
    kept = {name: value.half().float() if value.is_floating_point() else value for name, value in state.items()}
    strange = network.load_state_dict(kept, strict=False)
    missing = [name for name in strange.missing_keys if not name.startswith("familiarity.")]
    if missing or strange.unexpected_keys:
        raise BrainTumorError(
            ErrorCode.DATA_INVALID,
            f"The weights are of another network ({[*missing, *strange.unexpected_keys][0]} and others).",
            "Name the network that they are of, with --model.",
        )
    if data is not None:
        fit_familiarity(network, load_pack(data, cache, split="train"), load_pack(data, cache, split="val"))
    return network.state_dict()


def fit_familiarity(network: Neuro, train: Pack, val: Pack) -> None:
    """Statistics from the training pictures, as they are and turned a little; the limit from val's.

    Upright is learned from the training pictures and the same turned by 180° or mirrored top to bottom.
    """
    network.eval()
    seen = train.images[::EVERY]
    turned = np.stack([_turned(image, 15 if k % 2 else -15) for k, image in enumerate(seen[::2])])
    upright = descriptors(network, seen)
    network.familiarity.fit(
        torch.cat([upright, descriptors(network, turned)]), descriptors(network, val.images), share=KEPT
    )
    over = np.stack([image[::-1, ::-1] if k % 2 else image[::-1] for k, image in enumerate(seen[::2])])
    network.familiarity.fit_upright(upright, descriptors(network, over))
    names, weights = _known_sequences(train)
    known = np.flatnonzero(weights)
    if not len(known):
        return
    truth = torch.tensor([HEAD_LOOKS.index(names[k]) for k in known])
    described = descriptors(network, train.images[known])
    counts = torch.from_numpy(weights[known]).float()
    counts /= torch.bincount(truth, counts, len(HEAD_LOOKS))[truth]  # each sequence as much as every other
    network.familiarity.fit_sequence(described, truth, counts)


T1_EVERY = {"cheng": 6, "brisc": 4}
"""Every so many pictures of the collections that are T1 throughout."""


def _known_sequences(train: Pack) -> tuple[list[str], NDArray[np.float64]]:
    """Of each training picture the sequence, and what it counts: each near-duplicate group once, 0 if not known."""
    told = read_sequences("train")
    names = []
    for number, (category, group) in enumerate(zip(train.categories.tolist(), train.groups.tolist(), strict=True)):
        origin = category.split("/")[0]
        if origin == "volumes":
            names.append("FLAIR" if "FLAIR" in group else "T1" if "T1" in group else "")
        elif origin in T1_EVERY:
            names.append("T1" if number % T1_EVERY[origin] == 0 else "")
        else:
            names.append(told.get(group, ""))
    _, inverse, counts = np.unique(train.groups, return_inverse=True, return_counts=True)
    return names, np.where(np.array(names) == "", 0.0, 1.0 / counts[inverse])


@torch.inference_mode()
def descriptors(network: Neuro, images: Bytes, batch: int = 32) -> Tensor:
    """(n, d) of framed pictures (n, size, size) uint8."""
    found = []
    for start in range(0, len(images), batch):
        part = torch.from_numpy(images[start : start + batch].astype(np.float32) / 255)[:, None]
        found.append(network(part.to(memory_format=torch.channels_last)).descriptor)
    return torch.cat(found).clone()


def _turned(image: Bytes, degrees: float) -> Bytes:
    size = image.shape[0]
    turn = cv2.getRotationMatrix2D(((size - 1) / 2,) * 2, degrees, 1.0)
    return np.asarray(cv2.warpAffine(image, turn, (size, size)), np.uint8)
