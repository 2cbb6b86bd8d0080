"""Cornering: how far a road vehicle may steer at its speed, how quickly, and how fast it may be at an angle.

With one track and wheels that do not slip, the acceleration to the side at speed v and angle δ of the front wheels is
v²·tan(δ)/L, L being the wheelbase; it changes with v²·δ'/(L·cos²(δ)) while the wheels turn with δ'.
"""

from __future__ import annotations

import math


class Cornering:
    """Bounds of a vehicle in a bend.

    Args:
        wheelbase: between its axles [m].
        lateral: acceleration to the side, at most [m/s²].
        jerk: its change while the wheels turn, at most [m/s³].
    """

    def __init__(self, wheelbase: float, lateral: float, jerk: float) -> None:
        self.wheelbase = wheelbase
        self.lateral = lateral
        self.jerk = jerk

    def angle(self, speed: float) -> float:
        """The largest angle of the front wheels at a speed [m/s], either way [rad]."""
        return math.atan2(self.lateral * self.wheelbase, speed * speed)

    def speed(self, angle: float) -> float:
        """The fastest at an angle of the front wheels [rad], either way [m/s]."""
        bend = abs(math.tan(angle)) / self.wheelbase
        return math.sqrt(self.lateral / bend) if bend > 0.0 else math.inf

    def slew(self, speed: float, angle: float) -> float:
        """How quickly the front wheels may turn at a speed [m/s] and an angle [rad], either way [rad/s]."""
        force = speed * speed / (self.wheelbase * math.cos(angle) ** 2)
        return self.jerk / force if force > 0.0 else math.inf
