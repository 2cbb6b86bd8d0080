"""Wind over open ground: a steady part and gusts, together never stronger than stated."""

from __future__ import annotations

import math

import numpy as np

GUST_TIME = 2.0
"""Correlation time of the turbulence [s]."""

VERTICAL_SHARE = 0.15
"""Vertical strength of the gusts near the ground, as a share of the horizontal."""


class Wind:
    """Velocity of the air, the same everywhere: an Ornstein-Uhlenbeck process about a steady wind.

    Args:
        most: largest speed, gusts included [m/s].
        rate: steps per second [Hz].
        rng: random numbers of the wind.

    Attributes:
        velocity: velocity of the air, shape (3,) [m/s].
        steady: mean velocity, shape (3,) [m/s].
    """

    def __init__(self, most: float, rate: float, rng: np.random.Generator) -> None:
        speed, direction = most * rng.uniform(0.2, 0.8), rng.uniform(-math.pi, math.pi)
        self.steady = speed * np.array([math.cos(direction), math.sin(direction), 0.0])
        self._most = most
        self._rng = rng
        spread = (most - speed) / 2
        self._decay = math.exp(-1.0 / (rate * GUST_TIME))
        self._noise = math.sqrt(1.0 - self._decay**2) * spread * np.array([1.0, 1.0, VERTICAL_SHARE])
        self._gust = np.zeros(3)
        self.velocity = self.steady

    def step(self) -> None:
        """Advance by one step: the gust decays and is excited at random, and the sum is limited."""
        self._gust = self._decay * self._gust + self._noise * self._rng.standard_normal(3)
        air = self.steady + self._gust
        speed = math.sqrt(float(air @ air))
        self.velocity = air if speed <= self._most else air * (self._most / speed)
