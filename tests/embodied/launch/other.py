"""Nodes that stand in another module than most."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embodied import Node
from embodied.messages import JointCommand, JointState, Target, Vector


@dataclass
class Soft(Node):
    """As `Hold`, without its gains."""

    goal: Vector

    def step(self, joints: JointState) -> JointCommand:
        return JointCommand(position=self.goal)


@dataclass
class Reader(Node):
    """Has a path for a setting."""

    file: Path

    def step(self) -> Target:
        return Target(label=self.file.name)
