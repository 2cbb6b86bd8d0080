"""Scene of the tabletop as plain data: everything that a seed decides, drawn without any simulator.

Guaranteed for every seed: nothing touches anything else; blocks are at least the worktable's `gap` apart from each
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
from embodied.robot.worktable import Worktable
from sims.rendering.mesh import Pixels
from sims.scenery import Extent

COLOURS = {
    "red": (0.78, 0.10, 0.09),
    "green": (0.12, 0.55, 0.16),
    "blue": (0.10, 0.22, 0.70),
    "yellow": (0.90, 0.72, 0.08),
}
"""Labels of the blocks, and their colour before the seed changes it a little (RGB, 0 to 1)."""

TABLE = ((-0.35, 0.90), (-0.75, 0.75))
"""Bounds of the table top along x and y [m]."""

DENSITY = 600.0
"""Density of distractors, that of hard wood [kg/m³]."""

GRAIN_CONTRAST = 0.012
"""Contrast of one wave across the table."""

TEXEL = 0.0025
"""Edge of a texel of the table [m]."""

CIRCLE = 1.001
"""Radius of a circle around a footprint, the octagon of a cylinder included, as a multiple of half its diagonal."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Block or distractor in the tabletop's scene; its centre is at half its height."""

    label: str
    shape: Literal["box", "cylinder"]
    size: tuple[float, float, float]  # full extents [m]
    x: float  # [m]
    y: float  # [m]
    yaw: float  # [rad]
    colour: tuple[float, float, float]
    mass: float  # [kg]

    def outline(self, grow: float = 0.0) -> Vector:
        """Return the corners of its footprint, enlarged on every side by `grow` [m]; shape (k, 2) [m]."""
        a, b = self.size[0] / 2 + grow, self.size[1] / 2 + grow
        if self.shape == "box":
            return turned(np.array([(a, b), (-a, b), (-a, -b), (a, -b)]), self.x, self.y, self.yaw)
        # An octagon around the circle.
        turn = np.arange(8) * math.pi / 4
        return a / math.cos(math.pi / 8) * np.stack([np.cos(turn), np.sin(turn)], axis=1) + (self.x, self.y)

    def near(self, other: Thing, within: float) -> bool:
        """Test whether circles around two footprints are at most `within` [m] apart: quicker than an exact test."""
        reach = (math.hypot(*thing.size[:2]) / 2 * CIRCLE for thing in (self, other))
        return math.hypot(self.x - other.x, self.y - other.y) <= sum(reach) + within


@dataclass(frozen=True, slots=True)
class TableLook:
    """Appearance of a tabletop: light, table and cameras, without anything that moves."""

    brightness: float
    light: tuple[float, float, float]  # unit vector towards the lamp
    table: tuple[float, float, float]
    grain: tuple[tuple[float, float, float], ...]  # waves across the table: x and y frequency [rad/m], phase [rad]
    shift: tuple[float, float, float]  # of the camera's mounting [m]
    tilt: tuple[float, float, float]  # of the camera's mounting, roll, pitch, yaw in its own frame [rad]

    def texture(self, extent: Extent) -> Pixels:
        """Draw the table top between bounds [m]: waves of its grain across it."""
        # A sine of a sum is a sum of products, so the picture is one product of two small matrices.
        (x0, x1), (y0, y1) = extent
        x = np.arange(x0 + TEXEL / 2, x1, TEXEL, dtype=np.float32)
        y = np.arange(y1 - TEXEL / 2, y0, -TEXEL, dtype=np.float32)
        fx, fy, phase = np.array(self.grain, dtype=np.float32).T[:, :, None]
        across, along = fx * x + phase, fy * y
        waves = np.sin(along).T @ np.cos(across) + np.cos(along).T @ np.sin(across)
        tone = np.float32(255) * (1 + np.float32(GRAIN_CONTRAST) * waves)
        return np.stack([np.clip(tone * np.float32(part), 0, 255).astype(np.uint8) for part in self.table], axis=-1)


@dataclass(frozen=True, slots=True)
class TabletopScene:
    """Everything that a seed decides about the tabletop."""

    target: str
    blocks: tuple[Thing, ...]
    distractors: tuple[Thing, ...]
    worktable: Worktable
    look: TableLook


def draw(seed: int, worktable: Worktable, blocks: int = len(COLOURS), spread: float = 1.0) -> TabletopScene:
    """Draw the tabletop's scene of a seed.

    Args:
        seed: seed of the run.
        worktable: sizes and places that fit the arm.
        blocks: number of coloured blocks, 1 to 4; the labels are the first of `COLOURS`.
        spread: variation of light, table and camera, as a multiple of that in the training data.
    """
    labels = tuple(COLOURS)[:blocks]
    target = str(generator(seed, "scene", "target").choice(labels))
    coloured, grey = _layout(generator(seed, "scene", "layout"), labels, worktable)
    return TabletopScene(target, coloured, grey, worktable, _look(generator(seed, "scene", "look"), worktable, spread))


def _layout(
    rng: np.random.Generator, labels: Sequence[str], worktable: Worktable
) -> tuple[tuple[Thing, ...], tuple[Thing, ...]]:
    makers: list[Callable[[np.random.Generator], Thing]] = [partial(_block, label, worktable) for label in labels]
    makers += [partial(_distractor, index, worktable) for index in range(int(rng.integers(2, 5)))]
    # Most tries fit; an unlucky one starts afresh, so that the draw ends for every seed.
    while True:
        things: list[Thing] = []
        for make in makers:
            tries = (make(rng) for _ in range(40))
            things += itertools.islice((thing for thing in tries if _free(thing, things, worktable.gap)), 1)
        coloured, grey = tuple(things[: len(labels)]), tuple(things[len(labels) :])
        if len(things) == len(makers) and all(graspable(block, things, worktable) for block in coloured):
            return coloured, grey


def _free(thing: Thing, others: Sequence[Thing], gap: float) -> bool:
    # Enlarged by the gap, a corner is further out by its diagonal.
    near = [other for other in others if thing.near(other, 2 * gap)]
    return not any(overlap(thing.outline(gap), other.outline()) for other in near)


def _block(label: str, worktable: Worktable, rng: np.random.Generator) -> Thing:
    colour = np.array(COLOURS[label]) * rng.uniform(0.85, 1.1) + rng.uniform(-0.03, 0.03, 3)
    x, y = (rng.uniform(low, high) for low, high in worktable.region)
    yaw = rng.uniform(-math.pi, math.pi)
    size = (worktable.block, worktable.block, worktable.block)
    return Thing(label, "box", size, x, y, yaw, _triple(np.clip(colour, 0.02, 0.98)), worktable.mass)


def _distractor(index: int, worktable: Worktable, rng: np.random.Generator) -> Thing:
    shape: Literal["box", "cylinder"] = "box" if rng.random() < 0.5 else "cylinder"
    wide, deep, tall = rng.uniform(*worktable.width), rng.uniform(*worktable.width), rng.uniform(*worktable.height)
    if shape == "cylinder":
        deep = wide
    x, y = (rng.uniform(low - worktable.margin, high + worktable.margin) for low, high in worktable.region)
    yaw = rng.uniform(-math.pi, math.pi)
    grey = rng.uniform(0.15, 0.85) + rng.uniform(-0.02, 0.02, 3)
    return Thing(f"grey{index}", shape, (wide, deep, tall), x, y, yaw, _triple(grey), DENSITY * wide * deep * tall)


def _look(rng: np.random.Generator, worktable: Worktable, spread: float) -> TableLook:
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
    return TableLook(
        brightness=float(max(0.1, stray(0.6, 1.4))),
        light=light,
        table=_triple(np.clip((tone + warmth, tone, tone - warmth), 0.02, 1.0)),
        grain=tuple(_triple(wave) for wave in grain),
        shift=_triple(stray(-worktable.sway, worktable.sway, 3)),
        tilt=_triple(np.radians(stray(-3.0, 3.0, 3))),
    )


def graspable(block: Thing, things: Sequence[Thing], worktable: Worktable) -> bool:
    """Test whether open fingers fit beside a block of the tabletop's scene, in one of its two directions."""
    half, reach = worktable.finger
    beside = [thing for thing in things if thing is not block and block.near(thing, half + reach)]
    others = [thing.outline() for thing in beside] + [worktable.tray.outline()]
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
    """Test whether two outlines on the tabletop, convex, shape (k, 2), overlap, by the separating axis theorem."""
    for polygon in (one, other):
        edges = np.roll(polygon, -1, axis=0) - polygon
        normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1)
        a, b = one @ normals.T, other @ normals.T
        if np.any((a.max(axis=0) < b.min(axis=0)) | (b.max(axis=0) < a.min(axis=0))):
            return False
    return True


def turned(points: Vector, x: float, y: float, yaw: float) -> Vector:
    """Turn an outline on the tabletop, shape (k, 2), by a yaw [rad] about the origin and move it to x, y [m]."""
    c, s = math.cos(yaw), math.sin(yaw)
    placed: Vector = points @ np.array([(c, s), (-s, c)]) + np.array([x, y])
    return placed


def _triple(values: Vector) -> tuple[float, float, float]:
    a, b, c = values.tolist()
    return a, b, c
