"""Strokes of parallel grippers: from the position of the drive to the width between the pads, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from embodied.ranges import positive
from embodied.robot.jaw import PivotingJaw


class Stroke(Protocol):
    """Relation of a gripper's drive, in [m] or [rad], to the width between its pads."""

    def width(self, drive: float) -> float:
        """Return the width [m] at a position of the drive."""

    def drive(self, width: float) -> float:
        """Return the position of the drive at a width [m], within the range of the drive."""

    def slope(self, drive: float) -> float:
        """Return the change of the width with the position of the drive, in [m] per [m] or [rad]."""


@dataclass(frozen=True, slots=True)
class LinearStroke:
    """Stroke of fingers on rails: the width is proportional to the position of the drive.

    Attributes:
        ratio: width over position of the drive; 2 where each of two fingers has a drive.
    """

    ratio: float

    def __post_init__(self) -> None:
        positive().require(ratio=self.ratio)

    def width(self, drive: float) -> float:
        """Return the width [m] at a position of the drive [m]."""
        return self.ratio * drive

    def drive(self, width: float) -> float:
        """Return the position of the drive [m] at a width [m]."""
        return width / self.ratio

    def slope(self, drive: float) -> float:  # noqa: ARG002
        """Return the change of the width with the position of the drive, the same everywhere."""
        return self.ratio


@dataclass(frozen=True, slots=True)
class ParallelogramStroke:
    """Stroke of fingers that two turning knuckles carry and parallelograms keep parallel, as on the xArm.

    Attributes:
        pivot: distance of a knuckle's pivot from the middle [m].
        across: distance from the pivot to a finger's frame at drive 0, across the gripper [m].
        along: distance from the pivot to a finger's frame at drive 0, along the gripper [m].
        pad: distance from a finger's frame to the face of its pad [m].
        closed: largest drive angle, at which the gripper is closed [rad].
    """

    pivot: float
    across: float
    along: float
    pad: float
    closed: float

    @property
    def _radius(self) -> float:
        return math.hypot(self.across, self.along)

    @property
    def _phase(self) -> float:
        return math.atan2(self.along, self.across)

    def width(self, drive: float) -> float:
        """Return the width [m] at a drive angle [rad]; the gripper is widest at 0."""
        return 2 * (self.pivot - self.pad + self._radius * math.cos(drive + self._phase))

    def drive(self, width: float) -> float:
        """Return the drive angle [rad] at a width [m], within the range of the drive."""
        cosine = (width / 2 - self.pivot + self.pad) / self._radius
        return min(max(math.acos(min(max(cosine, -1.0), 1.0)) - self._phase, 0.0), self.closed)

    def slope(self, drive: float) -> float:
        """Return the change of the width with the drive angle [m/rad]; never positive."""
        return -2 * self._radius * math.sin(drive + self._phase)


@dataclass(frozen=True)
class MeasuredStroke:
    """Stroke measured at some positions of the drive; in between it is straight.

    Attributes:
        points: positions of the drive, in [m] or [rad], each with its width [m]; the width rises or falls throughout.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        drives, widths = zip(*self.points, strict=True) if self.points else ((), ())
        rising = all(a < b for a, b in pairwise(drives))
        one_way = all(a < b for a, b in pairwise(widths)) or all(a > b for a, b in pairwise(widths))
        if len(self.points) < 2 or not rising or not one_way:
            raise ValueError("points must be two or more, of rising drive, with widths that rise or fall throughout")

    def width(self, drive: float) -> float:
        """Return the width [m] at a position of the drive."""
        drives, widths = zip(*self.points, strict=True)
        return float(np.interp(drive, drives, widths))

    def drive(self, width: float) -> float:
        """Return the position of the drive at a width [m], within the range of the drive."""
        drives, widths = zip(*sorted(self.points, key=lambda point: point[1]), strict=True)
        return float(np.interp(width, widths, drives))

    def slope(self, drive: float) -> float:
        """Return the change of the width with the position of the drive, in [m] per [m] or [rad]."""
        (a, first), (b, second) = next(
            (pair for pair in pairwise(self.points) if drive < pair[1][0]), (self.points[-2], self.points[-1])
        )
        return (second - first) / (b - a)


@dataclass(frozen=True, slots=True, kw_only=True)
class JawStroke(PivotingJaw):
    """Stroke of a gripper with one fixed and one pivoting jaw.

    Attributes:
        widest: largest angle of the jaw that the gripper is driven to [rad].
    """

    widest: float

    def width(self, drive: float) -> float:
        """Return the width [m] at an angle of the jaw [rad]."""
        return self.opening(drive)

    def drive(self, width: float) -> float:
        """Return the angle of the jaw [rad] at a width [m], from closed to widest."""
        return self.angle(width, self.widest)
