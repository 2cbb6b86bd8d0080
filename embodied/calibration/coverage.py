"""Coverage of the image by the board: outside of it, the distortion is extrapolated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.calibration.board import BoardDetection

SHARE_LEAST = 1 / 3
"""Share of each ninth of the image that must lie between corners of the board."""

_ROWS = ("top", "", "bottom")
_COLUMNS = ("left", "", "right")


@dataclass(frozen=True, eq=False, slots=True)
class Coverage:
    """Pixels that lie between the corners of a board, in one image at least.

    Attributes:
        mask: whether each pixel does, shape (h, w).
    """

    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, detections: Iterable[BoardDetection], width: int, height: int) -> Coverage:
        """Compute the coverage by the detections in some images.

        Args:
            detections: of the board.
            width: of the images [px].
            height: of the images [px].
        """
        drawn = np.zeros((height, width), np.uint8)
        for detection in detections:
            cv2.fillConvexPoly(drawn, cv2.convexHull(np.rint(detection.pixels).astype(np.int32)), 1)
        return cls(drawn > 0)

    @property
    def share(self) -> float:
        """Share of the whole image, 0 to 1."""
        return float(self.mask.mean())

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the ninths of the image with too little coverage."""
        return tuple(
            f"{row} {column}".strip() or "middle"
            for row, band in zip(_ROWS, np.array_split(self.mask, 3, axis=0), strict=True)
            for column, part in zip(_COLUMNS, np.array_split(band, 3, axis=1), strict=True)
            if part.mean() < SHARE_LEAST
        )
