"""Cornering limits: steering angle, steering rate and speed of a road vehicle that keep lateral acceleration and jerk.

In the bicycle model without slip, the lateral acceleration at speed v and angle δ of the front wheels is v²·tan(δ)/L,
where L is the wheelbase; while the wheels turn at δ', it changes by v²·δ'/(L·cos²(δ)) per second.
"""

from __future__ import annotations

import math


class Cornering:
    """Cornering limits of a vehicle: steering angle, steering rate and speed in a bend.

    Args:
        wheelbase: distance between the axles [m].
        lateral: limit of the lateral acceleration [m/s²].
        jerk: limit of the lateral jerk from steering [m/s³].
    """

    def __init__(self, wheelbase: float, lateral: float, jerk: float) -> None:
        self.wheelbase = wheelbase
        self.lateral = lateral
        self.jerk = jerk

    def angle(self, speed: float) -> float:
        """Return the largest angle of the front wheels at a speed [m/s], either way [rad]."""
        return math.atan2(self.lateral * self.wheelbase, speed * speed)

    def speed(self, angle: float) -> float:
        """Return the highest speed at an angle of the front wheels [rad], either way [m/s]."""
        curvature = abs(math.tan(angle)) / self.wheelbase
        return math.sqrt(self.lateral / curvature) if curvature > 0.0 else math.inf

    def slew(self, speed: float, angle: float) -> float:
        """Return the highest steering rate at a speed [m/s] and an angle [rad], either way [rad/s]."""
        gain = speed * speed / (self.wheelbase * math.cos(angle) ** 2)
        return self.jerk / gain if gain > 0.0 else math.inf
