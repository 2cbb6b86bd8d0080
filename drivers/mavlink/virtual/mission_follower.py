"""Mission mode of the virtual autopilot: where to fly for the current step, and when the next one begins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from drivers.mavlink.modes import Mode
from embodied.messages import Vector

REACHED_DISTANCE = 0.3
"""Distance along each axis within which a position is reached [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """Step of a mission that the virtual autopilot follows.

    Attributes:
        do: `fly` somewhere and stay, `takeoff` straight up and fly there, `land` there, `return` to home and land,
            change the `speed`, `wait` where it is, or `jump` to another step.
        position: east and north of the local origin, and up from home, shape (3,) [m]; NaN keeps an axis as it is.
        absolute: whether the height counts from the local origin instead of home.
        hold: time to stay or to wait [s]; infinite to stay for good.
        yaw: yaw from east [rad]; None leaves it as it is.
        radius: horizontal distance within which the position is reached [m]; 0 for `REACHED_DISTANCE`.
        speed: speed from here on [m/s]; None keeps it.
        target: index of the step to jump to.
        times: number of jumps; negative for no end.
    """

    do: Literal["fly", "takeoff", "land", "return", "speed", "wait", "jump"] = "fly"
    position: Vector = field(default_factory=lambda: np.full(3, math.nan))
    absolute: bool = False
    hold: float = 0.0
    yaw: float | None = None
    radius: float = 0.0
    speed: float | None = None
    target: int = 0
    times: int = 0


class MissionFollower:
    """Mission mode of one virtual autopilot: its progress in its mission.

    Attributes:
        legs: steps of the mission.
        current: index of the current step.
        speed: horizontal speed that the mission has set [m/s]; None before that.
        reached: indices of the steps that were reached and not reported yet, which whoever reports them removes.
    """

    def __init__(self) -> None:
        self.legs: Sequence[Leg] = ()
        self.reached: list[int] = []
        self.begin(0)

    def load(self, legs: Sequence[Leg]) -> None:
        """Replace the mission, and begin it at its first step."""
        self.legs = legs
        self.begin(0)

    def begin(self, index: int) -> None:
        """Begin the mission at a step."""
        self.current = index
        self.speed: float | None = None
        self._jumps: dict[int, int] = {}
        self.interrupt()

    def interrupt(self) -> None:
        """Begin the time at the current step again, as after a change of the mode."""
        self._reached_time: float | None = None
        self._start: Vector | None = None

    def step(self, now: float, at: Vector, home: Vector) -> tuple[Mode, Leg | None, Vector]:
        """Run one period of mission mode.

        Args:
            now: time of the autopilot's clock [s].
            at: position of the vehicle [m].
            home: home position [m].

        Returns:
            mode to be in, which is another one where the mission ends, the current step if there is one, and its place.
        """
        # Steps without a place take no time; more of them than there are are jumps in a circle.
        for _ in range(2 * len(self.legs) + 1):
            if self.current >= len(self.legs):
                return Mode.HOLD, None, at
            leg = self.legs[self.current]
            if leg.do == "speed":
                self.speed = self.speed if leg.speed is None else leg.speed
                self._next(self.current + 1)
            elif leg.do == "jump":
                done = self._jumps.get(self.current, 0)
                self._jumps[self.current] = done + 1
                self._next(leg.target if leg.times < 0 or done < leg.times else self.current + 1)
            else:
                break
        else:
            return Mode.HOLD, None, at
        self._start = at.copy() if self._start is None else self._start
        if leg.do == "return":
            self.reached.append(self.current)
            return Mode.RETURN, None, at
        target, near = self._target(leg, at, home)
        if not near:
            self._reached_time = None
            return Mode.MISSION, leg, target
        self._reached_time = now if self._reached_time is None else self._reached_time
        if leg.do == "land":
            self.reached.append(self.current)
            return Mode.LAND, leg, target
        if now - self._reached_time >= leg.hold:
            self._next(self.current + 1)
        return Mode.MISSION, leg, target

    def _target(self, leg: Leg, at: Vector, home: Vector) -> tuple[Vector, bool]:
        """Return the place of a step, and whether it is reached."""
        start = self._start
        assert start is not None
        height = leg.position[2] + (0.0 if leg.absolute else home[2])
        target = np.where(np.isnan(leg.position), start, np.array([*leg.position[:2], height]))
        if leg.do == "land":
            # Level to above the place; the descent is that of land mode.
            target[2] = max(target[2], at[2])
        if leg.do == "takeoff" and at[2] < target[2] - REACHED_DISTANCE:
            target[:2] = start[:2]
            return target, False
        away = np.abs(at - target)
        across = math.hypot(*away[:2]) <= leg.radius or bool(away[:2].max() <= REACHED_DISTANCE)
        return target, leg.do == "wait" or (across and bool(away[2] <= REACHED_DISTANCE))

    def _next(self, index: int) -> None:
        self.reached.append(self.current)
        self.current, self._reached_time, self._start = index, None, None
