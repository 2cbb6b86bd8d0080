"""Upset detection: a multirotor that tilts or flies beyond its limits is out of control, and must be stopped."""

from __future__ import annotations

import math

import numpy as np

from embodied.geometry import rotation
from embodied.messages import DroneState

_PLAUSIBLE_MOST = 1e6
"""Bound on plausible positions [m], velocities [m/s] and angular velocities [rad/s], so that no product overflows."""

_LENGTH_SLACK = 0.01
"""Difference of an orientation's length from 1 up to which it is one: rounding, not a message that was never filled."""


class Upset:
    """Upset detector: counts consecutive periods in which a flight is beyond its limits.

    Args:
        tilt: limit of the angle between the up axis and the vertical [rad].
        speed: limit of the speed over the ground [m/s].
        periods: consecutive periods beyond a limit that are an upset; one alone may be a gust.
    """

    def __init__(self, tilt: float, speed: float, periods: int) -> None:
        self.tilt = tilt
        self.speed = speed
        self.periods = periods
        self._count = 0

    @staticmethod
    def plausible(state: DroneState | None) -> DroneState | None:
        """Return the state if its numbers are ones that a flight can have, its orientation of length 1, else None."""
        if state is None:
            return None
        numbers = (state.position, state.orientation, state.linear_velocity, state.angular_velocity)
        if not (np.abs(np.concatenate(numbers)) < _PLAUSIBLE_MOST).all():
            return None
        return state if abs(float(np.linalg.norm(state.orientation)) - 1.0) <= _LENGTH_SLACK else None

    def update(self, state: DroneState) -> str:
        """Return why the flight must be stopped in this period; empty if it need not."""
        # Rounding leads below -1, never above 1.
        tilt = math.acos(max(float(rotation(state.orientation)[2, 2]), -1.0))
        speed = math.hypot(state.linear_velocity[0], state.linear_velocity[1])
        self._count = self._count + 1 if tilt > self.tilt or speed > self.speed else 0
        if self._count < self.periods:
            return ""
        if tilt > self.tilt:
            return f"tilted by {math.degrees(tilt):.3g}°, over its limit of {math.degrees(self.tilt):.3g}°"
        return f"flies at {speed:.4g} m/s, over its limit of {self.speed:.4g} m/s"
