from __future__ import annotations

from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from tests.drivers.xarm.bench import XArm7Bench, XArmBench


class TestXArm(DriverContract):
    def bench(self) -> Bench:
        return XArmBench()


class TestXArm7(DriverContract):
    def bench(self) -> Bench:
        return XArm7Bench()
