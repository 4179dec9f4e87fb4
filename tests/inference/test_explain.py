import copy

import numpy as np
import pytest
import torch

from braintumor_desktop.imaging.head import head_mask
from braintumor_desktop.imaging.sample import sample_picture
from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.inference.cam_methods import CamMethod
from braintumor_desktop.inference.explain import class_maps, energy_inside, pooled_gradient


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer.open("neuro", "cpu")


def by_hand(activation: np.ndarray, gradient: np.ndarray, method: CamMethod) -> np.ndarray:
    """The papers' equations, place by place, in double precision. activation, gradient: (k, h, w)."""
    channels, rows, columns = activation.shape
    map_ = np.zeros((rows, columns))
    for k in range(channels):
        a, g = activation[k].astype(float), gradient[k].astype(float)
        weight = 0.0
        for i in range(rows):
            for j in range(columns):
                if method is CamMethod.GRAD_CAM:
                    weight += g[i, j] / (rows * columns)
                elif method is CamMethod.GRAD_CAM_PP:
                    below = 2 * g[i, j] ** 2 + a.sum() * g[i, j] ** 3
                    weight += (g[i, j] ** 2 / below if below else 0.0) * max(g[i, j], 0.0)
        for i in range(rows):
            for j in range(columns):
                if method is CamMethod.HIRES_CAM:
                    map_[i, j] += g[i, j] * a[i, j]
                elif method is CamMethod.LAYER_CAM:
                    map_[i, j] += max(g[i, j], 0.0) * a[i, j]
                else:
                    map_[i, j] += weight * a[i, j]
    map_ = np.maximum(map_, 0)
    return map_ / map_.max()


@pytest.mark.parametrize("method", CamMethod)
def test_each_method_follows_its_papers_equations(method: CamMethod) -> None:
    rng = np.random.default_rng(3)
    activation = np.abs(rng.standard_normal((5, 4, 4))).astype(np.float32)
    gradient = rng.standard_normal((5, 4, 4)).astype(np.float32)
    mine = class_maps(torch.tensor(activation)[None], torch.tensor(gradient)[None], method, 4)[0].numpy()
    np.testing.assert_allclose(mine, by_hand(activation, gradient, method), atol=1e-4)


def test_the_methods_differ_and_no_evidence_gives_an_empty_map() -> None:
    torch.manual_seed(0)
    activation, gradient = torch.rand(1, 8, 6, 6), torch.randn(1, 8, 6, 6)
    maps = [class_maps(activation, gradient, method, 6) for method in CamMethod]
    assert all((a - b).abs().max() > 0.05 for n, a in enumerate(maps) for b in maps[:n])
    for method in CamMethod:
        assert class_maps(activation, -gradient.abs(), method, 6).max() == 0


def test_the_pooled_gradient_is_that_of_autograd_and_makes_grad_cam_and_hirescam_one() -> None:
    torch.manual_seed(1)
    features = torch.rand(2, 6, 4, 4, requires_grad=True)
    head = torch.nn.Linear(6, 4)
    classes = torch.tensor([2, 0])
    head(features.mean(dim=(2, 3))).gather(1, classes[:, None]).sum().backward()
    mine = pooled_gradient(features.detach(), head.weight.detach(), classes)
    assert features.grad is not None
    assert torch.allclose(mine, features.grad, atol=1e-7)
    plain, high = (class_maps(features.detach(), mine, m, 4) for m in (CamMethod.GRAD_CAM, CamMethod.HIRES_CAM))
    assert torch.allclose(plain, high, atol=1e-5)


def test_the_chosen_method_is_named_and_draws_its_own_map(analyzer: Analyzer) -> None:
    study = sample_picture()
    other = Analyzer(analyzer._network, analyzer.row, torch.device("cpu"), CamMethod.LAYER_CAM)
    usual, layer = analyzer.analyze(study).explanation, other.analyze(study).explanation
    assert usual is not None
    assert layer is not None
    assert usual.method.startswith("Grad-CAM,")
    assert layer.method.startswith("Layer-CAM,")
    # Half-precision steps are 0.0005; means over two looks leave the methods less apart than one look.
    assert np.abs(usual.heatmap[0] - layer.heatmap[0]).max() > 0.005


def test_a_random_class_head_draws_another_map(analyzer: Analyzer) -> None:
    """The map must rest on what the head learned, not on the picture's edges (Adebayo et al., NeurIPS 2018)."""
    study = sample_picture()
    head = head_mask(study.pixels[0])
    network = copy.deepcopy(analyzer._network)
    torch.manual_seed(0)
    for name in ("fuse", "attend", "classify"):
        for parameter in network.get_submodule(name).parameters():
            parameter.copy_(torch.randn_like(parameter) * parameter.std(correction=0).clamp_min(0.01))
    own = analyzer.analyze(study).explanation
    other = Analyzer(network, analyzer.row, torch.device("cpu")).analyze(study).explanation
    assert own is not None
    assert other is not None
    assert np.corrcoef(own.heatmap[0][head], other.heatmap[0][head])[0, 1] < 0.6


def test_energy_inside_is_the_share_of_the_map() -> None:
    heat = np.array([[1.0, 3.0], [0.0, 4.0]], np.float32)
    assert energy_inside(heat, np.array([[False, True], [False, False]])) == pytest.approx(3 / 8)
    assert energy_inside(heat, np.zeros((2, 2), bool)) is None
    assert energy_inside(heat * 0, np.ones((2, 2), bool)) is None
