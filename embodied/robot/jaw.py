"""Geometry of a gripper with one fixed and one pivoting jaw: from the angle of the jaw to the opening, and back.

The opening is measured between the faces of the two jaws, at the depth of the tool centre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PivotingJaw:
    """Geometry of a gripper with one pivoting jaw: its lengths, in the plane in which the jaw turns.

    Attributes:
        pivot: distance from the face of the fixed jaw to the pivot [m].
        depth: distance from the pivot down to the tool centre [m].
        face: distance from the pivot to the plane of the pivoting jaw's face [m].
        closed: angle of the jaw when the gripper is closed [rad].
    """

    pivot: float
    depth: float
    face: float
    closed: float

    def opening(self, angle: float) -> float:
        """Return the opening [m] at an angle of the jaw [rad]."""
        return self.pivot + self.depth * math.tan(angle) - self.face / math.cos(angle)

    def angle(self, opening: float, widest: float) -> float:
        """Return the angle of the jaw [rad] at an opening.

        Args:
            opening: opening of the gripper [m].
            widest: largest angle to return [rad].
        """
        beyond = opening - self.pivot
        angle = math.atan2(beyond, self.depth) + math.asin(self.face / math.hypot(beyond, self.depth))
        return min(max(angle, self.closed), widest)

    def slope(self, angle: float) -> float:
        """Return the change of the opening with the angle of the jaw [m/rad]; it is always positive."""
        return (self.depth - self.face * math.sin(angle)) / math.cos(angle) ** 2


SO101_JAW = PivotingJaw(pivot=0.0202 + 0.0116, depth=0.073, face=0.0083, closed=-0.1745)
"""Jaw of the SO-100 and SO-101, 10 mm open when it is closed: lengths of the maker's model of the arm (SO-ARM100,
Simulation/SO101, Apache-2.0), faces of its jaws' meshes."""
