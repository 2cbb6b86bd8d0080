from __future__ import annotations

from embodied.testing.bench import Bench
from embodied.testing.contract import DriverContract
from tests.drivers.can_ev.bench import RoadBench


class TestCanEV(DriverContract):
    def bench(self) -> Bench:
        return RoadBench()
