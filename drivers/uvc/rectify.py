"""Rectification of pictures to a pinhole camera of the same focal length and principal point."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied import empty
from embodied.calibration import Calibration


class Rectify:
    """Rectifier of pictures for the distortion of one calibrated camera."""

    def __init__(self, calibration: Calibration) -> None:
        size = (calibration.width, calibration.height)
        matrix, distortion = calibration.matrix, np.array(calibration.distortion)
        # Fixed point with fractions of 1/32: OpenCV interpolates these maps fastest.
        self._maps = cv2.initUndistortRectifyMap(matrix, distortion, np.eye(3), matrix, size, cv2.CV_16SC2)

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Rectify a picture, shape (h, w, 3); pixels that it does not cover are black."""
        rectified: NDArray[np.uint8] = empty(rgb.shape, np.uint8)
        cv2.remap(rgb, *self._maps, cv2.INTER_LINEAR, rectified)
        return rectified
