"""Bench of the multirotor: the driver, a virtual autopilot on loopback, and a rigid body that it flies."""

from __future__ import annotations

import itertools
import os
from typing import Any

from drivers.mavlink import Geofence, Mavlink
from drivers.mavlink.virtual import VirtualPX4
from embodied.node.node import Driver
from embodied.testing.benches.drone import DroneBench
from embodied.world import World
from sims.airfield.world import Airfield
from tests.drivers.multirotor import Sky

_numbers = itertools.count()


def port() -> int:
    """Return a UDP port that no other bench has, in this process or in another of these tests."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return 20000 + 1000 * worker + os.getpid() % 9 * 100 + next(_numbers) % 100


class MavlinkBench(DroneBench):
    """Bench of one multirotor, over UDP or a pseudo terminal."""

    fence = Geofence(altitude=10.0, radius=15.0)

    def __init__(self, *, serial: bool = False, **parameters: int | float) -> None:
        # It holds for longer than any test here; the failsafe after that has a test of its own.
        patient = {"COM_FAIL_ACT_T": 60.0, "COM_DISARM_LAND": 0.5, "RTL_RETURN_ALT": 2.0} | parameters
        self.virtual = VirtualPX4(source=0, target=0 if serial else port(), parameters=patient)
        self.world: World = Sky()

    @classmethod
    def at(cls, address: str) -> MavlinkBench:
        """Return the bench of a virtual device that another process serves at an address."""
        bench = cls()
        bench.virtual.address, bench.witnessed = address, False
        return bench

    def driver(self, **changes: Any) -> Driver:
        return Mavlink(**{"url": self.virtual.address, "fence": self.fence, **changes})

    def wrong(self) -> list[dict[str, Any]]:
        return [*super().wrong(), {"fence": Geofence(altitude=10.0, polygon=((5.0, 5.0), (9.0, 5.0), (7.0, 9.0)))}]


class AirfieldBench(MavlinkBench):
    """Bench of one multirotor over an airfield in PyBullet, with sensors with noise."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Airfield()
