"""Joint limiter: a set-point whose joints keep their position, velocity and acceleration limits.

From wherever the limiter has put the joints, full braking stops them inside their ranges (`embodied.guards.stopping`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.guards.stopping import stoppable_speed
from embodied.messages.schema import Vector
from embodied.robot import Robot

_SLACK = 1e-9
"""Relative difference up to which a value counts as rounded, not clipped."""


@dataclass(frozen=True, slots=True)
class JointSetpoint:
    """Set-point of the joint limiter of an arm.

    Attributes:
        position: shape (n,) [rad].
        velocity: shape (n,) [rad/s].
    """

    position: Vector
    velocity: Vector


class JointLimiter:
    """Joint limiter of an arm's set-point, applied once per control period.

    Args:
        robot: robot whose limits apply.
        period: control period [s].
        share: fraction of the velocity limits that may be used, in (0, 1]; braking is not reduced.
    """

    def __init__(self, robot: Robot, period: float, share: float = 1.0) -> None:
        self.names = tuple(robot.joints)
        self.period = period
        self.lower = robot.limit("lower")
        self.upper = robot.limit("upper")
        self.share = share
        self.velocity = robot.limit("velocity") * share
        self.acceleration = robot.limit("acceleration")

    def follow(self, setpoint: JointSetpoint, before: Vector, target: Vector) -> tuple[JointSetpoint, tuple[str, ...]]:
        """Move one period towards a moving target.

        A target that moves within the limits is followed exactly; one that jumps is approached at the limits, and
        braking begins early enough not to overshoot it.

        Args:
            setpoint: set-point of the last period.
            before: target of the last period, shape (n,) [rad].
            target: target of this period, shape (n,) [rad].

        Returns:
            the next set-point, and each limit that changed the motion.
        """
        inside = np.minimum(np.maximum(target, self.lower), self.upper)
        clips = self._clips("position", "rad", target, inside)
        h, a = self.period, self.acceleration
        # Feed the target's own velocity forward, and close the rest no faster than it can be braked again.
        missing = before - setpoint.position
        closing = np.minimum(np.abs(missing) / h, stoppable_speed(np.abs(missing), a, h))
        wanted = (inside - before) / h + np.copysign(closing, missing)
        return self._apply(setpoint, wanted, clips)

    def drive(self, setpoint: JointSetpoint, velocity: Vector) -> tuple[JointSetpoint, tuple[str, ...]]:
        """Move one period at a wanted velocity, shape (n,) [rad/s].

        Returns:
            the next set-point, and each limit that changed the motion.
        """
        return self._apply(setpoint, velocity, ())

    def brake(self, setpoint: JointSetpoint) -> JointSetpoint:
        """Move one period while braking every joint at its limit of acceleration."""
        step = self.acceleration * self.period
        velocity = np.sign(setpoint.velocity) * np.maximum(np.abs(setpoint.velocity) - step, 0.0)
        return JointSetpoint(setpoint.position + velocity * self.period, velocity)

    def stopped_at(self, setpoint: JointSetpoint) -> Vector:
        """Return the position in which full braking ends, shape (n,) [rad]."""
        return setpoint.position + setpoint.velocity * np.abs(setpoint.velocity) / (2.0 * self.acceleration)

    def stop_time(self, setpoint: JointSetpoint) -> float:
        """Return the duration of full braking until all joints rest [s]."""
        return float(np.max(np.abs(setpoint.velocity) / self.acceleration))

    def _apply(
        self, setpoint: JointSetpoint, wanted: Vector, clips: tuple[str, ...]
    ) -> tuple[JointSetpoint, tuple[str, ...]]:
        h, a = self.period, self.acceleration
        slow = np.minimum(np.maximum(wanted, -self.velocity), self.velocity)
        step = a * h
        smooth = np.minimum(np.maximum(slow, setpoint.velocity - step), setpoint.velocity + step)
        up = stoppable_speed(np.maximum(self.upper - setpoint.position, 0.0), a, h)
        down = stoppable_speed(np.maximum(setpoint.position - self.lower, 0.0), a, h)
        velocity = np.minimum(np.maximum(smooth, -down), up)
        clips += self._clips("velocity", "rad/s", wanted, slow)
        clips += self._clips("acceleration", "rad/s²", (slow - setpoint.velocity) / h, (smooth - setpoint.velocity) / h)
        clips += self._clips("braking before its limit, velocity", "rad/s", smooth, velocity)
        return JointSetpoint(setpoint.position + velocity * h, velocity), clips

    def _clips(self, quantity: str, unit: str, wanted: Vector, clipped: Vector) -> tuple[str, ...]:
        changed = np.abs(wanted - clipped) > _SLACK * (1.0 + np.abs(wanted))
        if not changed.any():
            return ()
        return tuple(
            f"{self.names[i]}: {quantity} {wanted[i]:.4g} clipped to {clipped[i]:.4g} {unit}"
            for i in np.flatnonzero(changed)
        )
