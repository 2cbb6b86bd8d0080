"""Judge of the road: kept to its lane, stopped for the obstacle, and rests before the stop line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.world import Verdict
from sims.judging import RestTimer

OFFSET_MOST = 0.08
"""Distance from the middle of the lane that 95 % of a ride stay within [m]."""

OFFSET_LEFT = 0.45
"""Distance from the middle beyond which the vehicle has left its lane [m]."""

STOP_GAP_MOST = 0.50
"""Distance before the stop line within which the nose may stand [m]."""

STILL = 0.02
"""Speed below which the vehicle stands [m/s]."""

RESTING = 3.0
"""Duration for which the vehicle must stand in the end, and before the obstacle [s]."""


@dataclass(frozen=True, slots=True)
class VehicleMotion:
    """True state of a vehicle, as far as the road's judge needs it.

    Attributes:
        along: arc length of its reference point along the lane [m].
        offset: distance of that point from the middle of the lane [m].
        nose: arc length of its foremost part [m].
        speed: speed along its forward axis [m/s].
        touched: noun of what it touches and must not; empty for nothing.
        held: whether its brakes are on.
    """

    along: float
    offset: float
    nose: float
    speed: float
    touched: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Goal of a ride along the road's lane.

    Attributes:
        stop: arc length of the near edge of the stop line [m].
        obstacle: arc length of the near side of the obstacle at the start [m]; None: there is none.
        limit: longest duration [s].
    """

    stop: float
    obstacle: float | None
    limit: float


class RoadJudge:
    """Judge of a ride on the road, which decides once.

    Args:
        route: goal of the ride.

    Attributes:
        offset: distance from the middle of the lane that 95 % of the way lie within [m].
        verdict: None before it is decided.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._offsets: list[float] = []
        self._rest = RestTimer()
        self._cleared = route.obstacle is None
        self.offset = 0.0
        self.verdict: Verdict | None = None

    def cleared(self) -> None:
        """Record that the obstacle is drawn aside, because the vehicle stood before it."""
        self._cleared = True

    def look(self, now: float, motion: VehicleMotion) -> None:
        """Judge the vehicle at a time [s]."""
        if self.verdict is not None:
            return
        standing = abs(motion.speed) < STILL
        # Offsets count along the way: a vehicle that stands adds none.
        if not standing:
            self._offsets.append(abs(motion.offset))
        gap = self._route.stop - motion.nose
        rested = self._rest.update(now, standing and motion.held and 0.0 <= gap <= STOP_GAP_MOST) >= RESTING
        failure = self._failure(now, motion)
        if not (failure or rested):
            return
        self.offset = float(np.quantile(self._offsets, 0.95)) if self._offsets else 0.0
        details = {"time": now, "strayed": self.offset, "gap": gap, "along": motion.along, "offset": motion.offset}
        if not failure and self.offset > OFFSET_MOST:
            failure = f"95 % of its way lie within {self.offset:.3f} m of the middle of the lane, {OFFSET_MOST} allowed"
        done = f"it kept within {self.offset:.3f} m of the middle and stands {gap:.2f} m before the stop line"
        self.verdict = Verdict(not failure, failure or f"{done} at {now:.1f} s", details)

    def _failure(self, now: float, motion: VehicleMotion) -> str:
        route = self._route
        if motion.touched:
            return f"it touched the {motion.touched} at {now:.2f} s"
        if not abs(motion.offset) <= OFFSET_LEFT:
            return f"it left its lane at {now:.2f} s, {motion.offset:+.2f} m from the middle"
        if motion.nose > route.stop:
            return f"it drove {motion.nose - route.stop:.2f} m past the stop line, at {now:.2f} s"
        if not self._cleared and route.obstacle is not None and motion.nose > route.obstacle:
            return f"it did not stand for what stood in its lane, at {now:.2f} s"
        if now >= route.limit:
            missing = "it does not stand before the stop line" if self._cleared else "what stood in its lane still does"
            return f"after {route.limit:g} s {missing}; it is {route.stop - motion.nose:.2f} m before the line"
        return ""
