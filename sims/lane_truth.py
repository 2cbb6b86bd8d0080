"""True pose of a shuttle in its lane, and what lies ahead in it, as far as its camera has that in view."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.messages import Vector
from sims.bodies.camera_mounts import FRONT
from sims.bodies.car import Shuttle
from sims.bodies.car_model import NOSE
from sims.lane import Lane

OBSTACLE_RANGE = 6.0
"""Distance along the lane within which an obstacle is reported [m]."""

STOP_LINE_RANGE = 5.0
"""Distance along the lane within which the stop line is reported [m]."""


@dataclass(frozen=True, slots=True)
class LaneTruth:
    """True pose of a shuttle in its lane, and distances to what lies ahead in it.

    Attributes:
        offset: distance of the reference point from the middle of the lane, left is positive [m].
        heading: direction of the forward axis from that of the lane there [rad].
        curvature: curvature of the lane's middle ahead, left is positive [1/m].
        obstacle: distance along the lane to the near side of the obstacle [m]; None: none in view.
        stop_line: distance along the lane to the near edge of the stop line [m]; None: not in view.
    """

    offset: float
    heading: float
    curvature: float
    obstacle: float | None
    stop_line: float | None


def lane_truth(shuttle: Shuttle, lane: Lane, obstacle: tuple[float, Vector] | None = None) -> LaneTruth:
    """Measure the true pose of a shuttle in a lane, and what its camera has in view of it.

    Args:
        shuttle: shuttle on the lane.
        lane: lane on the ground under the shuttle.
        obstacle: arc length of its near side [m], and its centre, shape (3,) [m].
    """
    x, y, ground = shuttle.position.tolist()
    along, offset, yaw = lane.locate(x, y)
    line = lane.stop - along
    blocked = obstacle is not None and 0.0 < obstacle[0] - along <= OBSTACLE_RANGE and FRONT.sees(shuttle, obstacle[1])
    marked = NOSE < line <= STOP_LINE_RANGE and FRONT.sees(shuttle, np.array([*lane.pose(lane.stop)[:2], ground]))
    return LaneTruth(
        offset=offset,
        heading=math.remainder(shuttle.yaw - yaw, math.tau),
        curvature=lane.mean_curvature(along),
        obstacle=obstacle[0] - along if blocked and obstacle is not None else None,
        stop_line=line if marked else None,
    )
