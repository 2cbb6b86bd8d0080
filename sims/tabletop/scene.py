"""A tabletop scene as pure data: everything that a seed decides, drawn without any simulator.

What is guaranteed, for every seed: nothing touches anything else; blocks are at least the bench's `gap` apart from each
other and from every distractor; and each block has at least one of its two grasp directions in which open fingers come
down beside it without touching anything else, the tray included.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from embodied.messages import Vector
from embodied.node.node import generator
from sims.bodies.worktable import Bench

COLOURS = {
    "red": (0.78, 0.10, 0.09),
    "green": (0.12, 0.55, 0.16),
    "blue": (0.10, 0.22, 0.70),
    "yellow": (0.90, 0.72, 0.08),
}
"""Labels of the blocks, and their colour before the seed changes it a little (RGB, 0 to 1)."""

TABLE = ((-0.35, 0.90), (-0.75, 0.75))  # x and y [m]


@dataclass(frozen=True, slots=True)
class Thing:
    """One object on the table; its centre is at half its height."""

    label: str
    shape: Literal["box", "cylinder"]
    size: tuple[float, float, float]  # full extents [m]
    x: float  # [m]
    y: float  # [m]
    yaw: float  # [rad]
    colour: tuple[float, float, float]
    mass: float  # [kg]

    def outline(self, grow: float = 0.0) -> Vector:
        """Corners of its footprint, made larger on every side by `grow` [m]; shape (k, 2) [m]."""
        a, b = self.size[0] / 2 + grow, self.size[1] / 2 + grow
        if self.shape == "box":
            return turned(np.array([(a, b), (-a, b), (-a, -b), (a, -b)]), self.x, self.y, self.yaw)
        # An octagon around the circle.
        turn = np.arange(8) * math.pi / 4
        return a / math.cos(math.pi / 8) * np.stack([np.cos(turn), np.sin(turn)], axis=1) + (self.x, self.y)


@dataclass(frozen=True, slots=True)
class Look:
    """What the light and the cameras do to a scene without moving anything in it."""

    brightness: float
    light: tuple[float, float, float]  # unit vector towards the lamp
    table: tuple[float, float, float]
    grain: tuple[tuple[float, float, float], ...]  # waves across the table: x and y frequency [rad/m], phase [rad]
    shift: tuple[float, float, float]  # of the camera [m]
    tilt: tuple[float, float, float]  # of the camera, roll, pitch, yaw in its own frame [rad]


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a seed decides."""

    target: str
    blocks: tuple[Thing, ...]
    distractors: tuple[Thing, ...]
    bench: Bench
    look: Look


def draw(seed: int, bench: Bench, blocks: int = len(COLOURS), spread: float = 1.0) -> Scene:
    """The scene of a seed.

    Args:
        seed: of the run.
        bench: the arrangement.
        blocks: how many coloured blocks, 1 to 4; the labels are the first of `COLOURS`.
        spread: how far light, table and camera stray, as a multiple of what everything here was trained on.
    """
    labels = tuple(COLOURS)[:blocks]
    target = str(generator(seed, "scene", "target").choice(labels))
    coloured, grey = _layout(generator(seed, "scene", "layout"), labels, bench)
    return Scene(target, coloured, grey, bench, _look(generator(seed, "scene", "look"), bench, spread))


def _layout(
    rng: np.random.Generator, labels: Sequence[str], bench: Bench
) -> tuple[tuple[Thing, ...], tuple[Thing, ...]]:
    makers: list[Callable[[np.random.Generator], Thing]] = [partial(_block, label, bench) for label in labels]
    makers += [partial(_distractor, index, bench) for index in range(int(rng.integers(2, 5)))]
    # Most tries fit; an unlucky one starts afresh, so that the draw ends for every seed.
    while True:
        things: list[Thing] = []
        for make in makers:
            tries = (make(rng) for _ in range(40))
            things += itertools.islice((thing for thing in tries if _free(thing, things, bench.gap)), 1)
        coloured, grey = tuple(things[: len(labels)]), tuple(things[len(labels) :])
        if len(things) == len(makers) and all(graspable(block, things, bench) for block in coloured):
            return coloured, grey


def _free(thing: Thing, others: Sequence[Thing], gap: float) -> bool:
    return not any(overlap(thing.outline(gap), other.outline()) for other in others)


def _block(label: str, bench: Bench, rng: np.random.Generator) -> Thing:
    colour = np.array(COLOURS[label]) * rng.uniform(0.85, 1.1) + rng.uniform(-0.03, 0.03, 3)
    x, y = (rng.uniform(low, high) for low, high in bench.region)
    yaw = rng.uniform(-math.pi, math.pi)
    size = (bench.block, bench.block, bench.block)
    return Thing(label, "box", size, x, y, yaw, _triple(np.clip(colour, 0.02, 0.98)), bench.mass)


def _distractor(index: int, bench: Bench, rng: np.random.Generator) -> Thing:
    shape: Literal["box", "cylinder"] = "box" if rng.random() < 0.5 else "cylinder"
    wide, deep, tall = rng.uniform(*bench.width), rng.uniform(*bench.width), rng.uniform(*bench.height)
    if shape == "cylinder":
        deep = wide
    x, y = (rng.uniform(low - bench.margin, high + bench.margin) for low, high in bench.region)
    yaw = rng.uniform(-math.pi, math.pi)
    grey = rng.uniform(0.15, 0.85) + rng.uniform(-0.02, 0.02, 3)
    # 600 kg/m³, like hard wood.
    return Thing(f"grey{index}", shape, (wide, deep, tall), x, y, yaw, _triple(grey), 600 * wide * deep * tall)


def _look(rng: np.random.Generator, bench: Bench, spread: float) -> Look:
    def stray(low: float, high: float, size: int | None = None) -> Any:
        more = (spread - 1.0) * (high - low) / 2
        return rng.uniform(low - more, high + more, size)

    # A lamp stays above the table, and neither light nor colour comes to nothing.
    azimuth = rng.uniform(-math.pi, math.pi)
    height = np.clip(stray(math.radians(35), math.radians(80)), math.radians(10), math.radians(90))
    light = (math.cos(azimuth) * math.cos(height), math.sin(azimuth) * math.cos(height), math.sin(height))
    # Wood to stone: a light to middling tone, a little warm or cool.
    tone, warmth = np.clip(stray(0.35, 0.8), 0.1, 1.0), stray(-0.06, 0.12)
    grain = np.stack([rng.uniform(-30, 30, 5), rng.uniform(-150, 150, 5), rng.uniform(-math.pi, math.pi, 5)], axis=1)
    return Look(
        brightness=float(max(0.1, stray(0.6, 1.4))),
        light=light,
        table=_triple(np.clip((tone + warmth, tone, tone - warmth), 0.02, 1.0)),
        grain=tuple(_triple(wave) for wave in grain),
        shift=_triple(stray(-bench.sway, bench.sway, 3)),
        tilt=_triple(np.radians(stray(-3.0, 3.0, 3))),
    )


def graspable(block: Thing, things: Sequence[Thing], bench: Bench) -> bool:
    """Whether two open fingers can come down on opposite sides of a block, in one of its two directions."""
    others = [thing.outline() for thing in things if thing is not block] + [bench.tray.outline()]
    half, reach = bench.finger
    near = block.size[0] / 2
    for quarter in (0.0, math.pi / 2):
        fingers = (
            turned(np.array([(half, y0), (-half, y0), (-half, y1), (half, y1)]), block.x, block.y, block.yaw + quarter)
            for y0, y1 in ((near, reach), (-reach, -near))
        )
        if not any(overlap(finger, other) for finger in fingers for other in others):
            return True
    return False


def overlap(one: Vector, other: Vector) -> bool:
    """Whether two convex polygons, shape (k, 2), overlap, by the separating axis theorem."""
    for polygon in (one, other):
        edges = np.roll(polygon, -1, axis=0) - polygon
        normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1)
        a, b = one @ normals.T, other @ normals.T
        if np.any((a.max(axis=0) < b.min(axis=0)) | (b.max(axis=0) < a.min(axis=0))):
            return False
    return True


def turned(points: Vector, x: float, y: float, yaw: float) -> Vector:
    """Points, shape (k, 2), turned by a yaw [rad] about the origin and then moved to x, y [m]."""
    c, s = math.cos(yaw), math.sin(yaw)
    placed: Vector = points @ np.array([(c, s), (-s, c)]) + np.array([x, y])
    return placed


def _triple(values: Vector) -> tuple[float, float, float]:
    a, b, c = values.tolist()
    return a, b, c
