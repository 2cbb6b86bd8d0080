"""The camera on a shuttle that looks ahead along its lane, and what it truly has in view there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.bodies import WORLD
from embodied.geometry import transform
from embodied.messages import Vector
from sims.bodies.car import EYE, LOOKS_DOWN, NOSE, Shuttle
from sims.rendering.view import Sheet, View
from sims.road.scene import Course

WIDE = math.radians(90.0)  # across its picture [rad]
SIGHT, LINE_SIGHT = 6.0, 5.0  # how far what stands in the lane and the stop line are told from [m]
MOUNT = transform(tuple(EYE.tolist()), (-math.pi / 2 - LOOKS_DOWN, 0.0, -math.pi / 2))
"""Its optical frame in the shuttle's: it looks ahead and down."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """How a car truly is in its lane, and what lies ahead in it, as far as its camera has that in view.

    Attributes:
        offset: of its reference point from the middle of the lane, left is positive [m].
        heading: of its forward axis from the direction of the lane there [rad].
        curvature: of the lane's middle ahead, left is positive [1/m].
        obstacle: along the lane to the near side of what stands in it [m].
        stop_line: along the lane to the near edge of the stop line [m].
    """

    offset: float
    heading: float
    curvature: float
    obstacle: float | None
    stop_line: float | None


def lens(sheet: Sheet, carrier: str) -> View:
    """It as it is mounted, in the frame of its carrier."""
    focal = sheet.width / 2 / math.tan(WIDE / 2)
    size, sight = (sheet.width, sheet.height), (sheet.near, sheet.far)
    return View(MOUNT[:3, 3], MOUNT[:3, :3], *size, focal, *sight, frame=carrier)


def carried(car: Shuttle, lens: View) -> View:
    """A view that is mounted on a car, where the car is now."""
    return lens.moved(car.position, car.attitude, WORLD)


def sees(car: Shuttle, point: Vector) -> bool:
    """Whether a point, shape (3,) [m], is between the left and the right edge of its picture."""
    optical = car.attitude @ MOUNT[:3, :3]
    across, _, ahead = ((point - car.position - car.attitude @ MOUNT[:3, 3]) @ optical).tolist()
    return bool(ahead > 0.0 and abs(across) < ahead * math.tan(WIDE / 2))


def ahead(car: Shuttle, lane: Course, stands: tuple[float, Vector] | None = None) -> Ahead:
    """How a car is in a lane, and what its camera has in view of that.

    Args:
        car: somewhere on the lane.
        lane: on the ground that the car is on.
        stands: what stands in the lane: how far along its near side is [m], and its middle, shape (3,) [m].
    """
    x, y, ground = car.position.tolist()
    along, offset, yaw = lane.locate(x, y)
    line = lane.stop - along
    seen = stands is not None and 0.0 < stands[0] - along <= SIGHT and sees(car, stands[1])
    marked = NOSE < line <= LINE_SIGHT and sees(car, np.array([*lane.pose(lane.stop)[:2], ground]))
    return Ahead(
        offset=offset,
        heading=math.remainder(car.yaw - yaw, math.tau),
        curvature=lane.curvature(along),
        obstacle=stands[0] - along if seen and stands is not None else None,
        stop_line=line if marked else None,
    )
