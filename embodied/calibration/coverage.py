"""Which part of the image the board has covered: beyond it, the distortion is a guess."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.calibration.board import Sighting

ENOUGH = 1 / 3
"""Of each ninth of the image, this share is to lie between corners of the board."""

_ROWS, _COLUMNS = ("top", "", "bottom"), ("left", "", "right")


@dataclass(frozen=True, eq=False, slots=True)
class Coverage:
    """What lies between the corners of a board, in one image at least.

    Attributes:
        mask: which pixels do, shape (h, w).
    """

    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, sightings: Iterable[Sighting], width: int, height: int) -> Coverage:
        """That of some images.

        Args:
            sightings: the board in them.
            width: of the images [px].
            height: of the images [px].
        """
        drawn = np.zeros((height, width), np.uint8)
        for sighting in sightings:
            cv2.fillConvexPoly(drawn, cv2.convexHull(np.rint(sighting.pixels).astype(np.int32)), 1)
        return cls(drawn > 0)

    @property
    def share(self) -> float:
        """Of the whole image, 0 to 1."""
        return float(self.mask.mean())

    @property
    def missing(self) -> tuple[str, ...]:
        """Ninths of the image of which too little is covered, in words."""
        return tuple(
            f"{row} {column}".strip() or "middle"
            for row, band in zip(_ROWS, np.array_split(self.mask, 3, axis=0), strict=True)
            for column, part in zip(_COLUMNS, np.array_split(band, 3, axis=1), strict=True)
            if part.mean() < ENOUGH
        )
