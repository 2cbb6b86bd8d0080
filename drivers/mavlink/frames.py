"""Axes: MAVLink counts north, east, down and forward, right, down; a graph east, north, up and forward, left, up.

Each of these maps is its own inverse, so that one function goes both ways.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.messages import Vector

EARTH = 6_371_000.0
"""Radius of the sphere that PX4 projects onto [m]."""

_HALF = math.sqrt(0.5)


def world_axes(vector: Vector) -> Vector:
    """East, north, up to north, east, down, and back; shape (3,)."""
    return np.array([vector[1], vector[0], -vector[2]], dtype=np.float64)


def body_axes(vector: Vector) -> Vector:
    """Forward, left, up to forward, right, down, and back; shape (3,)."""
    return np.array([vector[0], -vector[1], -vector[2]], dtype=np.float64)


def attitude(quaternion: Vector) -> Vector:
    """Of a body in its world (x, y, z, w): forward, left, up in east, north, up to the other pair, and back."""
    x, y, z, w = quaternion
    return _HALF * np.array([x + y, x - y, w - z, w + z])


def heading(yaw: float) -> float:
    """From east, counted to the left, to from north, counted to the right, and back; within ±π [rad]."""
    return math.remainder(math.pi / 2 - yaw, math.tau)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where on earth the local frame begins; the earth is a plane from there, good to a centimetre within a kilometre.

    Attributes:
        latitude, longitude: [deg].
        altitude: above mean sea level [m].
    """

    latitude: float
    longitude: float
    altitude: float

    def globe(self, east: float, north: float) -> tuple[float, float]:
        """Latitude and longitude [deg] of a place [m]."""
        scale = EARTH * math.cos(math.radians(self.latitude))
        return self.latitude + math.degrees(north / EARTH), self.longitude + math.degrees(east / scale)

    def local(self, latitude: float, longitude: float) -> tuple[float, float]:
        """East and north [m] of a place [deg]."""
        scale = EARTH * math.cos(math.radians(self.latitude))
        return scale * math.radians(longitude - self.longitude), EARTH * math.radians(latitude - self.latitude)
