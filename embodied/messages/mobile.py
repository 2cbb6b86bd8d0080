"""Messages of drones and road vehicles, and of the sensors on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from embodied.clock import Time
from embodied.messages.schema import Array, Command, Message, Unit, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Imu(Message):
    """Angular velocity and specific force in the sensor's frame; at rest the latter reads +9.81 upwards."""

    angular_velocity: Annotated[Vector, Array("3", "rad/s")]
    linear_acceleration: Annotated[Vector, Array("3", "m/s²")]
    orientation: Annotated[Vector, Array("4")] | None = None
    frame: str
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery(Message):
    """State of a battery; current is negative while it discharges, None where nothing measures it; charge is 0 to 1."""

    voltage: Annotated[float, Unit("V")]
    current: Annotated[float, Unit("A")] | None = None
    charge: float
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DroneCommand(Command):
    """A setpoint for a multirotor: a position or a velocity, and a heading. Axes are ENU, yaw is from east.

    Attributes:
        position: of the set-point. A drone on the ground arms and takes off to it.
        velocity: of the drone; beside a position, that of the position itself.
        yaw: heading of the forward axis; None: unchanged.
        land: come down, over `position` if there is one, else where it is, and disarm on the ground.
        frame: of position, velocity and yaw.
    """

    position: Annotated[Vector, Array("3", "m")] | None = None
    velocity: Annotated[Vector, Array("3", "m/s")] | None = None
    yaw: Annotated[float, Unit("rad")] | None = None
    land: bool = False
    frame: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DroneState(Message):
    """Estimated state of a multirotor. `mode` is the autopilot's name of its flight mode."""

    position: Annotated[Vector, Array("3", "m")]
    orientation: Annotated[Vector, Array("4")]
    linear_velocity: Annotated[Vector, Array("3", "m/s")]
    angular_velocity: Annotated[Vector, Array("3", "rad/s")]
    armed: bool
    landed: bool
    mode: str
    frame: str
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleCommand(Command):
    """Command to a drive-by-wire vehicle; steering to the left is positive, `gear` is one of P, R, N, D."""

    speed: Annotated[float, Unit("m/s")]
    acceleration: Annotated[float, Unit("m/s²")] | None = None
    steering: Annotated[float, Unit("rad")]
    gear: str = "D"


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleState(Message):
    """Reported state of a drive-by-wire vehicle. `overridden`: a person has taken over."""

    speed: Annotated[float, Unit("m/s")]
    steering: Annotated[float, Unit("rad")]
    yaw_rate: Annotated[float, Unit("rad/s")]
    gear: str
    engaged: bool
    overridden: bool
    faults: tuple[str, ...] = ()
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane(Message):
    """Lane ahead of a vehicle, seen from the point on the ground midway between its rear wheels.

    Attributes:
        offset: of that point from the middle of the lane, left is positive.
        heading: of its forward axis from the direction of the lane there, left is positive.
        curvature: of the lane's middle ahead, one that bends left is positive.
        obstacle: distance along the lane to the nearest obstacle in it; None: the view is clear.
        stop_line: distance along the lane to the near edge of the next stop line; None: none is in view.
        score: confidence, 0 to 1; not to be driven by below 0.5.
        acquired: time of the image, copied through.
    """

    offset: Annotated[float, Unit("m")]
    heading: Annotated[float, Unit("rad")]
    curvature: Annotated[float, Unit("1/m")]
    obstacle: Annotated[float, Unit("m")] | None = None
    stop_line: Annotated[float, Unit("m")] | None = None
    score: float
    acquired: Annotated[Time, Unit("ns")]
