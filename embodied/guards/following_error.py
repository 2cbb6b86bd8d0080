"""Following error: a body that does not go where its set-point goes is blocked, stopped or moved by somebody else.

A set-point that runs ahead of such a body is a jump that waits for it: it happens the moment a brake, a pendant or a
hand lets go. (IEC 61800-7-201, object 6065h: following error window.)
"""

from __future__ import annotations

import numpy as np

from embodied.messages.schema import Vector

LAG_MEMORY = 1.0
"""Time constant with which a lag behind commanded velocities is forgotten [s]."""


class FollowingError:
    """Monitor of the distance between a set-point and the measured body.

    Args:
        limit: distance from which on the body does not follow.
        unit: of the distance, for people.
        periods: consecutive periods beyond the limit that are a reason to stop; one alone may be a bad measurement.

    Attributes:
        refusal: why nobody is followed in this period; empty while the body follows.
    """

    def __init__(self, limit: float, unit: str, periods: int) -> None:
        self.limit = limit
        self.unit = unit
        self.periods = periods
        self.refusal = ""
        self._count = 0

    def update(self, name: str, distance: float) -> None:
        """Compare the distance of one period.

        Args:
            name: what is that far from its set-point, for people.
            distance: distance from the set-point, at least 0.
        """
        self.refusal = ""
        if distance > self.limit:
            limit = f"{self.limit:.4g} {self.unit}"
            self.refusal = f"{name} is {distance:.4g} {self.unit} from its set-point, over its limit of {limit}"
        self._count = self._count + 1 if self.refusal else 0

    def reset(self) -> None:
        """Begin again, as there is no set-point or no measurement to compare it with."""
        self.refusal = ""
        self._count = 0

    @property
    def cause(self) -> str:
        """Reason to stop; empty if there is none."""
        return self.refusal if self._count >= self.periods else ""


class VelocityLag:
    """Lag of joints behind their commanded velocities: the way that they should have gone and did not.

    Args:
        fastest: highest velocity of each joint, shape (n,) [rad/s]. What goes further in one period than twice that was
            moved by somebody else, or measured wrongly, and is no lag.
        period: control period [s].
    """

    def __init__(self, fastest: Vector, period: float) -> None:
        self.period = period
        self._way_most = 2.0 * fastest * period
        self._lag: Vector = np.zeros_like(fastest)
        self._before: Vector | None = None

    def forget(self) -> None:
        """Begin again, where the joints are measured next."""
        self._lag = np.zeros_like(self._lag)
        self._before = None

    def update(self, velocity: Vector, position: Vector) -> Vector:
        """Return the lag after one more period.

        Args:
            velocity: velocities that were commanded for it, shape (n,) [rad/s].
            position: measured positions at its end, shape (n,) [rad].
        """
        if self._before is not None:
            moved = np.minimum(np.maximum(position - self._before, -self._way_most), self._way_most)
            self._lag = self._lag * (1.0 - self.period / LAG_MEMORY) + velocity * self.period - moved
        self._before = position.copy()
        return self._lag
