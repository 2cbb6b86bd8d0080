"""What is printed on a square: the marker of a dictionary, or the landing pad, that a patch of an image is like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.messages import Vector

MARKERS = 50  # in the dictionary DICT_4X4_50
MARKED = 0.8  # edge of a marker over that of its board
FINE = 192  # across the drawing of a pad [px]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a patch is like.

    Attributes:
        name: of what is printed.
        turns: quarter turns, against the clock, that bring the print upright to how it lies in the patch.
        likeness: correlation of the two, -1 to 1.
        second: that of the best print of another name; -1 where there is no other.
    """

    name: str
    turns: int
    likeness: float
    second: float


class Prints:
    """Pictures that may be printed on a square.

    Args:
        names: of each.
        pictures: brightness of their cells from the upper left, shape (k, cells, cells).
        share: of the square's edge that they cover, in its middle.

    Attributes:
        places: where to look at a square, right and up of its middle in halves of its edge, shape (n, 2).
    """

    def __init__(self, names: tuple[str, ...], pictures: Vector, share: float) -> None:
        self.names = names
        self.cells = pictures.shape[1]
        self._pictures = _unit(pictures.reshape(len(names), -1))
        # Three by three looks into the middle of each cell, clear of its neighbours.
        fine = ((np.arange(self.cells)[:, None] + np.array([0.3, 0.5, 0.7])) / self.cells * 2 - 1).ravel() * share
        right, down = np.meshgrid(fine, fine)
        self.places = np.stack([right.ravel(), -down.ravel()], axis=1)

    @classmethod
    def markers(cls) -> Self:
        """The markers of DICT_4X4_50, each in the middle of a white board: `marker7`."""
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
        drawn = np.stack([cv2.aruco.generateImageMarker(dictionary, number, 6) for number in range(MARKERS)])
        return cls(tuple(f"marker{number}" for number in range(MARKERS)), drawn.astype(np.float64), MARKED)

    @classmethod
    def pad(cls) -> Self:
        """A landing pad: a white H in a white ring, twelve pixels of 192 wide, on something darker."""
        drawn = np.zeros((FINE, FINE), np.uint8)
        cv2.circle(drawn, (96, 96), 80, 255, 10)
        for left, top, right, bottom in ((66, 52, 78, 140), (114, 52, 126, 140), (66, 90, 126, 102)):
            drawn[top:bottom, left:right] = 255
        small = cv2.resize(drawn, (24, 24), interpolation=cv2.INTER_AREA)
        return cls(("pad",), small[None].astype(np.float64), 1.0)

    def read(self, seen: NDArray[np.float32]) -> Reading:
        """What a patch is most like.

        Args:
            seen: brightness at `places`, shape (n,).
        """
        cells = seen.reshape(self.cells, 3, self.cells, 3).mean(axis=(1, 3), dtype=np.float64)
        turned = _unit(np.stack([np.rot90(cells, -turns).ravel() for turns in range(4)]))
        alike = self._pictures @ turned.T
        name, turns = divmod(int(np.argmax(alike)), 4)
        others = np.delete(alike, name, axis=0)
        return Reading(self.names[name], turns, float(alike[name, turns]), float(others.max(initial=-1.0)))


def _unit(patches: Vector) -> Vector:
    """Patches, shape (k, n), without their brightness and contrast."""
    centred = patches - patches.mean(axis=1, keepdims=True)
    plain: Vector = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return plain
