"""Landing of a multirotor: the set-point of its descent, and the detection of the ground."""

from __future__ import annotations

import numpy as np

from embodied.autopilot.controller import Setpoint
from embodied.messages.schema import Vector


def descent(over: Vector, height: float, speed: float, yaw: float) -> Setpoint:
    """Return the set-point of a descent: held in place over the ground, and to a speed downwards.

    Args:
        over: east and north of the place to land, shape (2,) or more [m].
        height: of the set-point, at the multirotor or below it [m].
        speed: downwards [m/s].
        yaw: heading of the forward axis from east [rad].
    """
    return Setpoint(np.array([*over[:2], height]), np.array([0.0, 0.0, -speed]), yaw)


class Touchdown:
    """Detector of the ground: a multirotor that descends and has not moved for a while stands on it.

    Args:
        wait: time at rest after which it has landed [s].

    Attributes:
        since: start of the present rest [s]; None while it moves.
    """

    def __init__(self, wait: float) -> None:
        self._wait = wait
        self.since: float | None = None

    def update(self, at_rest: bool, now: float) -> bool:
        """Return whether it has landed.

        Args:
            at_rest: whether it does not move, although it is to descend.
            now: time [s].
        """
        if not at_rest:
            self.since = None
            return False
        self.since = now if self.since is None else self.since
        return now - self.since > self._wait
