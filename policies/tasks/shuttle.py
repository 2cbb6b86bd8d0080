"""A shuttle on its lane: follow it, wait before what stands in it, stop at the line at its end, and park there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from embodied import SECOND, Node, Time, tunable
from embodied.messages import Lane, Target, VehicleCommand, VehicleState
from policies.motion.pursuit import carried, steering
from policies.perception.landmark_filter import Bends, Mark, Obstruction

SURE = 0.5
"""A view that is less sure is not driven by."""

STILL = 0.04
"""A vehicle that is slower stands [m/s]."""

LOOKS, BLIND = 5, 1.8
"""Of how many looks the place of the stop line is the median, and how near it may be under the nose [m]."""


EARLY, TURNED = 0.2, 0.1
"""How long before it is there a vehicle steers for a place, beyond what it does at rest; how long wheels take [s]."""


class Phase(Enum):
    """What it is doing; `WAIT` is before an obstacle."""

    DRIVE = auto()
    WAIT = auto()
    PARK = auto()
    DONE = auto()


@dataclass
class Shuttle(Node):
    """Pure pursuit on the clock, and a speed from which it can always stop where it has to.

    A view is carried on by the vehicle's own speed and yaw rate from when it was taken, so that its latency costs
    little. Without a fresh view, or with one that is not sure, there is no command, and the guard stops it; so there is
    none once it has parked, and none without a permit, where one is wired.
    """

    wheelbase: float = 0.60  # [m]
    nose: float = 0.75  # of the vehicle, ahead of its rear axle [m]
    gap: float = 0.25  # of the nose to the stop line, when it stands [m]
    distance: float = 0.8  # of the nose to an obstacle, when it stands [m]
    clear: float = 1.0  # how long the view must be clear, before it drives on [s]
    lag: float = 0.3  # after which its speed is what it was told to be [s]
    preview: float = 0.75  # ahead of the rear axle, where the curvature that it is told of a lane is [m]
    cruise: float = tunable(1.4, low=0.2, high=3.0, unit="m/s")
    lateral: float = tunable(0.4, low=0.1, high=2.0, unit="m/s²")  # acceleration to the side that it takes in a bend
    acceleration: float = tunable(0.7, low=0.1, high=2.0, unit="m/s²")
    braking: float = tunable(0.7, low=0.1, high=2.0, unit="m/s²")  # by which it chooses its speed; the guard's is more
    lookahead: float = tunable(0.5, low=0.2, high=3.0, unit="m")  # at rest; as far as it drives in `EARLY` more

    rate = 50.0  # [Hz]

    def check(self) -> Iterable[str]:
        """Lengths and times are such."""
        for name in ("wheelbase", "nose", "gap", "distance", "preview"):
            if not 0.0 < getattr(self, name) < math.inf:
                yield f"{name} = {getattr(self, name)} m is not above 0"
        for name in ("clear", "lag"):
            if not 0.0 <= getattr(self, name) < math.inf:
                yield f"{name} = {getattr(self, name)} s is no time to wait"

    def open(self) -> None:
        """Nothing is seen yet."""
        self.phase = Phase.DRIVE
        self._way, self._last, self._looked = 0.0, Time(0), Time(-1)
        self._line, self._obstacle, self._bends = Mark(LOOKS, BLIND), Obstruction(self.clear), Bends(self.preview)

    def step(
        self, state: VehicleState, lane: Lane | None, now: Time, permit: Target | None = None
    ) -> VehicleCommand | None:
        """What to do in this period."""
        self._way += state.speed * (now - self._last) / SECOND
        self._last = now
        if lane is not None and lane.score >= SURE and lane.acquired != self._looked:
            self._looked = lane.acquired
            way = self._way - state.speed * (now - lane.acquired) / SECOND
            self._line.look(way, lane.stop_line)
            self._obstacle.look(way, lane.obstacle, lane.acquired)
            self._bends.look(way, lane.curvature)
        if permit is None and "permit" in self.wired:
            return None
        if self.phase is Phase.PARK:
            return self._park(state)
        if self.phase is Phase.DONE or lane is None or not lane.score >= SURE:
            return None
        return self._drive(state, lane, now)

    def _drive(self, state: VehicleState, lane: Lane, now: Time) -> VehicleCommand | None:
        age = (now - lane.acquired) / SECOND
        ahead = self.lookahead + EARLY * state.speed
        # The bend in which it is once its wheels have turned, and not the one that it sees further on.
        here = replace(lane, curvature=self._bends.at(self._way + TURNED * state.speed))
        here = carried(here, state.speed * age, state.yaw_rate * age)
        bend = max(abs(lane.curvature), abs(here.curvature), 1e-6)
        ends = (
            self._room(self._line.left(self._way), self.gap),
            self._room(self._obstacle.left(self._way), self.distance),
        )
        speed = min(self.cruise, math.sqrt(self.lateral / bend), *(self._stoppable(end, state.speed) for end in ends))
        at_line, at_obstacle = (end <= self.gap / 2 for end in ends)
        stands = abs(state.speed) < STILL
        if stands and at_line:
            self.phase = Phase.PARK
            return self._park(state)
        self.phase = Phase.WAIT if stands and at_obstacle else Phase.DRIVE
        return VehicleCommand(
            speed=speed,
            # How fast it slows down is told by its speed; what it takes for that is the guard's to bound.
            acceleration=self.acceleration if speed > state.speed else None,
            steering=steering(here, ahead, self.wheelbase),
        )

    def _park(self, state: VehicleState) -> VehicleCommand | None:
        if state.gear == "P":
            self.phase = Phase.DONE
            return None
        return VehicleCommand(speed=0.0, steering=0.0, gear="P")

    def _room(self, left: float | None, gap: float) -> float:
        """How far it may still drive before something [m]."""
        return math.inf if left is None else left - self.nose - gap

    def _stoppable(self, room: float, speed: float) -> float:
        """The fastest from which it stops within so much room [m/s], while it drives at a speed."""
        left = room - speed * self.lag
        return math.sqrt(2.0 * self.braking * left) if left > 0.0 else 0.0
