import pytest
import torch

from braintumor_desktop.models.familiarity import Familiarity, pooled_statistics
from braintumor_desktop.models.neuro import Neuro

SIZES = (4, 6)


def cloud(count: int, seed: int, *, shift: float = 0.0) -> torch.Tensor:
    """Correlated descriptors."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(10, 10, generator=torch.Generator().manual_seed(99))
    return torch.randn(count, 10, generator=generator) @ mixing + shift


@pytest.fixture
def fitted() -> Familiarity:
    made = Familiarity(SIZES)
    made.fit(cloud(2000, 1), cloud(1000, 2), share=0.98)
    return made


def test_the_wanted_share_of_familiar_pictures_stays_below_one_half(fitted: Familiarity) -> None:
    assert fitted.fitted
    assert float((fitted(cloud(1000, 2)) < 0.5).float().mean()) == pytest.approx(0.98, abs=0.002)
    assert float((fitted(cloud(2000, 3)) < 0.5).float().mean()) > 0.96


def test_strangers_score_higher_the_farther_they_are(fitted: Familiarity) -> None:
    near, far = fitted(cloud(200, 4, shift=20)), fitted(cloud(200, 4, shift=200))
    assert (near > 0.5).all()
    assert (far > near).all()
    assert (far < 1).all()


def test_the_distance_is_mahalanobis_but_for_the_shrinkage(fitted: Familiarity) -> None:
    sample = cloud(2000, 1)
    mine = fitted.distances(sample[:50])[:, 0]
    part = sample[:, :4].double()
    inverse = torch.linalg.inv(torch.cov(part.T))
    centred = part[:50] - part.mean(dim=0)
    expected = (torch.einsum("ni,ij,nj->n", centred, inverse, centred) / 4).sqrt()
    assert torch.allclose(mine.double(), expected, rtol=0.15)


def test_unfitted_it_says_nothing() -> None:
    empty = Familiarity(SIZES)
    assert not empty.fitted
    assert empty(cloud(3, 1)).isnan().all()


def test_upright_is_learned_and_survives_half_precision(fitted: Familiarity) -> None:
    turned = cloud(600, 6)
    turned[:, 0] += 12
    fitted.fit_upright(cloud(600, 5), turned)
    fitted.load_state_dict({k: v.half().float() for k, v in fitted.state_dict().items()})
    assert float((fitted.upright_probability(cloud(300, 7)) > 0.5).float().mean()) > 0.9
    fresh = cloud(300, 8)
    fresh[:, 0] += 12
    assert float((fitted.upright_probability(fresh) < 0.5).float().mean()) > 0.9


def test_sequences_are_told_apart_after_fitting(fitted: Familiarity) -> None:
    def three(seed: int) -> torch.Tensor:
        made = cloud(900, seed)
        made[300:600, 1] += 12
        made[600:, 2] += 12
        return made

    truth = torch.arange(3).repeat_interleave(300)
    counts = torch.ones(900)
    fitted.fit_sequence(three(9), truth, counts)
    said = fitted.sequence_probabilities(three(10))
    assert torch.allclose(said.sum(dim=1), torch.ones(900))
    assert float((said.argmax(dim=1) == truth).float().mean()) > 0.85


def test_a_picture_that_counts_nothing_teaches_nothing(fitted: Familiarity) -> None:
    pictures, truth = cloud(400, 11), torch.arange(2).repeat_interleave(200)
    fitted.fit_sequence(pictures[:200], truth[:200], torch.ones(200))
    alone = fitted.get_buffer("sequence").clone()
    fitted.fit_sequence(pictures, truth, (truth == 0).float())
    assert torch.allclose(fitted.get_buffer("sequence"), alone, atol=1e-3)


def test_statistics_are_of_each_channel() -> None:
    features = torch.rand(2, 3, 5, 5)
    pooled = pooled_statistics(features)
    assert torch.allclose(pooled[:, :3], torch.log1p(features.mean(dim=(2, 3))))
    assert torch.allclose(pooled[:, 3:], torch.log1p(features.std(dim=(2, 3), correction=0)))


def test_the_network_describes_pictures_in_evaluation_only() -> None:
    network = Neuro()
    assert network.train()(torch.rand(2, 1, 64, 64)).descriptor is None
    descriptor = network.eval()(torch.rand(2, 1, 64, 64)).descriptor
    assert descriptor.shape == (2, sum(network.familiarity.sizes))
    assert network.familiarity(descriptor).shape == (2,)
