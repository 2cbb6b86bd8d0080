"""A multirotor on a bench."""

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

LIFTED = 15.0
"""A multirotor hovers at its height within this [s]."""


class DroneBench(Bench):
    """A multirotor on a bench: it is lifted once it is armed, and its motion swings it to and fro along east.

    One that hovers does not stand as an arm does: it counts as standing while it stays within `tolerance`, and that it
    moves is seen later, since it has to tilt first.

    Attributes:
        frame: in which it is commanded.
        height: at which it hovers [m].
        swing: how far it swings [m].
        reach: no command leads it further from the origin than this [m].
        speed: nor may one be faster [m/s].
    """

    tolerance = 0.15
    reaction = 2.0
    frame: str = "world"
    height: float = 1.0
    swing: float = 1.0
    reach: float = 20.0
    speed: float = 5.0

    def motion(self, seconds: float) -> Command:
        """A cosine of four seconds, that begins above the origin."""
        east = self.swing * (1.0 - np.cos(np.pi * seconds / 2)) / 2
        return DroneCommand(position=np.array([east, 0.0, self.height]), yaw=0.0, frame=self.frame)

    @contextmanager
    def ready(self, **changes: Any) -> Iterator[Drive]:
        """A driver that is open, met and armed, of a multirotor that is in the air."""
        with super().ready(**changes) as drive:
            drive.go(0.2)
            if getattr(drive.newest(DroneState), "landed", True):
                self._lift(drive)
            yield drive

    def _lift(self, drive: Drive) -> None:
        end = time.monotonic() + LIFTED
        while (at := self.position(drive))[2] < self.height - self.tolerance:
            assert time.monotonic() < end, f"after {LIFTED:.0f} s it is at {at} m: {drive.status}"
            drive.go(0.2, lambda _: self.motion(0.0))
        drive.outputs.clear()

    def forbidden(self) -> list[Command]:
        """NaN and infinity in each part, the wrong number of axes, too far, too fast, another frame, and nothing."""
        numbers = [np.array([np.nan, 0.0, 1.0]), np.array([0.0, np.inf, 1.0]), np.array([0.0, 0.0, -np.inf])]
        parts = [*numbers, np.zeros(2), np.full(3, 1e3)]
        commands: list[Command] = [DroneCommand(position=part, frame=self.frame) for part in parts]
        commands += [DroneCommand(velocity=part, frame=self.frame) for part in parts]
        home = np.array([0.0, 0.0, self.height])
        commands += [DroneCommand(position=home, yaw=yaw, frame=self.frame) for yaw in (np.nan, np.inf)]
        return [*commands, DroneCommand(position=home, frame="elsewhere"), DroneCommand(frame=self.frame)]

    def allowed(self, heard: Command) -> bool:
        """Finite, and neither too far nor too fast."""
        assert isinstance(heard, DroneCommand)
        near = heard.position is None or float(np.linalg.norm(heard.position)) <= self.reach
        slow = heard.velocity is None or float(np.linalg.norm(heard.velocity)) <= self.speed + 1e-3
        return near and slow and (heard.yaw is None or bool(np.isfinite(heard.yaw)))

    def same(self, applied: Command, heard: Command) -> bool:
        """Both parts within a millimetre, in position and in a second."""
        assert isinstance(applied, DroneCommand)
        assert isinstance(heard, DroneCommand)
        pairs = ((applied.position, heard.position), (applied.velocity, heard.velocity))
        return all(a is b if a is None or b is None else bool(np.abs(a - b).max() <= 1e-3) for a, b in pairs)
