"""Speed and separation: an arm is only as fast as lets it rest before a person can reach it.

From the moment when a person was measured at some distance, until the arm rests, the person comes nearer by their own
speed, and the arm moves on. What both take together, with a margin, is the protective distance of a motion (the idea of
ISO/TS 15066, 5.5.4):

    S = human · (age + reaction + stop time) + speed · reaction + stopping distance + margin

Stop time and stopping distance are those of the very motion that is about to be made, by the arm's own limits. Slowed
to a share s of its velocities, its speed and stop time shrink with s and its stopping distance with s², so the largest
share that fits into a distance is the root of a quadratic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from embodied.clock import SECOND, Time
from embodied.guards.joint_limiter import Limiter, Motion
from embodied.messages import Separation
from embodied.node.ports import Stamped
from embodied.robot import Chain

_UNDER = 0.999
"""Aimed at below what is allowed: within a period, joints turn a straight line into an arc."""


@dataclass(frozen=True, slots=True)
class Zone:
    """What is known of the people around an arm, and of the sensor that sees them.

    Attributes:
        reaction: from when a person is where they are measured, until the arm begins to brake: the sensor, its wires,
            a period of the guard, the drive. How old a message is when the guard reads it counts on top [s].
        margin: what is left between them when the arm rests, with the error of the sensor and of the arm [m].
        human: how fast a person comes nearer, 1.6 m/s unless it is measured (ISO 13855) [m/s].
    """

    reaction: float
    margin: float
    human: float = 1.6

    def check(self, period: float) -> Iterator[str]:
        """What makes no sense, a sentence each, for a guard with this period [s]."""
        if not period <= self.reaction < math.inf:
            yield f"zone.reaction = {self.reaction} s is no reaction time: the guard alone takes {period:.4g} s"
        if not 0.0 <= self.margin < math.inf:
            yield f"zone.margin = {self.margin} m is no distance"
        if not 0.0 < self.human < math.inf:
            yield f"zone.human = {self.human} m/s is not above 0: who never comes nearer needs no zone"

    def least(self, age: float = 0.0) -> float:
        """The protective distance of an arm that stands, within which it may not begin to move [m].

        Args:
            age: of the measurement [s].
        """
        return self.human * (age + self.reaction) + self.margin


@dataclass(frozen=True, slots=True)
class Stopping:
    """A motion, and how it ends if it is braked.

    Attributes:
        speed: of the fastest part of the arm [m/s].
        time: until the arm rests [s].
        distance: how far a part of it still gets, at most [m].
    """

    speed: float
    time: float
    distance: float

    @classmethod
    def of(cls, limiter: Limiter, chain: Chain, state: Motion, moved: Motion) -> Stopping:
        """That of one period, which brings an arm from `state` to `moved`."""
        points = chain.points(np.array((state.position, moved.position, limiter.stopped_at(moved))))
        made, left = np.max(np.linalg.norm(np.diff(points, axis=0), axis=2), axis=1)
        return cls(float(made) / limiter.period, limiter.stop_time(moved), float(left))


@dataclass(frozen=True, slots=True)
class Pace:
    """What an arm may do in one period.

    Attributes:
        speed: of its fastest part, at most [m/s].
        zone: None: nobody's distance is measured.
        distance: of the nearest person [m].
        age: of that measurement [s].
    """

    speed: float = math.inf
    zone: Zone | None = None
    distance: float = math.inf
    age: float = 0.0

    @classmethod
    def of(cls, speed: float, zone: Zone | None, separation: Stamped[Separation] | None, now: Time) -> Pace:
        """That of a guard.

        Args:
            speed: its own limit [m/s].
            zone: its zone.
            separation: what was measured last; None: nothing is.
            now: the time [ns].
        """
        if separation is None:
            return cls(speed)
        said = separation.value
        limit = speed if said.speed is None else min(speed, said.speed)
        if said.distance is None:
            return cls(limit)
        return cls(limit, zone, said.distance, (now - separation.stamp) / SECOND)

    def refusal(self) -> str:
        """Why nothing may move; empty: something may."""
        if not self.speed > 0.0:
            return f"the speed that is allowed is {self.speed:.4g} m/s"
        if self.zone is not None and not self.distance > self.zone.least(self.age):
            least = self.zone.least(self.age)
            return f"a person is at {self.distance:.4g} m, and nothing moves within {least:.4g} m"
        return ""

    def share(self, stopping: Stopping) -> float:
        """The largest share of a motion that is allowed, 0 to 1."""
        return min(1.0, self._by_speed(stopping), self._by_distance(stopping))

    def _by_speed(self, stopping: Stopping) -> float:
        if not self.speed > 0.0:
            return 0.0
        return self.speed / stopping.speed if stopping.speed > 0.0 else math.inf

    def _by_distance(self, stopping: Stopping) -> float:
        if self.zone is None:
            return math.inf
        room = self.distance - self.zone.least(self.age)
        if not room > 0.0:
            return 0.0
        linear = self.zone.human * stopping.time + stopping.speed * self.zone.reaction
        root = linear + math.sqrt(linear * linear + 4.0 * stopping.distance * room)
        return 2.0 * room / root if root > 0.0 else math.inf

    def slowed(self, limiter: Limiter, chain: Chain, state: Motion, moved: Motion) -> tuple[Motion, tuple[str, ...]]:
        """A motion of one period, made slower until it is allowed.

        Returns:
            the motion, which is full braking if the arm cannot be slow enough in one period; and what was clipped.
        """
        if self.speed == math.inf and self.zone is None:
            return moved, ()
        first = Stopping.of(limiter, chain, state, moved)
        share = self.share(first)
        if share >= 1.0:
            return moved, ()
        why = f"speed {first.speed:.4g} clipped to {share * first.speed:.4g} m/s"
        if self._by_distance(first) < self._by_speed(first):
            why += f", a person is at {self.distance:.4g} m"
        for _ in range(3):
            moved, _ = limiter.drive(state, _UNDER * share * moved.velocity)
            share = self.share(Stopping.of(limiter, chain, state, moved))
            if share >= 1.0:
                return moved, (why,)
        return limiter.brake(state), (why,)


def doubt(said: Separation) -> str:
    """Why what a sensor says cannot be believed; empty: it can."""
    given = {"distance": said.distance, "speed": said.speed}
    if said.distance is None and said.speed is None:
        return "separation gives neither a distance nor a speed"
    for name, value in given.items():
        if value is not None and not 0.0 <= value < math.inf:
            return f"separation gives the {name} {value}, which is none"
    return ""
