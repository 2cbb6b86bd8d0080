"""Geometry of any lane: its middle line, the place of a point along it, and its curvature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embodied.messages import Vector

WIDTH = 0.90
"""Distance between the middles of the two painted lines [m]."""

STEP = 0.05
"""Distance between the points of the middle line [m]."""

BEFORE = 3.0
"""Length that is painted behind the begin of the lane [m]."""

BEYOND = 3.0
"""Length that is painted beyond the stop line [m]."""

EASE = 1.0
"""Length over which curvature goes from one value to the next [m]."""

Pose2 = tuple[float, float, float]
"""Position x, y [m] and direction [rad] in the plane."""


@dataclass(frozen=True, eq=False, slots=True)
class Lane:
    """Geometry of a lane on level ground, with a stop line at its end.

    Attributes:
        points: middle line every `STEP`: x, y [m] and direction [rad]; shape (n, 3).
        curvature: curvature at each point, left is positive, shape (n,) [1/m].
        stop: arc length to the near edge of the stop line [m]; the lane begins at 0.
        line: depth of the stop line [m].
    """

    points: Vector
    curvature: Vector
    stop: float
    line: float

    def pose(self, along: float, offset: float = 0.0) -> Pose2:
        """Return the pose at an arc length [m] and to the left of the middle [m]."""
        at = min(max((along + BEFORE) / STEP, 0.0), len(self.points) - 1.001)
        k = int(at)
        x, y, yaw = (self.points[k] + (at - k) * (self.points[k + 1] - self.points[k])).tolist()
        return x - offset * math.sin(yaw), y + offset * math.cos(yaw), yaw

    def locate(self, x: float, y: float) -> tuple[float, float, float]:
        """Project a place onto the lane.

        Returns:
            arc length [m], distance to the left of the middle [m], and direction of the lane there [rad].
        """
        away = self.points[:, :2] - (x, y)
        k = int(np.argmin(np.einsum("ij,ij->i", away, away)))
        near_x, near_y, yaw = self.points[k].tolist()
        ahead = (x - near_x) * math.cos(yaw) + (y - near_y) * math.sin(yaw)
        left = (y - near_y) * math.cos(yaw) - (x - near_x) * math.sin(yaw)
        # Between two points the lane is an arc: it has turned a little, and come to the side a little.
        curvature = float(self.curvature[k])
        return (
            k * STEP - BEFORE + ahead / (1.0 - curvature * left),
            left - curvature * ahead**2 / 2,
            yaw + curvature * ahead,
        )

    def mean_curvature(self, along: float, over: float = 1.5) -> float:
        """Return the mean curvature of the middle over the next metres [1/m]."""
        return (self.pose(along + over)[2] - self.pose(along)[2]) / over


def lay(knots: Sequence[tuple[float, float]]) -> tuple[Vector, Vector]:
    """Integrate the middle line of a lane whose curvature goes linearly from knot to knot.

    Args:
        knots: arc length [m] and curvature [1/m] of each; the first is `BEFORE` behind the begin of the lane.

    Returns:
        points, shape (n, 3), and their curvature, shape (n,), as a `Lane` has them.
    """
    along = np.arange(-BEFORE, knots[-1][0], STEP)
    curvature = np.interp(along, *np.array(knots).T)
    yaw = np.cumsum(curvature) * STEP
    middle = yaw - curvature * STEP / 2
    x, y = np.cumsum(np.cos(middle)) * STEP, np.cumsum(np.sin(middle)) * STEP
    begin = round(BEFORE / STEP)
    return np.stack([x - x[begin], y - y[begin], yaw], axis=1), curvature
