"""An upset: a multirotor that leans or flies beyond what it should is out of hand, and must be stopped."""

from __future__ import annotations

import math

import numpy as np

from embodied.geometry import rotation
from embodied.messages import DroneState

_BEYOND = 1e6
"""No position [m], velocity [m/s] or turn [rad/s] of a flight is as large; with larger ones nobody can compute."""


class Upset:
    """Counts the periods in a row in which a flight was beyond its limits.

    Args:
        tilt: of the up axis from the vertical [rad].
        speed: over the ground [m/s].
        periods: how many in a row are one too many; one alone may be a gust.
    """

    def __init__(self, tilt: float, speed: float, periods: int) -> None:
        self.tilt = tilt
        self.speed = speed
        self.periods = periods
        self._count = 0

    @staticmethod
    def measured(state: DroneState | None) -> DroneState | None:
        """The state, if it is made of numbers that a flight can have."""
        if state is None:
            return None
        told = (state.position, state.orientation, state.linear_velocity, state.angular_velocity)
        return state if (np.abs(np.concatenate(told)) < _BEYOND).all() else None

    def over(self, state: DroneState) -> str:
        """One period: why the flight must be stopped; empty: it need not."""
        # Rounding leads below -1, never above 1.
        tilt = math.acos(max(float(rotation(state.orientation)[2, 2]), -1.0))
        speed = math.hypot(state.linear_velocity[0], state.linear_velocity[1])
        self._count = self._count + 1 if tilt > self.tilt or speed > self.speed else 0
        if self._count < self.periods:
            return ""
        if tilt > self.tilt:
            return f"tilted by {math.degrees(tilt):.3g}°, over its limit of {math.degrees(self.tilt):.3g}°"
        return f"flies at {speed:.4g} m/s, over its limit of {self.speed:.4g} m/s"
