"""Bodies in a simulated world, and the capabilities of a world that has them: arms, cameras, multirotors, vehicles.

A driver of the simulated world and the virtual device of a real driver find the same body here. Frames are those of
REP-103 and REP-105: the world is east, north, up; a body is forward, left, up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from embodied.clock import Time
from embodied.errors import WorldFailed, nearest
from embodied.messages import CameraInfo, GripperState, JointCommand, JointState, Vector
from embodied.world import Rendering, World

WORLD = "world"
"""Frame in which a world and everything that travels in it are given: east, north, up of its origin (ENU)."""


class ArmBody(Protocol):
    """Body of an arm with a parallel gripper in any simulated world: its motors and encoders.

    Attributes:
        joints: names of the joints, from the base to the tool.
    """

    joints: tuple[str, ...]

    def read(self) -> tuple[JointState, GripperState]:
        """Return measured joints and gripper, acquired at the world's time."""

    def command(self, command: JointCommand) -> JointCommand:
        """Set the targets of the motors; they stand until the next call.

        Returns:
            the command after the motors' own limits.
        """


class CameraBody(Protocol):
    """Body of a camera in any simulated world: calibration and images at the world's time."""

    def vary(self, rng: np.random.Generator) -> None:
        """Draw exposure, colours, blur, distortion and noise of a real camera, for all images from now on."""

    def info(self) -> CameraInfo:
        """Return true intrinsics and pose."""

    def render(self, *, rgb: bool = True, depth: bool = False, segmentation: bool = False) -> Rendering:
        """Render the requested images at the world's time; rendering never changes the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quadrotor:
    """Airframe of a quadrotor body, as a flight controller has to know it.

    Attributes:
        mass: take-off mass, payload included [kg].
        inertia: moments of inertia about the forward, left and up axes, shape (3,) [kg·m²].
        rotors: positions of the rotors in the body frame, shape (4, 2) [m].
        spins: sense of rotation of each rotor seen from above, 1 counter-clockwise, -1 clockwise; shape (4,).
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
    """Sensor readings of a multirotor body, with the noise of such sensors.

    Attributes:
        angular_velocity: gyroscope in the body frame, shape (3,) [rad/s].
        specific_force: accelerometer in the body frame, shape (3,) [m/s²]; at rest it reads +9.81 upwards.
        heading: direction of the forward axis from east, by the magnetometer [rad].
        altitude: height above the take-off point, by air pressure [m].
        position: new satellite fix, east, north, up of the world's origin, shape (3,) [m]; None between fixes.
        velocity: velocity of the same fix, shape (3,) [m/s].
        charge: state of charge of the battery, 0 to 1.
        voltage: voltage of the battery [V].
        acquired: time of the world [ns].
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
    """Body of a multirotor in any simulated world: its sensors, and four rotors that follow with a lag.

    Attributes:
        quadrotor: the airframe.
    """

    quadrotor: Quadrotor

    def read(self) -> FlightSensors:
        """Return the sensor readings at the world's time."""

    def thrust(self, thrusts: Vector) -> Vector:
        """Set the thrust of each rotor, shape (4,) [N]; it stands until the next call.

        Returns:
            the thrusts after clipping to 0 and full speed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class CarSensors:
    """Sensor readings of a road vehicle body.

    Attributes:
        speed: speed along the forward axis [m/s].
        wheel_speeds: speeds at the ground of front left, front right, rear left, rear right, shape (4,) [m/s].
        steering: angle of the front wheels at the road, left is positive [rad].
        yaw_rate: rate of turn, left is positive [rad/s].
        acceleration: acceleration along the forward axis [m/s²].
        charge: state of charge of the battery, 0 to 1.
        acquired: time of the world [ns].
    """

    speed: float
    wheel_speeds: Vector
    steering: float
    yaw_rate: float
    acceleration: float
    charge: float
    acquired: Time


class CarBody(Protocol):
    """Body of a road vehicle with Ackermann steering in any simulated world.

    Attributes:
        wheelbase: distance between the axles [m].
        steering_limit: largest angle of the front wheels at the road [rad].
    """

    wheelbase: float
    steering_limit: float

    def read(self) -> CarSensors:
        """Return the sensor readings at the world's time."""

    def drive(self, steering: float, acceleration: float) -> tuple[float, float]:
        """Set the angle of the front wheels [rad], left is positive, and the acceleration [m/s²].

        Brakes hold the vehicle at rest: a negative acceleration never drives it backwards. Both stand until the next
        call.

        Returns:
            steering and acceleration after the vehicle's own limits.
        """


@runtime_checkable
class Arms(Protocol):
    """Capability of a world: it holds arms, by name."""

    def arm(self, name: str) -> ArmBody:
        """Return the arm of a name.

        Raises:
            WorldFailed: there is no such arm; the error lists the names.
        """


@runtime_checkable
class Cameras(Protocol):
    """Capability of a world: it holds cameras, by name.

    Attributes:
        views: names of the cameras, known from the settings alone, so that a graph is proven before any reset.
    """

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the cameras, whether or not the world has been reset."""

    def camera(self, name: str, *, width: int = 320, height: int = 240) -> CameraBody:
        """Return the camera of a name, with images of a size [px].

        Raises:
            WorldFailed: there is no such camera; the error lists the names.
        """


@runtime_checkable
class Drones(Protocol):
    """Capability of a world: it holds multirotors, by name."""

    def drone(self, name: str) -> DroneBody:
        """Return the multirotor of a name.

        Raises:
            WorldFailed: there is no such multirotor; the error lists the names.
        """


@runtime_checkable
class Cars(Protocol):
    """Capability of a world: it holds road vehicles, by name."""

    def car(self, name: str) -> CarBody:
        """Return the road vehicle of a name.

        Raises:
            WorldFailed: there is no such vehicle; the error lists the names.
        """


CAPABILITIES: dict[type, str] = {Arms: "arms", Cameras: "cameras", Drones: "multirotors", Cars: "road vehicles"}
"""Nouns of the capabilities, for messages."""


def lacks(world: World, capability: type) -> Iterator[str]:
    """Check that a world has a capability for bodies, before any reset; yield one sentence if it has not.

    Args:
        world: world of the launch file.
        capability: `Arms`, `Cameras`, `Drones` or `Cars`.
    """
    if not isinstance(world, capability):
        yield f"{type(world).__name__} has no {CAPABILITIES[capability]}"


def body_claim(kind: str, name: str) -> str:
    """Return how a node claims a body of the world, which no other node may move: `the arm 'left' of the world`.

    Args:
        kind: noun of the body, `arm`.
        name: name of the body in the world.
    """
    return f"the {kind} '{name}' of the world"


def arm(world: World, name: str) -> ArmBody:
    """Return an arm of a world.

    Raises:
        WorldFailed: the world has no arms, or none of this name.
    """
    if not isinstance(world, Arms):
        raise WorldFailed(*lacks(world, Arms))
    return world.arm(name)


def camera(world: World, name: str, *, width: int = 320, height: int = 240, frame: str | None = None) -> CameraBody:
    """Return a camera of a world, after a check of the frame of its pose.

    Args:
        world: after its reset.
        name: name of the camera.
        width: width of the images [px].
        height: height of the images [px].
        frame: frame of its pose, the base of the robot or the body that carries the camera; None: any.

    Raises:
        WorldFailed: the world has no such camera, or gives its pose in another frame.
    """
    if not isinstance(world, Cameras) or name not in world.views:
        raise WorldFailed(*view_problems(world, name))
    body = world.camera(name, width=width, height=height)
    if frame is not None:
        check_frame(body, name, frame)
    return body


def view_problems(world: World, view: str) -> Iterator[str]:
    """Check that a world has a camera of a name, before any reset; yield one sentence if it has not."""
    if not isinstance(world, Cameras):
        yield from lacks(world, Cameras)
    elif view not in world.views:
        yield f"there is no camera '{view}' in {type(world).__name__}; {', '.join(nearest(view, world.views))}"


def check_frame(camera: CameraBody, name: str, frame: str) -> None:
    """Check that a camera body gives its pose in the expected frame.

    Raises:
        WorldFailed: it gives its pose in another frame.
    """
    stated = camera.info().frame
    if stated != frame:
        raise WorldFailed(f"the pose of camera '{name}' is given in the frame '{stated}': write 'frame: {stated}'")


def drone(world: World, name: str) -> DroneBody:
    """Return a multirotor of a world.

    Raises:
        WorldFailed: the world has no multirotors, or none of this name.
    """
    if not isinstance(world, Drones):
        raise WorldFailed(*lacks(world, Drones))
    return world.drone(name)


def car(world: World, name: str) -> CarBody:
    """Return a road vehicle of a world.

    Raises:
        WorldFailed: the world has no road vehicles, or none of this name.
    """
    if not isinstance(world, Cars):
        raise WorldFailed(*lacks(world, Cars))
    return world.car(name)
