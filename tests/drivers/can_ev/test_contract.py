from __future__ import annotations

from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from embodied.testing.interference_contract import InterferenceContract
from tests.drivers.can_ev.bench import CanEVBench, RoadBench


class TestCanEV(DriverContract):
    def bench(self) -> Bench:
        return RoadBench()


class TestTesla(InterferenceContract):
    def bench(self) -> Bench:
        return CanEVBench("tesla")
