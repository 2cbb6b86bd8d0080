"""Bench of a multirotor that is lifted before it is tested."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from embodied.messages import DroneCommand, DroneState
from embodied.messages.schema import Command
from embodied.testing.benches.bench import Bench
from embodied.testing.serving import Drive

LIFT_TIMEOUT = 15.0
"""Time in which a multirotor reaches its height [s]."""


class DroneBench(Bench):
    """Bench of a multirotor, which is lifted once it is armed, and whose motion swings it to and fro along east.

    A multirotor that hovers counts as standing while it stays within `tolerance`. Its motion is observed later than
    that of other devices, since it has to tilt first.

    Attributes:
        frame: frame of the commands.
        height: height at which it hovers [m].
        swing: width of the swing [m].
        reach: largest distance of a command from the origin [m].
        speed: largest speed of a command [m/s].
    """

    tolerance = 0.15
    reaction = 2.0
    frame: str = "world"
    height: float = 1.0
    swing: float = 1.0
    reach: float = 20.0
    speed: float = 5.0

    def motion(self, seconds: float) -> Command:
        """Return a cosine of four seconds that begins above the origin."""
        east = self.swing * (1.0 - np.cos(np.pi * seconds / 2)) / 2
        return DroneCommand(position=np.array([east, 0.0, self.height]), yaw=0.0, frame=self.frame)

    @contextmanager
    def ready(self, **changes: Any) -> Iterator[Drive]:
        """Open, identify and arm a driver, and lift its multirotor."""
        with super().ready(**changes) as drive:
            drive.go(0.2)
            if getattr(drive.newest(DroneState), "landed", True):
                self._lift(drive)
            yield drive

    def _lift(self, drive: Drive) -> None:
        end = time.monotonic() + LIFT_TIMEOUT
        while (at := self.position(drive))[2] < self.height - self.tolerance:
            assert time.monotonic() < end, f"after {LIFT_TIMEOUT:.0f} s it is at {at} m: {drive.status}"
            drive.go(0.2, lambda _: self.motion(0.0))
        drive.outputs.clear()

    def forbidden(self) -> list[Command]:
        """Return NaN and infinity in each part, too few axes, too far, too fast, another frame, and nothing."""
        numbers = [np.array([np.nan, 0.0, 1.0]), np.array([0.0, np.inf, 1.0]), np.array([0.0, 0.0, -np.inf])]
        parts = [*numbers, np.zeros(2), np.full(3, 1e3)]
        commands: list[Command] = [DroneCommand(position=part, frame=self.frame) for part in parts]
        commands += [DroneCommand(velocity=part, frame=self.frame) for part in parts]
        home = np.array([0.0, 0.0, self.height])
        commands += [DroneCommand(position=home, yaw=yaw, frame=self.frame) for yaw in (np.nan, np.inf)]
        return [*commands, DroneCommand(position=home, frame="elsewhere"), DroneCommand(frame=self.frame)]

    def allowed(self, received: Command) -> bool:
        """Return whether a command is finite, and neither too far nor too fast."""
        assert isinstance(received, DroneCommand)
        near = received.position is None or float(np.linalg.norm(received.position)) <= self.reach
        slow = received.velocity is None or float(np.linalg.norm(received.velocity)) <= self.speed + 1e-3
        return near and slow and (received.yaw is None or bool(np.isfinite(received.yaw)))

    def same(self, applied: Command, received: Command) -> bool:
        """Return whether position and velocity agree within 1 mm and 1 mm/s."""
        assert isinstance(applied, DroneCommand)
        assert isinstance(received, DroneCommand)
        pairs = ((applied.position, received.position), (applied.velocity, received.velocity))
        return all(a is b if a is None or b is None else bool(np.abs(a - b).max() <= 1e-3) for a, b in pairs)
