"""A drive-by-wire vehicle on a CAN bus: orders at the driver's rate, and reports that are checked first."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from drivers.can_ev import bus as can_bus
from drivers.can_ev.bus import Bus
from drivers.can_ev.codec import Codec, Frame, Refused
from drivers.can_ev.command_check import Limits, refusal
from drivers.can_ev.dbc import Unfit
from drivers.can_ev.e2e_protection import Reception
from drivers.can_ev.identity import Nameplate
from drivers.can_ev.vehicle import BRAKING, STILL, TIMEOUT, Condition, Order, Vehicle
from drivers.can_ev.vehicles import VEHICLES
from embodied.clock import SECOND, Time, rate_of
from embodied.errors import DeviceLost, NotStopped, nearest
from embodied.messages import Battery, DeviceStatus, VehicleCommand, VehicleState
from embodied.node.identity import Identity
from embodied.node.node import Driver

BOOT, NAMED = 5.0, 0.6
"""A vehicle that has just been switched on is waited for, and to be told its name by it [s]."""

CLEARED, ENGAGED, LEFT = 0.5, 0.5, 0.5
"""Within this it has to say that its latches are cleared, that it follows, and once it stands that it has left [s]."""

EDGE = 3
"""So many orders without `enable` come before the first one with it: their counters are known, and the edge is seen."""

STOOD = 5
"""It stands once so many reports in a row say so."""


class CanEVOutput(NamedTuple):
    """What the vehicle measures, and what it was really told to do."""

    state: VehicleState | None
    applied: VehicleCommand | None
    status: DeviceStatus
    battery: Battery | None


@dataclass
class CanEV(Driver):
    """A drive-by-wire vehicle; without a command it brakes to a stop, with its wheels where they are.

    It goes for `speed` with the magnitude of `acceleration`, or with `acceleration_limit` where there is none. It is
    engaged with the first step, by a rising edge of `enable` at speed 0, and orders go out once it says that it
    follows. If reports stay out for 100 ms or are wrong, if a person takes over, for a fault or an emergency stop, it
    is let go of, and has to be armed again. Commands that are not finite or beyond the limits are refused whole.

    Attributes:
        channel: name of the network interface of socketcan, `can0`; or path of the serial port of slcan.
        interface: `socketcan` or `slcan`.
        bitrate: of the bus, for slcan; of socketcan the system has set it [bit/s].
        vehicle: of which kind, a name of `VEHICLES`.
        dbc: path of another DBC with the same messages; empty takes the one that is here.
        serial: serial number or VIN of the one that is meant; empty takes any.
        speed_limit: the most, forwards and backwards [m/s].
        steering_limit: the largest angle of the front wheels at the road [rad].
        acceleration_limit: the most, either way [m/s²].
    """

    channel: str = ""
    interface: str = "socketcan"
    bitrate: int = 500_000
    vehicle: str = "generic"
    dbc: str = ""
    serial: str = ""
    speed_limit: float = 3.0
    steering_limit: float = 0.5
    acceleration_limit: float = 2.0

    # Reports come at 100 Hz: each step has a new one, however the two clocks beat.
    rate = 50.0
    lost_within = 0.3

    def __post_init__(self) -> None:
        # What is silent is noticed after the time-out; then it brakes from its speed, and leaves in a cycle or two.
        self.stops_within = 2 * TIMEOUT + self.speed_limit / BRAKING

    def check(self) -> Iterable[str]:
        """The bus is none of a network, the vehicle is known, its DBC fits, and its messages can hold the limits."""
        yield from can_bus.refusals(self.interface, self.channel, self.bitrate)
        for name in ("speed_limit", "steering_limit", "acceleration_limit"):
            if not 0 < getattr(self, name) < float("inf"):
                yield f"{name} is {getattr(self, name)}, and it is more than 0"
                return
        if not 50 <= rate_of(self.rate or 50.0) <= 200:
            yield f"its rate is {self.rate} Hz; the unit waits {TIMEOUT * 1e3:.0f} ms for an order: 50 to 200 Hz"
        if self.vehicle not in VEHICLES:
            yield " ".join((f"there is no vehicle '{self.vehicle}';", *nearest(self.vehicle, VEHICLES)))
            return
        can_bus.installed()
        kind = VEHICLES[self.vehicle]
        try:
            codec = Codec(kind, Path(self.dbc) if self.dbc else None)
            for sign in (1, -1):
                _frames(codec, kind, self._extreme(sign), {})
        except Unfit as error:
            yield str(error)
        except Refused as error:
            yield f"the limits do not fit into the messages: {error}"

    def open(self) -> None:
        """Join the bus and listen; nothing is sent.

        Raises:
            DeviceLost: the bus cannot be opened.
            NoDevice: there is no such port or interface.
            MissingExtra: python-can or cantools is not installed.
            Unfit: the DBC is not one of the vehicle.
        """
        self._kind = VEHICLES[self.vehicle]
        self._codec = Codec(self._kind, Path(self.dbc) if self.dbc else None)
        self._reception = Reception(self._codec, self._kind.reports)
        self._plate = Nameplate()
        self._limits = Limits(self.speed_limit, self.steering_limit, self.acceleration_limit)
        self._period = float(1 / rate_of(self.rate or 50.0))
        self._pause = threading.Event()
        self._counts: dict[str, int] = {}
        self._unreadable = 0
        self._now, self._begun = Time(0), False
        self._rest("not armed yet")
        self._bus: Bus | None = None
        until = time.monotonic() + BOOT
        while self.interface == "slcan" and not Path(self.channel).exists() and time.monotonic() < until:
            self._pause.wait(0.1)
        self._bus = Bus(self.interface, self.channel, self.bitrate)

    def identify(self) -> Identity:
        """Model, and serial number or VIN, where the bus has them; and that it is virtual, if it says so.

        Raises:
            DeviceLost: it sends none of the vehicle's reports, or not all that are needed.
        """
        end = time.monotonic() + BOOT
        named = time.monotonic() + NAMED
        while self._reception.signals is None or (not self._plate.whole and time.monotonic() < named):
            if time.monotonic() > end:
                raise DeviceLost(
                    f"no {self._kind.title} on the bus at {self.channel}: not all of "
                    f"{', '.join(layout.name for layout in self._kind.reports if layout.needed)} came in {BOOT:.0f} s; "
                    "is it on, is its bus that fast, and is it this kind of vehicle?"
                )
            self._listen(0.02)
        plate = self._plate
        return Identity(
            model=" ".join(filter(None, (self._kind.title, plate.model))), serial=plate.serial, virtual=plate.virtual
        )

    def arm(self) -> None:
        """Have the unit forget what it has latched, and read that back; it takes over with the first steps.

        Raises:
            DeviceLost: it does not report.
            NotStopped: it reports, and cannot be armed; the sentence says why.
        """
        self._rest("not armed yet")
        end = time.monotonic() + CLEARED
        reports = 0
        while True:
            # Counters first, then the order to forget; and what was reported before that does not count.
            self._send(Order(clear=reports >= EDGE, steering=self._condition().steering))
            reports += self._kind.state in self._wait(self._period)
            hindrance = _hindrance(self._condition())
            if reports > 2 * EDGE and not hindrance:
                break
            if time.monotonic() > end:
                raise NotStopped(f"the vehicle at {self.channel} cannot be armed: {hindrance or 'it does not report'}")
        self._reception.begin(self._now)
        self._begun = False
        self._armed, self._reason = True, ""

    def step(self, command: VehicleCommand | None, now: Time) -> CanEVOutput:
        """Read what it reports, then send an order.

        Raises:
            DeviceLost: the bus is gone, or a report that is needed stayed out for `lost_within`.
        """
        if not self._begun or now - self._now >= TIMEOUT * SECOND:
            # It was not stepped for long: what has come meanwhile may be old, and nobody else was silent.
            self._begun = True
            self._open().discard()
            self._reception.begin(now)
        self._now = now
        self._reception.tick()
        fresh = self._listen()
        condition = self._condition()
        if (silent := self._reception.silent(now)) >= self.lost_within - self._period:
            raise DeviceLost(f"the vehicle at {self.channel} reported nothing whole for {silent:.2f} s")
        distrust = self._reception.distrust(now)
        self._judge(distrust, condition)
        applied = self._follow(command, condition)
        trusted = not distrust
        return CanEVOutput(
            self._state(condition, now) if trusted and self._kind.state in fresh else None,
            applied,
            self._status(condition),
            self._battery(condition, now) if trusted and self._kind.battery in fresh else None,
        )

    def halt(self) -> None:
        """Have it brake and leave, and read back that it has, and that it stands.

        Raises:
            NotStopped: it does not say so in time.
        """
        self._rest("told to halt")
        end = time.monotonic() + self.stops_within + LEFT
        stood = 0
        try:
            while stood < STOOD:
                if time.monotonic() > end:
                    speed, mode = self._condition().speed, "follows" if self._condition().engaged else "has left"
                    raise NotStopped(
                        f"the vehicle at {self.channel} was told to stop: it says {speed:.2f} m/s, and {mode}"
                    )
                self._send(Order(steering=self._steering))
                fresh = self._wait(self._period)
                condition = self._condition()
                if self._kind.state in fresh:
                    still = abs(condition.speed) <= STILL and not condition.engaged and not condition.stopping
                    stood = stood + 1 if still else 0
        except DeviceLost as error:
            raise NotStopped(f"whether it has stopped cannot be read: {error}") from error

    def close(self) -> None:
        """Have it brake and leave, as far as it can still be told, and leave the bus."""
        bus = getattr(self, "_bus", None)
        if bus is None:
            return
        with contextlib.suppress(DeviceLost):
            if self._armed:
                self._send(Order(steering=self._steering))
        self._bus = None
        bus.close()

    def _rest(self, reason: str, *, fault: bool = False) -> None:
        """From now on nothing is asked of it, for a reason."""
        self._armed, self._fault, self._reason = False, fault, reason
        self._engaged, self._steps, self._steering = False, 0, 0.0

    def _listen(self, seconds: float = 0.0) -> set[str]:
        """The messages that came since the last time, or within so long."""
        bus = self._open()
        fresh = set()
        if seconds:
            bus.wait(seconds)
        for frame in bus.receive():
            if frame is None:
                self._unreadable += 1
                continue
            self._plate.take(frame)
            fresh.add(self._reception.take(frame, self._now))
        return fresh - {""}

    def _wait(self, seconds: float) -> set[str]:
        """Let time pass, and take what comes."""
        self._pause.wait(seconds)
        return self._listen()

    def _condition(self) -> Condition:
        signals = self._reception.signals
        return Condition() if signals is None else self._kind.read(signals)

    def _judge(self, distrust: str, condition: Condition) -> None:
        """Let go of it, if there is a reason."""
        if not self._armed:
            return
        hindrance = _hindrance(condition)
        left = self._engaged and not condition.engaged
        late = not condition.engaged and self._steps > EDGE + ENGAGED / self._period
        if distrust:
            self._rest(f"its reports cannot be trusted ({distrust}): see to the bus, then arm it again", fault=True)
        elif hindrance:
            self._rest(f"{hindrance}; then arm it again", fault=bool(condition.faults) and not condition.stopped)
        elif left or late:
            word = "has left by itself" if left else "did not take over"
            self._rest(f"it {word}: see what it says, then arm it again", fault=True)
        self._engaged = self._armed and condition.engaged

    def _follow(self, command: VehicleCommand | None, condition: Condition) -> VehicleCommand | None:
        """What was sent of a command; None if nothing was."""
        if not self._armed:
            self._send(Order(steering=condition.steering))
            return None
        self._steps += 1
        if not self._engaged:
            self._steering = condition.steering
            order = Order(enable=self._steps > EDGE, steering=self._steering, acceleration=BRAKING)
            # To take over is no reason to leave park.
            self._send(replace(order, gear=condition.gear or order.gear))
            return None
        self._reason = "" if command is None else refusal(command, self._limits)
        if command is None or self._reason:
            self._send(Order(enable=True, steering=self._steering, acceleration=BRAKING, gear=condition.gear or "D"))
            return None
        acceleration = self.acceleration_limit if command.acceleration is None else abs(command.acceleration)
        order = Order(
            enable=True,
            steering=command.steering,
            speed=command.speed,
            acceleration=acceleration,
            gear=command.gear,
        )
        sent = self._send(order)
        self._steering = sent.steering
        return VehicleCommand(speed=sent.speed, acceleration=sent.acceleration, steering=sent.steering, gear=sent.gear)

    def _send(self, order: Order) -> Order:
        """Send an order; gives it as it went over the wire."""
        bus = self._open()
        frames = _frames(self._codec, self._kind, order, self._counts)
        for frame in frames:
            bus.send(frame)
        return self._kind.asked({parcel.name: parcel.signals for parcel in map(self._codec.unpack, frames)})

    def _state(self, condition: Condition, now: Time) -> VehicleState:
        return VehicleState(
            speed=condition.speed,
            steering=condition.steering,
            yaw_rate=condition.yaw_rate,
            gear=condition.gear,
            engaged=condition.engaged,
            overridden=condition.overridden,
            faults=condition.faults,
            acquired=now,
        )

    def _battery(self, condition: Condition, now: Time) -> Battery:
        return Battery(voltage=condition.voltage, current=condition.current, charge=condition.charge, acquired=now)

    def _status(self, condition: Condition) -> DeviceStatus:
        moving = abs(condition.speed) > STILL
        state = ("moving" if moving else "ready") if self._armed else "fault" if self._fault else "stopped"
        return DeviceStatus(
            state=state,
            reason=self._reason,
            rejected=self._reception.rejected + self._unreadable,
            voltage=condition.voltage or None,
        )

    def _extreme(self, sign: int) -> Order:
        """An order at the limits; whether it can go backwards, its messages tell when it is told to."""
        return Order(
            speed=max(sign, 0) * self.speed_limit,
            steering=sign * self.steering_limit,
            acceleration=self.acceleration_limit,
        )

    def _open(self) -> Bus:
        if self._bus is None:
            raise DeviceLost(f"the bus at {self.channel} is closed")
        return self._bus


def _frames(codec: Codec, kind: Vehicle, order: Order, counts: dict[str, int]) -> list[Frame]:
    """The frames of an order, each with the next count of its message."""
    frames = []
    for name, signals in kind.ask(order).items():
        frames.append(codec.pack(name, signals, counts.get(name, 0)))
        counts[name] = counts.get(name, 0) + 1
    return frames


def _hindrance(condition: Condition) -> str:
    """Why a vehicle would not follow, and what to do about it; empty if it would."""
    if condition.stopped:
        return "its emergency stop is pressed: release it"
    if condition.overridden:
        return "driver override: a person has taken over"
    if condition.faults:
        return f"{', '.join(condition.faults)}: see to it"
    return ""
