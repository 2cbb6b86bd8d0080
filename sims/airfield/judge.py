"""Judge of the airfield: held over the right marker, landed on the pad with rotors off, inside the geofence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from embodied.messages import Vector
from embodied.world import Verdict
from sims.judging import LANDED, Flight, HoverAccuracy, RestTimer

RESTING = 0.5
"""Duration for which the multirotor must rest on the pad [s]."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Goal of an inspection of the airfield, in the world's frame.

    Attributes:
        marker: label of the marker.
        hold: position to hold above the marker, shape (3,) [m].
        pad: middle of the landing pad, shape (2,) [m].
        low, high: corners of the geofence, shape (3,) [m].
        limit: longest duration [s].
    """

    marker: str
    hold: Vector
    pad: Vector
    low: Vector
    high: Vector
    limit: float


class AirfieldJudge:
    """Judge of a flight on the airfield, which decides once.

    Args:
        goal: goal of the inspection.
        rate: judgements per second [Hz].

    Attributes:
        verdict: None before it is decided.
    """

    def __init__(self, goal: Inspection, rate: int) -> None:
        self._goal = goal
        self._hover = HoverAccuracy(rate)
        self._rest = RestTimer()
        self._flown = False
        self.verdict: Verdict | None = None

    def look(self, now: float, flight: Flight) -> None:
        """Judge the flight at a time [s]."""
        if self.verdict is not None:
            return
        goal, position = self._goal, flight.position
        self._flown = self._flown or not flight.grounded
        self._hover.update(math.dist(position, goal.hold))
        off_pad = math.dist(position[:2], goal.pad)
        rested = self._rest.update(now, self._flown and flight.rests())
        failure, error = self._failure(now, flight), self._hover.error
        details = {"marker": goal.marker, "time": now, "hold": error, "pad": off_pad, "position": position.tolist()}
        if failure:
            self.verdict = Verdict(False, failure, details)
        elif rested >= RESTING:
            missed = self._hover.failure(goal.marker) or (
                f"it landed {off_pad:.2f} m from the pad, {LANDED} allowed" if off_pad > LANDED else ""
            )
            if missed:
                self.verdict = Verdict(False, f"{missed}; it rests at {now:.1f} s", details)
            else:
                done = f"it held over {goal.marker} within {error:.3f} m and landed {off_pad:.3f} m from the pad"
                self.verdict = Verdict(True, f"{done} at {now:.1f} s", details)

    def _failure(self, now: float, flight: Flight) -> str:
        goal = self._goal
        if failure := flight.failure("it", "the fence", goal.low, goal.high, now):
            return failure
        if now >= goal.limit:
            missing = self._hover.failure(goal.marker) or "it has not landed and stopped its rotors"
            return f"after {goal.limit:g} s {missing}"
        return ""
