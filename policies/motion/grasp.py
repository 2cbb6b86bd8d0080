"""Grasp planning: the yaw of a parallel gripper at which its fingers stay clear of everything but the block."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from embodied.messages import Vector

QUARTER = math.pi / 2
"""Quarter of a turn [rad]."""


@dataclass(frozen=True, slots=True)
class Fingers:
    """Footprint of the open fingers beside a block in a planned grasp, seen from above; the same on both sides.

    Attributes:
        inner, outer: distances from the middle of the block at which they begin and end [m].
        half_width: half the width of a finger [m].
        safe: sufficient distance to the centre of any other object [m].
    """

    inner: float = 0.02
    outer: float = 0.065
    half_width: float = 0.014
    safe: float = 0.04

    def clearance(self, block: Vector, yaw: float, others: Iterable[Vector]) -> float:
        """Return the distance from the fingers to the nearest centre of another object [m]; infinite without any.

        Args:
            block: centre of the block between the fingers, shape (2,) [m].
            yaw: yaw of the gripper; at 0 the fingers open along y [rad].
            others: centres of the other objects, each of shape (2,) [m].
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


def grasp_yaw(at: Vector, yaw: float, others: Iterable[Vector], fingers: Fingers) -> float:
    """Plan a grasp: return the better of the two yaws at which a parallel gripper can take a block.

    The one that turns the wrist less if both have a safe clearance, else the one with the larger clearance.

    Args:
        at: centre of the block, shape (2,) [m].
        yaw: yaw of the block, modulo a quarter turn [rad].
        others: centres of the other objects, each of shape (2,) [m].
        fingers: fingers of the gripper.

    Returns:
        yaw of the gripper, within a quarter turn of the direction from the robot's base to the block [rad].
    """
    others = list(others)
    azimuth = math.atan2(at[1], at[0])
    small = math.remainder(yaw - azimuth, QUARTER)
    large = small - math.copysign(QUARTER, small)
    clear = [min(fingers.clearance(at, azimuth + turn, others), fingers.safe) for turn in (small, large)]
    return azimuth + (small if clear[0] >= clear[1] else large)
