"""Wind over a field: a steady part, and gusts that come and go; together never stronger than stated."""

from __future__ import annotations

import math

import numpy as np

GUST = 2.0  # how long one lasts, the correlation time of the turbulence [s]
UPWARDS = 0.15  # of the gusts' strength, near the ground


class Wind:
    """The air over a field, the same everywhere.

    Args:
        most: it is never faster [m/s].
        rate: steps per second [Hz].
        rng: decides it.

    Attributes:
        velocity: of the air now, shape (3,) [m/s].
        steady: what it strays about, shape (3,) [m/s].
    """

    def __init__(self, most: float, rate: float, rng: np.random.Generator) -> None:
        speed, way = most * rng.uniform(0.2, 0.8), rng.uniform(-math.pi, math.pi)
        self.steady = speed * np.array([math.cos(way), math.sin(way), 0.0])
        self._most = most
        self._rng = rng
        spread = (most - speed) / 2
        self._stay = math.exp(-1.0 / (rate * GUST))
        self._stir = math.sqrt(1.0 - self._stay**2) * spread * np.array([1.0, 1.0, UPWARDS])
        self._gust = np.zeros(3)
        self.velocity = self.steady

    def step(self) -> None:
        """Go on by one step: an Ornstein-Uhlenbeck process about the steady wind."""
        self._gust = self._stay * self._gust + self._stir * self._rng.standard_normal(3)
        air = self.steady + self._gust
        speed = math.sqrt(float(air @ air))
        self.velocity = air if speed <= self._most else air * (self._most / speed)
