"""Cartesian set-point that travels towards a goal in a straight line, at bounded speed and acceleration.

The goal may be far away, and may move at any time: acceleration stays bounded, so a stream of close goals gives one
smooth motion, and a fixed goal is reached without overshoot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.guards.stopping import stoppable_speed
from embodied.messages import Vector


@dataclass(frozen=True, slots=True)
class Pace:
    """Bounds of a Cartesian set-point's speed and acceleration, in [m/s] and [m/s²], or in [rad/s] and [rad/s²]."""

    speed: float
    acceleration: float


def pursue(velocity: Vector, error: Vector, pace: Pace, dt: float) -> Vector:
    """Return the velocity for the next period of a Cartesian set-point that travels to a goal and stops there.

    Args:
        velocity: current velocity, shape (3,).
        error: vector from the set-point to the goal, shape (3,).
        pace: bounds of speed and acceleration.
        dt: length of the period [s].

    Returns:
        velocity, shape (3,).
    """
    distance = math.sqrt(float(error @ error))
    wanted = np.zeros(3)
    if distance > 0.0:
        wanted = error * (min(pace.speed, stoppable_speed(distance, pace.acceleration, dt)) / distance)
    change = wanted - velocity
    size = math.sqrt(float(change @ change))
    most = pace.acceleration * dt
    return wanted if size <= most else velocity + change * (most / size)
