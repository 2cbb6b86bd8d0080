"""Approach to a landing place: level flight to above it, until the vehicle is near and slow enough to come down.

PX4 comes down where it is when landing begins, so the error at that moment stays to the ground.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from drivers.mavlink.vehicle import Vehicle
from embodied.clock import SECOND, Time
from embodied.messages import DroneCommand, Vector

SPEED_MOST = 0.15
"""Speed up to which landing may begin [m/s]."""

DISTANCE_FIRST = 0.03
"""Horizontal distance from the place up to which landing may begin at once [m]."""

DISTANCE_LAST = 0.10
"""Horizontal distance up to which landing may begin after `SETTLING_TIME` within it, since gusts allow no less [m]."""

SETTLING_TIME = 3.0
"""Time in which the distance widens from `DISTANCE_FIRST` to `DISTANCE_LAST` [s]."""


class LandingApproach:
    """Approach of one vehicle to the landing place of a command."""

    def __init__(self) -> None:
        self._near_since: Time | None = None

    def reset(self) -> None:
        """Begin the next approach from the start."""
        self._near_since = None

    def may_land(self, command: DroneCommand, vehicle: Vehicle, now: Time) -> bool:
        """Return whether the vehicle is above its landing place and nearly at rest.

        Args:
            command: landing command; without a position the vehicle lands where it is.
            vehicle: vehicle that approaches.
            now: time of the step.
        """
        if command.position is None:
            return True
        at = vehicle.position
        distance = math.inf if at is None else math.hypot(*(command.position - at)[:2])
        if distance >= DISTANCE_LAST or vehicle.speed >= SPEED_MOST:
            return False
        self._near_since = now if self._near_since is None else self._near_since
        share = min(1.0, (now - self._near_since) / (SETTLING_TIME * SECOND))
        return distance < DISTANCE_FIRST + (DISTANCE_LAST - DISTANCE_FIRST) * share

    def setpoint(self, command: DroneCommand, at: Vector | None) -> DroneCommand:
        """Return the set-point above the place of a landing command, at the vehicle's height.

        Args:
            command: landing command with a position.
            at: position of the vehicle [m]; None if it is not known.
        """
        assert command.position is not None
        height = command.position[2] if at is None else at[2]
        return replace(command, position=np.array([*command.position[:2], height]), velocity=None, land=False)
