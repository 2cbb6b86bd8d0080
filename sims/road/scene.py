"""A lane as pure data: its winding middle, what stands in it and beside it, and how all of it looks, from the seed.

Guaranteed for every seed: no curve is tighter than `TIGHTEST`, the lane never turns back on itself, it begins and ends
straight, and what stands beside it leaves it free, and room for what is drawn aside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from embodied.messages import Vector
from embodied.node.node import generator

TIGHTEST = 3.6  # radius [m]
LANE = 0.90  # between the middles of its two painted lines [m]
STEP = 0.05  # between the points that it is given by [m]
BEFORE, BEYOND = 3.0, 3.0  # how far it is painted behind where it begins, and beyond where it ends [m]
STRAIGHT = 4.0  # at its end [m]
EASE = 1.0  # in which curvature goes from one value to the next [m]
ASIDE = 1.5  # how far what stood in the lane is drawn aside [m]

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A box or a barrel that stands on the ground.

    Attributes:
        shape: of it.
        size: full extents [m].
        along: of its middle along the lane [m].
        offset: of its middle from the middle of the lane, left is positive [m].
        yaw: from the direction of the lane there [rad].
        colour: red, green, blue, 0 to 1.
        side: to which it is drawn aside, 1 left, -1 right; 0: it stays.
    """

    shape: Literal["box", "barrel"]
    size: Triple
    along: float
    offset: float
    yaw: float
    colour: Triple
    side: int = 0

    def reach(self) -> tuple[float, float]:
        """How far it reaches from its middle along the lane and across it [m]."""
        wide, deep, _ = self.size
        if self.shape == "barrel":
            return wide / 2, wide / 2
        c, s = abs(math.cos(self.yaw)), abs(math.sin(self.yaw))
        return (wide * c + deep * s) / 2, (wide * s + deep * c) / 2


@dataclass(frozen=True, slots=True)
class Look:
    """What light, paint and camera do to a road without moving anything on it.

    Attributes:
        brightness: exposure of the camera.
        light: unit vector towards the sun.
        ambient: share of the light that comes from everywhere, 0 to 1.
        ground: colour of the ground.
        rough: how strongly that varies.
        paint: colour of the lines.
        width: of the lines [m].
        wear: share of the paint that is gone, 0 to 1.
        sky: seed of all that is random in it.
        shift, tilt: of the camera from where it should be [m], [rad].
    """

    brightness: float
    light: Triple
    ambient: float
    ground: Triple
    rough: float
    paint: Triple
    width: float
    wear: float
    sky: int
    shift: Triple
    tilt: Triple


@dataclass(frozen=True, eq=False, slots=True)
class Course:
    """Everything that a seed decides, but for the sensors.

    Attributes:
        points: of the lane's middle every `STEP`: x, y [m] and direction [rad]; shape (n, 3).
        bend: its curvature at each, left is positive, shape (n,) [1/m].
        stop: how far along the near edge of the stop line is [m]; the lane begins at 0.
        line: how deep that line is [m].
        obstacle: what stands in the lane, if anything does.
        beside: what stands beside it.
        start: offset [m] and heading [rad] at the beginning.
        look: of all of it.
    """

    points: Vector
    bend: Vector
    stop: float
    line: float
    obstacle: Obstacle | None
    beside: tuple[Obstacle, ...]
    start: tuple[float, float]
    look: Look

    def pose(self, along: float, offset: float = 0.0) -> Triple:
        """x, y [m] and direction [rad] of a place along the lane [m] and to the left of its middle [m]."""
        at = min(max((along + BEFORE) / STEP, 0.0), len(self.points) - 1.001)
        k = int(at)
        x, y, yaw = (self.points[k] + (at - k) * (self.points[k + 1] - self.points[k])).tolist()
        return x - offset * math.sin(yaw), y + offset * math.cos(yaw), yaw

    def locate(self, x: float, y: float) -> tuple[float, float, float]:
        """How far along the lane a place is [m], how far to the left of its middle [m], and its direction there."""
        away = self.points[:, :2] - (x, y)
        k = int(np.argmin(np.einsum("ij,ij->i", away, away)))
        near_x, near_y, yaw = self.points[k].tolist()
        ahead = (x - near_x) * math.cos(yaw) + (y - near_y) * math.sin(yaw)
        left = (y - near_y) * math.cos(yaw) - (x - near_x) * math.sin(yaw)
        # Between two points it is an arc: it has turned a little, and come to the side a little.
        bend = float(self.bend[k])
        return k * STEP - BEFORE + ahead / (1.0 - bend * left), left - bend * ahead**2 / 2, yaw + bend * ahead

    def curvature(self, along: float, over: float = 1.5) -> float:
        """Of the lane's middle, in the mean of the next metres [1/m]."""
        return (self.pose(along + over)[2] - self.pose(along)[2]) / over


def draw(seed: int, spread: float = 1.0) -> Course:
    """The course of a seed.

    Args:
        seed: of the run.
        spread: how far light, paint and camera stray, as a multiple of what everything here was trained on.
    """
    rng = generator(seed, "road", "layout")
    points, bend, stop = _winding(rng)
    obstacle = None
    if rng.random() < 0.7:
        drawn = _thing(rng, rng.uniform(8.0, stop - 8.0), rng.uniform(-0.15, 0.15))
        side = -1 if rng.random() < 0.5 else 1
        obstacle = Obstacle(drawn.shape, drawn.size, drawn.along, drawn.offset, drawn.yaw, drawn.colour, side)
    bare = Course(points, bend, stop, float(rng.uniform(0.12, 0.20)), obstacle, (), (0.0, 0.0), look(seed, spread))
    beside = tuple(thing for thing in (_aside(rng, stop) for _ in range(14)) if _free(bare, thing))
    start = float(rng.uniform(-0.06, 0.06)), float(rng.uniform(-0.06, 0.06))
    return Course(points, bend, stop, bare.line, obstacle, beside, start, bare.look)


def _winding(rng: np.random.Generator) -> tuple[Vector, Vector, float]:
    # Curves that follow one another; one that would lead back on itself, or hardly winds, is drawn again.
    while True:
        stop = float(rng.uniform(25.0, 38.0))
        knots, at = [(-BEFORE, 0.0), (2.0, 0.0)], 2.0
        while at + 2 * EASE < stop - STRAIGHT:
            bend = rng.uniform(-1.0, 1.0) / TIGHTEST
            end = min(at + EASE + rng.uniform(1.0, 4.0), stop - STRAIGHT - EASE)
            knots += [(at + EASE, bend), (max(end, at + EASE + 1e-6), bend)]
            at = end
        knots += [(stop - STRAIGHT, 0.0), (stop + BEYOND, 0.0)]
        points, bends = laid(knots)
        yaw = points[:, 2]
        if np.abs(yaw).max() < math.radians(75) and np.ptp(yaw) > math.radians(45):
            return points, bends, stop


def laid(knots: Sequence[tuple[float, float]]) -> tuple[Vector, Vector]:
    """A lane whose curvature goes evenly from knot to knot, as a `Course` has it.

    Args:
        knots: how far along [m], and the curvature there [1/m]; the first is `BEFORE` behind where it begins.

    Returns:
        points, shape (n, 3), and their curvature, shape (n,).
    """
    along = np.arange(-BEFORE, knots[-1][0], STEP)
    bends = np.interp(along, *np.array(knots).T)
    yaw = np.cumsum(bends) * STEP
    middle = yaw - bends * STEP / 2
    x, y = np.cumsum(np.cos(middle)) * STEP, np.cumsum(np.sin(middle)) * STEP
    begin = round(BEFORE / STEP)
    return np.stack([x - x[begin], y - y[begin], yaw], axis=1), bends


def _thing(rng: np.random.Generator, along: float, offset: float) -> Obstacle:
    shape: Literal["box", "barrel"] = "box" if rng.random() < 0.5 else "barrel"
    wide, deep, tall = rng.uniform(0.30, 0.55), rng.uniform(0.30, 0.60), rng.uniform(0.35, 0.75)
    hues = [(0.85, 0.42, 0.08), (0.75, 0.12, 0.10), (0.10, 0.25, 0.62), (0.58, 0.42, 0.26), (0.16, 0.42, 0.22)]
    hue = np.array(hues[int(rng.integers(len(hues)))]) * rng.uniform(0.8, 1.15)
    size = (wide, wide, tall) if shape == "barrel" else (wide, deep, tall)
    return Obstacle(
        shape, size, float(along), float(offset), float(rng.uniform(-0.6, 0.6)), _triple(np.clip(hue, 0, 1))
    )


def _aside(rng: np.random.Generator, stop: float) -> Obstacle:
    side = -1 if rng.random() < 0.5 else 1
    return _thing(rng, rng.uniform(0.0, stop + 2.0), side * rng.uniform(1.05, 3.5))


def _free(course: Course, thing: Obstacle) -> bool:
    x, y, _ = course.pose(thing.along, thing.offset)
    if float(np.hypot(*(course.points[:, :2] - (x, y)).T).min()) < LANE / 2 + 0.10 + max(thing.reach()):
        return False
    stands = course.obstacle
    if stands is None:
        return True
    over = course.pose(stands.along, stands.offset + stands.side * ASIDE)
    return math.dist((x, y), over[:2]) > max(thing.reach()) + max(stands.reach()) + 0.1


def look(seed: int, spread: float) -> Look:
    """How the road of a seed looks.

    Args:
        seed: of the run.
        spread: how far light, paint and camera stray, as a multiple of what everything here was trained on.
    """
    rng = generator(seed, "road", "look")

    def stray(low: float, high: float, size: int | None = None) -> Any:
        more = (spread - 1.0) * (high - low) / 2
        return rng.uniform(low - more, high + more, size)

    azimuth = rng.uniform(-math.pi, math.pi)
    height = np.clip(stray(math.radians(25), math.radians(80)), math.radians(10), math.radians(90))
    light = (math.cos(azimuth) * math.cos(height), math.sin(azimuth) * math.cos(height), math.sin(height))
    # Asphalt to concrete; paint is always brighter than what it lies on.
    tone, warmth = np.clip(stray(0.16, 0.48), 0.05, 0.6), stray(-0.02, 0.04)
    bright, yellow = np.clip(stray(0.78, 0.98), 0.7, 1.0), rng.random() < 0.3
    return Look(
        brightness=float(max(0.3, stray(0.7, 1.4))),
        light=light,
        ambient=float(np.clip(stray(0.40, 0.70), 0.2, 0.9)),
        ground=_triple(np.array([tone + warmth, tone, tone - warmth])),
        rough=float(max(0.0, stray(0.02, 0.07))),
        paint=(float(bright), float(bright * (0.82 if yellow else 0.99)), float(bright * (0.25 if yellow else 0.96))),
        width=float(stray(0.05, 0.08)),
        wear=float(np.clip(stray(0.0, 0.30), 0.0, 0.6)),
        sky=int(rng.integers(2**31)),
        shift=_triple(stray(-0.005, 0.005, 3)),
        tilt=_triple(np.radians(stray(-0.3, 0.3, 3))),
    )


def _triple(values: Vector) -> Triple:
    a, b, c = values.tolist()
    return a, b, c
