"""Every network the program can build, by the manifest's `architecture`, and how each wants to be fed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.models.neuro import Neuro
from braintumor_desktop.models.reference_cnn3 import Cnn3
from braintumor_desktop.models.reference_cnn12 import Cnn12
from braintumor_desktop.models.reference_lenet import LenetBinary
from braintumor_desktop.models.reference_vgg16 import Vgg16WithUnet
from braintumor_desktop.models.reference_xception import Xception


@dataclass(frozen=True)
class WholePicture:
    """Feeding of the reference models: the whole picture resized to a square, whatever its shape, in three equal
    channels (so that their order, red or blue first, makes no difference), 0..255 mapped to low..high.
    """

    size: int
    low: float = 0.0
    high: float = 1.0
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"

    @property
    def words(self) -> str:
        """For the manifest."""
        return (
            f"8-bit grey (through a window where there are more bits), whole picture, {self.interpolation} resize, "
            f"three equal channels, 0..255 to {self.low:g}..{self.high:g}"
        )


@dataclass(frozen=True)
class Architecture:
    """A network and what the rest of the program has to know of it.

    feeding: None for `neuro`, which sees the cropped head (`inference.preprocess`);
    cam_layer: name of the module whose output Grad-CAM explains, None where the class head is pooled and linear, so
    that no gradient is needed; cam_title: the same in words;
    outlines: it draws the tumour; types: it tells tumour types apart;
    parts: name of each loss (class, mask) and the submodule that it trains, "" for the network itself.
    """

    build: Callable[[], nn.Module]
    title: str
    feeding: WholePicture | None = None
    cam_layer: str | None = None
    cam_title: str = ""
    outlines: bool = False
    types: bool = True
    parts: tuple[tuple[str, str], ...] = (("class", ""),)

    @property
    def reference(self) -> bool:
        return self.feeding is not None


ARCHITECTURES: dict[str, Architecture] = {
    "neuro": Architecture(
        Neuro,
        phrase("EfficientNet-Lite2 with class head and mask decoder, trained from weights learned on photographs"),
        outlines=True,
    ),
    "lenet-binary": Architecture(
        LenetBinary,
        phrase("Reference model: LeNet, tumour or no tumour, trained from random weights"),
        WholePicture(128),
        "features.4",
        phrase("second convolution (21 × 21)"),
        types=False,
    ),
    "cnn3": Architecture(
        Cnn3,
        phrase("Reference model: three convolutions, trained from random weights"),
        WholePicture(224),
        "features.7",
        phrase("third convolution (52 × 52)"),
    ),
    "cnn12": Architecture(
        Cnn12,
        phrase("Reference model: nine convolutions and three dense layers, trained from random weights"),
        WholePicture(150),
        "features.23",
        phrase("ninth convolution (10 × 10)"),
    ),
    "xception": Architecture(
        Xception,
        phrase("Reference model: Xception, trained from random weights"),
        WholePicture(299, -1.0, 1.0, "bicubic"),
        "last.3",
        phrase("activation of the last separable convolution (10 × 10)"),
    ),
    "vgg16": Architecture(
        Vgg16WithUnet,
        phrase("Reference model: VGG16 for the class, U-Net (unet128) for the outline, trained from random weights"),
        WholePicture(128),
        "classifier.features.29",
        phrase("thirteenth convolution (8 × 8)"),
        outlines=True,
        parts=(("class", "classifier"), ("mask", "outliner")),
    ),
}
