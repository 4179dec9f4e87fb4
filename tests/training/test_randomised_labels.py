"""The second sanity check of Adebayo et al. (NeurIPS 2018): a map that survives random labels explains nothing.

Labels are class and outline, as in training: both are shuffled among the pictures.
"""

import numpy as np
import torch
from torch import Tensor

from braintumor_desktop.inference.cam_methods import CamMethod
from braintumor_desktop.inference.explain import class_maps, pooled_gradient
from braintumor_desktop.models.neuro import Neuro
from braintumor_desktop.training.data import Region
from braintumor_desktop.training.losses import attention_loss, class_loss
from braintumor_desktop.training.start import begin_from_photographs

SIZE, LESION, NONE = 96, 0, 3


def pictures(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (n, 1, 96, 96), every second with a bright disc; their discs, the same shape; their labels (n,)."""
    rng = np.random.default_rng(seed)
    images = rng.normal(0.3, 0.05, (count, 1, SIZE, SIZE)).astype(np.float32)
    discs = np.zeros_like(images)
    ys, xs = np.mgrid[:SIZE, :SIZE]
    for disc in discs[::2, 0]:
        row, column = rng.uniform(16, SIZE - 16, 2)
        disc[(ys - row) ** 2 + (xs - column) ** 2 < 81] = 1
    labels = np.where(np.arange(count) % 2 == 0, LESION, NONE)
    return torch.from_numpy(images + 0.5 * discs), torch.from_numpy(discs), torch.from_numpy(labels)


def maps_after_training(shuffled: bool) -> Tensor:
    """(n, 96, 96) maps of the class *lesion* on unseen pictures with a disc."""
    torch.manual_seed(1)
    network = Neuro().train()
    begin_from_photographs(network.encoder)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    images, discs, labels = pictures(64, seed=1)
    if shuffled:
        order = torch.randperm(len(labels))
        discs, labels = discs[order], labels[order]
    kinds = torch.where(labels == LESION, int(Region.MASK), int(Region.EMPTY))
    allowed = torch.nn.functional.one_hot(labels, 4).bool()
    for step in range(100):
        batch = torch.arange(16 * (step % 4), 16 * (step % 4 + 1))
        optimizer.zero_grad()
        out = network(images[batch])
        loss = class_loss(out.logits, allowed[batch], 0.0)
        (loss + 0.3 * attention_loss(out.attention, discs[batch], kinds[batch])).backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        out = network(pictures(32, seed=2)[0][::2])
        chosen = torch.full((len(out.logits),), LESION)
        gradient = pooled_gradient(out.features, network.classify.weight, chosen)
        return class_maps(out.features, gradient, CamMethod.GRAD_CAM, SIZE)


def test_maps_follow_the_disc_with_true_labels_and_not_with_random_ones() -> None:
    discs = pictures(32, seed=2)[1][::2, 0]

    def inside(maps: Tensor) -> float:
        return float(((maps * discs).sum((1, 2)) / maps.sum((1, 2)).clamp_min(1e-6)).mean())

    taught, random = maps_after_training(shuffled=False), maps_after_training(shuffled=True)
    area = float(discs.mean())
    assert inside(taught) > 3 * area
    assert inside(random) < 0.5 * inside(taught)
    assert np.corrcoef(taught.flatten(), random.flatten())[0, 1] < 0.5
