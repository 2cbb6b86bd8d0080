"""Pure pursuit: how a road vehicle steers back to the middle of its lane, and how its view of that ages.

All is from the point midway between the rear wheels, about which a vehicle turns. Where the lane ahead is an arc, the
steering that meets a point on it is exact: a vehicle on the middle stays there.
"""

from __future__ import annotations

import math
from dataclasses import replace

from embodied.messages import Lane


def carried(lane: Lane, along: float, turned: float) -> Lane:
    """What a view has become once the vehicle has driven on.

    Args:
        lane: as it was seen.
        along: how far it has driven since [m].
        turned: how far it has turned since, left is positive [rad].
    """
    heading = lane.heading + turned - lane.curvature * along
    # Sideways by the heading that it had in the middle of that way.
    offset = lane.offset + along * math.sin((lane.heading + heading) / 2)
    obstacle = None if lane.obstacle is None else lane.obstacle - along
    stop_line = None if lane.stop_line is None else lane.stop_line - along
    return replace(lane, offset=offset, heading=heading, obstacle=obstacle, stop_line=stop_line)


def steering(lane: Lane, ahead: float, wheelbase: float) -> float:
    """Angle of the front wheels whose arc meets the middle of the lane.

    Args:
        lane: as it is now.
        ahead: how far along the middle that point is [m].
        wheelbase: between the axles [m].

    Returns:
        the angle at the road, left is positive [rad].
    """
    half = lane.curvature * ahead / 2
    chord = ahead * (math.sin(half) / half if half else 1.0)
    # The point from the foot on the middle of the lane, along it and to its left; then from the vehicle.
    along, aside = chord * math.cos(half), chord * math.sin(half) - lane.offset
    left = aside * math.cos(lane.heading) - along * math.sin(lane.heading)
    return math.atan(2.0 * wheelbase * left / (along * along + aside * aside))
