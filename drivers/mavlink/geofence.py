"""Geofence of a vehicle: a circle or a polygon in the local frame, and a ceiling."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from embodied.ranges import at_least, positive


@dataclass(frozen=True, slots=True)
class Geofence:
    """Geofence in which a vehicle may fly, in metres east and north of its local origin.

    Attributes:
        altitude: greatest height above home [m].
        radius: radius of a circle about the origin [m]; 0 if there is a polygon.
        polygon: corners of a polygon, east and north [m]; empty if there is a circle.
    """

    altitude: float
    radius: float = 0.0
    polygon: tuple[tuple[float, float], ...] = ()

    def problems(self) -> Iterator[str]:
        """Yield a sentence for each reason why this is no valid geofence."""
        yield from (f"the geofence's {problem}" for problem in positive("m").problems(altitude=self.altitude))
        if bool(self.polygon) == bool(self.radius):
            yield "a geofence must have a radius or a polygon, one of both"
        yield from (f"the geofence's {problem}" for problem in at_least(0, "m").problems(radius=self.radius))
        if not self.polygon:
            return
        if len(self.polygon) < 3:
            yield f"the geofence's polygon must have at least 3 corners, got {len(self.polygon)}"
        elif any(len(corner) != 2 or not all(map(math.isfinite, corner)) for corner in self.polygon):
            yield f"each corner of the geofence must be two finite numbers, east and north, got {list(self.polygon)}"
        elif any(_cross(*a, *b) for a, b in combinations(self._edges(), 2)):
            yield "the geofence's polygon crosses itself"

    def contains(self, east: float, north: float, up: float) -> bool:
        """Return whether a place is inside [m]; one that is not finite is not."""
        if not up <= self.altitude:
            return False
        if not self.polygon:
            return math.hypot(east, north) <= self.radius
        if not (math.isfinite(east) and math.isfinite(north)):
            return False
        # Even-odd rule: a ray to the east crosses the edges an odd number of times from inside.
        inside = False
        for (x0, y0), (x1, y1) in self._edges():
            if (y0 > north) != (y1 > north) and east < x0 + (north - y0) * (x1 - x0) / (y1 - y0):
                inside = not inside
        return inside

    def _edges(self) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        return list(zip(self.polygon, (*self.polygon[1:], self.polygon[0]), strict=True))


def _cross(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float], d: tuple[float, float]) -> bool:
    """Return whether two edges cross between their ends."""
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
