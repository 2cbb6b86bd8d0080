"""A plain arm and a plain car for the wire alone: motors lag a little, and nothing falls or slips."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from embodied.bodies import ArmBody, CarBody, CarSensors
from embodied.clock import Time, rate_of, ticks_by
from embodied.messages import GripperState, JointCommand, JointState
from embodied.robot import Robot
from embodied.world import Verdict

LAG = 0.02  # time constant of a joint behind its motor [s]
STIFFNESS = 20.0  # torque for each radian that a joint is behind [N·m/rad]


class Kinematic:
    """A body: joints and gripper behind their motors."""

    def __init__(self, robot: Robot) -> None:
        self.joints = tuple(robot.joints)
        self.now = Time(0)
        self.at = np.append(robot.limit("home"), robot.opening)
        self.goal = self.at.copy()
        self.rate = np.zeros_like(self.at)

    def read(self) -> tuple[JointState, GripperState]:
        effort = STIFFNESS * (self.goal - self.at)[:-1]
        width, speed = float(self.at[-1]), float(self.rate[-1])
        return (
            JointState(position=self.at[:-1].copy(), velocity=self.rate[:-1].copy(), effort=effort, acquired=self.now),
            GripperState(width=width, speed=speed, force=0.0, acquired=self.now),
        )

    def command(self, command: JointCommand) -> JointCommand:
        if command.position is not None:
            self.goal[:-1] = command.position
        if command.gripper is not None:
            self.goal[-1] = command.gripper
        return command

    def advance(self, seconds: float) -> None:
        moved = (self.goal - self.at) * (1.0 - math.exp(-seconds / LAG))
        self.rate = moved / seconds
        self.at += moved


class KinematicWorld:
    """A world with that arm, and nothing else."""

    rate = 300.0

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    def reset(self, seed: int) -> None:
        self.body = Kinematic(self._robot)

    def advance(self, to: Time) -> None:
        rate = rate_of(self.rate)
        for _ in range(ticks_by(to, rate) - ticks_by(self.body.now, rate)):
            self.body.advance(1.0 / self.rate)
        self.body.now = to

    def arm(self, name: str) -> ArmBody:
        return self.body

    def about(self) -> Mapping[str, str]:
        return {}

    def truth(self) -> Mapping[str, Any]:
        return {"position": self.body.at.tolist()}

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        return


class KinematicCar:
    """A car with one track: its front wheels turn at once, its speed follows what it is told, and nothing slips."""

    wheelbase, steering_limit = 1.2, 0.6

    def __init__(self) -> None:
        self.now = Time(0)
        self.at = np.zeros(3)  # x, y [m], yaw [rad]
        self.speed = self.steering = self.acceleration = 0.0
        self.charge = 0.9

    def read(self) -> CarSensors:
        # Both axles turn about one point; a wheel is as fast as it is far from there.
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


class KinematicRoad:
    """A world with that car, and nothing else."""

    rate = 300.0

    def reset(self, seed: int) -> None:
        self.body = KinematicCar()

    def advance(self, to: Time) -> None:
        rate = rate_of(self.rate)
        for _ in range(ticks_by(to, rate) - ticks_by(self.body.now, rate)):
            self.body.advance(1.0 / self.rate)
        self.body.now = to

    def car(self, name: str) -> CarBody:
        return self.body

    def about(self) -> Mapping[str, str]:
        return {}

    def truth(self) -> Mapping[str, Any]:
        return {"position": self.body.at.tolist()}

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        return
