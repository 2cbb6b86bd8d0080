"""Speed and separation monitoring (ISO/TS 15066 5.5.4): limit arm speed so that it stops before a person can reach it.

From the measurement of a person's distance until the arm rests, the person approaches and the arm moves on. Both ways
together, plus a margin, are the protective separation distance of a motion:

    S = human · (age + reaction + stop time) + speed · reaction + stopping distance + margin

Stop time and stopping distance are those of the motion about to be made, by the arm's own limits. Slowed to a fraction
s of its velocities, the arm's speed and stop time shrink with s and its stopping distance with s², so the largest
fraction that fits into a distance is the root of a quadratic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from embodied.clock import SECOND, Time
from embodied.guards.joint_limiter import JointLimiter, JointSetpoint
from embodied.messages import Separation
from embodied.node.ports import Stamped
from embodied.ranges import at_least, positive
from embodied.robot import Chain

_AIM = 0.999
"""Fraction of the allowed speed that is aimed at: within a period, joints turn a straight line into an arc."""

_DISTANCES = at_least(0, "m")
"""Plausible distances of a person."""

_SPEEDS = at_least(0, "m/s")
"""Plausible speed limits from a sensor."""


@dataclass(frozen=True, slots=True)
class ProtectiveDistance:
    """Parameters of the protective separation distance: people near the arm, and the sensor that detects them.

    Attributes:
        reaction: time from a person's measured position until the arm begins to brake: sensor, transport, a period of
            the guard, drive. The age of a message when the guard reads it counts on top [s].
        margin: distance that must be left when the arm rests, with the errors of sensor and arm [m].
        human: approach speed of a person; 1.6 m/s unless measured (ISO 13855) [m/s].
    """

    reaction: float
    margin: float
    human: float = 1.6

    def check(self, period: float) -> Iterator[str]:
        """Check the parameters, for a guard with a control period [s]."""
        for problem in at_least(period, "s").problems(**{"zone.reaction": self.reaction}):
            yield f"{problem}; the guard alone takes {period:.4g} s"
        yield from at_least(0, "m").problems(**{"zone.margin": self.margin})
        yield from positive("m/s").problems(**{"zone.human": self.human})

    def at_rest(self, age: float = 0.0) -> float:
        """Return the protective distance of an arm at rest, within which it may not begin to move [m].

        Args:
            age: age of the distance measurement [s].
        """
        return self.human * (age + self.reaction) + self.margin


@dataclass(frozen=True, slots=True)
class StoppingPerformance:
    """Stopping performance for speed and separation monitoring: speed of a motion, time and distance until it stops.

    Attributes:
        speed: speed of the fastest part of the arm [m/s].
        time: duration of full braking until the arm rests [s].
        distance: distance that any part of the arm still travels, at most [m].
    """

    speed: float
    time: float
    distance: float

    @classmethod
    def of(
        cls, limiter: JointLimiter, chain: Chain, setpoint: JointSetpoint, moved: JointSetpoint
    ) -> StoppingPerformance:
        """Return the performance of a motion that takes one period from `setpoint` to `moved`."""
        points = chain.points(np.array((setpoint.position, moved.position, limiter.stopped_at(moved))))
        travelled, stopping = np.max(np.linalg.norm(np.diff(points, axis=0), axis=2), axis=1)
        return cls(float(travelled) / limiter.period, limiter.stop_time(moved), float(stopping))


@dataclass(frozen=True, slots=True)
class SpeedLimit:
    """Speed limit of an arm for one control period, fixed or from the separation of a person.

    Attributes:
        speed: limit for the fastest part of the arm [m/s].
        zone: parameters of the protective distance; None if no distance is measured.
        distance: distance of the nearest person [m].
        age: age of the distance measurement [s].
    """

    speed: float = math.inf
    zone: ProtectiveDistance | None = None
    distance: float = math.inf
    age: float = 0.0

    @classmethod
    def of(
        cls, speed: float, zone: ProtectiveDistance | None, separation: Stamped[Separation] | None, now: Time
    ) -> SpeedLimit:
        """Return the limit of a guard.

        Args:
            speed: fixed limit of the guard [m/s].
            zone: parameters of the protective distance.
            separation: newest measurement; None if there is none.
            now: current time [ns].
        """
        if separation is None:
            return cls(speed)
        measured = separation.value
        limit = speed if measured.speed is None else min(speed, measured.speed)
        if measured.distance is None:
            return cls(limit)
        # A scanner that is stuck sends an old measurement with a fresh stamp.
        age = now - min(separation.stamp, measured.acquired)
        return cls(limit, zone, measured.distance, age / SECOND)

    def refusal(self) -> str:
        """Return why nothing may move; empty if something may."""
        if not self.speed > 0.0:
            return f"the speed limit is {self.speed:.4g} m/s"
        if self.zone is not None and not self.distance > self.zone.at_rest(self.age):
            least = self.zone.at_rest(self.age)
            return f"a person is at {self.distance:.4g} m, and nothing moves within {least:.4g} m"
        return ""

    def fraction(self, performance: StoppingPerformance) -> float:
        """Return the largest fraction of a motion's velocities that is allowed, in [0, 1]."""
        return min(1.0, self._by_speed(performance), self._by_distance(performance))

    def _by_speed(self, performance: StoppingPerformance) -> float:
        if not self.speed > 0.0:
            return 0.0
        return self.speed / performance.speed if performance.speed > 0.0 else math.inf

    def _by_distance(self, performance: StoppingPerformance) -> float:
        if self.zone is None:
            return math.inf
        available = self.distance - self.zone.at_rest(self.age)
        if not available > 0.0:
            return 0.0
        # Solve stopping distance · s² + linear · s = available, in the form that does not cancel.
        linear = self.zone.human * performance.time + performance.speed * self.zone.reaction
        root = linear + math.sqrt(linear * linear + 4.0 * performance.distance * available)
        return 2.0 * available / root if root > 0.0 else math.inf

    def slow_down(
        self, limiter: JointLimiter, chain: Chain, setpoint: JointSetpoint, moved: JointSetpoint
    ) -> tuple[JointSetpoint, tuple[str, ...]]:
        """Slow a motion of one period down until it is allowed.

        Args:
            limiter: joint limits of the arm.
            chain: kinematic chain of the arm.
            setpoint: set-point of the last period.
            moved: set-point that the motion leads to.

        Returns:
            the next set-point, by full braking if the arm cannot be slow enough in one period; and what was clipped.
        """
        if self.speed == math.inf and self.zone is None:
            return moved, ()
        first = StoppingPerformance.of(limiter, chain, setpoint, moved)
        fraction = self.fraction(first)
        if fraction >= 1.0:
            return moved, ()
        clip = f"speed {first.speed:.4g} clipped to {fraction * first.speed:.4g} m/s"
        if self._by_distance(first) < self._by_speed(first):
            clip += f", a person is at {self.distance:.4g} m"
        for _ in range(3):
            moved, _ = limiter.drive(setpoint, _AIM * fraction * moved.velocity)
            fraction = self.fraction(StoppingPerformance.of(limiter, chain, setpoint, moved))
            if fraction >= 1.0:
                return moved, (clip,)
        return limiter.brake(setpoint), (clip,)


def separation_problem(separation: Separation) -> str:
    """Return why a measured separation is implausible, as a sentence; empty if it is plausible."""
    if separation.distance is None and separation.speed is None:
        return "separation must have a distance or a speed, got neither"
    values = (("distance", _DISTANCES, separation.distance), ("speed", _SPEEDS, separation.speed))
    for name, plausible, value in values:
        if value is not None and value not in plausible:
            return f"separation.{name} must be {plausible}, got {value}"
    return ""
