from __future__ import annotations

from embodied.testing.bench import Bench
from embodied.testing.contract import DriverContract
from tests.drivers.so101.bench import SO101Bench


class TestSO101(DriverContract):
    def bench(self) -> Bench:
        return SO101Bench()
