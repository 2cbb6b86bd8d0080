"""Virtual device of a MAVLink connection: an autopilot that resembles PX4's simulator, with a multirotor behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from drivers.mavlink import sdk
from drivers.mavlink.coordinates import Origin
from drivers.mavlink.modes import Mode
from embodied.bodies import body_claim, drone
from embodied.clock import Time, rate_of
from embodied.devices.disturbance import ALL, EVERY, Disturbance
from embodied.devices.virtual import VirtualDevice
from embodied.errors import nearest
from embodied.messages import DroneCommand, Vector
from embodied.messages.schema import Command
from embodied.ranges import FINITE, Range
from embodied.world import World

if TYPE_CHECKING:
    from drivers.mavlink.virtual.aircraft import Aircraft

LOW_CHARGE = 0.06
"""Charge that a battery with the fault `low battery` reports, below the critical one, 0 to 1."""

LATE = 0.6
"""Time by which answers are late with the fault `late answers` [s]: longer than clients first wait for one."""

ASIDE = 4.0
"""Distance to the north to which another client has it fly [m]."""

STREAMS = {
    "heartbeat": frozenset({"HEARTBEAT"}),
    "position": frozenset({"LOCAL_POSITION_NED"}),
    "attitude": frozenset({"ATTITUDE_QUATERNION", "ATTITUDE"}),
    "landed state": frozenset({"EXTENDED_SYS_STATE"}),
    "battery": frozenset({"BATTERY_STATUS"}),
    "answer": frozenset(
        {"COMMAND_ACK", "PARAM_VALUE", "TIMESYNC", "MISSION_ACK", "MISSION_COUNT", "MISSION_REQUEST_INT"}
    ),
}
"""Messages that are lost with a fault of a stream, by its name."""


@dataclass
class VirtualPX4(VirtualDevice):
    """Virtual PX4 on a multirotor, which sends from a port of its own to where ground software listens.

    Attributes:
        body: name of the multirotor in the world.
        source: UDP port of its own on 127.0.0.1; 0 takes any that is free.
        target: UDP port on 127.0.0.1 that it sends to; 0 for a pseudo terminal instead.
        system: id of the vehicle.
        parameters: parameters with other values than by default.
        latitude, longitude: place of the world's origin [deg].
        altitude: height of the world's origin above mean sea level [m].
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
    disturbances = ALL
    faults = (
        *("low battery", "second battery"),
        *(f"{name} loss" for name in STREAMS),
        *("late answers", "slow arming", "lost acknowledgements", "restart", "another autopilot", "another client"),
        "another client's set-points",
    )

    def claims(self) -> Iterable[str]:
        """Yield the multirotor of the world."""
        yield body_claim("multirotor", self.body)

    def check(self) -> Iterable[str]:
        """Check ports, id and parameters, and that pymavlink is installed."""
        sdk.require()
        from drivers.mavlink.virtual.parameters import PARAMETERS, RANGES

        yield from Range(0, 65535).problems(source=self.source, target=self.target)
        yield from Range(1, 255).problems(system=self.system)
        for name, value in self.parameters.items():
            if name not in PARAMETERS:
                yield " ".join((f"there is no parameter '{name}';", *nearest(name, PARAMETERS)))
            elif type(value) is not type(PARAMETERS[name]):
                kind = "an integer" if isinstance(PARAMETERS[name], int) else "a number with a point"
                yield f"parameter {name} must be {kind}, got {value!r}"
            else:
                yield from (f"parameter {problem}" for problem in RANGES.get(name, FINITE).problems(**{name: value}))

    def open(self, world: World) -> None:
        """Take the multirotor of the world, and open its link.

        Raises:
            LinkFailed: its port is taken.
            MissingExtra: pymavlink is not installed.
            WorldFailed: there is no such multirotor.
        """
        sdk.require()
        from drivers.mavlink.virtual.aircraft import Aircraft

        body = drone(world, self.body)
        origin = Origin(self.latitude, self.longitude, self.altitude)
        period = float(1 / rate_of(self.rate or 150.0))
        aircraft = Aircraft(body, period, self.system, origin, self.parameters)
        aircraft.radio.open(self.source, self.target)
        self._aircraft: Aircraft = aircraft
        self.address = aircraft.radio.address

    def step(self, now: Time) -> None:
        """Read the sensors, decide, set the rotors, and send what is due."""
        self._aircraft.step(now)

    def close(self) -> None:
        """Close its radio link, if it is open."""
        aircraft = getattr(self, "_aircraft", None)
        if aircraft is not None:
            aircraft.radio.close()

    def received(self) -> Sequence[Command]:
        """Return every set-point that has come."""
        with self._aircraft.lock:
            return list(self._aircraft.received)

    def position(self) -> Vector:
        """Return its position by its own estimate, shape (3,) [m]."""
        with self._aircraft.lock:
            return self._aircraft.telemetry.estimate.position.copy()

    def stopped(self) -> bool:
        """Return whether it holds, for itself or for a pilot, or its motors are off."""
        with self._aircraft.lock:
            return not self._aircraft.autopilot.armed or self._aircraft.autopilot.mode in (Mode.HOLD, Mode.POSITION)

    def unplug(self) -> None:
        """Let nothing through, either way."""
        self._aircraft.radio.silent = True

    def plug(self) -> None:
        """Let everything through again, either way."""
        self._aircraft.radio.silent = False

    def freeze(self) -> None:
        """Stop sending, while messages are still received."""
        self._aircraft.radio.frozen = True

    def thaw(self) -> None:
        """Continue to send after a freeze."""
        self._aircraft.radio.frozen = False

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Disturb every nth of its frames."""
        self._aircraft.radio.disturb(how, every)

    def press_stop(self) -> None:
        """Have a pilot take it over."""
        with self._aircraft.lock:
            self._aircraft.autopilot.set_piloted(True)

    def release_stop(self) -> None:
        """Have the pilot let go; it stays where it is."""
        with self._aircraft.lock:
            self._aircraft.autopilot.set_piloted(False)

    def ignore_stop(self) -> None:
        """Acknowledge every request of a mode, and change to none."""
        with self._aircraft.lock:
            self._aircraft.autopilot.ignores_modes = True

    def inject(self, fault: str) -> None:
        """Inject one of its `faults`.

        A battery that reports to be nearly empty; another one that does; the loss of one kind of message; answers that
        come late, though orders are carried out at once; arming that is in progress for a while; acknowledgements that
        do not come; an autopilot that restarts, or another one that answers; another client, who has it fly aside, or
        sends it set-points of its own.
        """
        aircraft = self._aircraft
        with aircraft.lock:
            match fault:
                case "low battery":
                    aircraft.report_charge(LOW_CHARGE)
                case "second battery":
                    aircraft.telemetry.batteries[1] = LOW_CHARGE
                case "late answers":
                    aircraft.radio.delay = LATE
                case "slow arming":
                    aircraft.slow = True
                case "lost acknowledgements":
                    aircraft.radio.lost |= {"COMMAND_ACK"}
                case "restart":
                    aircraft.restart()
                case "another autopilot":
                    aircraft.restart(bytes(reversed(aircraft.telemetry.unique)))
                case "another client":
                    aside = aircraft.telemetry.estimate.position + np.array([0.0, ASIDE, 0.0])
                    aircraft.autopilot.reposition(aside, None, change=True)
                case "another client's set-points":
                    from drivers.mavlink.virtual.targets import Target

                    aside = aircraft.telemetry.estimate.position + np.array([0.0, ASIDE, 0.0])
                    aircraft.foreign = Target.of(DroneCommand(position=aside, frame="world"))
                case _ if fault.endswith(" loss") and fault in self.faults:
                    aircraft.radio.lost |= STREAMS[fault.removesuffix(" loss")]
                case _:
                    super().inject(fault)

    def clear_faults(self) -> None:
        """Report the true battery, and let everything come in time again."""
        aircraft = self._aircraft
        with aircraft.lock:
            aircraft.report_charge(None)
            aircraft.telemetry.batteries.clear()
            aircraft.radio.lost, aircraft.radio.delay, aircraft.slow = frozenset(), 0.0, False
            aircraft.foreign = None
