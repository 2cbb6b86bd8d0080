"""Planned motions of a virtual control box: paths of joint positions, driven with a trapezoidal speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivers.xarm.codec import Frame
from embodied.messages import Vector

SPEED_MIN = 1e-3
"""Speed at which the end of a path is still approached, per unit of the path and second."""

OFF_DISTANCE = 0.1
"""Distance between a joint that stands and its motor's position above which something is in its way [rad]."""

OFF_TIME = 0.15
"""Further distance for each rad/s of the motor, since a joint lags behind it [s]."""

OFF_PATIENCE = 0.5
"""Time for which a joint may be so far off [s]."""

SETTLE_DISTANCE = 0.02
"""Distance of every joint from the end of a planned motion within which it is reached [rad]."""


class Obstruction:
    """Watch over whether something is in the way of an arm: its joints stay away from where its motors hold them."""

    def __init__(self) -> None:
        self._since = 0.0

    def lasts(self, distance: float, speed: float, waits: bool, seconds: float) -> bool:
        """Return whether the joints have been away for too long.

        Args:
            distance: distance of the furthest joint from its motor's position [rad].
            speed: speed of the fastest motor [rad/s].
            waits: whether a planned motion waits for the arm at its end.
            seconds: time since the last call [s].
        """
        limit = SETTLE_DISTANCE if waits else OFF_DISTANCE + OFF_TIME * speed
        self._since = self._since + seconds if distance > limit else 0.0
        return self._since > OFF_PATIENCE


@dataclass(slots=True)
class Move:
    """Motion of the arm as planned: through joint positions, with a speed along the way; without any, a pause.

    Attributes:
        points: joint positions, shape (k, n) [rad]; the first is where the motion before it ends.
        marks: way from the first point to each, shape (k,): [rad] of the furthest joint, or [mm] of the flange.
        speed: largest speed along the way, in the unit of the marks per second.
        acceleration: acceleration along the way, in that unit per second².
        request: request that asked for it; its client may be notified of the end.
        pause: time to stand, for a motion without points [s].
        at: way that is done, in the unit of the marks.
        rate: speed now, in that unit per second.
    """

    points: Vector
    marks: Vector
    speed: float
    acceleration: float
    request: Frame
    pause: float = 0.0
    at: float = 0.0
    rate: float = 0.0

    @property
    def over(self) -> bool:
        """Whether the motors have been sent to its end."""
        return len(self.points) > 0 and self.at >= self.marks[-1]

    @property
    def goal(self) -> Vector | None:
        """Joint positions at its end, shape (n,) [rad]; None for a pause."""
        return self.points[-1] if len(self.points) else None

    def advance(self, seconds: float, fastest: Vector) -> tuple[Vector | None, bool]:
        """Let time pass along the path.

        Args:
            seconds: time that passes [s].
            fastest: largest speed of each joint, shape (n,) [rad/s].

        Returns:
            joint positions now, shape (n,) [rad], or None where they do not change; and whether it is over.
        """
        if not len(self.points):
            self.pause -= seconds
            return None, self.pause <= 0
        left = float(self.marks[-1]) - self.at
        # Largest speed from which the rest of the way is enough to brake.
        limit = (2 * self.acceleration * max(left, 0.0)) ** 0.5
        self.rate = max(min(self.rate + self.acceleration * seconds, self.speed, limit), SPEED_MIN)
        before, step = self.position(self.at), self.rate * seconds
        turn = np.abs(self.position(self.at + step) - before)
        if np.any(over := turn > fastest * seconds):
            # Near a singular pose the flange goes slower than it was asked to.
            share = float(np.min(fastest[over] * seconds / turn[over]))
            step, self.rate = step * share, self.rate * share
        self.at += max(step, 1e-9)
        if self.at >= self.marks[-1]:
            return self.points[-1], True
        return self.position(self.at), False

    def position(self, at: float) -> Vector:
        """Return the joint positions (n,) [rad] at a point of the way."""
        return np.array([np.interp(at, self.marks, joint) for joint in self.points.T])


def joint_path(points: Sequence[Vector]) -> tuple[Vector, Vector]:
    """Return points and marks of a path that is straight in joint space between joint positions (n,) [rad]."""
    path = np.array(points)
    lengths = np.abs(np.diff(path, axis=0)).max(axis=1)
    return path, np.concatenate([[0.0], np.cumsum(lengths)])
