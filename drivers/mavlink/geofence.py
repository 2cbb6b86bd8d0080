"""A geofence around where a vehicle starts: a circle or a polygon, and a ceiling."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from embodied.messages import Vector


@dataclass(frozen=True, slots=True)
class Geofence:
    """Where a vehicle may be, in the local frame: metres east and north of its origin.

    Attributes:
        radius: of a circle about the origin [m]; 0 where there is a polygon.
        polygon: its corners, east and north [m]; empty where there is a circle.
        altitude: above home at most [m].
    """

    altitude: float
    radius: float = 0.0
    polygon: tuple[tuple[float, float], ...] = ()

    def wrong(self) -> Iterator[str]:
        """Why it is no fence, a sentence each."""
        if not 0 < self.altitude < math.inf:
            yield f"the geofence's altitude is {self.altitude} m, and it is above 0 and finite"
        if bool(self.polygon) == bool(self.radius):
            yield "a geofence has a radius or a polygon, one of both"
        if not 0 <= self.radius < math.inf:
            yield f"the geofence's radius is {self.radius} m, and it is above 0 and finite"
        if not self.polygon:
            return
        if len(self.polygon) < 3:
            yield f"the geofence's polygon has {len(self.polygon)} corners, and at least 3 make one"
        elif any(len(corner) != 2 or not all(map(math.isfinite, corner)) for corner in self.polygon):
            yield f"the geofence's polygon is {list(self.polygon)}: each corner is two finite numbers, east and north"
        elif any(_cross(*a, *b) for a, b in combinations(self._edges(), 2)):
            yield "the geofence's polygon crosses itself"

    def holds(self, east: float, north: float, up: float) -> bool:
        """Whether a place is inside [m]; what is not finite is not."""
        if not up <= self.altitude:
            return False
        if not self.polygon:
            return math.hypot(east, north) <= self.radius
        if not (math.isfinite(east) and math.isfinite(north)):
            return False
        inside = False
        for (x0, y0), (x1, y1) in self._edges():
            if (y0 > north) != (y1 > north) and east < x0 + (north - y0) * (x1 - x0) / (y1 - y0):
                inside = not inside
        return inside

    def allows(self, place: Vector) -> bool:
        """The same of a vector, shape (3,) [m]."""
        return self.holds(*map(float, place))

    def _edges(self) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        return list(zip(self.polygon, (*self.polygon[1:], self.polygon[0]), strict=True))


def _cross(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float], d: tuple[float, float]) -> bool:
    """Whether two edges cross between their ends."""
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
