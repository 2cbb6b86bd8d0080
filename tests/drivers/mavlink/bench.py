"""Bench of the multirotor: the driver, a virtual autopilot on loopback, and a rigid body that it flies."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from drivers.mavlink import Geofence, Mavlink
from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual import VirtualPX4
from embodied.node.node import Driver
from embodied.testing.benches.bench import Published
from embodied.testing.benches.drone import DroneBench
from embodied.testing.serving import pause
from embodied.world import World
from sims.airfield.world import Airfield
from tests.drivers.multirotor import Sky
from tests.processes import worker

_numbers = itertools.count()


def port() -> int:
    """Return a UDP port that no other bench has, in this process or in another of these tests."""
    return 20000 + 1000 * worker() + os.getpid() % 9 * 100 + next(_numbers) % 100


def wait(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds, for up to 20 s."""
    end = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end, f"not within 20 s: {what}"
        pause(0.05)


class MavlinkBench(DroneBench):
    """Bench of one multirotor, over UDP or a pseudo terminal."""

    fence = Geofence(altitude=10.0, radius=15.0)

    def __init__(self, *, serial: bool = False, **parameters: int | float) -> None:
        # It holds for longer than any test here, whose failsafe has a test of its own; it returns low, and lands soon.
        ours = {"COM_FAIL_ACT_T": 60.0, "COM_DISARM_LAND": 0.2, "RTL_RETURN_ALT": 1.2, "MPC_LAND_SPEED": 1.2}
        self.virtual = VirtualPX4(source=0, target=0 if serial else port(), parameters=ours | parameters)
        self.world: World = Sky()

    def safe(self) -> bool:
        """Return whether it holds in the air, or its motors are off on the ground."""
        autopilot = self._aircraft.autopilot
        return not autopilot.armed or (autopilot.mode is Mode.HOLD and not autopilot.landed)

    def parts(self) -> dict[str, Published]:
        """Return one part of the state and the battery; `test_behind_its_back` has every part with its own times."""
        return {"position": lambda outputs: "state" in outputs, "battery": lambda outputs: "battery" in outputs}

    @contextmanager
    def silent(self, part: str) -> Iterator[None]:
        """Lose one stream."""
        self.virtual.inject(f"{part} loss")
        try:
            yield
        finally:
            self.virtual.clear_faults()

    def replacement(self) -> Callable[[], None]:
        """Return a function that puts an autopilot with another unique number in its place, which stands."""

        def replace() -> None:
            self._land()
            # What the old one measured last is older than the other one by more than an estimate of its clock errs.
            self.virtual.unplug()
            pause(0.2)
            self.virtual.inject("another autopilot")
            self.virtual.plug()

        return replace

    @contextmanager
    def unanswered(self) -> Iterator[None]:
        """Lose acknowledgements and the other answers of the protocols; telemetry goes on."""
        self.virtual.inject("answer loss")
        try:
            yield
        finally:
            self.virtual.clear_faults()

    def intrusions(self) -> dict[str, Callable[[], None]]:
        """Return what other clients, a pilot and the power supply can do."""
        return {
            "another client flies it aside": self._fly_aside,
            "a pilot takes it over and gives it back to hold": self._reset,
            "it restarts": self._restart,
        }

    def repair(self) -> None:
        """End all that a test did to the vehicle, and wait until it stands or hovers: the next one flies it as well."""
        virtual, aircraft = self.virtual, self._aircraft
        virtual.plug()
        virtual.thaw()
        virtual.disturb("")
        virtual.clear_faults()
        virtual.release_stop()
        aircraft.autopilot.ignores_modes = False
        if self._unique not in (None, aircraft.telemetry.unique):
            aircraft.restart(self._unique)
        self._unique = aircraft.telemetry.unique
        if aircraft.autopilot.armed:
            self._change(Mode.HOLD)
        if self.serving is not None:
            self.serving.late = 0.0

    _unique: bytes | None = None

    @property
    def _aircraft(self) -> Any:
        virtual: Any = self.virtual
        return virtual._aircraft

    def _change(self, mode: Mode) -> None:
        with self._aircraft.lock:
            self._aircraft.autopilot.change(mode)
        self._rest()

    def _fly_aside(self) -> None:
        self.virtual.inject("another client")
        self._rest()

    def _land(self) -> None:
        self._change(Mode.LAND)
        wait(lambda: not self._aircraft.autopilot.armed, "it landed")

    def _reset(self) -> None:
        self.virtual.press_stop()
        self._rest()
        # Longer than the time between two heartbeats, which tell it.
        pause(1.2)
        self.virtual.release_stop()
        self._change(Mode.HOLD)

    def _restart(self) -> None:
        self._land()
        self.virtual.inject("restart")

    def _rest(self) -> None:
        """Wait until it stays where it is."""
        speeds = [1.0] * 5

        def rests() -> bool:
            speeds.append(float(np.abs(self._aircraft.telemetry.estimate.velocity).max()))
            return max(speeds[-5:]) < 0.1

        wait(rests, "it came to rest")

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
