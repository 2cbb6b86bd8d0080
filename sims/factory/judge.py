"""Judge of the factory: loaded, brought to its station, inspected from the air, landed, each after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from embodied.messages import Vector
from embodied.world import Verdict
from sims.judging import LANDED, BlockMotion, Container, Flight, HoverAccuracy, RestTimer, displacements, moved_failure

RESTING = 0.5
"""Duration for which the goal of a leg must hold [s]."""

STOP_GAP_MOST = 0.5
"""Distance before the stop line within which the nose may stand [m]."""

SHUTTLE_STILL = 0.01
"""Speed below which a shuttle stands [m/s]."""

SHUTTLE_LEFT = 0.02
"""Distance from its start beyond which a shuttle has left [m]."""

LOAD_SHIFTED = 0.02
"""Distance by which the load may move in its bed on the way [m]."""


class Leg(IntEnum):
    """Parts of a factory's delivery that are still to be done, in this order."""

    LOAD = 0
    DELIVER = 1
    INSPECT = 2
    LAND = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """Goal of a factory's delivery, in the world's frame; the bed is in the shuttle's frame.

    Attributes:
        load: label of the block.
        size: edge of the block [m].
        bed: middle of the bed's floor, shape (3,) [m].
        inside: half of the bed's inside, along and across [m].
        nose: distance from the shuttle's frame to its foremost part [m].
        line: point on the near edge of the stop line, and the direction of travel there, each of shape (2,) [m].
        hold: height to hold above the load [m].
        pad: middle of the landing pad, shape (2,) [m].
        low, high: corners of the drone's geofence, shape (3,) [m].
        limit: longest duration [s].
    """

    load: str
    size: float
    bed: Vector
    inside: tuple[float, float]
    nose: float
    line: tuple[Vector, Vector]
    hold: float
    pad: Vector
    low: Vector
    high: Vector
    limit: float


@dataclass(frozen=True, slots=True)
class FactoryState:
    """True state of the factory at one instant, for its judge.

    Attributes:
        blocks: motion of every block, by label.
        held: whether the gripper touches the load.
        position: position of the shuttle's frame, shape (3,) [m].
        attitude: rotation of the shuttle's frame, shape (3, 3).
        speed: speed of the shuttle [m/s].
        flight: state of the drone.
        sight: whether the downward camera has the whole load in its image.
    """

    blocks: Mapping[str, BlockMotion]
    held: bool
    position: Vector
    attitude: Vector
    speed: float
    flight: Flight
    sight: bool


class FactoryJudge:
    """Judge of a delivery in the factory, which decides once.

    Args:
        goal: goal of the delivery.
        start: state at the start.
        rate: judgements per second [Hz].

    Attributes:
        verdict: None before it is decided.
    """

    def __init__(self, goal: Delivery, start: FactoryState, rate: int) -> None:
        self._goal = goal
        self._start = start
        self._fixed = {label: block.position for label, block in start.blocks.items() if label != goal.load}
        self._bed = Container("bed", goal.bed, goal.inside, goal.size)
        self._hover = HoverAccuracy(rate)
        self._leg = Leg.LOAD
        self._rest = RestTimer()
        self._times: dict[str, float] = {}
        self._laid: Vector | None = None
        self._shift = 0.0
        self._photograph: float | None = None
        self._seen: dict[float, float | None] = {}
        self.verdict: Verdict | None = None

    def photographed(self, when: float) -> None:
        """Record a photograph that the drone took at a time [s]; of several, the first that shows the load counts."""
        looks = [look for look in self._seen if look <= when]
        if self._photograph is None and looks:
            self._photograph = self._seen[max(looks)]

    def look(self, now: float, state: FactoryState) -> None:
        """Judge the factory at a time [s]."""
        if self.verdict is not None:
            return
        failure = self._failure(now, state)
        if failure:
            self._decide(now, state, failure)
            return
        over = math.dist(state.flight.position, self._over(state))
        self._seen[now] = over if state.sight else None
        self._hover.update(over)
        missing = self._missing(state)
        if self._rest.update(now, not missing) >= RESTING:
            self._done(now, state)
        elif now >= self._goal.limit:
            self._decide(now, state, f"after {self._goal.limit:g} s {missing or 'nothing has rested long enough'}")

    def _done(self, now: float, state: FactoryState) -> None:
        """Complete the leg, and go on to the next."""
        self._times[self._leg.name.lower()] = now
        self._rest.restart()
        if self._leg is Leg.LAND:
            self._decide(now, state, "")
            return
        if self._leg is Leg.LOAD:
            self._laid = self._in_bed(state)
        self._leg = Leg(self._leg + 1)

    def _failure(self, now: float, state: FactoryState) -> str:
        """Return what can no longer be made good, empty if nothing."""
        goal, flight = self._goal, state.flight
        away = math.dist(state.position, self._start.position)
        past = self._past(state)
        if failure := moved_failure(displacements(state.blocks, self._fixed), now):
            return failure
        missing = self._missing(state) if self._leg < Leg.INSPECT else ""
        if missing and self._leg is Leg.LOAD and away > SHUTTLE_LEFT:
            return f"the shuttle left at {now:.2f} s, and {missing}"
        if missing and not flight.grounded and not flight.off:
            return f"the drone took off at {now:.2f} s, and {missing}"
        if past > 0.0:
            return f"the shuttle's nose is {1e3 * past:.0f} mm past the stop line at {now:.2f} s"
        if self._laid is not None:
            self._shift = max(self._shift, math.dist(self._in_bed(state), self._laid))
            if self._shift > LOAD_SHIFTED:
                return f"the load shifted {1e3 * self._shift:.0f} mm in its bed by {now:.2f} s"
        return flight.failure("the drone", "its fence", goal.low, goal.high, now)

    def _missing(self, state: FactoryState) -> str:
        """Return why the leg is not done yet, empty if it is."""
        match self._leg:
            case Leg.LOAD:
                return self._unloaded(state)
            case Leg.DELIVER:
                return self._undelivered(state)
            case Leg.INSPECT:
                missed = self._hover.failure("the load")
                return missed or ("" if self._photograph is not None else "no photograph shows the load")
        flight, away = state.flight, self._away(state)
        if not flight.rests():
            return "the drone has not landed and stopped its rotors"
        return f"the drone landed {away:.2f} m from its pad, {LANDED} allowed" if away > LANDED else ""

    def _unloaded(self, state: FactoryState) -> str:
        load = self._goal.load
        failure = self._bed.failure(state.blocks[load], lambda: state.held, state.position, state.attitude)
        return failure and f"the {load} block {failure}"

    def _undelivered(self, state: FactoryState) -> str:
        short = -self._past(state)
        if short > STOP_GAP_MOST:
            return f"the shuttle's nose is {short:.2f} m before the stop line, {STOP_GAP_MOST} allowed"
        return "" if abs(state.speed) < SHUTTLE_STILL else "the shuttle still drives"

    def _past(self, state: FactoryState) -> float:
        """Return how far the shuttle's nose is past the stop line [m]."""
        point, way = self._goal.line
        nose = state.position + self._goal.nose * state.attitude[:, 0]
        return float((nose[:2] - point) @ way)

    def _over(self, state: FactoryState) -> Vector:
        over: Vector = state.blocks[self._goal.load].position + np.array([0.0, 0.0, self._goal.hold])
        return over

    def _in_bed(self, state: FactoryState) -> Vector:
        there: Vector = (state.blocks[self._goal.load].position - state.position) @ state.attitude
        return there

    def _away(self, state: FactoryState) -> float:
        return math.dist(state.flight.position[:2], self._goal.pad)

    def _decide(self, now: float, state: FactoryState, failure: str) -> None:
        details = {
            "load": self._goal.load,
            "time": now,
            "legs": dict(self._times),
            "short": -self._past(state),
            "shift": self._shift,
            "hold": self._hover.error,
            "photograph": self._photograph,
            "pad": self._away(state),
        }
        done = (
            f"the {self._goal.load} block was loaded at {self._times.get('load', 0.0):.1f} s, delivered at "
            f"{self._times.get('deliver', 0.0):.1f} s, held over within {self._hover.error or 0.0:.3f} m and "
            f"photographed; the drone landed {self._away(state):.3f} m from its pad at {now:.1f} s"
        )
        self.verdict = Verdict(not failure, failure or done, details)
