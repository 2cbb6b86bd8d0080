"""Flight limiter: whatever is commanded, a set-point moves within speed and acceleration limits and inside a fence.

From where it has put the set-point, braking stops it before the fence (`embodied.guards.stopping`). Over the ground
each axis keeps a share of the deceleration of its own, so that both together never need more than there is; a turn gets
what they leave.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.guards.stopping import stoppable_speed
from embodied.guards.workspace import Box
from embodied.messages.schema import Vector

_SLACK = 1e-9
"""Differences below this are rounding, not a clip."""

_NOTHING = 1e-12
"""Nothing is divided by this instead of by nothing."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A set-point in the world's frame: position [m] and velocity [m/s], each of shape (3,)."""

    position: Vector
    velocity: Vector


class Course:
    """Limits of a flight, applied once a period.

    Args:
        fence: what may not be left.
        speed: over the ground [m/s].
        climb: upwards and downwards [m/s].
        acceleration: in every direction [m/s²].
        period: between two calls [s].
    """

    def __init__(self, fence: Box, speed: float, climb: float, acceleration: float, period: float) -> None:
        self.low, self.high = np.array(fence.low), np.array(fence.high)
        self.speed = speed
        self.climb = climb
        self.acceleration = acceleration
        self.period = period
        self._braking = acceleration * np.array([math.sqrt(0.5), math.sqrt(0.5), 1.0])

    def begin(self, position: Vector, velocity: Vector) -> Leg:
        """A set-point at a position, shape (3,) [m], with a velocity, shape (3,) [m/s], as far as that is allowed."""
        return Leg(position, np.clip(self._slow(velocity), *self._room(position)))

    def follow(self, leg: Leg, target: Vector) -> tuple[Leg, tuple[str, ...]]:
        """One period towards a position, shape (3,) [m], so that it comes to rest there."""
        inside = np.clip(target, self.low, self.high)
        clips: tuple[str, ...] = ()
        if _differ(inside, target):
            clips = (f"position {_said(target)} clipped to {_said(inside)} m by the fence",)
        missing = inside - leg.position
        distance = np.array([np.linalg.norm(missing[:2])] * 2 + [abs(missing[2])])
        # So near that the root is mostly rounding, it goes no further than there.
        fastest = np.minimum(self._stoppable(distance), distance / self.period)
        wanted = missing / np.maximum(distance, _NOTHING) * fastest
        # How fast it approaches is its own choice, and no clip.
        return self._moved(leg, self._slow(wanted)), clips

    def drive(self, leg: Leg, velocity: Vector) -> tuple[Leg, tuple[str, ...]]:
        """One period at a wanted velocity, shape (3,) [m/s]."""
        slow = self._slow(velocity)
        clips: tuple[str, ...] = ()
        if _differ(slow, velocity):
            clips = (f"velocity {_said(velocity)} clipped to {_said(slow)} m/s",)
        moved = self._moved(leg, slow)
        if _differ(np.clip(slow, *self._room(leg.position)), slow):
            clips += (f"braking before the fence, at {_said(moved.position)} m",)
        return moved, clips

    def brake(self, leg: Leg) -> Leg:
        """One period of slowing down."""
        return self._moved(leg, np.zeros(3))

    def _slow(self, wanted: Vector) -> Vector:
        slow = wanted.copy()
        slow[:2] *= self.speed / max(math.hypot(wanted[0], wanted[1]), self.speed)
        slow[2] = min(max(slow[2], -self.climb), self.climb)
        return slow

    def _stoppable(self, distance: Vector) -> Vector:
        """The fastest from which it still stops within distances, shape (3,) [m/s]."""
        return stoppable_speed(distance, self._braking, self.period)

    def _room(self, position: Vector) -> tuple[Vector, Vector]:
        """Least and greatest velocity with which it still stops inside, shape (3,) [m/s]."""
        down = self._stoppable(np.maximum(position - self.low, 0.0))
        return -down, self._stoppable(np.maximum(self.high - position, 0.0))

    def _moved(self, leg: Leg, wanted: Vector) -> Leg:
        room, step = self._room(leg.position), self.acceleration * self.period
        # Braking before the fence comes first.
        braked = np.clip(leg.velocity, *room)
        forced = braked - leg.velocity
        change = np.clip(wanted, *room) - braked
        left = step - math.hypot(forced[0], forced[1])
        change[:2] *= left / max(math.hypot(change[0], change[1]), left, _NOTHING)
        left = step - abs(forced[2])
        change[2] = min(max(change[2], -left), left)
        velocity = braked + change
        return Leg(leg.position + velocity * self.period, velocity)


def _differ(one: Vector, other: Vector) -> bool:
    return bool(np.max(np.abs(one - other)) > _SLACK)


def _said(vector: Vector) -> list[float]:
    # NumPy rounds by way of a product, which overflows for what may be commanded.
    return [round(value, 3) for value in vector.tolist()]
