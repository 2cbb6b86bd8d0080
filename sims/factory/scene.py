"""A factory floor as pure data: the table and what lies on it, where the shuttle is loaded, its lane, the drone's pad.

The frame is the base of the arm, whose table top is at z = 0. The floor is as far below it as the bed of a shuttle is
above the floor, so that the bed lies level with the table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from embodied.node.node import generator
from sims.bodies import car
from sims.bodies.worktable import Bench
from sims.road import scene as course
from sims.road.scene import Course, Look
from sims.tabletop import scene as scene
from sims.tabletop.scene import Scene

GROUND = -car.FLOOR  # height of the floor [m]
TABLE = ((-0.35, 0.80), (-0.60, 0.33))  # x and y; the shuttle stands beside it [m]
LOADING = (0.40, 0.58)  # middle of the bed of a shuttle that is loaded, x and y [m]
PARKED = (0.015, math.radians(1.5))  # how far it stands from there at most, each way [m], [rad]
BENDS, UNBENDS, BEND = 1.8, 4.6, 1 / 4.5  # where along its lane it begins to bend and to straighten [m], by how much
STOP, LINE = 8.2, 0.16  # how far along the stop line is, and how deep [m]
PAD = (4.6, -1.0)  # middle of the landing pad, x and y [m]
LOW, HIGH = (-1.5, -3.5, GROUND - 0.2), (11.0, 6.5, 4.5)  # corners of what the drone may never leave [m]


@dataclass(frozen=True, eq=False, slots=True)
class Floorplan:
    """Everything that a seed decides, but for the wind and the sensors.

    Attributes:
        scene: what lies on the table, and the light.
        lane: from where the shuttle is loaded to the second station.
        shuttle: x, y [m] and yaw [rad] of its frame, where it is loaded.
        yaw: of the drone on its pad [rad].
    """

    scene: Scene
    lane: Course
    shuttle: tuple[float, float, float]
    yaw: float


def draw(seed: int, bench: Bench, objects: int) -> Floorplan:
    """The floor of a seed.

    Args:
        seed: of the run.
        bench: the arrangement on the table.
        objects: how many coloured blocks, 1 to 4.
    """
    rng = generator(seed, "factory", "layout")
    dx, dy, turn = rng.uniform(-1.0, 1.0, 3).tolist()
    yaw = PARKED[1] * turn
    # The bed is where it should be; its shuttle's frame lies behind it.
    behind = car.BED[0]
    x = LOADING[0] + PARKED[0] * dx - behind * math.cos(yaw)
    y = LOADING[1] + PARKED[0] * dy - behind * math.sin(yaw)
    table = scene.draw(seed, bench, objects)
    return Floorplan(
        scene=table,
        lane=_lane(replace(course.look(seed, 1.0), light=table.look.light)),
        shuttle=(x, y, yaw),
        yaw=float(rng.uniform(-math.pi, math.pi)),
    )


def _lane(look: Look) -> Course:
    """The same for every seed, but for how it looks."""
    ease = course.EASE
    bends = [(BENDS, 0.0), (BENDS + ease, BEND), (UNBENDS, BEND), (UNBENDS + ease, 0.0)]
    points, bend = course.laid([(-course.BEFORE, 0.0), *bends, (STOP + course.BEYOND, 0.0)])
    begin = np.array([LOADING[0] - car.BED[0], LOADING[1], 0.0])
    return Course(points + begin, bend, STOP, LINE, None, (), (0.0, 0.0), look)
