"""Targets of the virtual autopilot's modes: set-points of a client, sticks of a pilot, and circles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.messages import DroneCommand, Vector

OPEN = np.full(3, math.nan)
"""Vector whose three axes are left open."""


@dataclass(frozen=True, slots=True)
class Target:
    """Set-point of offboard mode in the local frame; an axis that it leaves open is NaN.

    Attributes:
        position: position to fly to, shape (3,) [m].
        velocity: velocity to fly with, shape (3,) [m/s].
        yaw: yaw from east [rad]; None leaves it as it is.
        yaw_rate: rate of the yaw, to the left [rad/s]; it counts without a yaw.
    """

    position: Vector
    velocity: Vector
    yaw: float | None = None
    yaw_rate: float | None = None

    @classmethod
    def of(cls, command: DroneCommand) -> Target:
        """Return the set-point of a drone command."""
        position = OPEN if command.position is None else command.position
        return cls(position, OPEN if command.velocity is None else command.velocity, command.yaw)

    @property
    def empty(self) -> bool:
        """Whether it leaves all axes open."""
        return bool(np.isnan(self.position).all() and np.isnan(self.velocity).all())


@dataclass(frozen=True, slots=True)
class AttitudeTarget:
    """Set-point of offboard mode for the attitude itself, or for the angular rates.

    Attributes:
        orientation: quaternion (x, y, z, w) of the body, forward, left, up, in the local frame; None for rates.
        rates: angular rates about the body's axes, shape (3,) [rad/s]; they count without an orientation.
        thrust: thrust as a share of the greatest, of which `MPC_THR_HOVER` carries the weight, 0 to 1.
    """

    orientation: Vector | None
    rates: Vector
    thrust: float


@dataclass(frozen=True, slots=True)
class Sticks:
    """Sticks of a pilot: each in ±1, and 0 in the middle.

    Attributes:
        forward, left, up, turn: what the sticks command in position mode.
    """

    forward: float
    left: float
    up: float
    turn: float


@dataclass(frozen=True, slots=True)
class Orbit:
    """Circle to fly about a place.

    Attributes:
        centre: centre of the circle, shape (3,) [m].
        radius: radius of the circle [m].
        speed: speed along it, counter-clockwise; negative is clockwise [m/s].
        faces: whether the nose points to the centre; otherwise the yaw stays.
    """

    centre: Vector
    radius: float
    speed: float
    faces: bool
