"""Bench of an arm with a gripper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from embodied.guards.joint_limiter import JointLimiter, JointSetpoint
from embodied.messages import JointCommand, Vector
from embodied.messages.schema import Command
from embodied.robot import Robot
from embodied.testing.benches.bench import Bench

MOTION_PERIOD = 0.01
"""Time between two commands of its motion, the period of its driver [s]."""


class ArmBench(Bench):
    """Bench of an arm with a gripper, whose motion swings one joint to and fro and goes on from the last command.

    Attributes:
        robot: joints and limits of the arm.
        swing: width of the swing [rad].
        joint: index of the joint that moves.
        share: share of the robot's speed limit that is used, 0 to 1.
        begin: position where the arm stands at first, shape (n,) [rad]; None is at home.
    """

    robot: Robot
    swing: float = 0.2
    joint: int = 0
    share: float = 0.3
    begin: Vector | None = None
    _moved: JointSetpoint | None = None

    def motion(self, seconds: float) -> Command:
        """Return a cosine of two seconds, approached from the last command within a share of the robot's speed."""
        begin = self.robot.limit("home") if self.begin is None else self.begin
        if self._moved is None:
            self._limiter = JointLimiter(self.robot, MOTION_PERIOD, self.share)
            self._moved, self._aim = JointSetpoint(begin, np.zeros_like(begin)), begin
        aim = begin.copy()
        aim[self.joint] += self.swing * (1.0 - np.cos(np.pi * seconds)) / 2
        self._moved, _ = self._limiter.follow(self._moved, self._aim, aim)
        self._aim = aim
        return JointCommand(position=self._moved.position, gripper=self.robot.opening / 2)

    def rest(self) -> None:
        """Begin the next motion at rest, where the last command was."""
        if self._moved is not None:
            self._aim = self._moved.position
            self._moved = JointSetpoint(self._aim, np.zeros_like(self._aim))

    def forbidden(self) -> list[Command]:
        """Return NaN and infinity in a joint and the gripper, wrong numbers of joints, and far beyond limits."""
        home = self.robot.limit("home")
        damaged: list[Vector] = [home.copy() for _ in range(3)]
        for position, value in zip(damaged, (np.nan, np.inf, -np.inf), strict=True):
            position[self.joint] = value
        beyond = [self.robot.limit("upper") + 1.0, self.robot.limit("lower") - 1.0]
        misshapen = [home[:-1], np.append(home, 0.0)]
        commands: list[Command] = [JointCommand(position=position) for position in (*damaged, *beyond, *misshapen)]
        return [*commands, JointCommand(position=home, gripper=float("nan")), JointCommand(position=home, gripper=9.9)]

    def allowed(self, received: Command) -> bool:
        """Return whether a command is finite, has a position for each joint, and is within all limits."""
        assert isinstance(received, JointCommand)
        gripper = received.gripper
        if gripper is not None and not -self.tolerance <= gripper <= self.robot.opening + self.tolerance:
            return False
        if received.position is None:
            return True
        low, high = self.robot.limit("lower") - self.tolerance, self.robot.limit("upper") + self.tolerance
        return received.position.shape == low.shape and bool(
            np.all((low <= received.position) & (received.position <= high))
        )

    def wrong(self) -> list[dict[str, Any]]:
        """Return another serial number, another order of joints, and limits that the device does not have."""
        names = list(self.robot.joints)
        joints = self.robot.joints
        first = joints[names[0]]
        swapped = [{"robot": replace(self.robot, joints={name: joints[name] for name in reversed(names)})}]
        return [
            *super().wrong(),
            *(swapped if len(names) > 1 else []),
            {"robot": replace(self.robot, joints={**joints, names[0]: replace(first, upper=first.upper + 10.0)})},
            {"robot": replace(self.robot, joints={**joints, names[0]: replace(first, velocity=1e3)})},
        ]

    def same(self, applied: Command, received: Command) -> bool:
        """Return whether joints agree within the tolerance, and the gripper within 1 mm, if both have them."""
        assert isinstance(applied, JointCommand)
        assert isinstance(received, JointCommand)
        if applied.position is None or received.position is None:
            return applied.position is received.position
        near = bool(np.abs(applied.position - received.position).max() <= self.tolerance)
        wide = applied.gripper is not None and received.gripper is not None
        return near and (not wide or abs((applied.gripper or 0.0) - (received.gripper or 0.0)) <= 1e-3)
