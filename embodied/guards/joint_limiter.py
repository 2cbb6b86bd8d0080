"""A joint-space limiter: whatever is asked, each joint stays within its position, velocity and acceleration limits.

It keeps one promise: from where it has put the joints, braking at full deceleration stops them inside their limits
(the rule of `embodied.guards.stopping`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.guards.stopping import stoppable_speed
from embodied.messages.schema import Vector
from embodied.robot import Robot

_SLACK = 1e-9
"""Differences below this are rounding, not a clip."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A joint-space set-point: position [rad] and velocity [rad/s], each of shape (n,)."""

    position: Vector
    velocity: Vector


class Limiter:
    """Limits of a robot, applied once a period.

    Args:
        robot: whose limits.
        period: between two calls [s].
        share: of the velocity limits that may be used, above 0 and up to 1. Braking keeps all of its strength.
    """

    def __init__(self, robot: Robot, period: float, share: float = 1.0) -> None:
        self.names = tuple(robot.joints)
        self.period = period
        self.lower = robot.limit("lower")
        self.upper = robot.limit("upper")
        self.share = share
        self.velocity = robot.limit("velocity") * share
        self.acceleration = robot.limit("acceleration")

    def follow(self, state: Motion, before: Vector, target: Vector) -> tuple[Motion, tuple[str, ...]]:
        """One period towards a target that moves.

        A target that moves within the limits is followed exactly; one that jumps is approached at the limits, and
        braking begins early enough not to overshoot it.

        Args:
            state: where the last call left off.
            before: the target of that call, shape (n,) [rad].
            target: where to be now, shape (n,) [rad].

        Returns:
            the new set-point, and each limit that changed the motion.
        """
        inside = np.minimum(np.maximum(target, self.lower), self.upper)
        clips = self._say("position", "rad", target, inside)
        h, a = self.period, self.acceleration
        # Carry the target's own speed, and close what is missing no faster than can be braked again.
        missing = before - state.position
        closing = np.minimum(np.abs(missing) / h, stoppable_speed(np.abs(missing), a, h))
        wanted = (inside - before) / h + np.copysign(closing, missing)
        return self._apply(state, wanted, clips)

    def drive(self, state: Motion, velocity: Vector) -> tuple[Motion, tuple[str, ...]]:
        """One period at a wanted velocity, shape (n,) [rad/s]."""
        return self._apply(state, velocity, ())

    def brake(self, state: Motion) -> Motion:
        """One period of braking every joint as hard as it may."""
        step = self.acceleration * self.period
        velocity = np.sign(state.velocity) * np.maximum(np.abs(state.velocity) - step, 0.0)
        return Motion(state.position + velocity * self.period, velocity)

    def stopped_at(self, state: Motion) -> Vector:
        """Where full braking would bring the joints to rest, shape (n,) [rad]."""
        return state.position + state.velocity * np.abs(state.velocity) / (2.0 * self.acceleration)

    def stop_time(self, state: Motion) -> float:
        """How long full braking takes to bring the joints to rest [s]."""
        return float(np.max(np.abs(state.velocity) / self.acceleration))

    def _apply(self, state: Motion, wanted: Vector, clips: tuple[str, ...]) -> tuple[Motion, tuple[str, ...]]:
        h, a = self.period, self.acceleration
        slow = np.minimum(np.maximum(wanted, -self.velocity), self.velocity)
        step = a * h
        smooth = np.minimum(np.maximum(slow, state.velocity - step), state.velocity + step)
        up = stoppable_speed(np.maximum(self.upper - state.position, 0.0), a, h)
        down = stoppable_speed(np.maximum(state.position - self.lower, 0.0), a, h)
        velocity = np.minimum(np.maximum(smooth, -down), up)
        clips += self._say("velocity", "rad/s", wanted, slow)
        clips += self._say("acceleration", "rad/s²", (slow - state.velocity) / h, (smooth - state.velocity) / h)
        clips += self._say("braking before its limit, velocity", "rad/s", smooth, velocity)
        return Motion(state.position + velocity * h, velocity), clips

    def _say(self, what: str, unit: str, asked: Vector, given: Vector) -> tuple[str, ...]:
        changed = np.abs(asked - given) > _SLACK * (1.0 + np.abs(asked))
        if not changed.any():
            return ()
        return tuple(
            f"{self.names[i]}: {what} {asked[i]:.4g} clipped to {given[i]:.4g} {unit}" for i in np.flatnonzero(changed)
        )
