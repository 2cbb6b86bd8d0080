"""Kinematic arm for a virtual device without a world: joints follow their motors with a lag, and nothing falls."""

from __future__ import annotations

import math

import numpy as np

from embodied.clock import SECOND, Time
from embodied.messages import GripperState, JointCommand, JointState, Vector
from embodied.robot import Robot

LAG = 0.02
"""Time constant of a joint behind its motor [s]."""

STIFFNESS = 20.0
"""Torque per angle between a joint and its motor [N·m/rad]."""


class KinematicArm:
    """Arm whose joints and gripper follow their motors with a lag; it begins at home, with its gripper open.

    Args:
        robot: joints of the arm and its opening.

    Attributes:
        joints: names of the joints.
        now: time of the next reading [ns].
    """

    def __init__(self, robot: Robot) -> None:
        self.joints = tuple(robot.joints)
        self.now = Time(0)
        self._at = np.append(robot.limit("home"), robot.opening)
        self._goal = self._at.copy()
        self._rate = np.zeros_like(self._at)
        self._walls: dict[int, float] = {}
        self._hand: Vector | None = None

    def read(self) -> tuple[JointState, GripperState]:
        """Return what its sensors measure now."""
        position, velocity = self._at[:-1].copy(), self._rate[:-1].copy()
        effort = STIFFNESS * (self._goal - self._at)[:-1]
        width, speed = float(self._at[-1]), float(self._rate[-1])
        return (
            JointState(position=position, velocity=velocity, effort=effort, acquired=self.now),
            GripperState(width=width, speed=speed, force=0.0, acquired=self.now),
        )

    def command(self, command: JointCommand) -> JointCommand:
        """Set the goals of the motors; return the command that they got."""
        if command.position is not None:
            self._goal[:-1] = command.position
        if command.gripper is not None:
            self._goal[-1] = command.gripper
        return command

    def push(self, position: Vector | None) -> None:
        """Move the joints by hand to positions (n,) [rad], whatever their motors do, until there are none."""
        self._hand = position

    def block(self, joint: int, position: float) -> None:
        """Put something in the way of a joint, at a position above which it does not go [rad]."""
        self._walls[joint] = position

    def advance(self, seconds: float) -> None:
        """Let time pass [s]; the time of readings passes as well."""
        goal = self._goal.copy()
        if self._hand is not None:
            goal[:-1] = self._hand
        moved = (goal - self._at) * (1.0 - math.exp(-seconds / LAG))
        for joint, wall in self._walls.items():
            moved[joint] = min(moved[joint], wall - self._at[joint])
        self._rate = moved / seconds
        self._at += moved
        self.now = Time(self.now + round(seconds * SECOND))
