"""Engagement: whether a vehicle follows orders, and whether that has ended by itself, by a fault or by a person."""

from __future__ import annotations

import math

from embodied.messages import VehicleState

OVERSPEED = 1.2
"""So many times its limit a vehicle may be fast, as on its way down a slope, until it counts as out of hand."""


class Engagement:
    """Looks at each state, and remembers that a vehicle once followed.

    Args:
        speed: limit of the vehicle [m/s].
        periods: how many in a row beyond `OVERSPEED` times that are one too many.
    """

    def __init__(self, speed: float, periods: int) -> None:
        self.speed = OVERSPEED * speed
        self.periods = periods
        self._followed = False
        self._count = 0

    @staticmethod
    def measured(state: VehicleState | None) -> VehicleState | None:
        """The state, if it is made of numbers."""
        if state is None:
            return None
        return state if all(map(math.isfinite, (state.speed, state.steering, state.yaw_rate))) else None

    def ended(self, state: VehicleState) -> list[str]:
        """One period: why the drive must end, the gravest reason last; empty: it need not."""
        self._followed = self._followed or state.engaged
        self._count = self._count + 1 if abs(state.speed) > self.speed else 0
        why = []
        if self._followed and not state.engaged:
            why.append("the vehicle has left by itself")
        if self._count >= self.periods:
            why.append(f"it drives at {state.speed:.4g} m/s, over its limit of {self.speed:.4g} m/s")
        if state.faults:
            why.append(f"the vehicle says: {', '.join(state.faults)}")
        if state.overridden:
            why.append("a person has taken over")
        return why
