"""Flight limiter: a set-point that moves within speed and acceleration limits and stays inside a fence.

From wherever the limiter has put the set-point, braking stops it before the fence (`embodied.guards.stopping`). Over
the ground each axis has a fixed share of the deceleration, so that both together never need more than there is; a turn
gets what they leave.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.guards.stopping import stoppable_speed
from embodied.guards.workspace import Box
from embodied.messages.schema import Vector

_SLACK = 1e-9
"""Difference up to which a value counts as rounded, not clipped."""

_DIVISOR_LEAST = 1e-12
"""Lowest divisor, in place of 0 for a set-point at rest or at its target."""


@dataclass(frozen=True, slots=True)
class FlightSetpoint:
    """Set-point of the flight limiter in the world's frame.

    Attributes:
        position: shape (3,) [m].
        velocity: shape (3,) [m/s].
    """

    position: Vector
    velocity: Vector


class FlightLimiter:
    """Flight limiter of a multirotor's set-point, applied once per control period.

    Args:
        fence: box that the set-point does not leave.
        speed: limit of the speed over the ground [m/s].
        climb: limit of the vertical speed, up and down [m/s].
        acceleration: limit of the acceleration in every direction [m/s²].
        period: control period [s].
    """

    def __init__(self, fence: Box, speed: float, climb: float, acceleration: float, period: float) -> None:
        self.low, self.high = np.array(fence.low), np.array(fence.high)
        self.speed = speed
        self.climb = climb
        self.acceleration = acceleration
        self.period = period
        self._braking = acceleration * np.array([math.sqrt(0.5), math.sqrt(0.5), 1.0])

    def begin(self, position: Vector, velocity: Vector) -> FlightSetpoint:
        """Return the first set-point of a flight.

        Args:
            position: position of the drone, shape (3,) [m].
            velocity: velocity of the drone, shape (3,) [m/s]; the set-point takes what the limits allow of it.
        """
        return FlightSetpoint(position, np.clip(self._slow(velocity), *self._velocity_range(position)))

    def follow(self, setpoint: FlightSetpoint, target: Vector) -> tuple[FlightSetpoint, tuple[str, ...]]:
        """Move one period towards a position, shape (3,) [m], so as to come to rest there.

        Returns:
            the next set-point, and each limit that changed the target.
        """
        inside = np.clip(target, self.low, self.high)
        clips: tuple[str, ...] = ()
        if _differ(inside, target):
            clips = (f"position {_rounded(target)} clipped to {_rounded(inside)} m by the fence",)
        missing = inside - setpoint.position
        distance = np.array([np.linalg.norm(missing[:2])] * 2 + [abs(missing[2])])
        # Very near, the root is mostly rounding; the speed that arrives in one period is the bound then.
        fastest = np.minimum(self._stoppable(distance), distance / self.period)
        wanted = missing / np.maximum(distance, _DIVISOR_LEAST) * fastest
        # The speed of the approach is the limiter's own choice, so limiting it is no clip.
        return self._moved(setpoint, self._slow(wanted)), clips

    def drive(self, setpoint: FlightSetpoint, velocity: Vector) -> tuple[FlightSetpoint, tuple[str, ...]]:
        """Move one period at a wanted velocity, shape (3,) [m/s].

        Returns:
            the next set-point, and each limit that changed the velocity.
        """
        slow = self._slow(velocity)
        clips: tuple[str, ...] = ()
        if _differ(slow, velocity):
            clips = (f"velocity {_rounded(velocity)} clipped to {_rounded(slow)} m/s",)
        moved = self._moved(setpoint, slow)
        if _differ(np.clip(slow, *self._velocity_range(setpoint.position)), slow):
            clips += (f"braking before the fence, at {_rounded(moved.position)} m",)
        return moved, clips

    def brake(self, setpoint: FlightSetpoint) -> FlightSetpoint:
        """Move one period while braking."""
        return self._moved(setpoint, np.zeros(3))

    def _slow(self, wanted: Vector) -> Vector:
        slow = wanted.copy()
        slow[:2] *= self.speed / max(math.hypot(wanted[0], wanted[1]), self.speed)
        slow[2] = min(max(slow[2], -self.climb), self.climb)
        return slow

    def _stoppable(self, distance: Vector) -> Vector:
        return stoppable_speed(distance, self._braking, self.period)

    def _velocity_range(self, position: Vector) -> tuple[Vector, Vector]:
        """Return the least and greatest velocity from which it still stops inside, each of shape (3,) [m/s]."""
        down = self._stoppable(np.maximum(position - self.low, 0.0))
        return -down, self._stoppable(np.maximum(self.high - position, 0.0))

    def _moved(self, setpoint: FlightSetpoint, wanted: Vector) -> FlightSetpoint:
        allowed, step = self._velocity_range(setpoint.position), self.acceleration * self.period
        # Braking before the fence comes first; what it leaves of the acceleration goes to the wanted change.
        braked = np.clip(setpoint.velocity, *allowed)
        forced = braked - setpoint.velocity
        change = np.clip(wanted, *allowed) - braked
        left = step - math.hypot(forced[0], forced[1])
        change[:2] *= left / max(math.hypot(change[0], change[1]), left, _DIVISOR_LEAST)
        left = step - abs(forced[2])
        change[2] = min(max(change[2], -left), left)
        velocity = braked + change
        return FlightSetpoint(setpoint.position + velocity * self.period, velocity)


def _differ(one: Vector, other: Vector) -> bool:
    return bool(np.max(np.abs(one - other)) > _SLACK)


def _rounded(vector: Vector) -> list[float]:
    # NumPy rounds by way of a product, which overflows for the largest commands.
    return [round(value, 3) for value in vector.tolist()]
