"""Mission mode of the virtual autopilot: where to fly for the current step, and when the next one begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivers.mavlink.modes import Mode
from embodied.messages import Vector

REACHED_DISTANCE = 0.3
"""Distance along each axis within which a position is reached [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """Step of a mission that the virtual autopilot follows: fly somewhere and stay, land there, or return.

    Attributes:
        land: whether to land there.
        back: whether to return to home and land, wherever the position is.
        position: east and north of the local origin, and up from home, shape (3,) [m].
        hold: time to stay there [s].
        yaw: yaw from east [rad]; None leaves it as it is.
    """

    land: bool = False
    back: bool = False
    position: Vector
    hold: float = 0.0
    yaw: float | None = None


class MissionFollower:
    """Mission mode of one virtual autopilot: its progress in its mission.

    Attributes:
        legs: steps of the mission.
        current: index of the current step.
    """

    def __init__(self) -> None:
        self.legs: Sequence[Leg] = ()
        self.current = 0
        self._reached_time: float | None = None

    def load(self, legs: Sequence[Leg]) -> None:
        """Replace the mission, and begin it at its first step."""
        self.legs, self.current = legs, 0
        self.interrupt()

    def interrupt(self) -> None:
        """Begin the time at the current step again, as after a change of the mode."""
        self._reached_time = None

    def step(self, now: float, at: Vector, home: Vector) -> tuple[Mode, Leg | None, Vector]:
        """Run one period of mission mode.

        Args:
            now: time of the autopilot's clock [s].
            at: position of the vehicle [m].
            home: home position [m].

        Returns:
            mode to be in, which is another one where the mission ends, the current step if there is one, and its place.
        """
        if self.current >= len(self.legs):
            return Mode.HOLD, None, at
        leg = self.legs[self.current]
        if leg.back:
            return Mode.RETURN, None, at
        target = leg.position + np.array([0.0, 0.0, home[2]])
        if leg.land:
            # Level to above the place; the descent is that of land mode.
            target[2] = max(target[2], at[2])
        if np.abs(at - target).max() > REACHED_DISTANCE:
            self._reached_time = None
            return Mode.MISSION, leg, target
        self._reached_time = now if self._reached_time is None else self._reached_time
        if leg.land:
            return Mode.LAND, leg, target
        if now - self._reached_time >= leg.hold:
            self.current, self._reached_time = self.current + 1, None
        return Mode.MISSION, leg, target
