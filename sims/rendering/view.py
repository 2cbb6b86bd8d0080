"""Pinhole view: pose and intrinsics of a camera, size and range of its images, projection, rays through its pixels.

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
from embodied.ranges import Range

NEAR = 0.05
"""Distance below which nothing is rendered, by default [m]."""

FAR = 6.0
"""Distance beyond which nothing is rendered, by default [m]."""

SIZES = Range(16, 4096, "px")
"""Widths and heights of an image."""

DEPTHS = Range(0.001, 1000, "m")
"""Distances that a depth buffer resolves."""

# TinyRenderer evaluates a pixel at its lower left corner, so that in its images, turned the right way up, the optical
# axis passes through ((w - 1)/2 + OFFSET[0], (h - 1)/2 + OFFSET[1]). Measured; tests/sims/test_camera.py holds it.
OFFSET = (0.5, -0.5)
"""Distance of the principal point from the middle of the image, right and down [px]."""


def problems(width: int, height: int, near: float, far: float) -> Iterator[str]:
    """Check size [px] and range [m] of a pinhole view's images; yield one sentence a problem."""
    yield from SIZES.problems(width=width, height=height)
    yield from DEPTHS.problems(near=near, far=far)
    if not near < far:
        yield f"near must be below far = {far:g} m, got {near:g}"


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """Size and range of the images of a pinhole view.

    Attributes:
        width, height: size of an image [px].
        near, far: range outside which nothing is rendered [m].
    """

    width: int
    height: int
    near: float
    far: float


@dataclass(frozen=True)
class View:
    """Pinhole view of a camera: its pose and intrinsics.

    Attributes:
        position: position of the optical centre in `frame`, shape (3,) [m].
        rotation: rotation of the optical frame in `frame`, shape (3, 3).
        width, height: size of the image [px].
        focal: focal length [px].
        near, far: range along the optical axis outside which nothing is rendered [m].
        frame: frame of its pose.

    Raises:
        ValueError: size or range cannot be rendered.
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
        images: ImageFormat,
        span: float,
    ) -> Self:
        """Build the view of a level camera at `eye` that looks at `target`.

        Args:
            eye: optical centre [m].
            target: point in the middle of the image [m].
            images: size and range of the images.
            span: height of the field of view at the target's distance [m].
        """
        ahead = np.subtract(target, eye)
        distance = float(np.linalg.norm(ahead))
        z = ahead / distance
        # Straight down has no level; then the top of the image is forward.
        up = np.array([1.0, 0.0, 0.0]) if abs(z[2]) > 0.999 else np.array([0.0, 0.0, 1.0])
        x = np.cross(z, up)
        x /= np.linalg.norm(x)
        axes = np.stack([x, np.cross(z, x), z], axis=1)
        focal = images.height * distance / span
        return cls(np.array(eye), axes, images.width, images.height, focal, images.near, images.far)

    def disturbed(self, shift: tuple[float, float, float], tilt: tuple[float, float, float]) -> View:
        """Move this view by `shift` [m] in its frame and turn it by roll, pitch, yaw [rad] in its optical frame."""
        turn = transform((0.0, 0.0, 0.0), tilt)[:3, :3]
        return replace(self, position=self.position + shift, rotation=self.rotation @ turn)

    def moved(self, position: Vector, rotation: Vector, frame: str) -> View:
        """Express this view in another frame, in which its own is at a position (3,) [m] and rotation (3, 3)."""
        return replace(
            self, position=position + rotation @ self.position, rotation=rotation @ self.rotation, frame=frame
        )

    def info(self) -> CameraInfo:
        """Return intrinsics and pose as a message."""
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
        """Matrix of the intrinsics, shape (3, 3) [px]."""
        cx, cy = (self.width - 1) / 2 + OFFSET[0], (self.height - 1) / 2 + OFFSET[1]
        return np.array([(self.focal, 0.0, cx), (0.0, self.focal, cy), (0.0, 0.0, 1.0)])

    def rays(self) -> Vector:
        """Return the ray through each pixel in the view's frame, of depth 1 along the optical axis; shape (h, w, 3)."""
        v, u = np.mgrid[: self.height, : self.width].astype(np.float64)
        ones = np.ones_like(u)
        rays: Vector = np.stack([u, v, ones], axis=-1) @ np.linalg.inv(self.matrix).T @ self.rotation.T
        return rays

    def opengl(self) -> Vector:
        """Return the transform to OpenGL's camera frame, x right, y up, z backwards; shape (4, 4)."""
        axes = self.rotation * np.array([1.0, -1.0, -1.0])
        view = np.eye(4)
        view[:3, :3] = axes.T
        view[:3, 3] = -axes.T @ self.position
        return view

    def projection(self) -> Vector:
        """Return OpenGL's perspective projection about the middle of the image, shape (4, 4)."""
        near, far = self.near, self.far
        projection = np.zeros((4, 4))
        projection[0, 0] = 2 * self.focal / self.width
        projection[1, 1] = 2 * self.focal / self.height
        projection[2, 2:] = -(far + near) / (far - near), -2 * far * near / (far - near)
        projection[3, 2] = -1.0
        return projection

    def metres(self, buffer: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert an OpenGL depth buffer, 0 to 1, to distances along the optical axis [m]; 0 where there is nothing."""
        near, far = np.float32(self.near), np.float32(self.far)
        away: NDArray[np.float32] = (far * near) / (far - (far - near) * buffer)
        return np.where(buffer < 1.0, away, np.float32(0.0))
