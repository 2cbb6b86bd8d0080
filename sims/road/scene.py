"""Scene of the road as plain data: a winding lane, an obstacle in it and others beside it, drawn from the seed.

Guaranteed for every seed: no curve is tighter than `RADIUS_LEAST`, the lane never turns back on itself, it begins and
ends straight, and what stands beside it leaves the lane free, and the place to which the obstacle is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from embodied.messages import Vector
from embodied.node.node import generator
from sims.lane import BEFORE, BEYOND, EASE, WIDTH, Lane, lay
from sims.road_surface import RoadLook, Triple, draw_look, triple

RADIUS_LEAST = 3.6
"""Radius of the tightest curve [m]."""

STRAIGHT = 4.0
"""Length of the straight at the end of the lane [m]."""

ASIDE = 1.5
"""Distance by which the obstacle is drawn aside [m]."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Obstacle in the road's scene: a box or barrel that stands on the ground.

    Attributes:
        shape: `box` or `barrel`.
        size: full extents [m].
        along: arc length of its centre along the lane [m].
        offset: distance of its centre from the middle of the lane, left is positive [m].
        yaw: turn from the direction of the lane there [rad].
        colour: RGB, 0 to 1.
        side: side to which it is drawn, 1 left, -1 right; 0: it stays.
    """

    shape: Literal["box", "barrel"]
    size: Triple
    along: float
    offset: float
    yaw: float
    colour: Triple
    side: int = 0

    def half_extents(self) -> tuple[float, float]:
        """Return half of its extents along the lane and across it [m]."""
        wide, deep, _ = self.size
        if self.shape == "barrel":
            return wide / 2, wide / 2
        c, s = abs(math.cos(self.yaw)), abs(math.sin(self.yaw))
        return (wide * c + deep * s) / 2, (wide * s + deep * c) / 2


@dataclass(frozen=True, eq=False, slots=True)
class RoadScene:
    """Everything that a seed decides about the road, except the errors of the sensors.

    Attributes:
        lane: lane with its stop line.
        obstacle: obstacle in the lane, if there is one.
        beside: obstacles beside the lane.
        start: offset [m] and heading [rad] of the vehicle at the begin of the lane.
        look: appearance.
    """

    lane: Lane
    obstacle: Obstacle | None
    beside: tuple[Obstacle, ...]
    start: tuple[float, float]
    look: RoadLook


def draw(seed: int, spread: float = 1.0) -> RoadScene:
    """Draw the road's scene of a seed: lane, obstacles and look.

    Args:
        seed: seed of the run.
        spread: variation of light, paint and camera, as a multiple of that in the training data.
    """
    rng = generator(seed, "road", "layout")
    points, curvature, stop = _winding(rng)
    obstacle = None
    if rng.random() < 0.7:
        drawn = _thing(rng, rng.uniform(8.0, stop - 8.0), rng.uniform(-0.15, 0.15))
        side = -1 if rng.random() < 0.5 else 1
        obstacle = Obstacle(drawn.shape, drawn.size, drawn.along, drawn.offset, drawn.yaw, drawn.colour, side)
    lane = Lane(points, curvature, stop, float(rng.uniform(0.12, 0.20)))
    beside = tuple(thing for thing in (_beside(rng, stop) for _ in range(14)) if _free(lane, obstacle, thing))
    start = float(rng.uniform(-0.06, 0.06)), float(rng.uniform(-0.06, 0.06))
    return RoadScene(lane, obstacle, beside, start, draw_look(seed, spread))


def _winding(rng: np.random.Generator) -> tuple[Vector, Vector, float]:
    # Curves that follow one another; one that would lead back on itself, or hardly winds, is drawn again.
    while True:
        stop = float(rng.uniform(25.0, 38.0))
        knots, at = [(-BEFORE, 0.0), (2.0, 0.0)], 2.0
        while at + 2 * EASE < stop - STRAIGHT:
            bend = rng.uniform(-1.0, 1.0) / RADIUS_LEAST
            end = min(at + EASE + rng.uniform(1.0, 4.0), stop - STRAIGHT - EASE)
            knots += [(at + EASE, bend), (max(end, at + EASE + 1e-6), bend)]
            at = end
        knots += [(stop - STRAIGHT, 0.0), (stop + BEYOND, 0.0)]
        points, curvature = lay(knots)
        yaw = points[:, 2]
        if np.abs(yaw).max() < math.radians(75) and np.ptp(yaw) > math.radians(45):
            return points, curvature, stop


def _thing(rng: np.random.Generator, along: float, offset: float) -> Obstacle:
    shape: Literal["box", "barrel"] = "box" if rng.random() < 0.5 else "barrel"
    wide, deep, tall = rng.uniform(0.30, 0.55), rng.uniform(0.30, 0.60), rng.uniform(0.35, 0.75)
    hues = [(0.85, 0.42, 0.08), (0.75, 0.12, 0.10), (0.10, 0.25, 0.62), (0.58, 0.42, 0.26), (0.16, 0.42, 0.22)]
    hue = np.array(hues[int(rng.integers(len(hues)))]) * rng.uniform(0.8, 1.15)
    size = (wide, wide, tall) if shape == "barrel" else (wide, deep, tall)
    return Obstacle(shape, size, float(along), float(offset), float(rng.uniform(-0.6, 0.6)), triple(np.clip(hue, 0, 1)))


def _beside(rng: np.random.Generator, stop: float) -> Obstacle:
    side = -1 if rng.random() < 0.5 else 1
    return _thing(rng, rng.uniform(0.0, stop + 2.0), side * rng.uniform(1.05, 3.5))


def _free(lane: Lane, obstacle: Obstacle | None, thing: Obstacle) -> bool:
    x, y, _ = lane.pose(thing.along, thing.offset)
    if float(np.hypot(*(lane.points[:, :2] - (x, y)).T).min()) < WIDTH / 2 + 0.10 + max(thing.half_extents()):
        return False
    if obstacle is None:
        return True
    aside = lane.pose(obstacle.along, obstacle.offset + obstacle.side * ASIDE)
    return math.dist((x, y), aside[:2]) > max(thing.half_extents()) + max(obstacle.half_extents()) + 0.1
