"""A camera as it was measured: the setting `calibration` of a camera node, which a site file holds."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from embodied.geometry import BASE, quaternion
from embodied.messages import CameraInfo, Vector

OPTICAL = "camera_optical"
"""The camera's own frame: in it stands the pose of a camera of which nobody knows yet where it is."""

_DIGITS = {"fx": 4, "fy": 4, "cx": 4, "cy": 4, "distortion": 7, "position": 6, "orientation": 8}
"""What is written: a hundredth of what is ever measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Intrinsics, distortion and place of one camera.

    Attributes:
        width, height: size of the images that it was measured with [px].
        fx, fy: focal length across and down [px].
        cx, cy: where the optical axis meets the image; pixel centres lie at whole numbers [px].
        distortion: (k1, k2, p1, p2, k3), as OpenCV and ROS's `plumb_bob` have it (D. Brown, Decentering distortion of
            lenses, 1966).
        position: of the optical centre in `frame` [m].
        orientation: of the optical frame, x right, y down, z into the scene, in `frame`: quaternion (x, y, z, w).
        frame: in which the pose stands: the robot's base, or the camera's own while its place is not known.

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
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    orientation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    frame: str = OPTICAL

    def __post_init__(self) -> None:
        for name in ("width", "height", "fx", "fy"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} = {getattr(self, name)} px is not above 0")
        for name, at, size in (("cx", self.cx, self.width), ("cy", self.cy, self.height)):
            if not 0 <= at <= size - 1:
                raise ValueError(f"{name} = {at} px is not in an image of {self.width}x{self.height}")
        if not math.isclose(math.hypot(*self.orientation), 1.0, abs_tol=1e-3):
            raise ValueError(f"the quaternion orientation = {list(self.orientation)} is not of length 1")

    @property
    def matrix(self) -> Vector:
        """Intrinsics ((fx, 0, cx), (0, fy, cy), (0, 0, 1)), shape (3, 3) [px]."""
        return np.array([(self.fx, 0.0, self.cx), (0.0, self.fy, self.cy), (0.0, 0.0, 1.0)])

    def info(self) -> CameraInfo:
        """What goes with an image from which the distortion has been taken."""
        return CameraInfo(
            width=self.width,
            height=self.height,
            matrix=self.matrix,
            position=np.array(self.position),
            orientation=np.array(self.orientation),
            frame=self.frame,
        )

    def at(self, pose: Vector, frame: str = BASE) -> Self:
        """The same camera at a place.

        Args:
            pose: of its optical frame, shape (4, 4) [m].
            frame: in which that stands.
        """
        x, y, z = pose[:3, 3].tolist()
        i, j, k, w = quaternion(pose[:3, :3]).tolist()
        return replace(self, position=(x, y, z), orientation=(i, j, k, w), frame=frame)

    def setting(self) -> dict[str, Any]:
        """Plain data, as a launch file or a site has it."""
        return {name: _rounded(value, _DIGITS.get(name)) for name, value in asdict(self).items()}


def _rounded(value: Any, digits: int | None) -> Any:
    if digits is None:
        return value
    return [round(part, digits) for part in value] if isinstance(value, tuple) else round(value, digits)
