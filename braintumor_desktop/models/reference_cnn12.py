"""`cnn12`: nine valid convolutions and three dense layers, 4,447,044 parameters."""

from __future__ import annotations

from torch import Tensor, nn

from braintumor_desktop.models.initialise import glorot
from braintumor_desktop.models.output import ReferenceOutput

DROPOUT = 0.3
"""The recipe says where units are dropped, not how many."""


class Cnn12(nn.Module):
    """Input: (n, 3, 150, 150), 0..1."""

    def __init__(self) -> None:
        super().__init__()
        plan: tuple[int | str, ...] = (32, 64, "pool", 64, 64, "drop", "pool", "drop", 128, 128, 128, "pool", "drop")
        layers: list[nn.Module] = []
        channels = 3
        for step in (*plan, 128, 256, "pool", "drop"):
            if isinstance(step, int):
                layers += [nn.Conv2d(channels, step, 3), nn.ReLU()]
                channels = step
            else:
                layers.append(nn.MaxPool2d(2) if step == "pool" else nn.Dropout(DROPOUT))
        self.features = nn.Sequential(*layers)
        self.classify = nn.Sequential(
            nn.Flatten(),
            nn.Linear(6400, 512),
            nn.ReLU(),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(512, 4),
        )
        glorot(self)

    def forward(self, x: Tensor) -> ReferenceOutput:
        return ReferenceOutput(self.classify(self.features(x)))
