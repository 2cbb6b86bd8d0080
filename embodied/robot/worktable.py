"""Worktable of an arm of a size: sizes of its blocks, the region where they lie, its tray and its cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.messages import Vector

Interval = tuple[float, float]
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Tray:
    """Open box on an arm's worktable into which the target is to be placed."""

    x: float = 0.42  # [m]
    y: float = 0.38  # [m]
    inner: float = 0.20  # [m]
    wall: float = 0.005  # thickness [m]
    height: float = 0.025  # of its walls above the table [m]
    floor: float = 0.004  # thickness [m]

    def outline(self) -> Vector:
        """Return the corners of its footprint, shape (4, 2) [m]."""
        a = self.inner / 2 + self.wall
        corners: Vector = np.array([(a, a), (-a, a), (-a, -a), (a, -a)]) + np.array([self.x, self.y])
        return corners


@dataclass(frozen=True, slots=True)
class Sight:
    """Pose and field of view of a level camera at a worktable.

    Attributes:
        eye: optical centre [m].
        target: point in the middle of the image [m].
        span: height of the field of view at the target's distance [m].
    """

    eye: Point
    target: Point
    span: float


@dataclass(frozen=True, slots=True)
class Worktable:
    """Sizes and places that a world on a table takes from its arm; by default those of a Panda or an xArm6.

    Attributes:
        block: edge of the coloured blocks [m].
        mass: mass of one block [kg].
        region: bounds of the blocks' centres along x and y [m].
        margin: distance beyond the region where the centres of distractors may lie [m].
        gap: least distance between any two objects [m].
        width, height: bounds of the distractors' sizes [m].
        finger: half width of a finger, and the distance from the grasp to the outside of an open one [m].
        tray: container of the target.
        overhead: camera above the blocks.
        sway: largest error of that camera's mounting along each axis [m].
        overview: camera for people.
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
