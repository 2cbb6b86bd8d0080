"""A rigid body on four rotors, for flights without a world, with exact sensors or with such as the filter expects."""

from __future__ import annotations

import math

import numpy as np

from embodied.autopilot import Mixer
from embodied.bodies import FlightSensors, Quadrotor
from embodied.clock import SECOND, Time
from embodied.geometry import cross, quaternion, rotation_matrix
from embodied.messages import Vector

QUADROTOR = Quadrotor(
    mass=1.5,
    inertia=np.array([0.02, 0.02, 0.035]),
    rotors=0.16 * np.array([(1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0)]),
    spins=np.array([1.0, 1.0, -1.0, -1.0]),
    moment=0.016,
    most=8.0,
)
HOVER = np.full(4, QUADROTOR.mass * 9.81 / 4)
DT = 1 / 300  # [s]


class Airframe:
    """It hovers 2 m above the origin; `wind` pushes it [N]."""

    def __init__(self, rng: np.random.Generator | None = None) -> None:
        self.position, self.velocity = np.array([0.0, 0.0, 2.0]), np.zeros(3)
        self.attitude, self.turning = np.eye(3), np.zeros(3)
        self.wind = np.zeros(3)
        self.thrusts = HOVER.copy()
        self._rng = rng
        self._bias = np.zeros(6) if rng is None else rng.normal(0.0, [0.01] * 3 + [0.05] * 3)
        self._wrench = Mixer(QUADROTOR).wrench
        self._felt = np.array([0.0, 0.0, 9.81])
        self.count = 0

    def fly(self, thrusts: Vector) -> None:
        """One step, with rotors that lag by 30 ms."""
        self.thrusts = self.thrusts + (thrusts - self.thrusts) * (DT / 0.030)
        lift, *torque = self._wrench @ self.thrusts
        self._felt = self.attitude.T @ self.wind / QUADROTOR.mass + np.array([0.0, 0.0, lift / QUADROTOR.mass])
        inertia = QUADROTOR.inertia
        self.turning = self.turning + DT * (torque - cross(self.turning, inertia * self.turning)) / inertia
        self.velocity = self.velocity + DT * (self.attitude @ self._felt - np.array([0.0, 0.0, 9.81]))
        self.position = self.position + DT * self.velocity
        self.attitude = self.attitude @ rotation_matrix(DT * self.turning)
        self.count += 1

    def read(self) -> FlightSensors:
        """What it measures; a fix comes ten times a second."""
        fix = self.count % 30 == 0
        noisy = self._noisy
        gyroscope, accelerometer = self._bias[:3], self._bias[3:]
        return FlightSensors(
            angular_velocity=noisy(self.turning + gyroscope, 0.01),
            specific_force=noisy(self._felt + accelerometer, 0.2),
            heading=float(noisy(np.array(math.atan2(self.attitude[1, 0], self.attitude[0, 0])), 0.03)),
            altitude=float(noisy(np.array(self.position[2] - 2.0), 0.1)),
            position=noisy(self.position, 0.02) if fix else None,
            velocity=noisy(self.velocity, 0.05) if fix else None,
            charge=1.0,
            voltage=16.8,
            acquired=self.now,
        )

    @property
    def now(self) -> Time:
        """The time [ns]."""
        return Time(round(self.count * SECOND * DT))

    @property
    def orientation(self) -> Vector:
        """As a quaternion."""
        return quaternion(self.attitude)

    def _noisy(self, value: Vector, spread: float) -> Vector:
        return value if self._rng is None else value + self._rng.normal(0.0, spread, value.shape)
