"""Engagement monitor: detects that a vehicle stops following commands, by itself, by a fault or by a person."""

from __future__ import annotations

import math

from embodied.messages import VehicleState

OVERSPEED = 1.2
"""Multiple of its speed limit that a vehicle may drive, as downhill, before it counts as out of control."""


class Engagement:
    """Engagement monitor of the reported states of a vehicle.

    Args:
        speed: speed limit of the vehicle [m/s].
        periods: consecutive periods beyond `OVERSPEED` times the limit that end the drive.
    """

    def __init__(self, speed: float, periods: int) -> None:
        self.speed = OVERSPEED * speed
        self.periods = periods
        self._engaged_before = False
        self._count = 0

    @staticmethod
    def plausible(state: VehicleState | None) -> VehicleState | None:
        """Return the state if its numbers are finite, else None."""
        if state is None:
            return None
        return state if all(map(math.isfinite, (state.speed, state.steering, state.yaw_rate))) else None

    def update(self, state: VehicleState) -> list[str]:
        """Return the reasons in this period to end the drive, the gravest last; empty if there is none."""
        self._engaged_before = self._engaged_before or state.engaged
        self._count = self._count + 1 if abs(state.speed) > self.speed else 0
        reasons = []
        if self._engaged_before and not state.engaged:
            reasons.append("the vehicle has disengaged by itself")
        if self._count >= self.periods:
            reasons.append(f"the vehicle drives at {state.speed:.4g} m/s, over its limit of {self.speed:.4g} m/s")
        if state.faults:
            reasons.append(f"the vehicle reports {', '.join(state.faults)}")
        if state.overridden:
            reasons.append("a person has taken over")
        return reasons
