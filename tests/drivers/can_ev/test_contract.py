from __future__ import annotations

from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from tests.drivers.can_ev.bench import RoadBench


class TestCanEV(DriverContract):
    def bench(self) -> Bench:
        return RoadBench()
