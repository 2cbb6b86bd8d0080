"""Aerial inspection: fly a survey, hold over the target marker, photograph it, return and land."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

import numpy as np

from embodied import SECOND, Node, Ports, Time, tunable
from embodied.bodies import WORLD
from embodied.messages import Detections, DroneCommand, DroneState, Image, Target, Vector
from embodied.ranges import Range, positive

PAD = "pad"
"""Label of the landing pad."""

WINDOW = 5
"""Number of detections of a marker that are averaged."""


class InspectionPhase(Enum):
    """Phases of an aerial inspection, in the order of an undisturbed run; every failure ends in `RETURN`."""

    CLIMB = auto()
    SURVEY = auto()
    HOLD = auto()
    RETURN = auto()
    LAND = auto()
    DONE = auto()


TIMED = frozenset({InspectionPhase.CLIMB, InspectionPhase.SURVEY, InspectionPhase.HOLD})
"""Phases that a time-out ends."""


class InspectOutput(NamedTuple):
    """Output of `Inspect`: the command, and the photograph, once."""

    command: DroneCommand | None
    photo: Image | None


@dataclass
class Inspect(Node):
    """Aerial inspection as a state machine: set-points at a fixed rate, so that its silence is detected.

    Without a target there is no command, so the drone is not armed. The survey repeats for a marker with too few
    detections; a marker that was not detected at all, or a phase that takes too long, ends in the return. After landing
    there is no command.
    """

    waypoints: tuple[tuple[float, float], ...]  # of the survey, east and north of home [m]
    altitude: float = 5.0  # of the survey, above home [m]
    height: float = 2.0  # of the hold, above the marker [m]
    approach: float = 2.5  # height over the pad, before it lands [m]
    dwell: float = 10.0  # duration of the hold before the photograph [s]
    near: float = 0.25  # distance at which a set-point counts as reached [m]
    patience: float = tunable(40.0, low=5.0, high=300.0, unit="s")  # longest time in one phase

    rate = 50.0  # [Hz]

    def ports(self) -> Ports:
        """Return the ports, with all poses in the world's frame."""
        ports = super().ports()
        for name in ("state", "objects", "command"):
            ports = ports.refine(name, frame=WORLD)
        return ports

    def check(self) -> Iterable[str]:
        """Check that there are waypoints, and that each setting is in its range."""
        if not self.waypoints:
            yield "waypoints must have at least one point, got none"
        heights = {"altitude": self.altitude, "height": self.height, "approach": self.approach}
        yield from positive("m").problems(**heights, near=self.near)
        yield from Range(0, self.patience, "s", "[)").problems(dwell=self.dwell)

    def open(self) -> None:
        """Start on the pad, without detections."""
        self._home: Vector | None = None
        self._seen: dict[str, list[Vector]] = {}
        self._acquired = Time(-1)
        self._left: list[Vector] = []
        self._arrived: Time | None = None
        self._enter(InspectionPhase.CLIMB, Time(0))

    def step(
        self, state: DroneState, objects: list[Detections], target: Target, image: Image | None, now: Time
    ) -> InspectOutput:
        """Return the set-point of this period."""
        if self._home is None:
            self._home = state.position.copy()
            self._left = self._survey()
            self._enter(InspectionPhase.CLIMB, now)
        for detections in objects:
            # A camera that is stuck gives one detection, however often it comes.
            if detections.acquired <= self._acquired:
                continue
            self._acquired = detections.acquired
            for label, position in zip(detections.labels, detections.position, strict=True):
                if label in (target.label, PAD) and np.isfinite(position).all():
                    self._seen[label] = [*self._seen.get(label, [])[1 - WINDOW :], position]
        if self.phase in TIMED and (now - self._since) / SECOND > self.patience:
            self._enter(InspectionPhase.RETURN, now)
        photo = self._proceed(state, target.label, image, now)
        if self.phase is InspectionPhase.DONE:
            return InspectOutput(None, photo)
        goal, land = self._goal(target.label), self.phase is InspectionPhase.LAND
        command = DroneCommand(position=goal, yaw=0.0, land=land, frame=WORLD)
        return InspectOutput(command, photo)

    def _proceed(self, state: DroneState, label: str, image: Image | None, now: Time) -> Image | None:
        """Enter the next phase when this one is done; return the photograph, if it was just taken."""
        reached = float(np.linalg.norm(self._goal(label) - state.position)) < self.near
        match self.phase:
            case InspectionPhase.CLIMB if reached:
                self._enter(InspectionPhase.SURVEY, now)
            case InspectionPhase.SURVEY if len(self._seen.get(label, [])) == WINDOW:
                self._enter(InspectionPhase.HOLD, now)
            case InspectionPhase.SURVEY if reached:
                self._left.pop(0)
                if not self._left and label in self._seen:
                    self._left = self._survey()
                elif not self._left:
                    self._enter(InspectionPhase.RETURN, now)
            case InspectionPhase.HOLD:
                self._arrived = None if not reached else now if self._arrived is None else self._arrived
                held = self._arrived is not None and (now - self._arrived) / SECOND >= self.dwell
                if held and self._arrived is not None and image is not None and image.acquired > self._arrived:
                    self._enter(InspectionPhase.RETURN, now)
                    return image
            case InspectionPhase.RETURN if reached:
                self._enter(InspectionPhase.LAND, now)
            case InspectionPhase.LAND if state.landed and not state.armed:
                self._enter(InspectionPhase.DONE, now)
        return None

    def _survey(self) -> list[Vector]:
        assert self._home is not None
        return [self._home + np.array([east, north, self.altitude]) for east, north in self.waypoints]

    def _goal(self, label: str) -> Vector:
        assert self._home is not None
        match self.phase:
            case InspectionPhase.CLIMB:
                return up(self._home, self.altitude)
            case InspectionPhase.SURVEY:
                return self._left[0]
            case InspectionPhase.HOLD:
                return up(self._mean(label), self.height)
        # The detected pad, if any, is more accurate than the position at the start.
        pad = self._mean(PAD) if PAD in self._seen else self._home
        return up(pad, 0.0 if self.phase is InspectionPhase.LAND else self.approach)

    def _mean(self, label: str) -> Vector:
        mean: Vector = np.mean(self._seen[label], axis=0)
        return mean

    def _enter(self, phase: InspectionPhase, now: Time) -> None:
        self.phase, self._since = phase, now


def up(point: Vector, height: float) -> Vector:
    """Return the point of an inspection at a height [m] above another, shape (3,) [m]."""
    raised: Vector = point + np.array([0.0, 0.0, height])
    return raised
