import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from braintumor_desktop.domain.findings import CLASSES, TumorClass
from braintumor_desktop.domain.study import InputKind, Source, Study
from braintumor_desktop.imaging.sample import sample_picture, sample_stack
from braintumor_desktop.inference import Analyzer
from braintumor_desktop.inference.cam_methods import CamMethod
from braintumor_desktop.inference.explain import class_maps
from braintumor_desktop.inference.picture_reading import SliceAnswer
from braintumor_desktop.inference.plain_series import read_plain_series
from braintumor_desktop.inference.preprocess import WholeFrame, resize_whole
from braintumor_desktop.inference.reference_answers import forward_with_gradient, gradient_of, said, to_input
from braintumor_desktop.models.architectures import ARCHITECTURES, Architecture, WholePicture
from braintumor_desktop.models.manifest import Calibration, ManifestRow
from braintumor_desktop.models.output import ReferenceOutput
from braintumor_desktop.models.reference_lenet import LenetBinary
from braintumor_desktop.models.reference_unet import Unet128
from braintumor_desktop.reporting import build_report, json_line, write_pdf
from braintumor_desktop.ui import result_words


def row(architecture: str) -> ManifestRow:
    return ManifestRow(
        architecture, "made", "1", architecture, "none", "0" * 64, "", "", (), "", {}, "", False, Calibration()
    )


def of_pixels(pixels: np.ndarray) -> Study:
    return Study(pixels, Source(Path("made"), "0" * 64, pixels.nbytes, InputKind.PICTURE, "made", 8, False))


class SmallPair(nn.Module):
    """vgg16's shape in small: a classifier with a layer for Grad-CAM, and a U-Net."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Module()
        self.classifier.features = nn.Sequential(nn.Conv2d(3, 8, 3, 8), nn.ReLU())
        self.classifier.classify = nn.Linear(8, 4)
        self.outliner = Unet128(4)

    def forward(self, x: Tensor) -> ReferenceOutput:
        pooled = self.classifier.features(x).mean(dim=(2, 3))
        return ReferenceOutput(self.classifier.classify(pooled), self.outliner(x))


@pytest.fixture
def lenet() -> Analyzer:
    torch.manual_seed(0)
    return Analyzer(LenetBinary().eval(), row("lenet-binary"), torch.device("cpu"))


@pytest.fixture
def small_pair(monkeypatch: pytest.MonkeyPatch) -> Analyzer:
    torch.manual_seed(0)
    small = replace(ARCHITECTURES["vgg16"], cam_layer="classifier.features.1")
    monkeypatch.setitem(ARCHITECTURES, "vgg16", small)
    return Analyzer(SmallPair().eval(), row("vgg16"), torch.device("cpu"))


@pytest.mark.parametrize("name", [n for n, a in ARCHITECTURES.items() if a.reference])
def test_the_whole_picture_is_resized_as_the_original_did(name: str) -> None:
    feeding = ARCHITECTURES[name].feeding
    assert feeding is not None
    grey = np.random.default_rng(0).integers(0, 256, (400, 300), dtype=np.uint8)
    seen = to_input(torch.from_numpy(resize_whole(grey, feeding)[None]), feeding)[0]
    expected = (
        np.asarray(Image.fromarray(grey).resize((299, 299), Image.Resampling.BICUBIC)) / 127.5 - 1
        if name == "xception"
        else cv2.resize(grey, (feeding.size,) * 2) / 255
    )
    for channel in seen:
        assert channel.numpy() == pytest.approx(expected, abs=1e-5)


def test_more_than_eight_bits_go_through_a_window_first() -> None:
    """An offset and a gain of the scanner make no difference."""
    feeding = WholePicture(64)
    pixels = np.random.default_rng(0).normal(1000, 200, (80, 90)).astype(np.float32)
    once, twice = resize_whole(pixels, feeding), resize_whole(pixels * 4 + 77, feeding)
    assert np.abs(once.astype(int) - twice).max() <= 1
    assert once.min() < 60
    assert once.max() > 200


def test_grad_cam_of_a_pooled_linear_head_is_the_closed_form() -> None:
    """There the gradient's mean is the head's own weight (Zhou et al., CVPR 2016): an independent way to the map."""

    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(nn.Conv2d(3, 6, 3, 4), nn.ReLU())
            self.classify = nn.Linear(6, 4)

        def forward(self, x: Tensor) -> ReferenceOutput:
            return ReferenceOutput(self.classify(self.features(x).mean(dim=(2, 3))))

    torch.manual_seed(1)
    network = Pooled().eval().requires_grad_(False)
    network.classify.weight.abs_()  # so that no map is all dark
    architecture = Architecture(Pooled, "", WholePicture(64), "features.1")
    out, activation = forward_with_gradient(network, architecture, torch.rand(3, 3, 64, 64))
    weights = network.classify.weight[out.logits.argmax(1)]
    expected = torch.relu(torch.einsum("nkhw,nk->nhw", activation.detach(), weights))
    gradient = gradient_of(out.logits, activation)
    maps = class_maps(activation.detach(), gradient, CamMethod.GRAD_CAM, activation.shape[-1])
    assert maps.shape == expected.shape
    assert torch.allclose(maps, expected / expected.amax(dim=(1, 2), keepdim=True), atol=1e-5)


def test_the_map_of_a_model_without_types_explains_the_answer_given() -> None:
    activation = torch.ones(2, 1, 1, 1, requires_grad=True)
    tumor = activation.flatten() * torch.tensor([1.0, -1.0]) - 0.5
    logits = torch.stack([tumor, tumor, tumor, torch.full((2,), math.log(3))], dim=1)
    # Tumours share their part in three: P(tumour) is 0.62 and 0.18, though in the first row each third is below none's.
    untyped = Architecture(LenetBinary, "", WholePicture(64), types=False)
    assert gradient_of(said(logits, untyped), activation).flatten().tolist() == pytest.approx([1, 0])


def test_an_answer_in_a_batch_is_the_answer_alone(small_pair: Analyzer) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 120, 96), dtype=np.uint8)
    together = small_pair._answer(pixels)[0]
    for one, answer in zip(pixels, together, strict=True):
        alone = small_pair._answer(one[None])[0][0]
        assert answer.logits == pytest.approx(alone.logits, abs=1e-5)
        assert np.abs(answer.heatmap - alone.heatmap).max() < 1e-2


def test_a_model_without_types_names_none_and_says_so(lenet: Analyzer) -> None:
    said: dict[str, Any] = {}
    for bias, expected in ((-4.0, "no_tumor"), (4.0, "indeterminate")):
        with torch.no_grad():
            lenet._network.get_parameter("classify.5.bias").fill_(bias)
        analysis = lenet.analyze(sample_picture())
        said[expected] = json_line(analysis)
        assert analysis.finding.label == expected
    found = said["indeterminate"]["finding"]
    assert found["tumor_probability"] > 0.9
    assert [found["probabilities"][c] for c in CLASSES[:3]] == [None] * 3
    assert found["probabilities"]["no_tumor"] == pytest.approx(1 - found["tumor_probability"], abs=1e-4)
    assert found["prediction_set"] is None
    assert "simulated_banding" in said["indeterminate"]["quality"]["flags"]
    assert "simulated_banding" not in said["no_tumor"]["quality"]["flags"]


def test_the_simulated_banding_appears_only_with_its_warning(lenet: Analyzer, tmp_path: Path) -> None:
    with torch.no_grad():
        lenet._network.get_parameter("classify.5.bias").fill_(6.0)
    analysis = lenet.analyze(sample_picture())
    report = build_report(analysis)
    banding = [words for words in report.quality if "glioma" in words]
    assert len(banding) == 1
    assert banding[0].endswith("a simulated banding without diagnostic meaning.")
    assert "glioma" not in report.finding
    assert [r.words for r in report.probabilities[:3]] == ["not told"] * 3
    assert not any(r.in_set for r in report.probabilities)
    write_pdf(report, tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_a_model_without_outlines_says_that_nothing_is_measured(lenet: Analyzer) -> None:
    analysis = lenet.analyze(sample_picture())
    assert analysis.segmentation is None
    assert json_line(analysis)["segmentation"]["present"] is None
    assert "draws no outlines" in result_words.size_note(analysis.study, analysis.segmentation)
    assert analysis.explanation is not None
    assert analysis.explanation.heatmap.shape == analysis.study.pixels.shape
    assert analysis.explanation.energy_in_mask is None


def test_the_slice_said_to_be_surest_of_a_tumour_is_the_one_with_most_of_it() -> None:
    thirds = [0.15, 0.30, 0.24]  # tumours' parts in three slices
    answers = [
        SliceAnswer(np.log([t, t, t, 1 - 3 * t]), None, np.zeros((8, 8), np.float16), 100, WholeFrame.of(8, 8), 1.0)
        for t in thirds
    ]
    source = Source(Path("x"), "", 0, InputKind.NIFTI, "array", 8, None)
    for types, least_certain in ((True, 2), (False, 0)):  # without types what counts is tumour or none
        study = Study(np.zeros((3, 8, 8), np.uint8), source)
        reading = read_plain_series(study, answers, Calibration(), types=types)
        assert 1 - reading.finding.probabilities[TumorClass.NO_TUMOR] > 0.5
        assert reading.key_slices is not None
        assert reading.key_slices.most_confident == 1
        assert reading.key_slices.most_uncertain == least_certain


def test_a_series_is_answered_without_outlines(lenet: Analyzer) -> None:
    stack = sample_stack()
    analysis = lenet.analyze(stack)
    assert analysis.segmentation is None
    assert analysis.slices is not None
    assert [s.index for s in analysis.slices] == list(range(stack.slices))
    assert {s.area_px for s in analysis.slices} == {None}
    assert "single_slices" in {flag.code for flag in analysis.quality.flags}
    line = json_line(analysis)
    assert line["segmentation"]["lesions"] is None
    assert line["slices"][0]["area_px"] is None


def test_the_outline_of_a_stretched_picture_lies_where_the_network_saw_it(small_pair: Analyzer) -> None:
    """The outliner is replaced by a threshold on brightness: what comes back must lie on the bright place."""

    class Bright(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x.mean(dim=1, keepdim=True) - 0.5) * 50

    small_pair._network.outliner = Bright()
    pixels = np.full((1, 300, 120), 20, np.uint8)
    pixels[0, 200:260, 30:60] = 230
    analysis = small_pair.analyze(of_pixels(pixels))
    assert analysis.segmentation is not None
    truth, found = pixels > 100, analysis.segmentation.mask
    assert 2 * (truth & found).sum() / (truth.sum() + found.sum()) > 0.95


def test_a_series_with_outlines_goes_the_same_way_as_neuros(small_pair: Analyzer) -> None:
    analysis = small_pair.analyze(sample_stack())
    assert analysis.segmentation is not None
    assert analysis.segmentation.mask.shape == analysis.study.pixels.shape
    assert analysis.finding.top_class in set(TumorClass)
