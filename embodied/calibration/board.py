"""Calibration board: a chessboard whose white squares carry markers (ChArUco), and its detection in an image.

Each marker identifies its square, so that a board is detected even if a part of it is hidden or outside the image, and
always with its orientation. Garrido-Jurado et al., Automatic generation and detection of highly
reliable fiducial markers under occlusion, Pattern Recognition 47, 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.messages import Vector
from embodied.ranges import Range

Grey = NDArray[np.uint8]
"""Greyscale image, shape (h, w)."""

CORNERS_LEAST = 8
"""Number of corners below which the pose of the board in an image is too uncertain."""


@dataclass(frozen=True, slots=True)
class BoardDetection:
    """Detected corners of a board in one image.

    Attributes:
        name: of the image.
        points: corners in the frame of the board, shape (k, 3) [m].
        pixels: the same corners in the image, shape (k, 2) [px].
    """

    name: str
    points: Vector
    pixels: Vector


@dataclass(frozen=True, slots=True)
class Board:
    """Calibration board with its frame.

    As it is printed, the origin is the outer corner of the lower left square, x to the right, y up, z out of the paper.

    Attributes:
        columns: number of columns of squares.
        rows: number of rows of squares.
        square: side of a square [m].
        marker: side of a marker [m].
        dictionary: set of markers, by OpenCV's name without its `DICT_`.

    Raises:
        ValueError: such a board is not possible.
    """

    columns: int
    rows: int
    square: float
    marker: float
    dictionary: str = "4X4_50"

    def __post_init__(self) -> None:
        Range(3, 100, "squares").require(columns=self.columns, rows=self.rows)
        Range(0.001, 1.0, "m").require(square=self.square)
        Range(0.3 * self.square, 0.95 * self.square, "m").require(marker=self.marker)
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
        """Draw the board without a margin.

        Args:
            pixels: side of a square [px].
        """
        drawn: Grey = self._charuco().generateImage((self.columns * pixels, self.rows * pixels), marginSize=0)
        return drawn

    def find(self, name: str, image: Grey) -> BoardDetection | None:
        """Detect the board in an image, to a fraction of a pixel.

        Args:
            name: of the image.
            image: greyscale, shape (h, w).

        Returns:
            the detected corners; None where they are too few, or all in one line.
        """
        pixels, numbers, _, _ = cv2.aruco.CharucoDetector(self._charuco()).detectBoard(image)
        if numbers is None or len(numbers) < CORNERS_LEAST:
            return None
        row, column = np.divmod(numbers.ravel(), self.columns - 1)
        if len(set(row.tolist())) < 2 or len(set(column.tolist())) < 2:
            return None
        # OpenCV numbers the corners from the upper left.
        x, y = (column + 1) * self.square, (self.rows - 1 - row) * self.square
        points = np.stack([x, y, np.zeros_like(x)], axis=1)
        return BoardDetection(name, points, pixels.reshape(-1, 2).astype(np.float64))

    def _markers(self) -> Any:
        return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{self.dictionary}"))

    def _charuco(self) -> Any:
        return cv2.aruco.CharucoBoard((self.columns, self.rows), self.square, self.marker, self._markers())


def dictionaries() -> tuple[str, ...]:
    """Return the names of the known sets of markers for a board."""
    names = (name for name in dir(cv2.aruco) if name.startswith("DICT_"))
    # OpenCV has some of them in two spellings.
    return tuple(name.removeprefix("DICT_") for name in names if name == name.upper())
