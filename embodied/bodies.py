"""Bodies that travel, as the hall asks them of a simulated world: multirotors and road vehicles.

A driver of the simulated world and the virtual autopilot or ECU of a real driver find the same body here. Frames are
those of REP-103 and REP-105: the world is east, north, up; a body is forward, left, up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from embodied.clock import Time
from embodied.errors import WorldFailed
from embodied.messages import Vector
from embodied.world import World

WORLD = "world"
"""The frame in which a world and all that travels in it are given: east, north, up of its origin (ENU)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quadrotor:
    """What a flight controller has to know of its airframe.

    Attributes:
        mass: with all that it carries [kg].
        inertia: about its forward, left and up axes, shape (3,) [kg·m²].
        rotors: places of the rotors in the body frame, shape (4, 2) [m].
        spins: sense in which each turns, seen from above: 1 against the clock, -1 with it; shape (4,).
        moment: yawing moment of a rotor over its thrust [m].
        most: thrust of one rotor at full speed [N].
    """

    mass: float
    inertia: Vector
    rotors: Vector
    spins: Vector
    moment: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightSensors:
    """What a multirotor measures, with the noise of such sensors.

    Attributes:
        angular_velocity: in the body frame, shape (3,) [rad/s].
        specific_force: in the body frame, shape (3,) [m/s²]; at rest it reads +9.81 upwards.
        heading: of the forward axis from east, by the magnetometer [rad].
        altitude: above where it started, by air pressure [m].
        position: of a new satellite fix, east, north, up of the world's origin, shape (3,) [m]; None between fixes.
        velocity: of that fix, shape (3,) [m/s].
        charge: of the battery, 0 to 1.
        voltage: of the battery [V].
        acquired: the world's time [ns].
    """

    angular_velocity: Vector
    specific_force: Vector
    heading: float
    altitude: float
    position: Vector | None
    velocity: Vector | None
    charge: float
    voltage: float
    acquired: Time


class DroneBody(Protocol):
    """A simulated multirotor: its sensors, and four rotors that follow with a lag."""

    quadrotor: Quadrotor

    def read(self) -> FlightSensors:
        """What it measures at the world's time."""

    def thrust(self, thrusts: Vector) -> Vector:
        """Set what the rotors are to give, shape (4,) [N]; it stands until the next call.

        Returns:
            what was really set, between nothing and full speed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Motions:
    """What a road vehicle's own sensors say.

    Attributes:
        speed: along its forward axis [m/s].
        wheel_speeds: of front left, front right, rear left, rear right at the ground, shape (4,) [m/s].
        steering: angle of the front wheels at the road, left is positive [rad].
        yaw_rate: left is positive [rad/s].
        acceleration: along its forward axis [m/s²].
        charge: of the battery, 0 to 1.
        acquired: the world's time [ns].
    """

    speed: float
    wheel_speeds: Vector
    steering: float
    yaw_rate: float
    acceleration: float
    charge: float
    acquired: Time


class CarBody(Protocol):
    """A simulated road vehicle with Ackermann steering.

    Attributes:
        wheelbase: between its axles [m].
        steering_limit: largest angle of the front wheels at the road [rad].
    """

    wheelbase: float
    steering_limit: float

    def read(self) -> Motions:
        """What it measures at the world's time."""

    def drive(self, steering: float, acceleration: float) -> tuple[float, float]:
        """Set the angle of its front wheels [rad], left is positive, and its acceleration [m/s²].

        Brakes hold it at rest: a negative acceleration never drives it backwards. Both stand until the next call.

        Returns:
            what was really set.
        """


@runtime_checkable
class Drones(Protocol):
    """A world with multirotors."""

    def drone(self, name: str) -> DroneBody:
        """The multirotor of that name.

        Raises:
            WorldFailed: there is none; the error names those there are.
        """


@runtime_checkable
class Cars(Protocol):
    """A world with road vehicles."""

    def car(self, name: str) -> CarBody:
        """The road vehicle of that name.

        Raises:
            WorldFailed: there is none; the error names those there are.
        """


def drone(world: World, name: str) -> DroneBody:
    """A multirotor of a world.

    Raises:
        WorldFailed: it has none, or none of that name.
    """
    if not isinstance(world, Drones):
        raise WorldFailed(f"{type(world).__name__} has no multirotors")
    return world.drone(name)


def car(world: World, name: str) -> CarBody:
    """A road vehicle of a world.

    Raises:
        WorldFailed: it has none, or none of that name.
    """
    if not isinstance(world, Cars):
        raise WorldFailed(f"{type(world).__name__} has no road vehicles")
    return world.car(name)
