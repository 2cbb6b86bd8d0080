from __future__ import annotations

from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from tests.drivers.so101.bench import SO101Bench


class TestSO101(DriverContract):
    def bench(self) -> Bench:
        return SO101Bench()
