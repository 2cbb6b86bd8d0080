"""Watch on whose set-points the vehicle follows: PX4 takes those of any client, and acknowledges none.

Two things betray another client: the target that the autopilot reports (POSITION_TARGET_LOCAL_NED), where it is none of
this driver's, and a set-point to the vehicle that a router passes on to this end as well.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np

from drivers.mavlink.coordinates import world_axes
from embodied.clock import SECOND, Time
from embodied.messages import DroneCommand, Vector

WINDOW = 1.0
"""Time for which a target may still be a set-point that was sent, beside the round trip [s]."""

DISTANCE = 0.5
"""Distance from every set-point that was sent at which a target is another's [m]."""

SPEED = 0.5
"""Distance of a velocity from every one that was sent at which it is another's [m/s]."""

REPORTS_LEAST = 3
"""Number of another's targets within `WINDOW` that are no accident."""

KINDS = ("SET_POSITION_TARGET_LOCAL_NED", "SET_POSITION_TARGET_GLOBAL_INT", "SET_ATTITUDE_TARGET", "MANUAL_CONTROL")
"""Messages by which a client flies a vehicle without asking."""


class _Sent(NamedTuple):
    at: Time
    command: DroneCommand


class TargetWatch:
    """Watch on the targets that one vehicle reports while this driver sends it set-points."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque()
        self._others: deque[Time] = deque(maxlen=REPORTS_LEAST)
        self._seen = 0.0

    def begin(self) -> None:
        """Begin again, with a vehicle that nobody commands yet."""
        self._sent.clear()
        self._others.clear()

    def sent(self, command: DroneCommand, now: Time) -> None:
        """Take note of a set-point that was sent."""
        self._sent.append(_Sent(now, command))

    def problem(self, newest: dict[str, tuple[Any, float]], now: Time, round_trip: float) -> str:
        """Return whose targets the vehicle follows, if they are not this driver's; empty if nothing says so.

        Args:
            newest: newest message of each type, and when it came [s].
            now: time of the step.
            round_trip: time from a message to its answer [s].
        """
        window = round((WINDOW + round_trip) * SECOND)
        while self._sent and now - self._sent[0].at > window:
            self._sent.popleft()
        report, came = newest.get("POSITION_TARGET_LOCAL_NED", (None, 0.0))
        if report is None or came <= self._seen or not self._sent:
            return ""
        self._seen = came
        position = world_axes(np.array([report.x, report.y, report.z]))
        velocity = world_axes(np.array([report.vx, report.vy, report.vz]))
        if any(_may_be(sent.command, position, velocity) for sent in self._sent):
            return ""
        self._others.append(now)
        if len(self._others) < REPORTS_LEAST or now - self._others[0] > window:
            return ""
        place = ", ".join(f"{value:.1f}" for value in (position if np.isfinite(position).all() else velocity))
        return f"somebody else sends it set-points, such as ({place})"


def _may_be(command: DroneCommand, position: Vector, velocity: Vector) -> bool:
    """Return whether a reported target may be that of a command; axes that the autopilot leaves open say nothing."""
    if command.position is not None:
        known = np.isfinite(position)
        return bool(np.linalg.norm((position - command.position)[known]) <= DISTANCE)
    if command.velocity is None:
        return True
    # The autopilot may fly slower than it was asked to, and never faster or elsewhere.
    known = np.isfinite(velocity)
    low, high = np.minimum(command.velocity, 0.0) - SPEED, np.maximum(command.velocity, 0.0) + SPEED
    return bool(np.all((velocity >= low)[known] & (velocity <= high)[known]))
