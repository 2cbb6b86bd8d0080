"""The board that a camera is measured with: a chessboard whose white squares carry markers (ChArUco).

Each marker says which square it is in, so that a board is found though a part of it is hidden or beyond the edge of the
image, and is never taken for one that is turned. Garrido-Jurado et al., Automatic generation and detection of highly
reliable fiducial markers under occlusion, Pattern Recognition 47, 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.messages import Vector

Grey = NDArray[np.uint8]
"""An image without colours, shape (h, w)."""

FEWEST = 8
"""With fewer corners an image says too little of where the board is."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was found of a board in one image.

    Attributes:
        name: of the image.
        points: the corners on the board, shape (k, 3) [m].
        pixels: the same in the image, shape (k, 2) [px].
    """

    name: str
    points: Vector
    pixels: Vector


@dataclass(frozen=True, slots=True)
class Board:
    """A board, and its frame.

    As it is printed, the origin is the outer corner of the lower left square, x to the right, y up, z out of the paper.

    Attributes:
        columns, rows: of squares.
        square: side of a square [m].
        marker: side of a marker [m].
        dictionary: which markers, by OpenCV's name without its `DICT_`.

    Raises:
        ValueError: there is no such board.
    """

    columns: int
    rows: int
    square: float
    marker: float
    dictionary: str = "4X4_50"

    def __post_init__(self) -> None:
        if not (3 <= self.columns <= 100 and 3 <= self.rows <= 100):
            raise ValueError(f"{self.columns}x{self.rows} squares: 3 to 100 each way are needed")
        if not 0.001 <= self.square <= 1.0:
            raise ValueError(f"a square of {self.square:g} m: 0.001 to 1 m are possible")
        if not 0.3 * self.square <= self.marker <= 0.95 * self.square:
            raise ValueError(f"a marker of {self.marker:g} m does not fit a square of {self.square:g} m")
        if self.dictionary not in dictionaries():
            raise ValueError(f"no markers are called {self.dictionary}; known: {', '.join(dictionaries())}")
        known, needed = len(self._markers().bytesList), self.columns * self.rows // 2
        if needed > known:
            raise ValueError(f"{self.columns}x{self.rows} squares take {needed} markers; {self.dictionary} has {known}")

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the chessboard [m]."""
        return self.columns * self.square, self.rows * self.square

    def picture(self, pixels: int) -> Grey:
        """The board as it is printed, with squares of so many pixels, and nothing around it."""
        drawn: Grey = self._charuco().generateImage((self.columns * pixels, self.rows * pixels), marginSize=0)
        return drawn

    def find(self, name: str, image: Grey) -> Sighting | None:
        """The board in an image, to a fraction of a pixel.

        Args:
            name: of the image.
            image: grey, shape (h, w).

        Returns:
            its corners; None where they are too few, or all in one line.
        """
        pixels, numbers, _, _ = cv2.aruco.CharucoDetector(self._charuco()).detectBoard(image)
        if numbers is None or len(numbers) < FEWEST:
            return None
        row, column = np.divmod(numbers.ravel(), self.columns - 1)
        if len(set(row.tolist())) < 2 or len(set(column.tolist())) < 2:
            return None
        # OpenCV counts from the upper left.
        x, y = (column + 1) * self.square, (self.rows - 1 - row) * self.square
        points = np.stack([x, y, np.zeros_like(x)], axis=1)
        return Sighting(name, points, pixels.reshape(-1, 2).astype(np.float64))

    def _markers(self) -> Any:
        return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{self.dictionary}"))

    def _charuco(self) -> Any:
        return cv2.aruco.CharucoBoard((self.columns, self.rows), self.square, self.marker, self._markers())


def dictionaries() -> tuple[str, ...]:
    """Names of the sets of markers there are."""
    names = (name for name in dir(cv2.aruco) if name.startswith("DICT_"))
    # It has some of them in two spellings.
    return tuple(name.removeprefix("DICT_") for name in names if name == name.upper())
