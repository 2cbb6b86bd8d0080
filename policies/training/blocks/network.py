"""Network of the block detector: a small U-Net with heads at a quarter of the image's resolution.

Heatmaps with sub-cell offsets follow CenterNet (Zhou, Wang and Krähenbühl, Objects as Points, arXiv:1904.07850).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from policies.perception.detector import LABELS

_FINE = 32
"""Channels at a quarter of the image's resolution."""

_MIDDLE = 48
"""Channels at an eighth of the image's resolution."""

_COARSE = 64
"""Channels at a sixteenth of the image's resolution."""


def _conv(inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


class DetectorNetwork(nn.Module):
    """Network of the block detector: images to heatmap logits and geometry; widths are multiples of 16, fast on a CPU.

    Args:
        labels: number of labels.
    """

    def __init__(self, labels: int = len(LABELS)) -> None:
        super().__init__()
        self.fine = nn.Sequential(_conv(3, 16, stride=2), _conv(16, _FINE, stride=2), _conv(_FINE, _FINE))
        self.middle = nn.Sequential(_conv(_FINE, _MIDDLE, stride=2), _conv(_MIDDLE, _MIDDLE))
        self.coarse = nn.Sequential(_conv(_MIDDLE, _COARSE, stride=2), _conv(_COARSE, _COARSE), _conv(_COARSE, _COARSE))
        self.coarse_to_middle = _conv(_COARSE, _MIDDLE, kernel=1)
        self.beside_middle = _conv(_MIDDLE, _MIDDLE, kernel=1)
        self.merged_middle = _conv(_MIDDLE, _MIDDLE)
        self.middle_to_fine = _conv(_MIDDLE, _FINE, kernel=1)
        self.beside_fine = _conv(_FINE, _FINE, kernel=1)
        self.merged_fine = _conv(_FINE, _FINE)
        self.heat = nn.Conv2d(_FINE, labels, 1)
        self.geometry = nn.Conv2d(_FINE, 4, 1)
        # Peaks are rare: start from a score of 1 in 100 everywhere, as in the focal loss's paper, arXiv:1708.02002.
        nn.init.constant_(cast(Tensor, self.heat.bias), -4.6)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute heatmap logits and geometry of images.

        Args:
            images: images, shape (b, 3, h, w), in [-1, 1].

        Returns:
            (b, labels, h/4, w/4) and (b, 4, h/4, w/4).
        """
        fine = self.fine(images)
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        middle = self.merged_middle(_doubled(self.coarse_to_middle(coarse)) + self.beside_middle(middle))
        fine = self.merged_fine(_doubled(self.middle_to_fine(middle)) + self.beside_fine(fine))
        return self.heat(fine), self.geometry(fine)


class ShippedDetector(nn.Module):
    """Block detector for export: a camera's bytes to peaks and geometry, with the normalisation inside the model."""

    def __init__(self, network: DetectorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Compute scores at their local maxima, else 0, and geometry of an image of (1, h, w, 3) bytes."""
        heat, geometry = self.network(image.permute(0, 3, 1, 2).to(torch.float32) * (1.0 / 127.5) - 1.0)
        scores = torch.sigmoid(heat)
        highest = functional.max_pool2d(scores, 3, stride=1, padding=1)
        return torch.where(scores == highest, scores, torch.zeros_like(scores)), geometry
