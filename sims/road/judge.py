"""The judge of a ride: it kept to its lane, stood for what stood there, and rests before the stop line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embodied.world import Verdict

STRAYED = 0.08  # 95 % of a ride lie within this of the middle of the lane [m]
OFF = 0.45  # beyond this it has left the lane [m]
NEAR = 0.50  # so far before the stop line it may stand [m]
STILL = 0.02  # what counts as standing [m/s]
RESTING = 3.0  # how long it must stand in the end [s]


@dataclass(frozen=True, slots=True)
class Moment:
    """How a vehicle is.

    Attributes:
        along: of its reference point along the lane [m].
        offset: of that from the middle of the lane [m].
        nose: how far along the foremost part of it is [m].
        speed: [m/s].
        touched: what it touches that it should not; empty for nothing.
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
    """What is asked of a ride.

    Attributes:
        stop: how far along the near edge of the stop line is [m].
        obstacle: how far along the near side is of what stands in the lane at first [m]; None if nothing does.
        limit: how long it may take [s].
    """

    stop: float
    obstacle: float | None
    limit: float


class Judge:
    """Looks at a ride now and then, and decides once.

    Args:
        route: what was asked.

    Attributes:
        strayed: what 95 % of the way lie within of the middle of the lane [m].
        verdict: None before it is decided.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._offsets: list[float] = []
        self._since: float | None = None
        self._cleared = route.obstacle is None
        self.strayed = 0.0
        self.verdict: Verdict | None = None

    def cleared(self) -> None:
        """What stood in the lane is gone, because the vehicle stood before it."""
        self._cleared = True

    def look(self, now: float, moment: Moment) -> None:
        """Take in how it is at a time [s]."""
        if self.verdict is not None:
            return
        standing = abs(moment.speed) < STILL
        # Each metre counts alike: where it stands it strays no further.
        if not standing:
            self._offsets.append(abs(moment.offset))
        resting = standing and moment.held and 0.0 <= self._route.stop - moment.nose <= NEAR
        self._since = None if not resting else now if self._since is None else self._since
        failure = self._failure(now, moment)
        rested = self._since is not None and now - self._since >= RESTING
        if not (failure or rested):
            return
        self.strayed = float(np.quantile(self._offsets, 0.95)) if self._offsets else 0.0
        gap = self._route.stop - moment.nose
        details = {"time": now, "strayed": self.strayed, "gap": gap, "along": moment.along, "offset": moment.offset}
        if not failure and self.strayed > STRAYED:
            failure = f"95 % of its way lie within {self.strayed:.3f} m of the middle of the lane, {STRAYED} allowed"
        done = f"it kept within {self.strayed:.3f} m of the middle and stands {gap:.2f} m before the stop line"
        self.verdict = Verdict(not failure, failure or f"{done} at {now:.1f} s", details)

    def _failure(self, now: float, moment: Moment) -> str:
        route = self._route
        if moment.touched:
            return f"it touched the {moment.touched} at {now:.2f} s"
        if not abs(moment.offset) <= OFF:
            return f"it left its lane at {now:.2f} s, {moment.offset:+.2f} m from the middle"
        if moment.nose > route.stop:
            return f"it drove {moment.nose - route.stop:.2f} m past the stop line, at {now:.2f} s"
        if not self._cleared and route.obstacle is not None and moment.nose > route.obstacle:
            return f"it did not stand for what stood in its lane, at {now:.2f} s"
        if now >= route.limit:
            missing = "it does not stand before the stop line" if self._cleared else "what stood in its lane still does"
            return f"after {route.limit:g} s {missing}; it is {route.stop - moment.nose:.2f} m before the line"
        return ""
