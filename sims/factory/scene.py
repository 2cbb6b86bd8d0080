"""Scene of the factory as plain data: table, loading place of the shuttle, its lane, and the drone's pad.

The frame is the base of the arm, whose table top is at z = 0. The floor is as far below it as the bed of a shuttle is
above the floor, so that the bed lies level with the table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from embodied.node.node import generator
from embodied.robot.worktable import Worktable
from sims.bodies import car_model
from sims.lane import BEFORE, BEYOND, EASE, Lane, Pose2, lay
from sims.road_surface import RoadLook, draw_look
from sims.tabletop.scene import TabletopScene
from sims.tabletop.scene import draw as draw_table

GROUND = -car_model.FLOOR
"""Height of the floor [m]."""

TABLE = ((-0.35, 0.80), (-0.60, 0.33))
"""Bounds of the table top along x and y; the shuttle stands beside it [m]."""

LOADING = (0.40, 0.58)
"""Middle of the bed of a shuttle that is being loaded, x and y [m]."""

PARKING_ERROR = 0.015
"""Largest distance of a parked shuttle from its place, along x and along y [m]."""

PARKING_TURN = math.radians(1.5)
"""Largest heading error of a parked shuttle [rad]."""

CURVE_BEGIN = 1.8
"""Arc length at which the lane begins to bend [m]."""

CURVE_END = 4.6
"""Arc length at which the lane begins to straighten [m]."""

CURVATURE = 1 / 4.5
"""Curvature of the lane between the two [1/m]."""

STOP = 8.2
"""Arc length of the near edge of the stop line [m]."""

STOP_LINE_DEPTH = 0.16
"""Depth of the stop line [m]."""

PAD = (4.6, -1.0)
"""Middle of the landing pad, x and y [m]."""

FENCE_LOW = (-1.5, -3.5, GROUND - 0.2)
"""Lower corner of the drone's geofence [m]."""

FENCE_HIGH = (11.0, 6.5, 4.5)
"""Upper corner of the drone's geofence [m]."""


@dataclass(frozen=True, eq=False, slots=True)
class FactoryScene:
    """Everything that a seed decides about the factory, except the wind and the errors of the sensors.

    Attributes:
        table: objects on the table, and the light.
        lane: lane from the loading place to the second station.
        look: appearance of the lane.
        shuttle: x, y [m] and yaw [rad] of the shuttle's frame at its loading place.
        yaw: heading of the drone on its pad [rad].
    """

    table: TabletopScene
    lane: Lane
    look: RoadLook
    shuttle: Pose2
    yaw: float


def draw(seed: int, worktable: Worktable, objects: int) -> FactoryScene:
    """Draw the factory's scene of a seed.

    Args:
        seed: seed of the run.
        worktable: sizes and places that fit the arm.
        objects: number of coloured blocks, 1 to 4.
    """
    rng = generator(seed, "factory", "layout")
    dx, dy, turn = rng.uniform(-1.0, 1.0, 3).tolist()
    yaw = PARKING_TURN * turn
    # The bed is at the loading place; the shuttle's frame lies behind it.
    behind = car_model.BED[0]
    x = LOADING[0] + PARKING_ERROR * dx - behind * math.cos(yaw)
    y = LOADING[1] + PARKING_ERROR * dy - behind * math.sin(yaw)
    table = draw_table(seed, worktable, objects)
    return FactoryScene(
        table=table,
        lane=_lane(),
        look=replace(draw_look(seed, 1.0), light=table.look.light),
        shuttle=(x, y, yaw),
        yaw=float(rng.uniform(-math.pi, math.pi)),
    )


def _lane() -> Lane:
    """Lay the lane, which is the same for every seed."""
    bend = [(CURVE_BEGIN, 0.0), (CURVE_BEGIN + EASE, CURVATURE), (CURVE_END, CURVATURE), (CURVE_END + EASE, 0.0)]
    points, curvature = lay([(-BEFORE, 0.0), *bend, (STOP + BEYOND, 0.0)])
    begin = np.array([LOADING[0] - car_model.BED[0], LOADING[1], 0.0])
    return Lane(points + begin, curvature, STOP, STOP_LINE_DEPTH)
