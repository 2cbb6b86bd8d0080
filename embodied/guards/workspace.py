"""A box that the tool centre may not leave, neither now nor by the time the arm could stop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from embodied.messages.schema import Vector


@dataclass(frozen=True, slots=True)
class Box:
    """Two opposite corners, in the base frame [m]."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def empty(self) -> bool:
        """Whether nothing is inside."""
        return not all(low < high for low, high in zip(self.low, self.high, strict=True))

    def depth(self, point: Vector) -> float:
        """How far outside a point is [m], 0 inside."""
        return float(max(np.max(self.low - point), np.max(point - self.high), 0.0))

    def left(self, was: Vector, ahead: Iterable[Vector]) -> Vector | None:
        """The first point ahead to which the tool may not go.

        Args:
            was: where the tool is, shape (3,) [m].
            ahead: where it would be, one point after the other, each of shape (3,) [m].

        Returns:
            shape (3,) [m]; None if it may go on.
        """
        outside = self.depth(was)
        for point in ahead:
            depth = self.depth(point)
            # Already outside, as after being moved by hand: the way back in stays open.
            if depth > 0.0 and depth >= outside:
                return point
        return None
