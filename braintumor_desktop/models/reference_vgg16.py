"""`vgg16`: VGG16 names the class, a U-Net beside it draws the outline."""

from __future__ import annotations

from torch import Tensor, nn

from braintumor_desktop.models.initialise import he
from braintumor_desktop.models.output import ReferenceOutput
from braintumor_desktop.models.reference_unet import Unet128

PLAN: tuple[int, ...] = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Channels of each convolution, 0 for a pooling: configuration D of Simonyan and Zisserman, ICLR 2015."""


class Vgg16(nn.Module):
    """`features` has the layers and the names of torchvision's. Input: (n, 3, 128, 128), 0..1; output: (n, 4)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for step in PLAN:
            layers += [nn.Conv2d(channels, step, 3, padding=1), nn.ReLU()] if step else [nn.MaxPool2d(2)]
            channels = step or channels
        self.features = nn.Sequential(*layers)
        self.classify = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(512 * 4 * 4, 128),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(128, 4),
        )
        he(self)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classify(self.features(x))
        return out


class Vgg16WithUnet(nn.Module):
    """The two networks of one original system. They share the input and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = Vgg16()
        self.outliner = Unet128()

    def forward(self, x: Tensor) -> ReferenceOutput:
        return ReferenceOutput(self.classifier(x), self.outliner(x))
