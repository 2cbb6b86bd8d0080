"""Network of lane perception: convolutions to a coarse grid, and a perceptron over the whole grid."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from policies.perception.lane import HEIGHT, VALUES, WIDTH

STRIDE = 16
"""Edge of a cell of the grid in the image [px]."""

CHANNELS = 16
"""Channels of the grid."""

HIDDEN = 96
"""Width of the hidden layer."""

SCORES = ("lane", "obstacle", "stop_line")
"""Scores of the network, in the order of its output."""


def _conv(inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class LaneNetwork(nn.Module):
    """Network of lane perception: images to values in multiples of `SCALES`, and logits of the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Sequential(
            _conv(3, 24, stride=4, kernel=7),
            _conv(24, 32, stride=2),
            _conv(32, 32),
            _conv(32, 48, stride=2),
            _conv(48, 48),
            _conv(48, CHANNELS, kernel=1),
            nn.Flatten(),
        )
        cells = (HEIGHT // STRIDE) * (WIDTH // STRIDE)
        self.read = nn.Sequential(
            nn.Linear(CHANNELS * cells, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, len(VALUES) + len(SCORES))
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute values (b, 5) and logits (b, 3) of images (b, 3, h, w), in [-1, 1]."""
        outputs = self.read(self.seen(images))
        return outputs[:, : len(VALUES)], outputs[:, len(VALUES) :]


class ShippedLane(nn.Module):
    """Lane network for export: a camera's bytes to values and scores, with the normalisation inside the model."""

    def __init__(self, network: LaneNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Values and scores, 0 to 1, from (1, h, w, 3) bytes."""
        values, logits = self.network(image.permute(0, 3, 1, 2).to(torch.float32) * (1.0 / 127.5) - 1.0)
        return values, torch.sigmoid(logits)
