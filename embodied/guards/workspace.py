"""Workspace box: an axis-aligned region that a tool or a drone must not leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from embodied.messages.schema import Vector


@dataclass(frozen=True, slots=True)
class Box:
    """Workspace box, axis-aligned, between two opposite corners [m]."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def empty(self) -> bool:
        """Return whether the box has no inside."""
        return not all(low < high for low, high in zip(self.low, self.high, strict=True))

    def depth(self, point: Vector) -> float:
        """Return how far a point is outside the box, along the worst axis; 0 inside [m]."""
        return float(max(np.max(self.low - point), np.max(point - self.high), 0.0))

    def first_outside(self, start: Vector, path: Iterable[Vector]) -> Vector | None:
        """Return the first point of a path that the tool must not enter, shape (3,) [m]; None if there is none.

        Args:
            start: position of the tool now, shape (3,) [m].
            path: positions after it, in order, each of shape (3,) [m].
        """
        outside = self.depth(start)
        for point in path:
            depth = self.depth(point)
            # From outside, as after being moved by hand, the way back in stays open.
            if depth > 0.0 and depth >= outside:
                return point
        return None
