"""Bench of the CAN vehicle: the driver, a virtual unit behind an slcan adapter on a pseudo terminal, and a car."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import numpy as np

from drivers.can_ev import CanEV
from drivers.can_ev.codec import Codec
from drivers.can_ev.command_encoder import CommandEncoder
from drivers.can_ev.vehicle import DriveCommand
from drivers.can_ev.vehicles import VEHICLES
from drivers.can_ev.virtual import VirtualEV
from embodied.devices.virtual import Unsupported
from embodied.messages import Message, Vector
from embodied.node.node import Driver
from embodied.testing.benches.bench import Published
from embodied.testing.benches.vehicle import VehicleBench
from embodied.testing.observations import until
from embodied.testing.serving import Drive, pause
from embodied.world import World
from sims.road.world import Road
from tests.drivers.kinematic import KinematicRoad


class CanEVBench(VehicleBench):
    """Bench of one vehicle with a kinematic car behind its unit."""

    def __init__(self, vehicle: str = "generic") -> None:
        self.virtual = self.unit = VirtualEV(vehicle=vehicle)
        self.world: World = KinematicRoad()
        self._vehicle = vehicle
        self.kind = VEHICLES[vehicle]

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

    def parts(self) -> dict[str, Published]:
        parts: dict[str, Published] = {layout.name: _has_state for layout in self.kind.reports if layout.required}
        if self.kind.battery_report:
            parts[self.kind.battery_report] = _has_battery
        return parts

    @contextmanager
    def silent(self, part: str) -> Iterator[None]:
        self.unit.mute(part)
        try:
            yield
        finally:
            self.unit.mute()

    def unanswered(self) -> AbstractContextManager[None]:
        raise Unsupported("orders on a CAN bus have no answers: what a unit does is in its reports")

    def replacement(self) -> Callable[[], None]:
        def replace() -> None:
            self.virtual.unplug()
            self._stands()
            self.unit.replace("SOMEBODY ELSES")
            self.virtual.plug()

        return replace

    def intrusions(self) -> dict[str, Callable[[], None]]:
        ways: dict[str, Callable[[], None]] = {
            "another host drives it": partial(self._commands, DriveCommand(enable=True, speed=0.5, steering=0.1)),
            "another host lets it go": partial(self._commands, DriveCommand()),
            "another host clears its latches": partial(self._commands, DriveCommand(clear=True)),
            "a person takes over for a moment": self._takes_over,
            "it restarts": self._restarts,
        }
        if self.kind.reports_stop:
            ways["its stop is pressed and released"] = self._presses
        return ways

    def _commands(self, command: DriveCommand) -> None:
        encoder = CommandEncoder(Codec(self.kind))
        for _ in range(20):
            for frame in encoder.encode(command):
                self.unit.transmit(frame)
            pause(0.01)
        self._stands()

    def _takes_over(self) -> None:
        self.virtual.inject("driver override")
        pause(0.05)
        self.virtual.clear_faults()
        self._stands()

    def _restarts(self) -> None:
        self.unit.restart()
        self._stands()

    def _presses(self) -> None:
        self.virtual.press_stop()
        self._stands()
        self.virtual.release_stop()

    def _stands(self) -> None:
        assert until(self.virtual.stopped), "the vehicle does not stop"


def _has_state(outputs: dict[str, Message]) -> bool:
    return "state" in outputs


def _has_battery(outputs: dict[str, Message]) -> bool:
    return "battery" in outputs


class RoadBench(CanEVBench):
    """Bench of one vehicle on a road in PyBullet, with tyres that grip and sensors with noise."""

    def __init__(self, vehicle: str = "generic") -> None:
        super().__init__(vehicle)
        self.road = self.world = Road()

    def position(self, drive: Drive | None = None) -> Vector:
        """Return the true x, y [m] and yaw [rad], since an integral of its sensors drifts."""
        car = self.road.car()
        return np.array([*car.position[:2], math.atan2(car.attitude[1, 0], car.attitude[0, 0])])
