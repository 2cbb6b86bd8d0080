"""Shuttle: follow a lane, wait before obstacles, stop at the stop line, and park there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from embodied import SECOND, Node, Time, tunable
from embodied.messages import Lane, Target, VehicleCommand, VehicleState
from embodied.ranges import at_least, positive
from policies.motion.pursuit import propagated, steering
from policies.perception.landmark_filter import CurvatureMap, Landmark, Obstacle

SCORE_LEAST = 0.5
"""Least score of a lane that is followed."""

STANDSTILL_SPEED = 0.04
"""Speed below which the vehicle counts as standing [m/s]."""

WINDOW = 5
"""Number of detections whose median is the place of the stop line."""

BLIND = 1.8
"""Distance below which the stop line is out of the camera's view [m]."""

LOOKAHEAD_TIME = 0.2
"""Increase of the lookahead distance with speed [s]."""

STEERING_LAG = 0.1
"""Time that the front wheels take to turn [s]."""


class ShuttlePhase(Enum):
    """Phases of the shuttle's ride; `WAIT` is before an obstacle."""

    DRIVE = auto()
    WAIT = auto()
    PARK = auto()
    DONE = auto()


@dataclass
class Shuttle(Node):
    """Shuttle that follows its lane by pure pursuit, at a speed from which it can stop where it must.

    A detected lane is propagated by the vehicle's own speed and yaw rate since its acquisition, which compensates the
    latency. Without a fresh lane of a sufficient score there is no command, and the guard stops the vehicle; nor is
    there one once it has parked, or without a permit if `permit` is wired.
    """

    wheelbase: float = 0.60  # [m]
    nose: float = 0.75  # distance from the rear axle to the nose [m]
    gap: float = 0.25  # distance from the nose to the stop line at standstill [m]
    distance: float = 0.8  # distance from the nose to an obstacle at standstill [m]
    clear: float = 1.0  # time without an obstacle before it drives on [s]
    lag: float = 0.3  # delay of the speed controller [s]
    preview: float = 0.75  # distance ahead of the rear axle at which the detected curvature applies [m]
    cruise: float = tunable(1.4, low=0.2, high=3.0, unit="m/s")
    lateral: float = tunable(0.4, low=0.1, high=2.0, unit="m/s²")  # limit of the lateral acceleration in a bend
    acceleration: float = tunable(0.7, low=0.1, high=2.0, unit="m/s²")
    braking: float = tunable(0.7, low=0.1, high=2.0, unit="m/s²")  # for its choice of speed; the guard's is higher
    lookahead: float = tunable(0.5, low=0.2, high=3.0, unit="m")  # at rest; grows by `LOOKAHEAD_TIME` times the speed

    rate = 50.0  # [Hz]

    def check(self) -> Iterable[str]:
        """Check that lengths are positive, and times not negative."""
        lengths = {"wheelbase": self.wheelbase, "nose": self.nose, "gap": self.gap, "distance": self.distance}
        yield from positive("m").problems(**lengths, preview=self.preview)
        yield from at_least(0, "s").problems(clear=self.clear, lag=self.lag)

    def open(self) -> None:
        """Start in phase `DRIVE`, without detections."""
        self.phase = ShuttlePhase.DRIVE
        self._odometer, self._last, self._acquired = 0.0, Time(0), Time(-1)
        self._line, self._obstacle = Landmark(WINDOW, BLIND), Obstacle(self.clear)
        self._curvature = CurvatureMap(self.preview)

    def step(
        self, state: VehicleState, lane: Lane | None, now: Time, permit: Target | None = None
    ) -> VehicleCommand | None:
        """Return the command of this period; None to stop or to stay parked."""
        self._odometer += state.speed * (now - self._last) / SECOND
        self._last = now
        if lane is not None and not _finite(lane):
            # An obstacle at a distance that is no number is no free road.
            lane = None
        if lane is not None and lane.score >= SCORE_LEAST and lane.acquired > self._acquired:
            self._acquired = lane.acquired
            odometer = self._odometer - state.speed * (now - lane.acquired) / SECOND
            self._line.observe(odometer, lane.stop_line)
            self._obstacle.observe(odometer, lane.obstacle, lane.acquired)
            self._curvature.observe(odometer, lane.curvature)
        if permit is None and "permit" in self.wired:
            return None
        if self.phase is ShuttlePhase.PARK:
            return self._park(state)
        if self.phase is ShuttlePhase.DONE or lane is None or not lane.score >= SCORE_LEAST:
            return None
        return self._drive(state, lane, now)

    def _drive(self, state: VehicleState, lane: Lane, now: Time) -> VehicleCommand | None:
        age = (now - lane.acquired) / SECOND
        ahead = self.lookahead + LOOKAHEAD_TIME * state.speed
        # The curvature where it is once its wheels have turned, not the one detected further ahead.
        here = replace(lane, curvature=self._curvature.at(self._odometer + STEERING_LAG * state.speed))
        here = propagated(here, state.speed * age, state.yaw_rate * age)
        bend = max(abs(lane.curvature), abs(here.curvature), 1e-6)
        ends = (
            self._free(self._line.distance(self._odometer), self.gap),
            self._free(self._obstacle.distance(self._odometer), self.distance),
        )
        speed = min(self.cruise, math.sqrt(self.lateral / bend), *(self._stoppable(end, state.speed) for end in ends))
        at_line, at_obstacle = (end <= self.gap / 2 for end in ends)
        stands = abs(state.speed) < STANDSTILL_SPEED
        if stands and at_line:
            self.phase = ShuttlePhase.PARK
            return self._park(state)
        self.phase = ShuttlePhase.WAIT if stands and at_obstacle else ShuttlePhase.DRIVE
        return VehicleCommand(
            speed=speed,
            # When braking, the falling speed itself sets the deceleration, and the guard limits it.
            acceleration=self.acceleration if speed > state.speed else None,
            steering=steering(here, ahead, self.wheelbase),
        )

    def _park(self, state: VehicleState) -> VehicleCommand | None:
        if state.gear == "P":
            self.phase = ShuttlePhase.DONE
            return None
        return VehicleCommand(speed=0.0, steering=0.0, gear="P")

    def _free(self, distance: float | None, gap: float) -> float:
        """Return the distance that may still be driven before a landmark [m]."""
        return math.inf if distance is None else distance - self.nose - gap

    def _stoppable(self, distance: float, speed: float) -> float:
        """Return the highest speed from which it stops within a distance, if it drives at a speed now [m/s]."""
        # The lag takes the place of the control period here, so this is the rule of continuous time.
        left = distance - speed * self.lag
        return math.sqrt(2.0 * self.braking * left) if left > 0.0 else 0.0


def _finite(lane: Lane) -> bool:
    """Return whether all numbers of a shuttle's lane are finite."""
    numbers = (lane.offset, lane.heading, lane.curvature, lane.obstacle, lane.stop_line, lane.score)
    return all(number is None or math.isfinite(number) for number in numbers)
