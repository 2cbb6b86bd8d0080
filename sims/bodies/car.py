"""Shuttle in PyBullet: four wheels that roll and grip, steered after Ackermann, with sensors and a battery."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from embodied.bodies import CarSensors
from embodied.clock import Time
from embodied.devices.drive_by_wire import current
from embodied.geometry import rotation, yaw_angle, yaw_quaternion
from embodied.messages import Vector
from sims.bodies import car_model
from sims.bodies.car_model import (
    CENTRE_OF_MASS,
    KNUCKLES,
    REAR_WHEELS,
    TRACK,
    WHEEL_RADIUS,
    WHEELBASE,
    WHEELS,
)
from sims.bullet import Bullet
from sims.rendering.mesh import Mesh

ACCELEROMETER_LAG = 0.02
"""Time constant of the accelerometer [s]."""

STEERING_TORQUE = 60.0
"""Largest torque of a steering motor [N·m]."""


@dataclass(frozen=True, slots=True)
class Drivetrain:
    """Limits of the simulated shuttle's drive, brakes and steering, and its battery.

    Attributes:
        acceleration: largest acceleration [m/s²].
        braking: largest deceleration [m/s²].
        turning: rate at which the front wheels turn [rad/s].
        capacity: capacity of the battery [A·s].
    """

    acceleration: float = 3.0
    braking: float = 6.0
    turning: float = 1.5
    capacity: float = 72_000.0


@dataclass(frozen=True, slots=True)
class CarErrors:
    """Standard deviations of the simulated shuttle's sensor errors; scale and biases are drawn once for a run.

    Attributes:
        speed: noise of a wheel's speed, as a share of it.
        tyre: scale error of the wheels' radius, as a share of it.
        steering: noise of the steering angle [rad].
        alignment: bias of the steering angle [rad].
        yaw_rate: noise of the yaw rate [rad/s].
        gyroscope: bias of the yaw rate [rad/s].
        acceleration: noise of the acceleration [m/s²].
    """

    speed: float = 0.01
    tyre: float = 0.005
    steering: float = 0.002
    alignment: float = 0.004
    yaw_rate: float = 0.005
    gyroscope: float = 0.003
    acceleration: float = 0.1


class Shuttle:
    """Simulated shuttle in PyBullet; at first it stands with its brakes on.

    Args:
        bullet: the simulator.
        place: x, y [m] and yaw [rad] of its frame at the start.
        ground: height of the ground [m].
        rate: physics steps per second [Hz].
        clock: reads the world's time.
        rng: random numbers of its sensors.
        charge: state of charge of its battery, 0 to 1.

    Attributes:
        wheelbase: distance between its axles [m].
        steering_limit: largest angle of the front wheels at the road [rad].
        body: number of its body.
        position: position of its frame, shape (3,) [m].
        attitude: rotation of its frame, shape (3, 3).
        speed: true speed along its forward axis [m/s].
        drivetrain: limits of drive, brakes and steering.
    """

    wheelbase = WHEELBASE
    steering_limit = 0.5
    drivetrain = Drivetrain()

    def __init__(
        self,
        bullet: Bullet,
        place: tuple[float, float, float],
        ground: float,
        rate: float,
        clock: Callable[[], Time],
        rng: np.random.Generator,
        charge: float = 1.0,
    ) -> None:
        self._bullet = bullet
        self._clock = clock
        self._rng = rng
        self._period = 1.0 / rate
        self._charge = charge
        self._errors = errors = CarErrors()
        self._scale = 1.0 + float(rng.normal(0.0, errors.tyre))
        self._alignment, self._gyroscope = rng.normal(0.0, (errors.alignment, errors.gyroscope)).tolist()
        self.body, self._meshes = car_model.build(bullet, place, ground)
        self._steering_goal = self._steering = 0.0
        self._acceleration = math.nan
        self._measured = 0.0
        self.drive(0.0, -self.drivetrain.braking)
        self._steer()
        self.read_pose()

    def read(self) -> CarSensors:
        """Return the sensor readings at the world's time; the speed is that of the rear wheels."""
        errors, noise = self._errors, self._rng.normal(size=7)
        left, right = (state[0] for state in self._bullet.getJointStates(self.body, KNUCKLES))
        turning = [state[1] for state in self._bullet.getJointStates(self.body, WHEELS)]
        wheels = WHEEL_RADIUS * self._scale * np.array(turning) * (1.0 + errors.speed * noise[:4])
        return CarSensors(
            speed=float(wheels[2] + wheels[3]) / 2,
            wheel_speeds=wheels,
            steering=mean_steering(left, right) + self._alignment + errors.steering * float(noise[4]),
            yaw_rate=self._yaw_rate + self._gyroscope + errors.yaw_rate * float(noise[5]),
            acceleration=self._measured + errors.acceleration * float(noise[6]),
            charge=self._charge,
            acquired=self._clock(),
        )

    def drive(self, steering: float, acceleration: float) -> tuple[float, float]:
        """Set the angle of the front wheels [rad], left is positive, and the acceleration [m/s²].

        Brakes hold the vehicle at rest: a negative acceleration never drives it backwards. Both stand until the next
        call. NaN and infinity leave the wheels as they are, and brake.

        Returns:
            steering and acceleration after the vehicle's own limits.
        """
        if math.isfinite(steering):
            self._steering_goal = min(max(steering, -self.steering_limit), self.steering_limit)
        train = self.drivetrain
        most = train.acceleration if self._charge > 0.0 else 0.0
        requested = acceleration if math.isfinite(acceleration) else -train.braking
        limited = min(max(requested, -train.braking), most)
        if limited != self._acceleration:
            self._acceleration = limited
            self._apply()
        return self._steering_goal, limited

    def step(self) -> None:
        """Turn the front wheels and drain the battery for the next physics step."""
        if self._steering != self._steering_goal:
            reach = self.drivetrain.turning * self._period
            self._steering += min(max(self._steering_goal - self._steering, -reach), reach)
            self._steer()
        train = self.drivetrain
        if self._charge > 0.0:
            self._charge = max(0.0, self._charge - current(self._acceleration) * self._period / train.capacity)
            if self._charge == 0.0:
                self.drive(self._steering_goal, self._acceleration)

    def after_step(self) -> None:
        """Read the pose after a physics step, and filter the acceleration as the accelerometer does."""
        before = self.speed
        self.read_pose()
        self._measured += min(1.0, self._period / ACCELEROMETER_LAG) * (
            (self.speed - before) / self._period - self._measured
        )

    def read_pose(self) -> None:
        """Read pose and velocity from the simulator."""
        position, orientation = self._bullet.getBasePositionAndOrientation(self.body)
        linear, angular = self._bullet.getBaseVelocity(self.body)
        self.attitude = rotation(np.array(orientation))
        self.position: Vector = np.array(position) - self.attitude @ CENTRE_OF_MASS
        self.speed = float(self.attitude[:, 0] @ linear)
        self._yaw_rate = float(self.attitude[:, 2] @ angular)

    def place(self, x: float, y: float, yaw: float) -> None:
        """Move it at once, at rest, as only a simulator can; x, y [m] and yaw [rad]."""
        turn = yaw_quaternion(yaw)
        origin = np.array([x, y, self.position[2]]) + rotation(np.array(turn)) @ CENTRE_OF_MASS
        self._bullet.resetBasePositionAndOrientation(self.body, origin.tolist(), turn)
        self._bullet.resetBaseVelocity(self.body, (0, 0, 0), (0, 0, 0))
        for joint in range(self._bullet.getNumJoints(self.body)):
            self._bullet.resetJointState(self.body, joint, self._bullet.getJointState(self.body, joint)[0])
        self.read_pose()

    @property
    def braked(self) -> bool:
        """Whether its brakes are on."""
        return self._acceleration < 0.0

    @property
    def yaw(self) -> float:
        """Direction of its forward axis from x [rad]."""
        return yaw_angle(self.attitude)

    @property
    def charge(self) -> float:
        """State of charge of its battery, 0 to 1."""
        return self._charge

    def meshes(self) -> dict[tuple[int, int], Mesh]:
        """Return the meshes that PyBullet does not report, as `Stage` takes them."""
        return self._meshes

    def _steer(self) -> None:
        for link, angle in zip(KNUCKLES, ackermann(self._steering), strict=True):
            self._bullet.setJointMotorControl2(
                self.body, link, self._bullet.POSITION_CONTROL, angle, 0.0, force=STEERING_TORQUE, positionGain=0.3
            )

    def _apply(self) -> None:
        # A velocity motor whose torque is limited drives or brakes with just that torque: a high target speed drives, 0
        # brakes and then holds. The rear wheels drive through a differential, with equal torque; all four brake. Wheels
        # turn as well as move, so their inertia adds to the mass.
        mass = car_model.CHASSIS_MASS + 4 * car_model.WHEEL_MASS + 2 * car_model.KNUCKLE_MASS
        mass += 4 * car_model.wheel_inertia() / WHEEL_RADIUS**2
        torque = mass * abs(self._acceleration) * WHEEL_RADIUS
        driven = self._acceleration > 0.0
        for wheel in WHEELS:
            force = torque / 4 if not driven else torque / 2 if wheel in REAR_WHEELS else 0.0
            speed = 100.0 if driven else 0.0
            self._bullet.setJointMotorControl2(
                self.body, wheel, self._bullet.VELOCITY_CONTROL, targetVelocity=speed, force=force
            )


def ackermann(steering: float) -> tuple[float, float]:
    """Return the angles of the shuttle's left and right front wheel at which both roll about one centre [rad]."""
    slope = math.tan(steering) / WHEELBASE
    left, right = 1.0 - slope * TRACK / 2, 1.0 + slope * TRACK / 2
    return math.atan(WHEELBASE * slope / left), math.atan(WHEELBASE * slope / right)


def mean_steering(left: float, right: float) -> float:
    """Return the angle of a wheel midway between the shuttle's two front wheels at their angles [rad]."""
    if abs(left) < 1e-9 or abs(right) < 1e-9:
        return (left + right) / 2
    return math.atan(2.0 / (1.0 / math.tan(left) + 1.0 / math.tan(right)))
