"""The camera under a multirotor that looks straight down."""

from __future__ import annotations

import math

from embodied.bodies import WORLD
from embodied.geometry import transform
from embodied.messages import Vector
from sims.bodies.quadrotor import QuadrotorBody
from sims.rendering.view import Sheet, View

WIDE = math.radians(70.0)  # across its picture, where it surveys [rad]
MOUNT = transform((0.0, 0.0, -0.05), (math.pi, 0.0, -math.pi / 2))
"""Its optical frame in the body's: the top of its picture is ahead."""


def lens(sheet: Sheet, carrier: str, wide: float = WIDE) -> View:
    """It as it is mounted, in the frame of its carrier; so wide across its picture [rad]."""
    focal = sheet.width / 2 / math.tan(wide / 2)
    size, sight = (sheet.width, sheet.height), (sheet.near, sheet.far)
    return View(MOUNT[:3, 3], MOUNT[:3, :3], *size, focal, *sight, frame=carrier)


def carried(drone: QuadrotorBody, lens: View) -> View:
    """A view that is mounted on a body, where the body is now."""
    return lens.moved(drone.position, drone.attitude, WORLD)


def sees(drone: QuadrotorBody, point: Vector, wide: float = WIDE) -> bool:
    """Whether a point, shape (3,) [m], is in its picture, so wide [rad] and three quarters as high."""
    optical = drone.attitude @ MOUNT[:3, :3]
    eye = drone.position + drone.attitude @ MOUNT[:3, 3]
    across, down, ahead = ((point - eye) @ optical).tolist()
    half = ahead * math.tan(wide / 2)
    return bool(ahead > 0.0 and abs(across) < half and abs(down) < 0.75 * half)
