"""A plain arm for the wire alone: every joint follows its motor as a first-order lag, and nothing falls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from embodied.clock import Time, rate_of, ticks_by
from embodied.errors import WorldFailed
from embodied.messages import GripperState, JointCommand, JointState
from embodied.robot import Robot
from embodied.world import ArmBody, CameraBody, Verdict

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

    def camera(self, name: str, *, width: int = 320, height: int = 240) -> CameraBody:
        raise WorldFailed("there is no camera")

    def about(self) -> Mapping[str, str]:
        return {}

    def truth(self) -> Mapping[str, Any]:
        return {"position": self.body.at.tolist()}

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        return
