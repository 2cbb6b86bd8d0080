"""A pinhole view: where a camera stands, what it projects where, and the rays through its pixels.

Optical frame: x right, y down, z into the scene. Pixel centres lie at whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from embodied.messages import CameraInfo, Vector
from embodied.robot import BASE, quaternion, transform

NEAR, FAR = 0.05, 6.0  # [m]

# TinyRenderer evaluates a pixel at its lower left corner, so that in its pictures, turned the right way up, the optical
# axis passes through ((w - 1)/2 + OFFSET[0], (h - 1)/2 + OFFSET[1]). Measured; tests/sims/test_camera.py holds it.
OFFSET = (0.5, -0.5)  # [px]


@dataclass(frozen=True)
class View:
    """A camera's place and lens.

    Attributes:
        position: of the optical centre in the base frame, shape (3,) [m].
        rotation: of the optical frame in the base frame, shape (3, 3).
        width, height: of the image [px].
        focal: focal length [px].
    """

    position: Vector
    rotation: Vector
    width: int
    height: int
    focal: float

    @classmethod
    def towards(
        cls, eye: tuple[float, float, float], target: tuple[float, float, float], width: int, height: int, span: float
    ) -> Self:
        """A level camera at `eye` that looks at `target`.

        Args:
            eye: the optical centre [m].
            target: what is in the middle of the image [m].
            width: of the image [px].
            height: of the image [px].
            span: height of what it sees at the target's distance [m].
        """
        ahead = np.subtract(target, eye)
        distance = float(np.linalg.norm(ahead))
        z = ahead / distance
        # Straight down has no level; then the top of the image is forward.
        up = np.array([1.0, 0.0, 0.0]) if abs(z[2]) > 0.999 else np.array([0.0, 0.0, 1.0])
        x = np.cross(z, up)
        x /= np.linalg.norm(x)
        return cls(np.array(eye), np.stack([x, np.cross(z, x), z], axis=1), width, height, height * distance / span)

    def disturbed(self, shift: tuple[float, float, float], tilt: tuple[float, float, float]) -> View:
        """This view moved by `shift` [m] in the base frame and turned by roll, pitch, yaw [rad] in its own."""
        turn = transform((0.0, 0.0, 0.0), tilt)[:3, :3]
        return View(self.position + shift, self.rotation @ turn, self.width, self.height, self.focal)

    def info(self) -> CameraInfo:
        """Intrinsics and pose, as they travel with an image."""
        return CameraInfo(
            width=self.width,
            height=self.height,
            matrix=self.matrix,
            position=self.position,
            orientation=quaternion(self.rotation),
            frame=BASE,
        )

    @property
    def matrix(self) -> Vector:
        """Intrinsics, shape (3, 3) [px]."""
        cx, cy = (self.width - 1) / 2 + OFFSET[0], (self.height - 1) / 2 + OFFSET[1]
        return np.array([(self.focal, 0.0, cx), (0.0, self.focal, cy), (0.0, 0.0, 1.0)])

    def rays(self) -> Vector:
        """Direction through each pixel in the base frame, of depth 1 along the optical axis; shape (h, w, 3)."""
        v, u = np.mgrid[: self.height, : self.width].astype(np.float64)
        ones = np.ones_like(u)
        rays: Vector = np.stack([u, v, ones], axis=-1) @ np.linalg.inv(self.matrix).T @ self.rotation.T
        return rays

    def opengl(self) -> tuple[list[float], list[float]]:
        """View and projection matrices, column by column, as OpenGL has them (y up, z backwards)."""
        axes = self.rotation * np.array([1.0, -1.0, -1.0])
        view = np.eye(4)
        view[:3, :3] = axes.T
        view[:3, 3] = -axes.T @ self.position
        projection = np.zeros((4, 4))
        projection[0, 0] = 2 * self.focal / self.width
        projection[1, 1] = 2 * self.focal / self.height
        projection[2, 2] = -(FAR + NEAR) / (FAR - NEAR)
        projection[2, 3] = -2 * FAR * NEAR / (FAR - NEAR)
        projection[3, 2] = -1.0
        return view.T.ravel().tolist(), projection.T.ravel().tolist()


def metres(buffer: Vector) -> Vector:
    """Distance along the optical axis [m] from an OpenGL depth buffer, 0 to 1."""
    return FAR * NEAR / (FAR - (FAR - NEAR) * buffer)
