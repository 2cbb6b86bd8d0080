"""The driver contract on one vehicle over an airfield, which stays in the air from test to test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from tests.drivers.mavlink.bench import AirfieldBench


@pytest.fixture(scope="module")
def vehicle() -> Iterator[AirfieldBench]:
    """Serve one vehicle to all tests: a world of its own and the way up are most of what a test would take."""
    bench = AirfieldBench()
    with bench.served():
        yield bench


class TestMavlink(DriverContract):
    @pytest.fixture(autouse=True)
    def _repaired(self, vehicle: AirfieldBench) -> None:
        vehicle.repair()
        self.vehicle = vehicle

    def bench(self) -> Bench:
        return self.vehicle

    @contextmanager
    def served(self) -> Iterator[Bench]:
        with self.vehicle.judged():
            yield self.vehicle
