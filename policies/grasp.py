"""Where and how to take a block: what repeated looks agree on, and the turn that keeps the fingers clear."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from embodied.messages import Detections, Vector

QUARTER = math.pi / 2


@dataclass(frozen=True, slots=True)
class Block:
    """A block, as the mean of several looks.

    Attributes:
        position: of its centre, shape (3,) [m].
        yaw: modulo a quarter turn, nearest 0 [rad].
        looks: how many the mean is of.
    """

    position: Vector
    yaw: float
    looks: int

    def seen(self, position: Vector, yaw: float) -> Block:
        """The mean with one more look; a look more than 2 cm away means that it was moved, and starts afresh."""
        if float(np.linalg.norm(position - self.position)) > 0.02:
            return Block(position, yaw, 1)
        share = 1.0 / (self.looks + 1)
        # Four times the angle, so that a quarter turn more is the same point of the circle.
        both = (1.0 - share) * cmath.rect(1.0, 4 * self.yaw) + share * cmath.rect(1.0, 4 * yaw)
        return Block(self.position + share * (position - self.position), cmath.phase(both) / 4, self.looks + 1)


def find(objects: Detections, label: str) -> int | None:
    """Index of the surest detection of a label."""
    return max(
        (i for i, name in enumerate(objects.labels) if name == label), key=lambda i: objects.score[i], default=None
    )


@dataclass(frozen=True, slots=True)
class Fingers:
    """What the open fingers cover beside a block, seen from above; the same on both sides."""

    inner: float = 0.02  # [m]
    outer: float = 0.065  # [m]
    half_width: float = 0.014  # [m]

    def clearance(self, block: Vector, yaw: float, others: Iterable[Vector]) -> float:
        """Distance from the nearer finger to the nearest centre of something else [m]; infinite if there is nothing.

        Args:
            block: the middle between the fingers, shape (2,) [m].
            yaw: at which the fingers come down; at 0 they open along y [rad].
            others: centres, each of shape (2,) [m].
        """
        c, s = math.cos(yaw), math.sin(yaw)
        middle = (self.inner + self.outer) / 2
        nearest = math.inf
        for other in others:
            dx, dy = (other - block).tolist()
            along, across = abs(-s * dx + c * dy), abs(c * dx + s * dy)
            beside = max(abs(along - middle) - (self.outer - self.inner) / 2, 0.0)
            nearest = min(nearest, math.hypot(beside, max(across - self.half_width, 0.0)))
        return nearest


def grasp_yaw(block: Block, others: Iterable[Vector], fingers: Fingers, safe: float) -> float:
    """The better of the two turns with which a parallel gripper can take a block.

    The one that needs less turning of the wrist, as long as both keep the fingers `safe` from everything else;
    otherwise the one that keeps further away.

    Args:
        block: to be taken.
        others: centres of everything else, each of shape (2,) [m].
        fingers: of the gripper.
        safe: distance between a finger and a centre that is plenty [m].

    Returns:
        yaw of the gripper, within a quarter turn of the direction from the robot's base to the block [rad].
    """
    others = list(others)
    azimuth = math.atan2(block.position[1], block.position[0])
    small = math.remainder(block.yaw - azimuth, QUARTER)
    large = small - math.copysign(QUARTER, small)
    at = block.position[:2]
    clear = [min(fingers.clearance(at, azimuth + turn, others), safe) for turn in (small, large)]
    return azimuth + (small if clear[0] >= clear[1] else large)
