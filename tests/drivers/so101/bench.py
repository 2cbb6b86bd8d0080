"""An SO-101 on the bench: the very driver, six virtual servos on a pseudo-terminal, and PyBullet behind them."""

from __future__ import annotations

from typing import Any

from drivers.so101 import SO101
from drivers.so101.virtual import VirtualSO101
from embodied.node import Driver
from embodied.testing.bench import ArmBench
from sims.tabletop import Tabletop
from tests.embodied.robots import robot


class SO101Bench(ArmBench):
    """One arm, in a world of its own; what is set is so at both ends of the wire."""

    robot = robot("so101")

    def __init__(self, **settings: Any) -> None:
        self.far = VirtualSO101(self.robot, **settings)
        self.world = Tabletop(self.robot, objects=1)
        self._settings = settings

    @classmethod
    def at(cls, where: str) -> SO101Bench:
        """For another process: the bench whose far side is reached there, and served by somebody else."""
        bench = cls()
        bench.far.address = where
        return bench

    def driver(self, **changes: Any) -> Driver:
        return SO101(**{"robot": self.robot, "port": self.far.address, **self._settings, **changes})
