"""An SO-101 on the bench: the very driver, six virtual servos on a pseudo-terminal, and an arm behind them.

What is about the wire alone has a plain kinematic arm there, the contract and the faults have PyBullet.
"""

from __future__ import annotations

from typing import Any

from drivers.so101 import SO101
from drivers.so101.calibration import JointCalibration
from drivers.so101.servos import NAMES
from drivers.so101.virtual import VirtualSO101
from embodied.node.node import Driver
from embodied.testing.benches.arm import ArmBench
from embodied.world import World
from sims.tabletop.world import Tabletop
from tests.drivers.kinematic import KinematicWorld
from tests.embodied.robots import robot

ROBOT = robot("so101")

CALIBRATION = {
    name: JointCalibration(offset=0.1 * i - 0.2, sign=(-1) ** i, lower=-2.9, upper=2.9) for i, name in enumerate(NAMES)
}
"""Calibration with another offset for each joint, and every other one turned against its servo."""


class SO101Bench(ArmBench):
    """One arm, on a table of its own; what is set is so at both ends of the wire."""

    robot = ROBOT

    def __init__(self, **settings: Any) -> None:
        self.virtual = VirtualSO101(self.robot, **settings)
        self.world = self._world()
        self._settings = settings

    def _world(self) -> World:
        return Tabletop(self.robot, objects=1)

    @classmethod
    def at(cls, where: str) -> SO101Bench:
        """Return a bench whose virtual device is served at an address by another process."""
        bench = cls()
        bench.virtual.address = where
        return bench

    def driver(self, **changes: Any) -> Driver:
        return self.so101(**changes)

    def so101(self, **changes: Any) -> SO101:
        return SO101(**{"robot": self.robot, "port": self.virtual.address, **self._settings, **changes})


class KinematicBench(SO101Bench):
    """One arm, and no physics."""

    def _world(self) -> World:
        return KinematicWorld(self.robot)
