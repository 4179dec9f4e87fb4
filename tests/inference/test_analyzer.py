import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from braintumor_desktop.domain.errors import BrainTumorError, Cancelled, ErrorCode
from braintumor_desktop.domain.findings import CLASSES, INDETERMINATE, TumorClass
from braintumor_desktop.domain.measurements import diameters
from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging.head import head_mask
from braintumor_desktop.imaging.sample import sample_mask, sample_picture, sample_stack
from braintumor_desktop.imaging.turning import Turn
from braintumor_desktop.inference import Analyzer
from braintumor_desktop.inference.analyzer import BATCH
from braintumor_desktop.inference.measure import clean, largest_component
from braintumor_desktop.inference.probability import finding_from, softmax
from braintumor_desktop.models.loading import fold_batch_norms
from braintumor_desktop.models.manifest import Calibration
from braintumor_desktop.models.neuro import Neuro


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer.open("neuro", "cpu")


def of_pixels(pixels: np.ndarray, **changes: object) -> Study:
    source = Source(Path("made"), "0" * 64, pixels.nbytes, InputKind.PICTURE, "made", 8, False)
    return Study(pixels, source, **changes)  # type: ignore[arg-type]


def test_the_sample_lesion_is_found_outlined_and_measured_in_millimetres(analyzer: Analyzer) -> None:
    study, truth = sample_picture(), sample_mask()
    analysis = analyzer.analyze(study)
    found = analysis.segmentation
    assert found is not None
    assert found.mask.shape == study.pixels.shape
    assert 2 * (found.mask[0] & truth).sum() / (found.mask[0].sum() + truth.sum()) > 0.7
    spacing = study.geometry.pixel_spacing_mm
    assert spacing is not None
    assert found.area_mm2 == pytest.approx(found.area_px * spacing[0] * spacing[1])
    true_size = diameters(truth, spacing)
    assert found.diameters is not None
    assert true_size is not None
    assert true_size.longest.length_mm is not None
    assert found.diameters.longest.length_mm == pytest.approx(true_size.longest.length_mm, abs=4)
    assert analysis.finding.top_class is not TumorClass.NO_TUMOR
    assert sum(analysis.finding.probabilities.values()) == pytest.approx(1)
    assert [flag.code for flag in analysis.quality.flags][:1] == ["synthetic"]


@pytest.mark.parametrize("model", ["neuro", "vgg16"])
@pytest.mark.parametrize("turn", [Turn(quarters=2), Turn(mirrored=True, quarters=1)])
def test_a_slice_stored_in_another_way_gets_the_same_answer_where_its_orientation_is_known(
    analyzer: Analyzer, model: str, turn: Turn
) -> None:
    analyzer = analyzer if model == "neuro" else Analyzer.open(model, "cpu")
    study = sample_picture()
    usual, spacing = study.geometry.orientation, study.geometry.pixel_spacing_mm
    assert usual is not None
    assert spacing is not None
    letters = turn.edges(usual)
    assert letters is not None
    geometry = Geometry(spacing[::-1] if turn.lies_across else spacing, None, (letters.right, letters.bottom))
    pixels = np.ascontiguousarray(turn.apply(study.pixels[0])[None])
    expected, found = analyzer.analyze(study), analyzer.analyze(replace(study, pixels=pixels, geometry=geometry))
    assert found.finding.probabilities == pytest.approx(expected.finding.probabilities, abs=0.02)
    assert {flag.code for flag in found.quality.flags} == {flag.code for flag in expected.quality.flags}
    for mine, other in (
        (found.segmentation.mask[0], expected.segmentation.mask[0]),  # type: ignore[union-attr]
        (found.explanation.heatmap[0] > 0.5, expected.explanation.heatmap[0] > 0.5),  # type: ignore[union-attr]
    ):
        assert 2 * (turn.undo(mine) & other).sum() >= 0.95 * (mine.sum() + other.sum())


def test_the_same_study_gives_the_same_bits_twice(analyzer: Analyzer) -> None:
    first, second = analyzer.analyze(sample_picture()), analyzer.analyze(sample_picture())
    assert first.finding == second.finding
    assert first.segmentation is not None
    assert second.segmentation is not None
    assert np.array_equal(first.segmentation.probability, second.segmentation.probability)


def test_without_pixel_spacing_nothing_is_said_in_millimetres(analyzer: Analyzer) -> None:
    analysis = analyzer.analyze(replace(sample_picture(), geometry=Geometry()))
    found = analysis.segmentation
    assert found is not None
    assert found.area_mm2 is None
    assert found.diameters is not None
    assert found.diameters.longest.length_mm is None


def test_a_stack_is_answered_slice_by_slice_with_progress(analyzer: Analyzer) -> None:
    stack = sample_stack()
    heard: list[tuple[str, float]] = []
    analysis = analyzer.analyze(stack, progress=lambda stage, share: heard.append((stage, share)))
    assert analysis.slices is not None
    assert [s.index for s in analysis.slices] == list(range(stack.slices))
    assert analysis.slices[3].position_mm == 18.0
    shares = [share for _, share in heard]
    assert shares == sorted(shares)
    assert len(heard) == -(-stack.slices // BATCH) + 1
    assert heard[1][0] == f"Analysing slice {BATCH + 1} of {stack.slices}"
    assert analysis.segmentation is not None
    assert analysis.slices[analysis.key_slice].area_px == analysis.segmentation.area_px


def test_no_room_for_the_answer_is_told_as_no_room_for_the_network_is(
    analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("braintumor_desktop.inference.analyzer.read_series", full)
    with pytest.raises(BrainTumorError) as told:
        analyzer.analyze(sample_stack())
    assert told.value.code is ErrorCode.OUT_OF_MEMORY


def test_cancelling_between_batches_stops_the_work(analyzer: Analyzer) -> None:
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        analyzer.analyze(sample_stack(), cancelled=lambda: next(asked))


@pytest.mark.parametrize("shape", [(32, 32), (33, 700), (1100, 40), (17_000, 32)])
def test_odd_shapes_come_back_on_their_own_grid(analyzer: Analyzer, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (1, *shape)).astype(np.uint16)
    analysis = analyzer.analyze(of_pixels(noise))
    assert analysis.segmentation is not None
    assert analysis.explanation is not None
    assert analysis.segmentation.mask.shape == analysis.explanation.heatmap.shape == (1, *shape)


def test_a_head_in_pixels_that_are_not_square_is_answered_as_in_square_ones(analyzer: Analyzer) -> None:
    study = sample_picture()
    thinned = study.pixels[:, :, ::2].copy()
    square = analyzer.analyze(of_pixels(np.array(study.pixels), geometry=Geometry((0.5, 0.5))))
    other = analyzer.analyze(of_pixels(thinned, geometry=Geometry((0.5, 1.0))))
    stretched = analyzer.analyze(of_pixels(thinned))
    assert other.finding.tumor_probability == pytest.approx(square.finding.tumor_probability, abs=0.05)
    assert square.segmentation is not None
    truth = square.segmentation.mask[0, :, ::2]

    def dice(mask: np.ndarray) -> float:
        return float(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))

    assert other.segmentation is not None
    assert stretched.segmentation is not None
    assert dice(other.segmentation.mask[0]) > 0.9
    assert dice(other.segmentation.mask[0]) > dice(stretched.segmentation.mask[0])


def test_floating_point_pixels_with_an_offset_give_the_same_finding(analyzer: Analyzer) -> None:
    pixels = sample_picture().pixels
    plain = analyzer.analyze(of_pixels(np.array(pixels)))
    moved = analyzer.analyze(of_pixels(pixels.astype(np.float32) * 3.5 - 200))
    for each in CLASSES:
        assert moved.finding.probabilities[each] == pytest.approx(plain.finding.probabilities[each], abs=2e-3)


def test_random_weights_draw_another_map(analyzer: Analyzer) -> None:
    """The sanity check of Adebayo et al. (NeurIPS 2018): a map that survives random weights explains nothing."""
    study = sample_picture()
    head = head_mask(study.pixels[0])  # every map is dark in the air around it
    trained = analyzer.analyze(study).explanation
    torch.manual_seed(1)
    network = Neuro().eval()
    fold_batch_norms(network)
    random = Analyzer(network, analyzer.row, torch.device("cpu")).analyze(study).explanation
    assert trained is not None
    assert random is not None
    assert np.corrcoef(trained.heatmap[0][head], random.heatmap[0][head])[0, 1] < 0.5


def test_specks_are_dropped_and_the_largest_piece_is_kept() -> None:
    mask = np.zeros((20, 20), bool)
    mask[2:8, 2:8] = True
    mask[12:15, 12:15] = True
    mask[18, 1] = True
    assert clean(mask, 5).sum() == 36 + 9
    assert largest_component(mask).sum() == 36
    assert not clean(np.zeros((4, 4), bool), 5).any()


def test_an_empty_or_full_prediction_set_is_indeterminate() -> None:
    spread, sure = np.array([0.3, 0.3, 0.2, 0.2]), np.array([0.94, 0.02, 0.02, 0.02])
    assert finding_from(spread, Calibration(1, 0.5, 0.95)).label == INDETERMINATE
    assert finding_from(spread, Calibration(1, 0.1, 0.95)).label == INDETERMINATE
    certain = finding_from(sure, Calibration(1, 0.5, 0.95))
    assert (certain.label, certain.prediction_set) == ("glioma", (TumorClass.GLIOMA,))
    assert finding_from(spread, Calibration()).prediction_set is None


def test_probabilities_survive_extreme_logits() -> None:
    assert softmax(np.array([[1000.0, 0.0, -1000.0, 0.0]])).tolist() == [[1.0, 0.0, 0.0, 0.0]]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_asked_for_by_name_where_there_is_none_is_told() -> None:
    with pytest.raises(BrainTumorError) as refusal:
        Analyzer.open("neuro", "cuda")
    assert refusal.value.code is ErrorCode.DEVICE_UNAVAILABLE


def test_a_graphics_card_without_room_hands_over_to_the_cpu_and_says_so(
    analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The edge of the world: a card that refuses once, stood in for by a network that refuses once."""
    crowded = Analyzer(copy.deepcopy(analyzer._network), analyzer.row, torch.device("cpu"))
    crowded._wish = crowded._device = torch.device("cuda:0")
    forward, refused = crowded._forward, []

    def refuse_once(pixels: np.ndarray, ratio: float, turn: Turn) -> object:
        if not refused:
            refused.append(True)
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return forward(pixels, ratio, turn)

    monkeypatch.setattr(crowded, "_forward", refuse_once)
    analysis = crowded.analyze(sample_picture())
    assert refused
    assert "cpu_fallback" in [flag.code for flag in analysis.quality.flags]
    assert analysis.finding == analyzer.analyze(sample_picture()).finding


def test_a_graphics_card_that_gives_nothing_back_hands_over_for_good(
    analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The edge of the world: after an illegal access every call of CUDA fails, as every copy from "meta" does."""

    def refuse() -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "empty_cache", refuse)
    broken = Analyzer(copy.deepcopy(analyzer._network), analyzer.row, torch.device("meta"))
    for _ in range(2):
        analysis = broken.analyze(sample_picture())
        assert analysis.device == "cpu"
        assert "cpu_fallback" in [flag.code for flag in analysis.quality.flags]
        assert analysis.finding == analyzer.analyze(sample_picture()).finding


def test_an_overexposed_picture_is_flagged(analyzer: Analyzer) -> None:
    picture = np.full((1, 200, 200), 90, np.uint8)
    picture[:, :100] = 91
    codes = [flag.code for flag in analyzer.analyze(of_pixels(picture)).quality.flags]
    assert "saturated" in codes


def test_a_small_picture_is_flagged_as_low_resolution(analyzer: Analyzer) -> None:
    small = np.ascontiguousarray(sample_picture().pixels[:, ::6, ::6])
    assert "low_resolution" in [flag.code for flag in analyzer.analyze(of_pixels(small)).quality.flags]
