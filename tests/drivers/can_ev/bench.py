"""A vehicle on the bench: the very driver, a virtual unit behind an slcan adapter on a pseudo-terminal, and a car."""

from __future__ import annotations

from typing import Any

from drivers.can_ev import CanEV
from drivers.can_ev.virtual import VirtualEV
from embodied.node import Driver
from embodied.testing.vehicle_bench import VehicleBench
from tests.drivers.kinematic import KinematicRoad


class CanEVBench(VehicleBench):
    """One vehicle on a road of its own."""

    def __init__(self, vehicle: str = "generic") -> None:
        self.far = VirtualEV(vehicle=vehicle)
        self.world = KinematicRoad()
        self._vehicle = vehicle

    @classmethod
    def at(cls, where: str) -> CanEVBench:
        """For another process: the bench whose far side is reached there, and served by somebody else."""
        bench = cls()
        bench.far.address = where
        return bench

    def driver(self, **changes: Any) -> Driver:
        settings = {"interface": "slcan", "channel": self.far.address, "vehicle": self._vehicle}
        limits = {"speed_limit": self.speed_limit, "steering_limit": self.steering_limit}
        return CanEV(**{**settings, **limits, **changes})
