"""Pure pursuit: steering of a road vehicle to the middle of its lane, and dead reckoning of an older detection.

The origin is the point midway between the rear wheels, about which a vehicle turns. For a lane of constant curvature
the steering is exact: a vehicle on the middle stays there.
"""

from __future__ import annotations

import math
from dataclasses import replace

from embodied.messages import Lane


def propagated(lane: Lane, along: float, turned: float) -> Lane:
    """Propagate a detected lane to the current pose of the vehicle by dead reckoning.

    Args:
        lane: lane as it was detected.
        along: distance driven since [m].
        turned: angle turned since, positive to the left [rad].
    """
    heading = lane.heading + turned - lane.curvature * along
    # Midpoint rule: sideways by the mean heading.
    offset = lane.offset + along * math.sin((lane.heading + heading) / 2)
    obstacle = None if lane.obstacle is None else lane.obstacle - along
    stop_line = None if lane.stop_line is None else lane.stop_line - along
    return replace(lane, offset=offset, heading=heading, obstacle=obstacle, stop_line=stop_line)


def steering(lane: Lane, ahead: float, wheelbase: float) -> float:
    """Return the angle of the front wheels by pure pursuit: their arc meets the middle of the lane at the lookahead.

    Args:
        lane: lane at the current pose.
        ahead: lookahead distance along the middle [m].
        wheelbase: distance between the axles [m].

    Returns:
        angle at the road, positive to the left [rad].
    """
    half = lane.curvature * ahead / 2
    chord = ahead * (math.sin(half) / half if half else 1.0)
    # The lookahead point in the frame of the lane, then in that of the vehicle.
    along, aside = chord * math.cos(half), chord * math.sin(half) - lane.offset
    left = aside * math.cos(lane.heading) - along * math.sin(lane.heading)
    return math.atan(2.0 * wheelbase * left / (along * along + aside * aside))
