"""State estimation of a multirotor from its sensors, by an error-state Kalman filter.

Gyroscopes and accelerometers propagate the state from one sample to the next; satellite fixes, air pressure and the
magnetometer correct it, and with it the biases of the former (Solà, Quaternion kinematics for the error-state
Kalman filter, 2017; the error of attitude here stands in the world's frame).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.bodies import FlightSensors, Quadrotor
from embodied.clock import SECOND, Time
from embodied.geometry import cross_matrix, quaternion, rotation, rotation_matrix, transform, yaw_angle
from embodied.messages.schema import Vector

GRAVITY = 9.81
"""Acceleration of free fall [m/s²]."""

SLOW_PERIOD = 20_000_000
"""Period of corrections by pressure and compass [ns]: their errors are slow, so more of them would not help."""

MISFITS_MOST = 10
"""Number of fixes in a row that do not fit, after which the state is reset to them."""

# Position, velocity, attitude, biases of gyroscopes and accelerometers, offset of the barometer.
_P, _V, _A, _G, _F = (slice(3 * i, 3 * i + 3) for i in range(5))
_B = 15
_SIZE = 16


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise of a multirotor's sensors for its estimator, as standard deviations.

    Attributes:
        angular_velocity: of the gyroscopes [rad/s/√Hz].
        specific_force: of the accelerometers, in flight, with the rotors' vibration [m/s²/√Hz].
        gyroscope: bias of the gyroscopes [rad/s].
        accelerometer: bias of the accelerometers [m/s²].
        heading: of the magnetometer [rad].
        altitude: of the barometer [m].
        weather: random walk of the barometer's offset [m/√s].
        position: of a satellite fix, east, north, up [m].
        velocity: of a satellite fix [m/s].
    """

    angular_velocity: float = 1e-3
    specific_force: float = 0.02
    gyroscope: float = 0.02
    accelerometer: float = 0.1
    heading: float = 0.05
    altitude: float = 0.2
    weather: float = 0.02
    position: tuple[float, float, float] = (0.02, 0.02, 0.03)
    velocity: float = 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimated state of a multirotor.

    Attributes:
        position: east, north, up of the world's origin, shape (3,) [m].
        velocity: east, north, up, shape (3,) [m/s].
        orientation: of the body in the world, quaternion (x, y, z, w), shape (4,).
        angular_velocity: in the body frame, shape (3,) [rad/s].
        acquired: time of the sample [ns].
    """

    position: Vector
    velocity: Vector
    orientation: Vector
    angular_velocity: Vector
    acquired: Time

    @property
    def yaw(self) -> float:
        """Heading of the forward axis from east [rad]."""
        return yaw_angle(rotation(self.orientation))


class Estimator:
    """Estimator of one flight, which begins at rest.

    Args:
        quadrotor: the airframe: a specific force beyond the thrust of its rotors is a knock.
        noise: of its sensors.

    Attributes:
        ready: whether a fix was received. Before, positions are relative to the start.
    """

    def __init__(self, quadrotor: Quadrotor, noise: Noise | None = None) -> None:
        self._noise = Noise() if noise is None else noise
        self._knock = 1.2 * 4 * quadrotor.most / quadrotor.mass
        self.ready = False
        self._last: Time | None = None
        self._slow = Time(0)
        self._misfits = 0

    def update(self, sensors: FlightSensors) -> Estimate:
        """Update the state with a sample of the sensors.

        Args:
            sensors: not older than the sample before.

        Returns:
            the state at the time of the sample.
        """
        if self._last is None:
            self._begin(sensors)
        else:
            self._predict(sensors, (sensors.acquired - self._last) / SECOND)
        if self._last is None or sensors.acquired - self._slow >= SLOW_PERIOD:
            self._slow = sensors.acquired
            self._pressure(sensors.altitude)
            self._compass(sensors.heading)
        self._last = sensors.acquired
        if sensors.position is not None and sensors.velocity is not None:
            self._fix(sensors.position, sensors.velocity)
        return Estimate(
            self._position.copy(),
            self._velocity.copy(),
            quaternion(self._attitude),
            sensors.angular_velocity - self._gyroscope,
            sensors.acquired,
        )

    def _begin(self, sensors: FlightSensors) -> None:
        up = sensors.specific_force / np.linalg.norm(sensors.specific_force)
        roll, pitch = math.atan2(up[1], up[2]), -math.asin(max(-1.0, min(1.0, float(up[0]))))
        self._attitude = transform((0.0, 0.0, 0.0), (roll, pitch, sensors.heading))[:3, :3]
        self._position, self._velocity = np.array([0.0, 0.0, sensors.altitude]), np.zeros(3)
        self._gyroscope, self._accelerometer, self._offset = np.zeros(3), np.zeros(3), 0.0
        noise = self._noise
        level = noise.accelerometer / GRAVITY
        spread = [1e3] * 3 + [0.1] * 3 + [level, level, noise.heading]
        spread += [noise.gyroscope] * 3 + [noise.accelerometer] * 3 + [1e3]
        self._covariance = np.diag(np.square(spread))

    def _predict(self, sensors: FlightSensors, dt: float) -> None:
        noise, turn = self._noise, self._attitude
        push = turn @ (sensors.specific_force - self._accelerometer)
        x, y, z = push.tolist()
        self._position = self._position + self._velocity * dt + (0.5 * dt * dt) * (push - (0.0, 0.0, GRAVITY))
        self._velocity = self._velocity + dt * (push - (0.0, 0.0, GRAVITY))
        self._attitude = turn @ rotation_matrix(dt * (sensors.angular_velocity - self._gyroscope))
        step = np.eye(_SIZE)
        step[_P, _V] = dt * np.eye(3)
        step[_V, _A] = -dt * cross_matrix(push)
        step[_V, _F] = step[_A, _G] = -dt * turn
        # A knock is shorter than a sample, so the sample hardly shows it: the velocity is less certain after it.
        knock = max(0.0, math.sqrt(x * x + y * y + z * z) - self._knock)
        grown = np.zeros(_SIZE)
        grown[_V] = noise.specific_force**2 * dt + (knock * dt) ** 2
        grown[_A] = noise.angular_velocity**2 * dt
        # The biases drift by their own size in a quarter of an hour.
        grown[_G], grown[_F] = noise.gyroscope**2 * dt / 900.0, noise.accelerometer**2 * dt / 900.0
        grown[_B] = noise.weather**2 * dt
        self._covariance = step @ self._covariance @ step.T
        self._covariance.flat[:: _SIZE + 1] += grown

    def _pressure(self, altitude: float) -> None:
        row = np.zeros((1, _SIZE))
        row[0, 2] = row[0, _B] = 1.0
        residual = np.array([altitude - self._position[2] - self._offset])
        self._correct(row, residual, np.array([self._noise.altitude**2]))

    def _compass(self, heading: float) -> None:
        x, y, z = self._attitude[:, 0].tolist()
        level = x * x + y * y
        if level < 0.1:  # nose up or down: no heading
            return
        row = np.zeros((1, _SIZE))
        row[0, _A] = -z * x / level, -z * y / level, 1.0
        residual = np.array([math.remainder(heading - math.atan2(y, x), math.tau)])
        self._correct(row, residual, np.array([self._noise.heading**2]))

    def _fix(self, position: Vector, velocity: Vector) -> None:
        rows = np.eye(6, _SIZE)
        residual = np.concatenate([position - self._position, velocity - self._velocity])
        variance = np.square([*self._noise.position, *[self._noise.velocity] * 3])
        spread = np.sqrt(np.diag(self._covariance)[:6] + variance)
        fits = not self.ready or bool(np.all(np.abs(residual) < 6.0 * spread))
        self._misfits = 0 if fits else self._misfits + 1
        if self._misfits >= MISFITS_MOST:
            self._covariance[:6, :] = self._covariance[:, :6] = 0.0
            self._covariance.flat[: 6 * (_SIZE + 1) : _SIZE + 1] = 1e6
            self._misfits = 0
            fits = True
        if fits:
            self.ready = True
            self._correct(rows, residual, variance)

    def _correct(self, rows: Vector, residual: Vector, variance: Vector) -> None:
        covariance = self._covariance
        across = covariance @ rows.T
        gain = np.linalg.solve(rows @ across + np.diag(variance), across.T).T
        error = gain @ residual
        # Joseph form: stays symmetric and positive definite in floating point.
        left = np.eye(_SIZE) - gain @ rows
        self._covariance = left @ covariance @ left.T + (gain * variance) @ gain.T
        self._position = self._position + error[_P]
        self._velocity = self._velocity + error[_V]
        self._attitude = rotation_matrix(error[_A]) @ self._attitude
        self._gyroscope = self._gyroscope + error[_G]
        self._accelerometer = self._accelerometer + error[_F]
        self._offset += float(error[_B])
