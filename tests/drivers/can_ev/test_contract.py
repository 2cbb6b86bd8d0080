from __future__ import annotations

from collections.abc import Callable

from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from embodied.testing.interference_contract import InterferenceContract
from tests.drivers.can_ev.bench import CanEVBench, RoadBench


class TestCanEV(DriverContract):
    def bench(self) -> Bench:
        return RoadBench()


class TeslaBench(CanEVBench):
    """Bench of the other vehicle, whose frames differ; what others do to it is seen by the same driver."""

    def __init__(self) -> None:
        super().__init__("tesla")

    def intrusions(self) -> dict[str, Callable[[], None]]:
        ways = super().intrusions()
        return {way: ways[way] for way in ("another host drives it", "it restarts")}


class TestTesla(InterferenceContract):
    def bench(self) -> Bench:
        return TeslaBench()
