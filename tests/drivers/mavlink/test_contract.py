from __future__ import annotations

from embodied.testing.bench import Bench
from embodied.testing.contract import DriverContract
from tests.drivers.mavlink.bench import AirfieldBench


class TestMavlink(DriverContract):
    def bench(self) -> Bench:
        return AirfieldBench()
