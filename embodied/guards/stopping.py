"""Stopping rule of all set-point limiters: the highest speed from which braking still ends within a distance.

A set-point moves once per control period h: at speed v it first travels v·h, and only then can it brake, with constant
deceleration a, over a further v²/(2a). The highest speed that stops within a distance d solves v·h + v²/(2a) = d:

    v = a·(sqrt(h² + 2d/a) - h)

A set-point that keeps to this speed in one period can keep to it in the next by braking with a, so it never overshoots.
Without the term h (continuous time, v = sqrt(2ad)) it would overshoot by up to v·h.
"""

from __future__ import annotations

import math
from typing import overload

import numpy as np

from embodied.messages.schema import Vector


@overload
def stoppable_speed(distance: float, deceleration: float, period: float) -> float: ...


@overload
def stoppable_speed(distance: Vector, deceleration: float | Vector, period: float) -> Vector: ...


def stoppable_speed(distance: float | Vector, deceleration: float | Vector, period: float) -> float | Vector:
    """Return the highest speed from which braking stops within a distance, per axis if given arrays.

    Angles work alike: [rad], [rad/s²] and [rad/s] instead of [m], [m/s²] and [m/s].

    Args:
        distance: distance left to the stop, at least 0 [m].
        deceleration: deceleration when braking, above 0 [m/s²].
        period: control period, during which the speed cannot change [s].

    Returns:
        speed for the coming period [m/s].
    """
    square = period * period + 2.0 * distance / deceleration
    # Scalars go through math, which takes a tenth of the time that NumPy takes for one number.
    root = np.sqrt(square) if isinstance(square, np.ndarray) else math.sqrt(square)
    return deceleration * (root - period)
