"""Motion of a virtual servo's set-point: a profile with limited speed and acceleration to a goal, or at a speed."""

from __future__ import annotations

import math

from embodied.guards.stopping import stoppable_speed


def pace_to(left: float, pace: float, fastest: float, largest: float, period: float) -> float:
    """Return the pace of the next period towards a goal at which the set-point has to stop [ticks/s].

    Args:
        left: signed distance to the goal [ticks].
        pace: pace of the last period [ticks/s].
        fastest: largest speed [ticks/s].
        largest: largest acceleration [ticks/s²]; infinite for none.
        period: duration of the period [s].
    """
    speed = min(fastest, abs(left) / period)
    if math.isinf(largest):
        return math.copysign(speed, left)
    return pace_at(math.copysign(min(speed, stoppable_speed(abs(left), largest, period)), left), pace, largest, period)


def pace_at(wanted: float, pace: float, largest: float, period: float) -> float:
    """Return the pace of the next period on the way to a constant speed [ticks/s].

    Args:
        wanted: signed speed [ticks/s].
        pace: pace of the last period [ticks/s].
        largest: largest acceleration [ticks/s²]; infinite for none.
        period: duration of the period [s].
    """
    change = largest * period
    return min(max(wanted, pace - change), pace + change)
