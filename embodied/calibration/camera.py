"""Calibration of one camera: the setting `calibration` of a camera node, usually in a site file."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from embodied.geometry import BASE, quaternion
from embodied.messages import CameraInfo, Vector
from embodied.ranges import Range, positive

OPTICAL = "camera_optical"
"""Frame of the camera itself, for a camera whose pose in the robot's base is not known yet."""

_DIGITS = {"fx": 4, "fy": 4, "cx": 4, "cy": 4, "distortion": 7, "position": 6, "orientation": 8}
"""Decimals in a site file, a hundredth of the accuracy of any measurement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Intrinsics, distortion and pose of one camera.

    Attributes:
        width: of the images that it was calibrated with [px].
        height: of these images [px].
        fx: focal length across [px].
        fy: focal length down [px].
        cx: principal point across; pixel centres lie at whole numbers [px].
        cy: principal point down [px].
        distortion: (k1, k2, p1, p2, k3), as in OpenCV and ROS's `plumb_bob` (D. Brown, Decentering distortion of
            lenses, 1966).
        position: of the optical centre in `frame` [m].
        orientation: of the optical frame, x right, y down, z into the scene, in `frame`: quaternion (x, y, z, w).
        frame: of the pose: the robot's base, or the camera's own while its pose is not known.

    Raises:
        ValueError: such a camera is not possible.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    orientation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    frame: str = OPTICAL

    def __post_init__(self) -> None:
        positive("px").require(width=self.width, height=self.height, fx=self.fx, fy=self.fy)
        Range(0, self.width - 1, "px").require(cx=self.cx)
        Range(0, self.height - 1, "px").require(cy=self.cy)
        if not math.isclose(math.hypot(*self.orientation), 1.0, abs_tol=1e-3):
            raise ValueError(f"orientation must be a quaternion of length 1, got {list(self.orientation)}")

    @property
    def matrix(self) -> Vector:
        """Intrinsics ((fx, 0, cx), (0, fy, cy), (0, 0, 1)), shape (3, 3) [px]."""
        return np.array([(self.fx, 0.0, self.cx), (0.0, self.fy, self.cy), (0.0, 0.0, 1.0)])

    def info(self) -> CameraInfo:
        """Return the camera parameters of an image without distortion."""
        return CameraInfo(
            width=self.width,
            height=self.height,
            matrix=self.matrix,
            position=np.array(self.position),
            orientation=np.array(self.orientation),
            frame=self.frame,
        )

    def at(self, pose: Vector, frame: str = BASE) -> Self:
        """Return the same camera with a pose.

        Args:
            pose: of the optical frame, shape (4, 4) [m].
            frame: in which the pose is given.
        """
        x, y, z = pose[:3, 3].tolist()
        i, j, k, w = quaternion(pose[:3, :3]).tolist()
        return replace(self, position=(x, y, z), orientation=(i, j, k, w), frame=frame)

    def setting(self) -> dict[str, Any]:
        """Return plain data, as a launch file or a site file has it."""
        return {name: _rounded(value, _DIGITS.get(name)) for name, value in asdict(self).items()}


def _rounded(value: Any, digits: int | None) -> Any:
    if digits is None:
        return value
    return [round(part, digits) for part in value] if isinstance(value, tuple) else round(value, digits)
