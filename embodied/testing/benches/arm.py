"""An arm on a bench."""

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
"""It is asked for its motion this often, the period of its driver [s]."""


class ArmBench(Bench):
    """An arm on a bench: its motion swings one joint to and fro, evenly, whenever it is asked to go on.

    Attributes:
        robot: its limits.
        swing: how far, of the joint that moves [rad].
        joint: number of that joint.
        share: of the robot's speed that it uses.
        begin: where the arm stands at first, shape (n,) [rad]; None is at home.
    """

    robot: Robot
    swing: float = 0.2
    joint: int = 0
    share: float = 0.3
    begin: Vector | None = None
    _moved: JointSetpoint | None = None

    def motion(self, seconds: float) -> Command:
        """A cosine of two seconds, reached from the last command within a share of the robot's speed."""
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
        """The next motion begins at rest where the last command was."""
        if self._moved is not None:
            self._aim = self._moved.position
            self._moved = JointSetpoint(self._aim, np.zeros_like(self._aim))

    def forbidden(self) -> list[Command]:
        """NaN and infinity in a joint and in the gripper, the wrong number of joints, and far beyond every limit."""
        home = self.robot.limit("home")
        bent: list[Vector] = [home.copy() for _ in range(3)]
        for position, value in zip(bent, (np.nan, np.inf, -np.inf), strict=True):
            position[self.joint] = value
        beyond = [self.robot.limit("upper") + 1.0, self.robot.limit("lower") - 1.0]
        shaped = [home[:-1], np.append(home, 0.0)]
        commands: list[Command] = [JointCommand(position=position) for position in (*bent, *beyond, *shaped)]
        return [*commands, JointCommand(position=home, gripper=float("nan")), JointCommand(position=home, gripper=9.9)]

    def allowed(self, heard: Command) -> bool:
        """Finite, as many joints as there are, and within every limit."""
        assert isinstance(heard, JointCommand)
        gripper = heard.gripper
        if gripper is not None and not -self.tolerance <= gripper <= self.robot.opening + self.tolerance:
            return False
        if heard.position is None:
            return True
        low, high = self.robot.limit("lower") - self.tolerance, self.robot.limit("upper") + self.tolerance
        return heard.position.shape == low.shape and bool(np.all((low <= heard.position) & (heard.position <= high)))

    def wrong(self) -> list[dict[str, Any]]:
        """Another serial number, joints in another order, and limits that the device does not have."""
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

    def same(self, applied: Command, heard: Command) -> bool:
        """Joints within the tolerance, and the gripper within a millimetre, as far as both say them."""
        assert isinstance(applied, JointCommand)
        assert isinstance(heard, JointCommand)
        if applied.position is None or heard.position is None:
            return applied.position is heard.position
        near = bool(np.abs(applied.position - heard.position).max() <= self.tolerance)
        wide = applied.gripper is not None and heard.gripper is not None
        return near and (not wide or abs((applied.gripper or 0.0) - (heard.gripper or 0.0)) <= 1e-3)
