"""A vehicle on the bench: the very driver, a virtual unit behind an slcan adapter on a pseudo-terminal, and a car."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from drivers.can_ev import CanEV
from drivers.can_ev.virtual import VirtualEV
from embodied.messages import Vector
from embodied.node.node import Driver
from embodied.testing.benches.vehicle import VehicleBench
from embodied.testing.serving import Drive
from embodied.world import World
from sims.road.world import Road
from tests.drivers.kinematic import KinematicRoad


class CanEVBench(VehicleBench):
    """One vehicle on a road of its own."""

    def __init__(self, vehicle: str = "generic") -> None:
        self.virtual = VirtualEV(vehicle=vehicle)
        self.world: World = KinematicRoad()
        self._vehicle = vehicle

    @classmethod
    def at(cls, where: str) -> CanEVBench:
        """For another process: the bench whose far side is reached there, and served by somebody else."""
        bench = cls()
        bench.virtual.address = where
        return bench

    def driver(self, **changes: Any) -> Driver:
        settings = {"interface": "slcan", "channel": self.virtual.address, "vehicle": self._vehicle}
        limits = {"speed_limit": self.speed_limit, "steering_limit": self.steering_limit}
        return CanEV(**{**settings, **limits, **changes})


class RoadBench(CanEVBench):
    """The same on a road: PyBullet, tyres that grip, wheels that turn in time, sensors with noise."""

    def __init__(self, vehicle: str = "generic") -> None:
        super().__init__(vehicle)
        self.road = self.world = Road()

    def position(self, drive: Drive | None = None) -> Vector:
        """Where it truly is, x, y [m] and yaw [rad]: what its own sensors say drifts."""
        car = self.road.car()
        return np.array([*car.position[:2], math.atan2(car.attitude[1, 0], car.attitude[0, 0])])
