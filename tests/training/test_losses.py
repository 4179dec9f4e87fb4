import pytest
import torch

from braintumor_desktop.training.losses import outline_loss


def test_an_empty_answer_is_as_wrong_beside_tumour_free_pictures_as_alone() -> None:
    masks = torch.zeros(4, 32, 32)
    masks[0, 8:20, 8:20] = 1
    empty = torch.full((4, 32, 32), -20.0)
    cross_entropy = 20 * float(masks.mean())
    assert float(outline_loss(empty, masks)) == pytest.approx(cross_entropy + 1, abs=0.01)


def test_the_true_outline_costs_nothing() -> None:
    masks = torch.zeros(2, 16, 16)
    masks[0, 4:9, 4:9] = 1
    assert float(outline_loss(40 * (masks - 0.5), masks)) == pytest.approx(0, abs=1e-5)
