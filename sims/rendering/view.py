"""A pinhole view: where a camera stands, what it projects where, and the rays through its pixels.

Optical frame: x right, y down, z into the scene. Pixel centres lie at whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embodied.geometry import BASE, quaternion, transform
from embodied.messages import CameraInfo, Vector

NEAR, FAR = 0.05, 6.0  # [m]
SMALLEST, LARGEST = 16, 4096  # width and height of an image [px]

# TinyRenderer evaluates a pixel at its lower left corner, so that in its pictures, turned the right way up, the optical
# axis passes through ((w - 1)/2 + OFFSET[0], (h - 1)/2 + OFFSET[1]). Measured; tests/sims/test_camera.py holds it.
OFFSET = (0.5, -0.5)  # [px]


def problems(width: int, height: int, near: float, far: float) -> Iterator[str]:
    """What is wrong with the size [px] and the range [m] of a camera, one sentence each."""
    for name, size in (("width", width), ("height", height)):
        if not SMALLEST <= size <= LARGEST:
            yield f"{name} is {size} px, and an image has {SMALLEST} to {LARGEST}"
    if not 0.001 <= near < far <= 1000.0:
        yield f"near is {near:g} m and far {far:g} m, and 0.001 <= near < far <= 1000 is needed"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a camera's pictures are of.

    Attributes:
        width, height: of a picture [px].
        near, far: what is nearer or farther is not seen [m].
    """

    width: int
    height: int
    near: float
    far: float


@dataclass(frozen=True)
class View:
    """A camera's place and lens.

    Attributes:
        position: of the optical centre in `frame`, shape (3,) [m].
        rotation: of the optical frame in `frame`, shape (3, 3).
        width, height: of the image [px].
        focal: focal length [px].
        near, far: what is nearer or farther along the optical axis is not seen [m].
        frame: in which its place stands.

    Raises:
        ValueError: it has no pixels or too many, or sees nothing between near and far.
    """

    position: Vector
    rotation: Vector
    width: int
    height: int
    focal: float
    near: float = NEAR
    far: float = FAR
    frame: str = BASE

    def __post_init__(self) -> None:
        for problem in problems(self.width, self.height, self.near, self.far):
            raise ValueError(problem)

    @classmethod
    def towards(
        cls,
        eye: tuple[float, float, float],
        target: tuple[float, float, float],
        width: int,
        height: int,
        span: float,
        *,
        near: float = NEAR,
        far: float = FAR,
    ) -> Self:
        """A level camera at `eye` that looks at `target`.

        Args:
            eye: the optical centre [m].
            target: what is in the middle of the image [m].
            width: of the image [px].
            height: of the image [px].
            span: height of what it sees at the target's distance [m].
            near: what is nearer is not seen [m].
            far: what is farther is not seen [m].
        """
        ahead = np.subtract(target, eye)
        distance = float(np.linalg.norm(ahead))
        z = ahead / distance
        # Straight down has no level; then the top of the image is forward.
        up = np.array([1.0, 0.0, 0.0]) if abs(z[2]) > 0.999 else np.array([0.0, 0.0, 1.0])
        x = np.cross(z, up)
        x /= np.linalg.norm(x)
        axes = np.stack([x, np.cross(z, x), z], axis=1)
        return cls(np.array(eye), axes, width, height, height * distance / span, near, far)

    def disturbed(self, shift: tuple[float, float, float], tilt: tuple[float, float, float]) -> View:
        """This view moved by `shift` [m] in the base frame and turned by roll, pitch, yaw [rad] in its own."""
        turn = transform((0.0, 0.0, 0.0), tilt)[:3, :3]
        return replace(self, position=self.position + shift, rotation=self.rotation @ turn)

    def moved(self, position: Vector, rotation: Vector, frame: str) -> View:
        """This view, whose frame is at a position (3,) [m] and rotation (3, 3) in another, in that other frame."""
        return replace(
            self, position=position + rotation @ self.position, rotation=rotation @ self.rotation, frame=frame
        )

    def info(self) -> CameraInfo:
        """Intrinsics and pose, as they travel with an image."""
        return CameraInfo(
            width=self.width,
            height=self.height,
            matrix=self.matrix,
            position=self.position,
            orientation=quaternion(self.rotation),
            frame=self.frame,
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

    def opengl(self) -> Vector:
        """From the base frame to the camera's as OpenGL has it, x right, y up, z backwards; shape (4, 4)."""
        axes = self.rotation * np.array([1.0, -1.0, -1.0])
        view = np.eye(4)
        view[:3, :3] = axes.T
        view[:3, 3] = -axes.T @ self.position
        return view

    def projection(self) -> Vector:
        """OpenGL's perspective projection about the middle of the image, shape (4, 4)."""
        near, far = self.near, self.far
        projection = np.zeros((4, 4))
        projection[0, 0] = 2 * self.focal / self.width
        projection[1, 1] = 2 * self.focal / self.height
        projection[2, 2:] = -(far + near) / (far - near), -2 * far * near / (far - near)
        projection[3, 2] = -1.0
        return projection

    def metres(self, buffer: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distance along the optical axis [m] from an OpenGL depth buffer, 0 to 1; 0 where that is 1: nothing."""
        near, far = np.float32(self.near), np.float32(self.far)
        away: NDArray[np.float32] = (far * near) / (far - (far - near) * buffer)
        return np.where(buffer < 1.0, away, np.float32(0.0))
