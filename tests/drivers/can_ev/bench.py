"""Bench of the CAN vehicle: the driver, a virtual unit behind an slcan adapter on a pseudo terminal, and a car."""

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
    """Bench of one vehicle with a kinematic car behind its unit."""

    def __init__(self, vehicle: str = "generic") -> None:
        self.virtual = VirtualEV(vehicle=vehicle)
        self.world: World = KinematicRoad()
        self._vehicle = vehicle

    @classmethod
    def at(cls, address: str) -> CanEVBench:
        """Return the bench of a virtual device that another process serves at an address."""
        bench = cls()
        bench.virtual.address = address
        return bench

    def driver(self, **changes: Any) -> Driver:
        settings = {"interface": "slcan", "channel": self.virtual.address, "vehicle": self._vehicle}
        limits = {"speed_limit": self.speed_limit, "steering_limit": self.steering_limit}
        return CanEV(**{**settings, **limits, **changes})


class RoadBench(CanEVBench):
    """Bench of one vehicle on a road in PyBullet, with tyres that grip and sensors with noise."""

    def __init__(self, vehicle: str = "generic") -> None:
        super().__init__(vehicle)
        self.road = self.world = Road()

    def position(self, drive: Drive | None = None) -> Vector:
        """Return the true x, y [m] and yaw [rad], since an integral of its sensors drifts."""
        car = self.road.car()
        return np.array([*car.position[:2], math.atan2(car.attitude[1, 0], car.attitude[0, 0])])
