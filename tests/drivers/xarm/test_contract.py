from __future__ import annotations

from embodied.testing.bench import Bench
from embodied.testing.contract import DriverContract
from tests.drivers.xarm.bench import XArmBench


class TestXArm(DriverContract):
    def bench(self) -> Bench:
        return XArmBench()
