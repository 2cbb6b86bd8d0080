"""Zones of the virtual autopilot's geofence: circles and polygons to stay inside of, or to stay out of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pymavlink.dialects.v20 import common

from drivers.mavlink.coordinates import Origin
from drivers.mavlink.geofence import Geofence
from drivers.mavlink.mission import Item, local_position

POLYGONS = {
    common.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION: True,
    common.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION: False,
}
"""Whether to stay inside, by the command of a polygon's corners."""

CIRCLES = {
    common.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION: True,
    common.MAV_CMD_NAV_FENCE_CIRCLE_EXCLUSION: False,
}
"""Whether to stay inside, by the command of a circle."""


@dataclass(frozen=True, slots=True)
class Zone:
    """Zone of a vehicle's geofence.

    Attributes:
        inside: whether to stay inside of it, or out of it.
        polygon: corners, east and north [m]; empty for a circle.
        centre: centre of the circle, east and north [m].
        radius: radius of the circle [m].
    """

    inside: bool
    polygon: tuple[tuple[float, float], ...] = ()
    centre: tuple[float, float] = (0.0, 0.0)
    radius: float = 0.0

    def contains(self, east: float, north: float) -> bool:
        """Return whether a place is in this zone [m]."""
        if not self.polygon:
            return math.hypot(east - self.centre[0], north - self.centre[1]) <= self.radius
        return Geofence(math.inf, polygon=self.polygon).contains(east, north, 0.0)


@dataclass(frozen=True, slots=True)
class Zones:
    """Geofence of several zones: inside one of those to stay inside of, and out of all others."""

    zones: tuple[Zone, ...]

    def contains(self, east: float, north: float, up: float) -> bool:  # noqa: ARG002 (the ceiling is a parameter)
        """Return whether a place is allowed at any height [m]."""
        within = [zone.contains(east, north) for zone in self.zones if zone.inside]
        return (not within or any(within)) and not any(
            zone.contains(east, north) for zone in self.zones if not zone.inside
        )


def zones_from_items(items: Sequence[Item], origin: Origin) -> Zones | None:
    """Decode the zones in some items of the mission protocol; None if there are none.

    Args:
        items: items of a plan.
        origin: origin of the local frame.

    Raises:
        ValueError: an item is no part of a fence, is not finite, or belongs to a polygon without all of its corners.
    """
    zones = tuple(_zones(items, origin))
    return Zones(zones) if zones else None


def _zones(items: Sequence[Item], origin: Origin) -> Iterator[Zone]:
    left = list(items)
    while left:
        item = left.pop(0)
        size = item.parameters[0]
        if not math.isfinite(size):
            raise ValueError("a fence that is not finite")
        place = local_position(item, origin)
        if item.command in CIRCLES and size >= 0:
            # Clients send a circle without a radius for none.
            if size:
                yield Zone(CIRCLES[item.command], centre=place, radius=size)
        elif item.command in POLYGONS and size >= 3 and len(left) >= size - 1:
            corners, left = left[: int(size) - 1], left[int(size) - 1 :]
            if any((corner.command, corner.parameters[0]) != (item.command, size) for corner in corners):
                raise ValueError("a polygon of another number of corners")
            yield Zone(POLYGONS[item.command], (place, *(local_position(corner, origin) for corner in corners)))
        else:
            raise ValueError("neither circles nor polygons of three or more corners")
