"""Kinematic arm and car for tests of a protocol: motors lag a little, and nothing falls or slips."""

from __future__ import annotations

import math

import numpy as np

from embodied.bodies import ArmBody, CarBody, CarSensors
from embodied.clock import Time
from embodied.devices.kinematic_arm import KinematicArm
from embodied.robot import Robot
from tests.drivers.plain_world import PlainWorld


class KinematicWorld(PlainWorld[KinematicArm]):
    """World with one kinematic arm, of any name."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    def make(self) -> KinematicArm:
        return KinematicArm(self._robot)

    def arm(self, name: str) -> ArmBody:
        return self.body


class KinematicCar:
    """Single-track car: its front wheels turn at once, its acceleration is the commanded one, and nothing slips."""

    wheelbase, steering_limit = 1.2, 0.6

    def __init__(self) -> None:
        self.now = Time(0)
        self.at = np.zeros(3)  # x, y [m], yaw [rad]
        self.speed = self.steering = self.acceleration = 0.0
        self.charge = 0.9

    def read(self) -> CarSensors:
        # Both axles turn about one point; the speed of a wheel is proportional to its distance from there.
        turn = math.tan(self.steering) / self.wheelbase
        wheels = [self.speed * math.hypot(1 - y * turn, x * turn) for x in (self.wheelbase, 0.0) for y in (0.4, -0.4)]
        return CarSensors(
            speed=self.speed,
            wheel_speeds=np.array(wheels),
            steering=self.steering,
            yaw_rate=self.speed * turn,
            acceleration=self.acceleration,
            charge=self.charge,
            acquired=self.now,
        )

    def drive(self, steering: float, acceleration: float) -> tuple[float, float]:
        self.steering = float(np.clip(steering, -self.steering_limit, self.steering_limit))
        self.acceleration = acceleration
        return self.steering, acceleration

    def advance(self, seconds: float) -> None:
        yaw, turn = self.at[2], math.tan(self.steering) / self.wheelbase
        self.at += self.speed * seconds * np.array([math.cos(yaw), math.sin(yaw), turn])
        self.speed = max(0.0, self.speed + self.acceleration * seconds)


class KinematicRoad(PlainWorld[KinematicCar]):
    """World with one kinematic car, of any name."""

    def make(self) -> KinematicCar:
        return KinematicCar()

    def car(self, name: str) -> CarBody:
        return self.body
