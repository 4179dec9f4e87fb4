"""`cnn3`: three convolutions, each pooled, and one dense layer."""

from __future__ import annotations

from torch import Tensor, nn

from braintumor_desktop.models.initialise import glorot
from braintumor_desktop.models.output import ReferenceOutput


class Cnn3(nn.Module):
    """Input: (n, 3, 224, 224), 0..1.

    The recipe leaves widths open: 32, 64 and 128 channels, as Keras' own example has them and most copies of it; 64
    dense units keep the weights small.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
            layers += [nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers)
        self.classify = nn.Sequential(
            nn.Flatten(), nn.Linear(128 * 26 * 26, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 4)
        )
        glorot(self)

    def forward(self, x: Tensor) -> ReferenceOutput:
        return ReferenceOutput(self.classify(self.features(x)))
