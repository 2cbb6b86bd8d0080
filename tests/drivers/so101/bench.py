"""An SO-101 on the bench: the very driver, six virtual servos on a pseudo-terminal, and an arm behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drivers.so101 import SO101
from drivers.so101.virtual import VirtualSO101
from embodied.node import Driver
from embodied.testing.bench import ArmBench, Serving
from embodied.world import World
from tests.drivers.so101.arm import ROBOT, KinematicWorld


class SO101Bench(ArmBench):
    """One arm, in a world of its own."""

    robot = ROBOT

    def __init__(self, **settings: Any) -> None:
        self.far = VirtualSO101(self.robot, **settings)
        self._settings = settings

    def world(self) -> World:
        return KinematicWorld()

    def driver(self, **changes: Any) -> Driver:
        return SO101(**{"robot": self.robot, "port": self.far.address, **self._settings, **changes})

    @contextmanager
    def served(self) -> Iterator[None]:
        with Serving(self.far, self.world()):
            yield
