"""The table top that an arm of some size works at: how large its blocks are, where they lie, and who looks on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.messages import Vector

Interval = tuple[float, float]
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Tray:
    """An open box that stands on the table."""

    x: float = 0.42  # [m]
    y: float = 0.38  # [m]
    inner: float = 0.20  # [m]
    wall: float = 0.005  # thickness [m]
    height: float = 0.025  # of its walls above the table [m]
    floor: float = 0.004  # thickness [m]

    def outline(self) -> Vector:
        """Corners of its footprint, shape (4, 2) [m]."""
        a = self.inner / 2 + self.wall
        corners: Vector = np.array([(a, a), (-a, a), (-a, -a), (a, -a)]) + np.array([self.x, self.y])
        return corners


@dataclass(frozen=True, slots=True)
class Sight:
    """Where a level camera is, and what it sees.

    Attributes:
        eye: its optical centre [m].
        target: what is in the middle of its image [m].
        span: height of what it sees at the target's distance [m].
    """

    eye: Point
    target: Point
    span: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What a world on a table takes from the size of its arm; here that of a Panda or an xArm6.

    Attributes:
        block: edge of the coloured blocks [m].
        mass: of one of them [kg].
        region: where their centres lie, x and y [m].
        margin: how far beyond it the centres of distractors may lie [m].
        gap: between any two things, at least [m].
        width, height: of distractors, least and most [m].
        finger: half width of a finger, and how far an open one reaches from the middle of what it takes [m].
        tray: where the block belongs.
        overhead: the camera above the blocks.
        sway: how far its mounting strays along each axis [m].
        overview: the camera for people.
    """

    block: float = 0.04
    mass: float = 0.08
    region: tuple[Interval, Interval] = ((0.30, 0.58), (-0.20, 0.20))
    margin: float = 0.02
    gap: float = 0.012
    width: Interval = (0.025, 0.06)
    height: Interval = (0.015, 0.045)
    finger: Interval = (0.018, 0.080)
    tray: Tray = Tray()
    overhead: Sight = Sight((0.44, 0.0, 0.80), (0.44, 0.0, 0.0), 0.50)
    sway: float = 0.03
    overview: Sight = Sight((1.30, 0.95, 0.95), (0.27, 0.10, 0.20), 1.15)
