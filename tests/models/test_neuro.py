import copy

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from braintumor_desktop.models.loading import fold_batch_norms, save_weights
from braintumor_desktop.models.neuro import GlobalContext, Neuro


@pytest.fixture
def network() -> Neuro:
    torch.manual_seed(0)
    made = Neuro()
    with torch.no_grad():
        for module in made.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2)
    return made.eval()


def test_it_stays_within_its_budget_of_operations(network: Neuro) -> None:
    with FlopCounterMode(display=False) as counter:
        network(torch.rand(1, 1, 256, 256))
    assert counter.get_total_flops() / 2 <= 1.5e9


@pytest.mark.parametrize("size", [160, 224, 256])
def test_it_answers_at_every_training_size(network: Neuro, size: int) -> None:
    out = network(torch.rand(2, 1, size, size))
    assert out.logits.shape == (2, 4)
    assert out.mask_logits.shape == (2, 1, size // 2, size // 2)
    assert out.features.shape[2:] == (size // 16, size // 16)


def test_folding_batch_norms_leaves_the_answer(network: Neuro) -> None:
    picture = torch.rand(2, 1, 64, 64)
    folded = copy.deepcopy(network)
    fold_batch_norms(folded)
    norms = sum(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    assert norms < sum(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules()) / 3
    for before, after in zip(network(picture)[:4], folded(picture)[:4], strict=True):
        assert torch.allclose(before, after, atol=1e-4)


def test_the_class_map_sums_to_the_logit(network: Neuro) -> None:
    """Average pooling and a linear layer: the unclipped map's mean plus the bias is the logit."""
    out = network(torch.rand(1, 1, 128, 128))
    maps = torch.einsum("nkhw,ck->nchw", out.features, network.classify.weight)
    assert torch.allclose(maps.mean(dim=(2, 3)) + network.classify.bias, out.logits, atol=1e-5)


def test_attention_sums_to_one_and_starts_even(network: Neuro) -> None:
    attention = network(torch.rand(2, 1, 64, 64)).attention
    assert attention.shape == (2, 1, 4, 4)
    assert torch.allclose(attention, torch.full_like(attention, 1 / 16), atol=1e-6)
    torch.nn.init.normal_(network.attend.weight)
    drawn = network(torch.rand(2, 1, 64, 64)).attention
    assert drawn.std() > 1e-3
    assert torch.allclose(drawn.sum(dim=(1, 2, 3)), torch.ones(2), atol=1e-5)


def test_coarse_masks_come_in_training_only(network: Neuro) -> None:
    assert network(torch.rand(1, 1, 64, 64)).coarse_masks == ()
    coarse = network.train()(torch.rand(2, 1, 64, 64)).coarse_masks
    assert [tuple(c.shape) for c in coarse] == [(2, 1, 4, 4), (2, 1, 8, 8)]


def test_global_context_starts_as_the_identity_and_then_sees_everywhere() -> None:
    torch.manual_seed(0)
    context = GlobalContext(16)
    x = torch.rand(1, 16, 8, 8)
    assert torch.allclose(context(x), x, atol=1e-6)
    for parameter in context.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    changed = x.clone()
    changed[0, :, 0, 0] += 1
    assert (context(changed) - context(x))[0, :, 7, 7].abs().max() > 1e-4


def test_weights_are_stored_in_half_precision(network: Neuro, tmp_path) -> None:
    save_weights(network.state_dict(), tmp_path / "w.safetensors")
    parameters = sum(v.numel() for v in network.state_dict().values())
    assert (tmp_path / "w.safetensors").stat().st_size < 2.1 * parameters
