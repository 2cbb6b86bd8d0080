"""A plain kinematic SO-101, for the wire alone: every joint follows its motor as a first-order lag, and nothing falls.

Limits and home are those of the maker's model of the arm (SO-ARM100, Simulation/SO101).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from embodied.clock import SECOND, Time, rate_of, ticks_by
from embodied.errors import WorldFailed
from embodied.messages import GripperState, JointCommand, JointState
from embodied.robot import Joint, Robot, Tool
from embodied.world import ArmBody, CameraBody, Verdict

LAG = 0.02  # time constant of a joint behind its motor [s]
STIFFNESS = 20.0  # torque for each radian that a joint is behind [N·m/rad]

RANGES = {
    "shoulder_pan": (-1.9198, 1.9198),
    "shoulder_lift": (-1.7453, 1.7453),
    "elbow_flex": (-1.69, 1.69),
    "wrist_flex": (-1.658, 1.658),
    "wrist_roll": (-2.7438, 2.8412),
}

ROBOT = Robot(
    name="so101",
    urdf=Path("so101.urdf"),
    base="base_link",
    tool=Tool(link="gripper_link", position=(0.0, 0.0, -0.1)),
    joints={
        name: Joint(lower=low, upper=high, velocity=2.4, acceleration=12, effort=2.9, home=0.1)
        for name, (low, high) in RANGES.items()
    },
    opening=0.08,
)


class Kinematic:
    """A body: joints and gripper behind their motors."""

    joints = tuple(ROBOT.joints)

    def __init__(self) -> None:
        self.now = Time(0)
        self.at = np.append(ROBOT.limit("home"), ROBOT.opening)
        self.goal = self.at.copy()
        self.rate = np.zeros_like(self.at)

    def read(self) -> tuple[JointState, GripperState]:
        effort = STIFFNESS * (self.goal - self.at)[:-1]
        width, speed = self.at[-1], self.rate[-1]
        return (
            JointState(position=self.at[:-1].copy(), velocity=self.rate[:-1].copy(), effort=effort, acquired=self.now),
            GripperState(width=width, speed=speed, force=0.0, acquired=self.now),
        )

    def command(self, command: JointCommand) -> JointCommand:
        assert command.position is not None
        assert command.gripper is not None
        self.goal = np.append(command.position, command.gripper)
        return command

    def advance(self, seconds: float) -> None:
        moved = (self.goal - self.at) * (1.0 - math.exp(-seconds / LAG))
        self.rate = moved / seconds
        self.at += moved


class KinematicWorld:
    """A world with that arm, and nothing else."""

    rate = 300.0

    def reset(self, seed: int) -> None:
        self.body = Kinematic()

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
        return {"position": self.body.at.tolist(), "time": self.body.now / SECOND}

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        return
