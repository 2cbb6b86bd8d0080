"""A plain multirotor for the wire alone: a rigid body on four rotors over flat ground, and sensors without noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from embodied.autopilot import Mixer
from embodied.bodies import DroneBody, FlightSensors, Quadrotor
from embodied.clock import Time, rate_of, tick, ticks_by
from embodied.geometry import rotation_matrix
from embodied.messages import Vector
from embodied.world import Verdict

GRAVITY = np.array([0.0, 0.0, -9.81])  # [m/s²]
LAG = 0.03  # time constant of a rotor [s]
DRAG = 0.3  # [1/s]
FIX = 30  # steps between two satellite fixes

QUADROTOR = Quadrotor(
    mass=1.5,
    inertia=np.array([0.02, 0.02, 0.035]),
    rotors=np.array([[0.15, -0.2], [-0.15, 0.2], [0.15, 0.2], [-0.15, -0.2]]),
    spins=np.array([1.0, 1.0, -1.0, -1.0]),
    moment=0.02,
    most=8.0,
)


class Multirotor:
    """A body: it begins on the ground, at rest, headed east."""

    quadrotor = QUADROTOR

    def __init__(self, place: tuple[float, float]) -> None:
        self.now, self.steps = Time(0), 0
        self.position, self.velocity = np.array([*place, 0.0]), np.zeros(3)
        self.attitude, self.turning = np.eye(3), np.zeros(3)
        self.given, self.wanted = np.zeros(4), np.zeros(4)
        self.force = -GRAVITY
        self._mixer = Mixer(QUADROTOR)

    def read(self) -> FlightSensors:
        fixed = self.steps % FIX == 0
        forward = self.attitude[:, 0]
        return FlightSensors(
            angular_velocity=self.turning.copy(),
            specific_force=self.attitude.T @ self.force,
            heading=math.atan2(forward[1], forward[0]),
            altitude=float(self.position[2]),
            position=self.position.copy() if fixed else None,
            velocity=self.velocity.copy() if fixed else None,
            charge=0.9,
            voltage=16.0,
            acquired=self.now,
        )

    def thrust(self, thrusts: Vector) -> Vector:
        self.wanted = np.clip(thrusts, 0.0, QUADROTOR.most)
        return self.wanted.copy()

    def advance(self, dt: float) -> None:
        self.steps += 1
        self.given = self.given + (self.wanted - self.given) * (1.0 - math.exp(-dt / LAG))
        lift, *torque = self._mixer.wrench @ self.given
        self.force = self.attitude[:, 2] * lift / QUADROTOR.mass - DRAG * self.velocity
        if self.position[2] <= 0.0:
            # It stands: the ground gives what is missing, and lets it go upwards alone.
            self.position[2], self.velocity, self.turning = 0.0, np.zeros(3), np.zeros(3)
            if self.force[2] + GRAVITY[2] <= 0.0:
                self.force = -GRAVITY
                return
        inertia = QUADROTOR.inertia
        twist = np.array(torque) - np.cross(self.turning, inertia * self.turning)
        self.turning = self.turning + dt * twist / inertia
        self.attitude = self.attitude @ rotation_matrix(dt * self.turning)
        self.velocity = self.velocity + dt * (self.force + GRAVITY)
        self.position = self.position + dt * self.velocity


class Sky:
    """A world with that multirotor, and nothing else."""

    rate = 300.0

    def __init__(self, place: tuple[float, float] = (0.0, 0.0)) -> None:
        self._place = place

    def reset(self, seed: int) -> None:
        self.body = Multirotor(self._place)

    def advance(self, to: Time) -> None:
        rate = rate_of(self.rate)
        for _ in range(ticks_by(to, rate) - self.body.steps):
            self.body.advance(1.0 / self.rate)
        self.body.now = tick(self.body.steps, rate)

    def drone(self, name: str) -> DroneBody:
        return self.body

    def about(self) -> Mapping[str, str]:
        return {}

    def truth(self) -> Mapping[str, Any]:
        return {"position": self.body.position.tolist()}

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        return
