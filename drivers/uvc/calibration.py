"""A camera as it was measured: the setting `calibration` of a camera node, which a site file holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.messages import CameraInfo, Vector
from embodied.robot import BASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Intrinsics, distortion and place of one camera.

    Attributes:
        width, height: size of the images that it was measured with [px].
        fx, fy: focal length across and down [px].
        cx, cy: where the optical axis meets the image; pixel centres lie at whole numbers [px].
        distortion: (k1, k2, p1, p2, k3), as OpenCV has them.
        position: of the optical centre in `frame` [m].
        orientation: of the optical frame, x right, y down, z into the scene, in `frame`: quaternion (x, y, z, w).
        frame: in which the pose stands.

    Raises:
        ValueError: such a camera cannot be.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    position: tuple[float, float, float]
    orientation: tuple[float, float, float, float]
    frame: str = BASE

    def __post_init__(self) -> None:
        for name in ("width", "height", "fx", "fy"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} = {getattr(self, name)} px is not above 0")
        if abs(float(np.linalg.norm(self.orientation)) - 1.0) > 1e-3:
            raise ValueError(f"the quaternion orientation = {list(self.orientation)} is not of length 1")

    @property
    def matrix(self) -> Vector:
        """Intrinsics ((fx, 0, cx), (0, fy, cy), (0, 0, 1)), shape (3, 3) [px]."""
        return np.array([(self.fx, 0.0, self.cx), (0.0, self.fy, self.cy), (0.0, 0.0, 1.0)])

    def info(self) -> CameraInfo:
        """The pinhole that is left once its images are rectified."""
        return CameraInfo(
            width=self.width,
            height=self.height,
            matrix=self.matrix,
            position=np.array(self.position),
            orientation=np.array(self.orientation),
            frame=self.frame,
        )
