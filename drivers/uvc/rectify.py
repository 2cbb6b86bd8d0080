"""Pictures as a pinhole would have taken them, with the same focal length and middle."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied import empty
from embodied.calibration import Calibration


class Rectify:
    """Takes the distortion of one lens out of its pictures."""

    def __init__(self, calibration: Calibration) -> None:
        size = (calibration.width, calibration.height)
        matrix, distortion = calibration.matrix, np.array(calibration.distortion)
        # As whole numbers and fractions of 1/32, which OpenCV interpolates fastest.
        self._maps = cv2.initUndistortRectifyMap(matrix, distortion, np.eye(3), matrix, size, cv2.CV_16SC2)

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture, shape (h, w, 3), straightened; what lies outside the given one is black."""
        straight: NDArray[np.uint8] = empty(rgb.shape, np.uint8)
        cv2.remap(rgb, *self._maps, cv2.INTER_LINEAR, straight)
        return straight
