"""Inspect from the air: fly a survey, hold over the marker that the task names, photograph it, come back and land."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

import numpy as np

from embodied import SECOND, Node, Ports, Time, tunable
from embodied.bodies import WORLD
from embodied.messages import Detections, DroneCommand, DroneState, Image, Target, Vector

PAD = "pad"
LOOKS = 5  # the newest so many of a thing are averaged


class Phase(Enum):
    """What it is doing, in the order of an undisturbed run; `RETURN` is where anything else ends."""

    CLIMB = auto()
    SURVEY = auto()
    HOLD = auto()
    RETURN = auto()
    LAND = auto()
    DONE = auto()


class Inspection(NamedTuple):
    """Where to fly, and the photograph, once."""

    command: DroneCommand | None
    photo: Image | None


@dataclass
class Inspect(Node):
    """A state machine over set-points, on the clock, so that its silence is seen.

    It never arms for nothing: without a target there is no command. A marker that was seen too seldom to be sure of is
    looked for again; one that the whole survey has not shown, or a phase that takes too long, ends in the way home. Who
    has landed says nothing more.
    """

    waypoints: tuple[tuple[float, float], ...]  # of the survey, east and north of home [m]
    altitude: float = 5.0  # of the survey, above home [m]
    height: float = 2.0  # of the hold, above the marker [m]
    approach: float = 2.5  # height over the pad, before it lands [m]
    dwell: float = 10.0  # how long it holds before it photographs [s]
    near: float = 0.25  # this near, a set-point counts as reached [m]
    patience: float = tunable(40.0, low=5.0, high=300.0, unit="s")  # longest time in one phase

    rate = 50.0  # [Hz]

    def ports(self) -> Ports:
        """Everything is in the world's frame."""
        ports = super().ports()
        for name in ("state", "objects", "command"):
            ports = ports.refine(name, frame=WORLD)
        return ports

    def check(self) -> Iterable[str]:
        """There is something to survey, and the heights are heights."""
        if not self.waypoints:
            yield "waypoints is empty: there is nothing to survey"
        for name in ("altitude", "height", "approach", "near"):
            if not getattr(self, name) > 0.0:
                yield f"{name} = {getattr(self, name)} m is not above 0"
        if not 0.0 <= self.dwell < self.patience:
            yield f"dwell = {self.dwell} s is not between 0 and patience = {self.patience} s"

    def open(self) -> None:
        """Start on the pad."""
        self._home: Vector | None = None
        self._seen: dict[str, list[Vector]] = {}
        self._left: list[Vector] = []
        self._arrived: Time | None = None
        self._enter(Phase.CLIMB, Time(0))

    def step(
        self, state: DroneState, objects: list[Detections], target: Target, image: Image | None, now: Time
    ) -> Inspection:
        """The set-point of this period."""
        if self._home is None:
            self._home = state.position.copy()
            self._left = self._survey()
            self._enter(Phase.CLIMB, now)
        for seen in objects:
            for label, position in zip(seen.labels, seen.position, strict=True):
                if label in (target.label, PAD):
                    self._seen[label] = [*self._seen.get(label, [])[1 - LOOKS :], position]
        if self.phase in (Phase.CLIMB, Phase.SURVEY, Phase.HOLD) and (now - self._since) / SECOND > self.patience:
            self._enter(Phase.RETURN, now)
        photo = self._proceed(state, target.label, image, now)
        if self.phase is Phase.DONE:
            return Inspection(None, photo)
        command = DroneCommand(position=self._goal(target.label), yaw=0.0, land=self.phase is Phase.LAND, frame=WORLD)
        return Inspection(command, photo)

    def _proceed(self, state: DroneState, label: str, image: Image | None, now: Time) -> Image | None:
        """Go on to the next phase when this one is done; the photograph, if it was just taken."""
        there = float(np.linalg.norm(self._goal(label) - state.position)) < self.near
        match self.phase:
            case Phase.CLIMB if there:
                self._enter(Phase.SURVEY, now)
            case Phase.SURVEY if len(self._seen.get(label, [])) == LOOKS:
                self._enter(Phase.HOLD, now)
            case Phase.SURVEY if there:
                self._left.pop(0)
                if not self._left and label in self._seen:
                    self._left = self._survey()
                elif not self._left:
                    self._enter(Phase.RETURN, now)
            case Phase.HOLD:
                self._arrived = None if not there else now if self._arrived is None else self._arrived
                held = self._arrived is not None and (now - self._arrived) / SECOND >= self.dwell
                if held and self._arrived is not None and image is not None and image.acquired > self._arrived:
                    self._enter(Phase.RETURN, now)
                    return image
            case Phase.RETURN if there:
                self._enter(Phase.LAND, now)
            case Phase.LAND if state.landed and not state.armed:
                self._enter(Phase.DONE, now)
        return None

    def _survey(self) -> list[Vector]:
        assert self._home is not None
        return [self._home + np.array([east, north, self.altitude]) for east, north in self.waypoints]

    def _goal(self, label: str) -> Vector:
        assert self._home is not None
        match self.phase:
            case Phase.CLIMB:
                return up(self._home, self.altitude)
            case Phase.SURVEY:
                return self._left[0]
            case Phase.HOLD:
                return up(self._where(label), self.height)
        # The pad as it was seen, in preference to where the flight began.
        pad = self._where(PAD) if PAD in self._seen else self._home
        return up(pad, 0.0 if self.phase is Phase.LAND else self.approach)

    def _where(self, label: str) -> Vector:
        middle: Vector = np.mean(self._seen[label], axis=0)
        return middle

    def _enter(self, phase: Phase, now: Time) -> None:
        self.phase, self._since = phase, now


def up(point: Vector, height: float) -> Vector:
    """A point so far above another, shape (3,) [m]."""
    raised: Vector = point + np.array([0.0, 0.0, height])
    return raised
