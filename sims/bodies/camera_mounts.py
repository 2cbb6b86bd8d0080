"""Cameras that bodies carry: where each is mounted, its lens, and which points it has in view."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from embodied.bodies import WORLD
from embodied.geometry import transform
from embodied.messages import Vector
from sims.bodies.car_model import CAMERA_PITCH, CAMERA_POSITION
from sims.rendering.view import ImageFormat, View

WRIST_HEIGHT = math.radians(60.0)
"""Vertical field of view of the camera at a wrist [rad]."""


class Carrier(Protocol):
    """Body that carries a mounted camera, such as a drone."""

    @property
    def position(self) -> Vector:
        """Position of the body's frame in the world, shape (3,) [m]."""

    @property
    def attitude(self) -> Vector:
        """Rotation of the body's frame in the world, shape (3, 3)."""


@dataclass(frozen=True, eq=False, slots=True)
class CameraMount:
    """Mount of a camera on a body: its place, and its field of view.

    Attributes:
        optical: pose of the optical frame in the body's frame, shape (4, 4) [m].
        angle: horizontal field of view [rad].
    """

    optical: Vector
    angle: float

    def lens(self, images: ImageFormat, frame: str) -> View:
        """Build the view as it is mounted, in the frame of the body.

        Args:
            images: size and range of the images.
            frame: name of the body's frame.
        """
        focal = images.width / 2 / math.tan(self.angle / 2)
        size, reach = (images.width, images.height), (images.near, images.far)
        return View(self.optical[:3, 3], self.optical[:3, :3], *size, focal, *reach, frame=frame)

    def sees(self, body: Carrier, point: Vector, aspect: float = math.inf) -> bool:
        """Test whether a point is in the image.

        Args:
            body: what carries the camera.
            point: point in the world, shape (3,) [m].
            aspect: height of the image over its width; infinity leaves out the upper and the lower edge.
        """
        optical = body.attitude @ self.optical[:3, :3]
        eye = body.position + body.attitude @ self.optical[:3, 3]
        across, down, ahead = ((point - eye) @ optical).tolist()
        half = ahead * math.tan(self.angle / 2)
        return bool(ahead > 0.0 and abs(across) < half and abs(down) < aspect * half)


def carried(body: Carrier, lens: View) -> View:
    """Move the view of a mounted camera to where its body is now."""
    return lens.moved(body.position, body.attitude, WORLD)


def wrist_lens(images: ImageFormat) -> View:
    """Build the view of a camera mounted at a wrist, at the origin; the arm knows where it is."""
    focal = images.height / 2 / math.tan(WRIST_HEIGHT / 2)
    return View(np.zeros(3), np.eye(3), images.width, images.height, focal, images.near, images.far)


def at_wrist(optical: Vector, lens: View) -> View:
    """Move the view of a camera mounted at a wrist to an optical frame in the base frame, shape (4, 4) [m]."""
    return replace(lens, position=optical[:3, 3], rotation=optical[:3, :3])


FRONT = CameraMount(
    transform(tuple(CAMERA_POSITION.tolist()), (-math.pi / 2 - CAMERA_PITCH, 0.0, -math.pi / 2)), math.radians(90.0)
)
"""Camera of the shuttle, which looks ahead and down."""

DOWN = CameraMount(transform((0.0, 0.0, -0.05), (math.pi, 0.0, -math.pi / 2)), math.radians(70.0))
"""Camera under the quadrotor, which looks straight down; the top of its image is ahead."""

DOWN_ASPECT = 0.75
"""Height of that camera's image over its width."""
