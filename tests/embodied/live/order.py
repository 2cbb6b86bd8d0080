"""Nodes and a world that write into a file when they are stopped, one line each, in the order in which it happens."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embodied import Node, Time
from embodied.devices.virtual import VirtualDevice
from embodied.messages import JointCommand, JointState, Reset, Stop, Target
from embodied.world import Verdict
from tests.embodied.nodes import Arm, Latched, LatchGuard, Motor


def note(path: str, line: str) -> None:
    """Append a line to a file at once, whichever process it is of."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


@dataclass
class Policy(Node):
    """A policy that commands without end, and whose last act takes a while."""

    path: str

    rate = 100.0

    def step(self, joints: JointState) -> JointCommand:
        return JointCommand(position=joints.position + 0.01)

    def close(self) -> None:
        note(self.path, "policy closed")


@dataclass
class Holding(LatchGuard):
    """A guard that notes when it is stopped."""

    path: str = ""

    def step(self, command: JointCommand | None, stop: list[Stop], reset: list[Reset]) -> Latched:
        if stop:
            note(self.path, "guard holds")
        return super().step(command, stop, reset)

    def close(self) -> None:
        note(self.path, "guard closed")


@dataclass
class Device(Motor):
    """A driver that reads back from its virtual device that it stands: it must still be there."""

    path: str = ""

    def step(self, command: JointCommand | None, now: Time) -> Arm:
        return super().step(command, now)

    def close(self) -> None:
        note(self.path, "driver read back")


@dataclass
class Far(VirtualDevice):
    """A virtual device with a process of its own, that needs no world."""

    path: str

    rate = 50.0

    def step(self) -> Target:
        return Target(label="here")

    def close(self) -> None:
        note(self.path, "virtual device closed")


@dataclass
class Ground:
    """A world that is never decided."""

    path: str

    rate: float = 100.0

    def reset(self, seed: int) -> None: ...

    def advance(self, to: Time) -> None: ...

    def about(self) -> Mapping[str, str]:
        return {}

    def truth(self) -> Mapping[str, Any]:
        return {}

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        note(self.path, "world closed")


@dataclass
class Body(Node):
    """A body of the world, which ends with it."""

    path: str

    rate = 50.0

    def open(self, world: Ground) -> None:
        self._position = np.zeros(2)

    def step(self) -> JointCommand:
        return JointCommand(position=self._position)

    def close(self) -> None:
        note(self.path, "body closed")


def lines(path: Path) -> list[str]:
    """Return what was noted."""
    return path.read_text().splitlines() if path.exists() else []
