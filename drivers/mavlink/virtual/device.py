"""The far side of a MAVLink wire: an autopilot as PX4's simulator is one, with a simulated multirotor behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.mavlink import sdk
from drivers.mavlink.frames import Origin
from drivers.mavlink.modes import Mode
from embodied.bodies import drone
from embodied.clock import Time, rate_of
from embodied.devices.disturbance import Disturbance
from embodied.devices.virtual import VirtualDevice
from embodied.messages import Vector
from embodied.messages.schema import Command
from embodied.world import World

if TYPE_CHECKING:
    from drivers.mavlink.virtual.aircraft import Aircraft

LOW = 0.06
"""What is left in the battery when that is harmed: below critical."""


@dataclass
class VirtualPX4(VirtualDevice):
    """An autopilot of PX4's kind on a multirotor. It sends from a port of its own to where ground software listens.

    Attributes:
        body: name of the multirotor in its world.
        source: UDP port of its own on 127.0.0.1; 0 takes any that is free.
        target: UDP port on 127.0.0.1 that it sends to; 0 for a serial line instead, a pseudo terminal.
        system: its id.
        parameters: of its own, in place of those that it has.
        latitude, longitude: of its world's origin [deg].
        altitude: of that above mean sea level [m].
    """

    body: str = "drone"
    source: int = 14580
    target: int = 14540
    system: int = 1
    parameters: dict[str, int | float] = field(default_factory=dict)
    latitude: float = 47.397742
    longitude: float = 8.545594
    altitude: float = 488.0

    rate = 150.0
    disturbances: tuple[Disturbance, ...] = ("flip", "truncate", "repeat", "reorder")
    faults = ("low battery", "heartbeat loss")

    def check(self) -> Iterable[str]:
        """What it needs is installed, ports are ports, the id is one, and it has the parameters."""
        sdk.needed()
        from drivers.mavlink.virtual.autopilot import PARAMETERS

        for name, port in (("source", self.source), ("target", self.target)):
            if not 0 <= port < 65536:
                yield f"{name} is {port}, and there are UDP ports 1 to 65535, and 0"
        if not 1 <= self.system <= 255:
            yield f"system is {self.system}, and a system's id is 1 to 255"
        for name, value in self.parameters.items():
            if type(value) is not type(PARAMETERS.get(name)):
                yield f"it has no parameter {name} that could be {value!r}"

    def open(self, world: World) -> None:
        """Take the multirotor of the world, and begin to send.

        Raises:
            LinkFailed: its port is taken.
            MissingExtra: pymavlink is not installed.
            WorldFailed: there is no such multirotor.
        """
        sdk.needed()
        from drivers.mavlink.virtual.aircraft import Aircraft

        body = drone(world, self.body)
        origin = Origin(self.latitude, self.longitude, self.altitude)
        period = float(1 / rate_of(self.rate or 150.0))
        craft = Aircraft(body, period, self.system, origin, self.parameters)
        craft.radio.open(self.source, self.target)
        self._craft: Aircraft = craft
        self.address = craft.radio.address

    def step(self, now: Time) -> None:
        """Read the body, decide, set its rotors, and send what is due."""
        self._craft.step(now)

    def close(self) -> None:
        """Hang up."""
        craft = getattr(self, "_craft", None)
        if craft is not None:
            craft.radio.close()

    def received(self) -> Sequence[Command]:
        """Every set-point that reached it."""
        with self._craft.lock:
            return list(self._craft.heard)

    def position(self) -> Vector:
        """Where it is by its own estimate, shape (3,) [m]."""
        with self._craft.lock:
            return self._craft.telemetry.estimate.position.copy()

    def stopped(self) -> bool:
        """Whether it holds, for itself or for a pilot, or its motors are off."""
        with self._craft.lock:
            return not self._craft.mind.armed or self._craft.mind.mode in (Mode.HOLD, Mode.POSITION)

    def unplug(self) -> None:
        """Nothing comes through."""
        self._craft.radio.silent = True

    def plug(self) -> None:
        """It does again."""
        self._craft.radio.silent = False

    def freeze(self) -> None:
        """It says nothing any more."""
        self._craft.radio.frozen = True

    def thaw(self) -> None:
        """It speaks again."""
        self._craft.radio.frozen = False

    def disturb(self, how: Disturbance, every: int = 3) -> None:
        """Disturb one in so many of its frames."""
        self._craft.radio.disturb(how, every)

    def press_stop(self) -> None:
        """A pilot takes it over."""
        with self._craft.lock:
            self._craft.mind.take(True)

    def release_stop(self) -> None:
        """The pilot lets go; it stays where it is."""
        with self._craft.lock:
            self._craft.mind.take(False)

    def ignore_stop(self) -> None:
        """From now on it acknowledges every mode, and goes to none."""
        with self._craft.lock:
            self._craft.mind.obedient = False

    def inject(self, fault: str) -> None:
        """The battery is nearly empty all at once; or what it says comes through, but for its heartbeats."""
        if fault not in self.faults:
            super().inject(fault)
        elif fault == "low battery":
            self._craft.drain(LOW)
        else:
            self._craft.radio.beatless = True

    def clear_faults(self) -> None:
        """It is as full as it really is, and its heart is heard."""
        self._craft.drain(None)
        self._craft.radio.beatless = False
