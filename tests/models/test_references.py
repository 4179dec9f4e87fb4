import pytest
import torch

from braintumor_desktop.models.architectures import ARCHITECTURES
from braintumor_desktop.models.loading import fold_batch_norms
from braintumor_desktop.models.reference_cnn12 import Cnn12
from braintumor_desktop.models.reference_lenet import LenetBinary
from braintumor_desktop.models.reference_unet import Unet128
from braintumor_desktop.models.reference_xception import Xception

REFERENCES = {name: a for name, a in ARCHITECTURES.items() if a.reference}


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.fixture(scope="module")
def networks() -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    return {name: a.build().eval() for name, a in REFERENCES.items()}


def test_cnn12_has_the_published_number_of_parameters() -> None:
    assert parameters(Cnn12()) == 4_447_044


def test_xception_has_36_convolution_layers_and_the_published_parameters() -> None:
    """Chollet 2017, table 3, counts 22,855,952 with 1000 classes: 20,806,952 without that layer, as Keras has it."""
    network = Xception()
    head = parameters(network.dense) + parameters(network.classify)
    assert parameters(network) - head == 20_806_952 == 22_855_952 - 2049 * 1000
    depthwise = sum(isinstance(m, torch.nn.Conv2d) and m.groups > 1 for m in network.modules())
    assert depthwise + 2 == 36


def test_the_unet_sees_far_and_answers_on_its_input_grid() -> None:
    torch.manual_seed(0)
    network, picture = Unet128(8).eval(), torch.rand(1, 3, 128, 128).requires_grad_()
    mask = network(picture)
    assert mask.shape == (1, 1, 128, 128)
    mask[0, 0, 64, 64].backward()
    assert picture.grad is not None
    reach = picture.grad.abs().sum(dim=(0, 1)).nonzero()
    assert (reach.amax(0) - reach.amin(0)).min() > 80


def test_lenet_tells_tumor_from_none_by_one_sigmoid_and_no_types() -> None:
    torch.manual_seed(0)
    network, picture = LenetBinary().eval(), torch.rand(2, 3, 128, 128)
    probabilities = network(picture).logits.softmax(1)
    score = network.classify(network.features(picture))[:, 0]
    assert torch.allclose(1 - probabilities[:, 3], score.sigmoid(), atol=1e-6)
    assert torch.allclose(probabilities[:, 0], probabilities[:, 2])


@pytest.mark.parametrize("name", REFERENCES)
def test_each_reference_answers_at_its_input_size_and_has_its_grad_cam_layer(
    name: str, networks: dict[str, torch.nn.Module]
) -> None:
    architecture, network = REFERENCES[name], networks[name]
    assert architecture.feeding is not None
    assert architecture.cam_layer is not None
    kept: list[torch.Tensor] = []
    hook = network.get_submodule(architecture.cam_layer).register_forward_hook(lambda _m, _i, out: kept.append(out))
    with torch.inference_mode():
        out = network(torch.rand(1, 3, architecture.feeding.size, architecture.feeding.size))
    hook.remove()
    assert out.logits.shape == (1, 4)
    assert (out.mask_logits is not None) == architecture.outlines
    rows, columns = kept[0].shape[2:]
    assert f"({rows} × {columns})" in architecture.cam_title


def test_all_references_together_stay_under_130_megabytes_in_half_precision(
    networks: dict[str, torch.nn.Module],
) -> None:
    assert sum(2 * v.numel() for n in networks.values() for v in n.state_dict().values()) < 130e6


def test_folding_leaves_xceptions_answer_and_its_grad_cam_layer() -> None:
    torch.manual_seed(0)
    network, picture = Xception().eval(), torch.rand(1, 3, 71, 71)
    with torch.inference_mode():
        before = network(picture).logits
        fold_batch_norms(network)
        assert torch.allclose(before, network(picture).logits, atol=1e-4)
    assert isinstance(network.get_submodule(ARCHITECTURES["xception"].cam_layer or ""), torch.nn.ReLU)
