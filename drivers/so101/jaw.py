"""The gripper: one jaw turns about a pivot, the other is fixed; its angle becomes an opening.

The opening is measured between the faces of the two jaws, at the height of the tool centre. Lengths are those of the
maker's model of the arm (SO-ARM100, Simulation/SO101, Apache-2.0), faces those of its jaws' meshes.
"""

from __future__ import annotations

import math

PIVOT = 0.0318
"""From the fixed jaw's face to the pivot [m]."""

REACH = 0.073
"""From the pivot down to the tool centre [m]."""

FACE = 0.0083
"""From the pivot to the plane of the turning jaw's face [m]."""

CLOSED, OPEN = -0.1745, 1.7453
"""How far the jaw turns [rad]."""

WIDEST = 1.2
"""Further open than this the jaw no longer faces the other one: the opening is that at this angle [rad]."""


def opening(angle: float) -> float:
    """Opening [m] at an angle of the jaw [rad]."""
    within = min(max(angle, CLOSED), WIDEST)
    return PIVOT + REACH * math.tan(within) - FACE / math.cos(within)


def angle(opening: float) -> float:
    """Angle of the jaw [rad] at an opening [m], within its range: when it is closed, 10 mm are left at this height."""
    beyond = opening - PIVOT
    found = math.atan2(beyond, REACH) + math.asin(FACE / math.hypot(beyond, REACH))
    return min(max(found, CLOSED), WIDEST)


def slope(angle: float) -> float:
    """Change of the opening with the angle [m/rad]."""
    within = min(max(angle, CLOSED), WIDEST)
    return (REACH - FACE * math.sin(within)) / math.cos(within) ** 2
