"""Gripper of the SO-101 as its servo sees it: the angle of the jaw over its whole range, and the opening.

Beyond `WIDEST` the pivoting jaw no longer faces the fixed one, so the opening stays what it is at that angle.
"""

from __future__ import annotations

from embodied.robot.jaw import SO101_JAW

CLOSED = SO101_JAW.closed
"""Angle at which the jaw is closed [rad]."""

OPEN = 1.7453
"""Angle at which the jaw is at its open stop [rad]."""

WIDEST = 1.2
"""Angle from which on the opening no longer grows [rad]."""


def opening(angle: float) -> float:
    """Return the opening of the SO-101's gripper [m] at an angle of its jaw [rad]."""
    return SO101_JAW.opening(min(max(angle, CLOSED), WIDEST))


def angle(opening: float) -> float:
    """Return the angle of the SO-101's jaw [rad], from `CLOSED` to `WIDEST`, at an opening [m]."""
    return SO101_JAW.angle(opening, WIDEST)


def slope(angle: float) -> float:
    """Return the change of the SO-101's opening with the angle of its jaw [m/rad]."""
    return SO101_JAW.slope(min(max(angle, CLOSED), WIDEST))
