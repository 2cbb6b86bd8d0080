"""A course in the air: whatever is asked, a set-point moves within speed and acceleration, and stays inside a fence.

From where it has put the set-point, braking stops it before the fence: with period h, deceleration a and distance d to
a side, the fastest v that keeps this solves v·h + v²/(2a) = d. Over the ground each axis keeps a share of the
deceleration of its own, so that both together never need more than there is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.guards.box import Box
from embodied.messages.schema import Vector

_SLACK = 1e-9
"""Differences below this are rounding, not a clip."""


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

    def follow(self, leg: Leg, target: Vector) -> tuple[Leg, tuple[str, ...]]:
        """One period towards a position, shape (3,) [m], so that it comes to rest there."""
        inside = np.clip(target, self.low, self.high)
        clips: tuple[str, ...] = ()
        if np.max(np.abs(inside - target)) > _SLACK:
            clips = (
                f"position {np.round(target, 3).tolist()} clipped to {np.round(inside, 3).tolist()} m by the fence",
            )
        missing = inside - leg.position
        distance = np.array([np.linalg.norm(missing[:2])] * 2 + [abs(missing[2])])
        wanted = missing / np.maximum(distance, 1e-12) * np.minimum(self._stoppable(distance), distance / self.period)
        # How fast it approaches is its own choice, and no clip.
        return self._moved(leg, self._slow(wanted)), clips

    def drive(self, leg: Leg, velocity: Vector) -> tuple[Leg, tuple[str, ...]]:
        """One period at a wanted velocity, shape (3,) [m/s]."""
        slow = self._slow(velocity)
        clips: tuple[str, ...] = ()
        if np.max(np.abs(slow - velocity)) > _SLACK:
            clips = (f"velocity {np.round(velocity, 3).tolist()} clipped to {np.round(slow, 3).tolist()} m/s",)
        moved = self._moved(leg, slow)
        least, most = self._room(leg.position)
        if np.any((slow < least - _SLACK) | (slow > most + _SLACK)):
            clips += (f"braking before the fence, at {np.round(moved.position, 3).tolist()} m",)
        return moved, clips

    def brake(self, leg: Leg) -> Leg:
        """One period of slowing down."""
        return self._moved(leg, np.zeros(3))

    def _slow(self, wanted: Vector) -> Vector:
        slow = wanted.copy()
        over = math.hypot(wanted[0], wanted[1])
        if over > self.speed:
            slow[:2] *= self.speed / over
        slow[2] = min(max(slow[2], -self.climb), self.climb)
        return slow

    def _stoppable(self, distance: Vector) -> Vector:
        """The fastest from which it still stops within distances, shape (3,) [m/s]."""
        h, a = self.period, self._braking
        fastest: Vector = a * (np.sqrt(h * h + 2.0 * distance / a) - h)
        return fastest

    def _room(self, position: Vector) -> tuple[Vector, Vector]:
        """Least and greatest velocity with which it still stops inside, shape (3,) [m/s]."""
        down = self._stoppable(np.maximum(position - self.low, 0.0))
        return -down, self._stoppable(np.maximum(self.high - position, 0.0))

    def _moved(self, leg: Leg, wanted: Vector) -> Leg:
        change, step = wanted - leg.velocity, self.acceleration * self.period
        across = math.hypot(change[0], change[1])
        if across > step:
            change[:2] *= step / across
        change[2] = min(max(change[2], -step), step)
        velocity = np.clip(leg.velocity + change, *self._room(leg.position))
        return Leg(leg.position + velocity * self.period, velocity)
