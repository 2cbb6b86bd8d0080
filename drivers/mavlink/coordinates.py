"""Conversion of coordinates between MAVLink and a graph, and between the local frame and the globe.

MAVLink counts north, east, down and forward, right, down; a graph east, north, up and forward, left, up. Each
conversion of axes is its own inverse, so one function serves both directions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.messages import Vector

EARTH_RADIUS = 6_371_000.0
"""Radius of the sphere that PX4 projects onto [m]."""

_HALF = math.sqrt(0.5)


def world_axes(vector: Vector) -> Vector:
    """Convert a vector between east, north, up and north, east, down; shape (3,)."""
    return np.array([vector[1], vector[0], -vector[2]], dtype=np.float64)


def body_axes(vector: Vector) -> Vector:
    """Convert a vector between forward, left, up and forward, right, down; shape (3,)."""
    return np.array([vector[0], -vector[1], -vector[2]], dtype=np.float64)


def attitude(quaternion: Vector) -> Vector:
    """Convert a quaternion (x, y, z, w) of a body between both pairs of axes: ENU and FLU, NED and FRD."""
    x, y, z, w = quaternion
    return _HALF * np.array([x + y, x - y, w - z, w + z])


def heading(yaw: float) -> float:
    """Convert an angle between yaw (from east to the left) and heading (from north to the right); in ±π [rad]."""
    return math.remainder(math.pi / 2 - yaw, math.tau)


@dataclass(frozen=True, slots=True)
class Origin:
    """Origin of the local frame on the globe, to convert coordinates both ways: exact to 1 cm within 1 km.

    Attributes:
        latitude, longitude: place of the origin [deg].
        altitude: height of the origin above mean sea level [m].
    """

    latitude: float
    longitude: float
    altitude: float

    def geodetic(self, east: float, north: float) -> tuple[float, float]:
        """Return latitude and longitude [deg] of a place in the local frame [m]."""
        scale = EARTH_RADIUS * math.cos(math.radians(self.latitude))
        return self.latitude + math.degrees(north / EARTH_RADIUS), self.longitude + math.degrees(east / scale)

    def local(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Return east and north [m] of a place on the globe [deg]."""
        scale = EARTH_RADIUS * math.cos(math.radians(self.latitude))
        return scale * math.radians(longitude - self.longitude), EARTH_RADIUS * math.radians(latitude - self.latitude)
