"""Multirotor for tests of a protocol: a rigid body on four rotors over flat ground, and sensors without noise."""

from __future__ import annotations

import math

import numpy as np

from embodied.autopilot import Mixer
from embodied.bodies import DroneBody, FlightSensors, Quadrotor
from embodied.clock import Time
from embodied.geometry import cross, rotation_matrix
from embodied.messages import Vector
from tests.drivers.plain_world import PlainWorld

GRAVITY = np.array([0.0, 0.0, -9.81])
"""Acceleration of gravity [m/s²]."""

LAG = 0.03
"""Time constant of a rotor [s]."""

DRAG = 0.3
"""Deceleration per speed [1/s]."""

FIX_STEPS = 30
"""Steps between two satellite fixes."""

QUADROTOR = Quadrotor(
    mass=1.5,
    inertia=np.array([0.02, 0.02, 0.035]),
    rotors=np.array([[0.15, -0.2], [-0.15, 0.2], [0.15, 0.2], [-0.15, -0.2]]),
    spins=np.array([1.0, 1.0, -1.0, -1.0]),
    moment=0.02,
    most=8.0,
)


class Multirotor:
    """Rigid body that begins on the ground, at rest, headed east."""

    quadrotor = QUADROTOR

    def __init__(self, place: tuple[float, float]) -> None:
        self.now, self.steps = Time(0), 0
        self.position, self.velocity = np.array([*place, 0.0]), np.zeros(3)
        self.attitude, self.turning = np.eye(3), np.zeros(3)
        self.thrusts, self.commanded = np.zeros(4), np.zeros(4)
        self.force = -GRAVITY
        self._fix: tuple[Vector | None, Vector | None] = self.position.copy(), self.velocity.copy()
        self._mixer = Mixer(QUADROTOR)

    def read(self) -> FlightSensors:
        # A fix waits for whoever reads next: one that is late reads after a step of any number.
        (position, velocity), self._fix = self._fix, (None, None)
        forward = self.attitude[:, 0]
        return FlightSensors(
            angular_velocity=self.turning.copy(),
            specific_force=self.attitude.T @ self.force,
            heading=math.atan2(forward[1], forward[0]),
            altitude=float(self.position[2]),
            position=position,
            velocity=velocity,
            charge=0.9,
            voltage=16.0,
            acquired=self.now,
        )

    def thrust(self, thrusts: Vector) -> Vector:
        self.commanded = np.clip(thrusts, 0.0, QUADROTOR.most)
        return self.commanded.copy()

    def advance(self, dt: float) -> None:
        self._move(dt)
        self.steps += 1
        if self.steps % FIX_STEPS == 0:
            self._fix = self.position.copy(), self.velocity.copy()

    def _move(self, dt: float) -> None:
        self.thrusts = self.thrusts + (self.commanded - self.thrusts) * (1.0 - math.exp(-dt / LAG))
        lift, *torque = self._mixer.wrench @ self.thrusts
        self.force = self.attitude[:, 2] * lift / QUADROTOR.mass - DRAG * self.velocity
        if self.position[2] <= 0.0:
            # It stands: the ground carries the rest of its weight, until its lift exceeds that.
            self.position[2], self.velocity, self.turning = 0.0, np.zeros(3), np.zeros(3)
            if self.force[2] + GRAVITY[2] <= 0.0:
                self.force = -GRAVITY
                return
        inertia = QUADROTOR.inertia
        twist = np.array(torque) - cross(self.turning, inertia * self.turning)
        self.turning = self.turning + dt * twist / inertia
        self.attitude = self.attitude @ rotation_matrix(dt * self.turning)
        self.velocity = self.velocity + dt * (self.force + GRAVITY)
        self.position = self.position + dt * self.velocity


class Sky(PlainWorld[Multirotor]):
    """World with one multirotor, of any name, over flat ground.

    Args:
        place: where it stands at first, east and north [m].
    """

    def __init__(self, place: tuple[float, float] = (0.0, 0.0)) -> None:
        self._place = place

    def make(self) -> Multirotor:
        return Multirotor(self._place)

    def drone(self, name: str) -> DroneBody:
        return self.body
