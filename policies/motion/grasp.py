"""The turn at which a parallel gripper takes a block, so that its fingers stay clear of everything else."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from embodied.messages import Vector

QUARTER = math.pi / 2


@dataclass(frozen=True, slots=True)
class Fingers:
    """What the open fingers cover beside a block, seen from above; the same on both sides.

    Attributes:
        inner, outer: how far from the middle of the block they begin and end [m].
        half_width: half of how wide they are [m].
        safe: distance to the centre of anything else that is plenty [m].
    """

    inner: float = 0.02
    outer: float = 0.065
    half_width: float = 0.014
    safe: float = 0.04

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


def grasp_yaw(at: Vector, yaw: float, others: Iterable[Vector], fingers: Fingers) -> float:
    """The better of the two turns with which a parallel gripper can take a block.

    The one that needs less turning of the wrist, as long as both keep the fingers safe from everything else;
    otherwise the one that keeps further away.

    Args:
        at: centre of the block, shape (2,) [m].
        yaw: of the block, modulo a quarter turn [rad].
        others: centres of everything else, each of shape (2,) [m].
        fingers: of the gripper.

    Returns:
        yaw of the gripper, within a quarter turn of the direction from the robot's base to the block [rad].
    """
    others = list(others)
    azimuth = math.atan2(at[1], at[0])
    small = math.remainder(yaw - azimuth, QUARTER)
    large = small - math.copysign(QUARTER, small)
    clear = [min(fingers.clearance(at, azimuth + turn, others), fingers.safe) for turn in (small, large)]
    return azimuth + (small if clear[0] >= clear[1] else large)
