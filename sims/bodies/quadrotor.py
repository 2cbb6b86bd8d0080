"""Quadrotor in PyBullet: rotors with a lag, drag in the wind, sensors with stated errors, a battery that drains.

Thrust acts at the middle of the body; wake, ground effect and blade flapping are left out.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from embodied.bodies import FlightSensors, Quadrotor
from embodied.clock import Time
from embodied.geometry import rotation, yaw_angle, yaw_quaternion
from embodied.messages import Vector
from sims.bullet import Bullet
from sims.scenery import GRAVITY

AIR_DENSITY = 1.2
"""Density of the air [kg/m³]."""

SPAN = 0.32
"""Distance between neighbouring rotors [m]."""

HEIGHT = 0.12
"""Height of the frame from its feet to its top [m]."""

FRICTION = 0.8
"""Friction of the feet; PyBullet multiplies those of the two bodies in contact."""

ROTORS_OFF = 0.05
"""Thrust of a rotor below which it stands [N]."""

FRAME = Quadrotor(
    mass=1.5,
    inertia=np.array([0.018, 0.018, 0.032]),
    rotors=SPAN / 2 * np.array([(1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0)]),
    spins=np.array([1.0, 1.0, -1.0, -1.0]),
    moment=0.016,
    most=8.0,
)
"""Airframe, as a flight controller has to know it."""


@dataclass(frozen=True, slots=True)
class Airframe:
    """Dynamics of the simulated quadrotor's rotors, body and battery.

    Attributes:
        lag: time constant of a rotor [s].
        delay: dead time between a command and a rotor's response [s].
        drag: drag coefficient times frontal area [m²].
        endurance: duration of a hover with a full battery [s].
        cells: number of cells of the battery, in series.
        sag: voltage drop in a hover [V].
    """

    lag: float = 0.030
    delay: float = 0.008
    drag: float = 0.05
    endurance: float = 720.0
    cells: int = 4
    sag: float = 0.6


@dataclass(frozen=True, slots=True)
class FlightErrors:
    """Standard deviations of the simulated quadrotor's sensor errors; biases are drawn once for a run.

    Satellite fixes are those of a receiver with corrections from a base station (RTK).

    Attributes:
        angular_velocity: noise of the gyroscope [rad/s].
        gyroscope: bias of the gyroscope [rad/s].
        specific_force: noise of the accelerometer [m/s²].
        accelerometer: bias of the accelerometer [m/s²].
        heading: noise of the compass [rad].
        compass: bias of the compass [rad].
        altitude: noise of the barometer [m].
        position: noise of a fix, east, north, up [m].
        velocity: noise of a fix [m/s].
        fixes: satellite fixes per second [Hz].
    """

    angular_velocity: float = 0.01
    gyroscope: float = 0.01
    specific_force: float = 0.2
    accelerometer: float = 0.05
    heading: float = 0.02
    compass: float = 0.02
    altitude: float = 0.10
    position: tuple[float, float, float] = (0.015, 0.015, 0.025)
    velocity: float = 0.05
    fixes: float = 10.0


class QuadrotorBody:
    """Simulated quadrotor in PyBullet; at first it stands with its rotors at rest.

    Args:
        bullet: the simulator.
        place: east, north [m] and yaw [rad] at the start.
        rate: physics steps per second [Hz].
        clock: reads the world's time.
        wind: reads the velocity of the air, shape (3,) [m/s].
        rng: random numbers of its sensors.
        charge: state of charge of its battery, 0 to 1.
        errors: standard deviations of the sensors' errors.
        ground: height of the ground [m].

    Attributes:
        quadrotor: airframe.
        body: number of its body.
        position: position of its middle, shape (3,) [m].
        velocity: velocity of its middle, shape (3,) [m/s].
        attitude: rotation of its frame, shape (3, 3).
    """

    quadrotor = FRAME

    def __init__(
        self,
        bullet: Bullet,
        place: tuple[float, float, float],
        rate: float,
        clock: Callable[[], Time],
        wind: Callable[[], Vector],
        rng: np.random.Generator,
        charge: float = 1.0,
        errors: FlightErrors | None = None,
        ground: float = 0.0,
    ) -> None:
        self._bullet = bullet
        self._clock = clock
        self._wind = wind
        self._rng = rng
        self._errors = FlightErrors() if errors is None else errors
        self._frame = Airframe()
        self._period = 1.0 / rate
        self._follow = 1.0 - math.exp(-self._period / self._frame.lag)
        self._charge = charge
        self._power = 0.0
        self._thrusts = np.zeros(4)
        self._set = np.zeros(4)
        # Commands wait here for the dead time, one entry a physics step.
        self._delayed = deque([self._set] * math.ceil(self._frame.delay * rate))
        self._between_fixes = max(1, round(rate / self._errors.fixes))
        self._steps = 0
        self._fix: tuple[Vector, Vector] | None = None
        self._gyroscope = rng.normal(0.0, self._errors.gyroscope, 3)
        self._accelerometer = rng.normal(0.0, self._errors.accelerometer, 3)
        self._compass = float(rng.normal(0.0, self._errors.compass))
        self._feet = ground + HEIGHT / 2
        self.body = _built(bullet, place, self._feet)
        self._measured = np.array([0.0, 0.0, GRAVITY])
        self.read_pose()
        self._take_fix()

    def read(self) -> FlightSensors:
        """Return the sensor readings at the world's time; each satellite fix is returned once."""
        errors, noise = self._errors, self._rng.normal(size=8)
        fix, self._fix = self._fix, None
        heading = yaw_angle(self.attitude) + self._compass + errors.heading * noise[6]
        return FlightSensors(
            angular_velocity=self._turning + self._gyroscope + errors.angular_velocity * noise[:3],
            specific_force=self._measured + self._accelerometer + errors.specific_force * noise[3:6],
            heading=math.remainder(heading, math.tau),
            altitude=float(self.position[2] - self._feet + errors.altitude * noise[7]),
            position=None if fix is None else fix[0],
            velocity=None if fix is None else fix[1],
            charge=self._charge,
            voltage=self._voltage(),
            acquired=self._clock(),
        )

    def thrust(self, thrusts: Vector) -> Vector:
        """Set the thrust of each rotor, shape (4,) [N]; it stands until the next call.

        Returns:
            the thrusts after clipping to 0 and full speed; 0 with an empty battery.
        """
        most = self.quadrotor.most if self._charge > 0.0 else 0.0
        self._set = np.clip(np.nan_to_num(thrusts, nan=0.0, posinf=most, neginf=0.0), 0.0, most)
        return self._set

    def step(self) -> None:
        """Apply thrust, drag and torque, and drain the battery, for the next physics step."""
        self._delayed.append(self._set)
        self._thrusts = self._thrusts + self._follow * (self._delayed.popleft() - self._thrusts)
        frame, body = self.quadrotor, self._bullet
        x, y = frame.rotors.T
        thrusts = self._thrusts
        torque = np.array([y @ thrusts, -x @ thrusts, -frame.moment * (frame.spins @ thrusts)])
        air = self._wind() - self.velocity
        force = float(thrusts.sum()) * self.attitude[:, 2]
        force += 0.5 * AIR_DENSITY * self._frame.drag * math.sqrt(float(air @ air)) * air
        body.applyExternalForce(self.body, -1, force.tolist(), self.position.tolist(), body.WORLD_FRAME)
        body.applyExternalTorque(self.body, -1, (self.attitude @ torque).tolist(), body.WORLD_FRAME)
        # Induced power grows with thrust to the power 3/2 (momentum theory); it is 1 in a hover.
        hover = frame.mass * GRAVITY / 4
        power = float(np.sum((thrusts / hover) ** 1.5)) / 4
        self._power = power
        self._charge = max(0.0, self._charge - power * self._period / self._frame.endurance)

    def after_step(self) -> None:
        """Read the pose after a physics step, and measure specific force and satellite fix."""
        before = self.velocity
        self.read_pose()
        self._measured = self.attitude.T @ ((self.velocity - before) / self._period + np.array([0.0, 0.0, GRAVITY]))
        self._steps += 1
        if self._steps % self._between_fixes == 0:
            self._take_fix()

    def place(self, position: Vector, orientation: Vector) -> None:
        """Move it at once, at rest, for images from there; rotors and sensors are left as they were.

        Args:
            position: position of its middle, shape (3,) [m].
            orientation: quaternion (x, y, z, w).
        """
        self._bullet.resetBasePositionAndOrientation(self.body, position.tolist(), orientation.tolist())
        self.read_pose()

    @property
    def charge(self) -> float:
        """State of charge of its battery, 0 to 1."""
        return self._charge

    @property
    def turned_off(self) -> bool:
        """Whether all of its rotors stand."""
        return float(self._thrusts.max()) < ROTORS_OFF

    def read_pose(self) -> None:
        """Read pose and velocity from the simulator."""
        position, orientation = self._bullet.getBasePositionAndOrientation(self.body)
        linear, angular = self._bullet.getBaseVelocity(self.body)
        self.position, self.velocity = np.array(position), np.array(linear)
        self.attitude = rotation(np.array(orientation))
        self._turning = self.attitude.T @ np.array(angular)

    def _take_fix(self) -> None:
        noise, errors = self._rng.normal(size=6), self._errors
        self._fix = self.position + noise[:3] * errors.position, self.velocity + errors.velocity * noise[3:]

    def _voltage(self) -> float:
        # A lithium cell gives 4.2 V when full and 3.4 V when nearly empty.
        return self._frame.cells * (3.4 + 0.8 * self._charge) - self._frame.sag * self._power


def _built(bullet: Bullet, place: tuple[float, float, float], height: float) -> int:
    """Build a frame of two crossed beams with a pod and four discs; for contacts it is one box."""
    east, north, yaw = place
    reach = SPAN / 2
    shape = bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=(reach, reach, HEIGHT / 2))
    beam = math.hypot(reach, reach)
    turns = [yaw_quaternion(turn) for turn in (math.pi / 4, -math.pi / 4)]
    level = (0.0, 0.0, 0.0, 1.0)
    boxes = [
        ((beam, 0.012, 0.010), (0.0, 0.0, 0.02), turns[0], (0.15, 0.15, 0.17, 1.0)),
        ((beam, 0.012, 0.010), (0.0, 0.0, 0.02), turns[1], (0.15, 0.15, 0.17, 1.0)),
        ((0.08, 0.05, 0.035), (0.0, 0.0, 0.01), level, (0.85, 0.33, 0.10, 1.0)),
    ]
    for x, y in FRAME.rotors.tolist():
        colour = (0.85, 0.33, 0.10, 1.0) if x > 0 else (0.75, 0.76, 0.78, 1.0)
        boxes.append(((0.07, 0.07, 0.004), (x, y, 0.045), level, colour))
        boxes.append(((0.010, 0.010, 0.035), (x, y, -0.025), level, (0.15, 0.15, 0.17, 1.0)))
    extents, places, orientations, colours = [list(parts) for parts in zip(*boxes, strict=True)]
    picture = bullet.createVisualShapeArray(
        [bullet.GEOM_BOX] * len(boxes),
        halfExtents=extents,
        visualFramePositions=places,
        visualFrameOrientations=orientations,
        rgbaColors=colours,
    )
    body = int(bullet.createMultiBody(FRAME.mass, shape, picture, (east, north, height), yaw_quaternion(yaw)))
    bullet.changeDynamics(
        body,
        -1,
        localInertiaDiagonal=FRAME.inertia.tolist(),
        lateralFriction=FRICTION,
        restitution=0.0,
        linearDamping=0,
        angularDamping=0,
    )
    return body
