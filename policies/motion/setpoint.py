"""A Cartesian set-point that travels towards a goal in a straight line, at bounded speed and acceleration.

The goal may be far away, and may move at any time: velocity stays continuous, so a stream of close goals comes out as
one smooth motion, and a goal that stands still is reached without overshoot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.guards.stopping import stoppable_speed
from embodied.messages import Vector


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one kind of motion may be, in [m/s] and [m/s²], or in [rad/s] and [rad/s²]."""

    speed: float
    acceleration: float


def pursue(velocity: Vector, error: Vector, pace: Pace, dt: float) -> Vector:
    """The next velocity on the way to where `error` points.

    The speed is the highest from which it can still stop there.

    Args:
        velocity: the present one, shape (3,).
        error: what is left to travel, shape (3,).
        pace: bounds on speed and acceleration.
        dt: time until the next call [s].

    Returns:
        shape (3,).
    """
    distance = math.sqrt(float(error @ error))
    wanted = np.zeros(3)
    if distance > 0.0:
        wanted = error * (min(pace.speed, stoppable_speed(distance, pace.acceleration, dt)) / distance)
    change = wanted - velocity
    size = math.sqrt(float(change @ change))
    most = pace.acceleration * dt
    return wanted if size <= most else velocity + change * (most / size)
