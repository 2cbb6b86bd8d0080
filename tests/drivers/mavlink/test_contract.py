from __future__ import annotations

from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from tests.drivers.mavlink.bench import AirfieldBench


class TestMavlink(DriverContract):
    def bench(self) -> Bench:
        return AirfieldBench()
