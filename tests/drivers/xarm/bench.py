"""An xArm 6 on the bench: the very driver, a virtual control box on a loopback address, and PyBullet behind it."""

from __future__ import annotations

import itertools
import os
from typing import Any

from drivers.xarm import XArm
from drivers.xarm.virtual import VirtualXArm
from embodied.node.node import Driver
from embodied.testing.benches.arm import ArmBench
from sims.tabletop.world import Tabletop
from tests.drivers.kinematic import KinematicWorld
from tests.embodied.robots import robot

PORT = 15502
"""Port 502 needs a right that a test has not."""

_numbers = itertools.count(1)


def address() -> str:
    """A loopback address that no other bench has, in this process or in another."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return f"127.{101 + worker}.{os.getpid() % 250 + 1}.{next(_numbers) % 250 + 1}"


class XArmBench(ArmBench):
    """An xArm 6 on a table of its own."""

    robot = robot("xarm6")

    def __init__(self, host: str = "") -> None:
        self.box = VirtualXArm(self.robot, host=host or address(), port=PORT)
        self.virtual = self.box
        self.world = Tabletop(self.robot, objects=1)

    @classmethod
    def at(cls, where: str) -> XArmBench:
        """Return a bench whose virtual device is served at an address by another process."""
        return cls(where.partition(":")[0])

    def driver(self, **changes: Any) -> Driver:
        return XArm(**{"robot": self.robot, "host": self.box.host, "port": PORT, **changes})


class XArm7Bench(ArmBench):
    """An xArm 7, of which there is no simulated body: a plain one stands behind its wire."""

    robot = robot("xarm7")
    joint = 3

    def __init__(self) -> None:
        self.box = VirtualXArm(self.robot, host=address(), port=PORT, flange="link7")
        self.virtual = self.box
        self.world = KinematicWorld(self.robot)

    def driver(self, **changes: Any) -> Driver:
        return XArm(**{"robot": self.robot, "host": self.box.host, "port": PORT, **changes})
