"""Marker templates: ArUco markers and the landing pad, matched against an image patch by normalised correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.messages import Vector

MARKERS = 50
"""Number of markers in the dictionary DICT_4X4_50."""

MARKER_SHARE = 0.8
"""Edge of a marker over the edge of its board."""

PAD_SIZE = 192
"""Edge of the drawing of a landing pad [px]."""


@dataclass(frozen=True, slots=True)
class Match:
    """Best marker template for an image patch.

    Attributes:
        name: name of the template.
        turns: quarter turns, counter-clockwise, from the upright template to the patch.
        score: correlation of template and patch, in [-1, 1].
        second: correlation of the best template with another name; -1 if there is no other.
    """

    name: str
    turns: int
    score: float
    second: float


class Templates:
    """Set of marker templates: pictures that may be printed on a square.

    Args:
        names: name of each picture.
        pictures: brightness of their cells from the upper left, shape (k, cells, cells).
        share: edge of the pictures over the edge of the square, in whose middle they are.

    Attributes:
        places: places to sample on a square, right and up of its middle in halves of its edge, shape (n, 2).
    """

    def __init__(self, names: tuple[str, ...], pictures: Vector, share: float) -> None:
        self.names = names
        self.cells = pictures.shape[1]
        self._pictures = _normalised(pictures.reshape(len(names), -1))
        # Three by three samples in the middle of each cell, clear of its neighbours.
        fine = ((np.arange(self.cells)[:, None] + np.array([0.3, 0.5, 0.7])) / self.cells * 2 - 1).ravel() * share
        right, down = np.meshgrid(fine, fine)
        self.places = np.stack([right.ravel(), -down.ravel()], axis=1)

    @classmethod
    def markers(cls) -> Self:
        """Return the markers of DICT_4X4_50, each in the middle of a white board: `marker7`."""
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
        drawn = np.stack([cv2.aruco.generateImageMarker(dictionary, number, 6) for number in range(MARKERS)])
        return cls(tuple(f"marker{number}" for number in range(MARKERS)), drawn.astype(np.float64), MARKER_SHARE)

    @classmethod
    def pad(cls) -> Self:
        """Return the landing pad: a white H in a white ring, twelve pixels of 192 wide, on something darker."""
        drawn = np.zeros((PAD_SIZE, PAD_SIZE), np.uint8)
        cv2.circle(drawn, (96, 96), 80, 255, 10)
        for left, top, right, bottom in ((66, 52, 78, 140), (114, 52, 126, 140), (66, 90, 126, 102)):
            drawn[top:bottom, left:right] = 255
        small = cv2.resize(drawn, (24, 24), interpolation=cv2.INTER_AREA)
        return cls(("pad",), small[None].astype(np.float64), 1.0)

    def match(self, patch: NDArray[np.float32]) -> Match:
        """Find the template that a patch resembles most.

        Args:
            patch: brightness at `places`, shape (n,).
        """
        cells = patch.reshape(self.cells, 3, self.cells, 3).mean(axis=(1, 3), dtype=np.float64)
        turned = _normalised(np.stack([np.rot90(cells, -turns).ravel() for turns in range(4)]))
        correlations = self._pictures @ turned.T
        best, turns = divmod(int(np.argmax(correlations)), 4)
        others = np.delete(correlations, best, axis=0)
        return Match(self.names[best], turns, float(correlations[best, turns]), float(others.max(initial=-1.0)))


def _normalised(patches: Vector) -> Vector:
    """Remove brightness and contrast from patches, shape (k, n)."""
    centred = patches - patches.mean(axis=1, keepdims=True)
    normalised: Vector = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return normalised
