"""A quadrotor in PyBullet: four rotors that lag, air that pushes it, sensors with stated errors, a battery that drains.

Thrust acts at the middle of the body; what lies between the rotors and the air (wake, ground effect, blade flapping) is
left out.
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

AIR = 1.2  # [kg/m³]
SPAN, TALL = 0.32, 0.12  # of the frame between its rotors, and from its feet to its top [m]
FRAME = Quadrotor(
    mass=1.5,
    inertia=np.array([0.018, 0.018, 0.032]),
    rotors=SPAN / 2 * np.array([(1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0)]),
    spins=np.array([1.0, 1.0, -1.0, -1.0]),
    moment=0.016,
    most=8.0,
)


@dataclass(frozen=True, slots=True)
class Airframe:
    """How such a body answers.

    Attributes:
        lag: time constant of a rotor [s].
        delay: from a command until a rotor begins to follow it [s].
        drag: drag coefficient times frontal area [m²].
        endurance: how long a full battery lets it hover [s].
        cells: of the battery, in series.
        sag: how much of its voltage a hover takes [V].
    """

    lag: float = 0.030
    delay: float = 0.008
    drag: float = 0.05
    endurance: float = 720.0
    cells: int = 4
    sag: float = 0.6


@dataclass(frozen=True, slots=True)
class Errors:
    """How wrong its sensors are, each a standard deviation; biases are drawn once for a run.

    Satellite fixes are those of a receiver with corrections from a base station (RTK).

    Attributes:
        angular_velocity: of each sample [rad/s].
        gyroscope: the bias of that [rad/s].
        specific_force: of each sample [m/s²].
        accelerometer: the bias of that [m/s²].
        heading: of each sample [rad].
        compass: the bias of that [rad].
        altitude: of each sample [m].
        position: of a fix, east, north, up [m].
        velocity: of a fix [m/s].
        fixes: a second [Hz].
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
    """A simulated quadrotor; it stands where it is put, its rotors at rest.

    Args:
        bullet: the simulator.
        place: east, north [m] and yaw [rad] of where it stands.
        rate: physics steps per second [Hz].
        clock: the world's time.
        wind: of the air around it now, shape (3,) [m/s].
        rng: decides the errors of its sensors.
        charge: of its battery, 0 to 1.
        errors: how large those are.
        ground: height of what it stands on [m].

    Attributes:
        quadrotor: what a flight controller has to know of it.
        body: its number.
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
        errors: Errors | None = None,
        ground: float = 0.0,
    ) -> None:
        self._bullet = bullet
        self._clock = clock
        self._wind = wind
        self._rng = rng
        self._errors = Errors() if errors is None else errors
        self._frame = Airframe()
        self._period = 1.0 / rate
        self._follow = 1.0 - math.exp(-self._period / self._frame.lag)
        self._charge = charge
        self._load = 0.0
        self._thrusts = np.zeros(4)
        self._set = np.zeros(4)
        # What is set now reaches the rotors so many steps later.
        self._way = deque([self._set] * math.ceil(self._frame.delay * rate))
        self._between_fixes = max(1, round(rate / self._errors.fixes))
        self._steps = 0
        self._fix: tuple[Vector, Vector] | None = None
        self._gyroscope = rng.normal(0.0, self._errors.gyroscope, 3)
        self._accelerometer = rng.normal(0.0, self._errors.accelerometer, 3)
        self._compass = float(rng.normal(0.0, self._errors.compass))
        self._stood = ground + TALL / 2
        self.body = _built(bullet, place, self._stood)
        self._felt = np.array([0.0, 0.0, GRAVITY])
        self.look()
        self._fixed()

    def read(self) -> FlightSensors:
        """What it measures at the world's time; a fix is told once."""
        errors, noise = self._errors, self._rng.normal(size=8)
        fix, self._fix = self._fix, None
        heading = yaw_angle(self.attitude) + self._compass + errors.heading * noise[6]
        return FlightSensors(
            angular_velocity=self._turning + self._gyroscope + errors.angular_velocity * noise[:3],
            specific_force=self._felt + self._accelerometer + errors.specific_force * noise[3:6],
            heading=math.remainder(heading, math.tau),
            altitude=float(self.position[2] - self._stood + errors.altitude * noise[7]),
            position=None if fix is None else fix[0],
            velocity=None if fix is None else fix[1],
            charge=self._charge,
            voltage=self._voltage(),
            acquired=self._clock(),
        )

    def thrust(self, thrusts: Vector) -> Vector:
        """Set what the rotors are to give, shape (4,) [N]; it stands until the next call.

        Returns:
            what was really set: nothing with an empty battery, and at most full speed.
        """
        most = self.quadrotor.most if self._charge > 0.0 else 0.0
        self._set = np.clip(np.nan_to_num(thrusts, nan=0.0, posinf=most, neginf=0.0), 0.0, most)
        return self._set

    def step(self) -> None:
        """Push it for the next physics step."""
        self._way.append(self._set)
        self._thrusts = self._thrusts + self._follow * (self._way.popleft() - self._thrusts)
        frame, body = self.quadrotor, self._bullet
        x, y = frame.rotors.T
        thrusts = self._thrusts
        torque = np.array([y @ thrusts, -x @ thrusts, -frame.moment * (frame.spins @ thrusts)])
        air = self._wind() - self.velocity
        force = float(thrusts.sum()) * self.attitude[:, 2]
        force += 0.5 * AIR * self._frame.drag * math.sqrt(float(air @ air)) * air
        body.applyExternalForce(self.body, -1, force.tolist(), self.position.tolist(), body.WORLD_FRAME)
        body.applyExternalTorque(self.body, -1, (self.attitude @ torque).tolist(), body.WORLD_FRAME)
        # Power goes with the thrust to 3/2, as momentum theory has it; full at a hover it lasts as long as stated.
        hover = frame.mass * GRAVITY / 4
        power = float(np.sum((thrusts / hover) ** 1.5)) / 4
        self._load = power
        self._charge = max(0.0, self._charge - power * self._period / self._frame.endurance)

    def stepped(self) -> None:
        """Look where the step has brought it."""
        before = self.velocity
        self.look()
        self._felt = self.attitude.T @ ((self.velocity - before) / self._period + np.array([0.0, 0.0, GRAVITY]))
        self._steps += 1
        if self._steps % self._between_fixes == 0:
            self._fixed()

    def place(self, position: Vector, orientation: Vector) -> None:
        """Put it somewhere, at rest; for pictures from there, as its rotors and sensors know nothing of it.

        Args:
            position: of its middle, shape (3,) [m].
            orientation: quaternion (x, y, z, w).
        """
        self._bullet.resetBasePositionAndOrientation(self.body, position.tolist(), orientation.tolist())
        self.look()

    @property
    def charge(self) -> float:
        """Of its battery, 0 to 1."""
        return self._charge

    @property
    def turned_off(self) -> bool:
        """Whether its rotors stand."""
        return float(self._thrusts.max()) < 0.05

    def look(self) -> None:
        """Take in where the simulator has it."""
        position, orientation = self._bullet.getBasePositionAndOrientation(self.body)
        linear, angular = self._bullet.getBaseVelocity(self.body)
        self.position, self.velocity = np.array(position), np.array(linear)
        self.attitude = rotation(np.array(orientation))
        self._turning = self.attitude.T @ np.array(angular)

    def _fixed(self) -> None:
        noise, errors = self._rng.normal(size=6), self._errors
        self._fix = self.position + noise[:3] * errors.position, self.velocity + errors.velocity * noise[3:]

    def _voltage(self) -> float:
        # A lithium cell gives 4.2 V when full and 3.4 V when nearly empty.
        return self._frame.cells * (3.4 + 0.8 * self._charge) - self._frame.sag * self._load


def _built(bullet: Bullet, place: tuple[float, float, float], height: float) -> int:
    """A frame of two crossed beams with a pod and four discs; one box touches the ground."""
    east, north, yaw = place
    reach = SPAN / 2
    shape = bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=(reach, reach, TALL / 2))
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
    turn = yaw_quaternion(yaw)
    body = int(bullet.createMultiBody(FRAME.mass, shape, picture, (east, north, height), turn))
    bullet.changeDynamics(
        body,
        -1,
        localInertiaDiagonal=FRAME.inertia.tolist(),
        lateralFriction=0.8,
        restitution=0.0,
        linearDamping=0,
        angularDamping=0,
    )
    return body
