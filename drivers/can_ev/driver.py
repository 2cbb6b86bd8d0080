"""Driver of a drive-by-wire vehicle on a CAN bus: commands at the driver's rate, and reports with E2E protection."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from drivers.can_ev import bus as can_bus
from drivers.can_ev import reports
from drivers.can_ev.bus import Bus
from drivers.can_ev.codec import Codec
from drivers.can_ev.command_check import Limits, refusal
from drivers.can_ev.command_encoder import CommandEncoder
from drivers.can_ev.e2e_protection import E2EReceiver
from drivers.can_ev.identity_watch import IDENTITY_TIMEOUT, IdentityWatch
from drivers.can_ev.release import release
from drivers.can_ev.settings_check import problems as settings_problems
from drivers.can_ev.vehicle import TIMEOUT, DriveCommand, DriveReport
from drivers.can_ev.vehicles import VEHICLES
from embodied.clock import SECOND, Time, rate_of
from embodied.devices.drive_by_wire import BRAKING
from embodied.errors import DeviceLost, NotStopped
from embodied.messages import Battery, DeviceStatus, VehicleCommand, VehicleState
from embodied.node.identity import Identity
from embodied.node.node import Driver

BOOT_TIMEOUT = 5.0
"""Time for a vehicle or an adapter that has just been switched on to appear [s]."""

DOUBT_GAP = 0.2
"""Time without steps in which another vehicle may have come [s]."""

CLEAR_TIMEOUT = 0.5
"""Time for the unit to report that its latches are cleared [s]."""

ENGAGE_TIMEOUT = 0.5
"""Time for the unit to report that it follows [s]."""

LEAVE_TIMEOUT = 0.5
"""Time for the unit to report, once the vehicle stands, that it has let go [s]."""

EDGE_CYCLES = 3
"""Commands without `enable` before the first one with it, so that their counters are known and the edge is seen."""

STANDING_REPORTS = 5
"""Reports of standstill in a row after which the vehicle counts as standing."""


class CanEVOutput(NamedTuple):
    """Output of the driver `CanEV`: state and battery of the vehicle, the sent command, and the driver's status."""

    state: VehicleState | None
    applied: VehicleCommand | None
    status: DeviceStatus
    battery: Battery | None


@dataclass
class CanEV(Driver):
    """Driver of a drive-by-wire vehicle on a CAN bus; without a command it brakes to a stop, wheels where they are.

    It goes for `speed` with the magnitude of `acceleration`, or with `acceleration_limit` where there is none. It is
    engaged with the first step, by a rising edge of `enable` at speed 0, and commands go out once it reports that it
    follows. If reports cease for 100 ms or are wrong, if a person takes over, on a fault or an emergency stop, the
    driver lets go, and has to be armed again. Commands that are not finite or beyond the limits are refused whole.

    Attributes:
        channel: name of the network interface of socketcan, `can0`; or path of the serial port of slcan.
        interface: `socketcan` or `slcan`.
        bitrate: bit rate of the bus, for slcan; the system sets that of socketcan [bit/s].
        vehicle: kind of vehicle, a name of `VEHICLES`.
        dbc: path of another DBC with the same messages, relative to the launch file; null takes the vehicle's own.
        serial: serial number or VIN of the vehicle to drive; empty takes any.
        speed_limit: largest speed, forwards and backwards [m/s].
        steering_limit: largest angle of the front wheels at the road [rad].
        acceleration_limit: largest acceleration, either way [m/s²].
    """

    channel: str = ""
    interface: str = "socketcan"
    bitrate: int = 500_000
    vehicle: str = "generic"
    dbc: Path | None = None
    serial: str = ""
    speed_limit: float = 3.0
    steering_limit: float = 0.5
    acceleration_limit: float = 2.0

    # Reports come at 100 Hz: each step has a new one, whatever the phase between the two clocks.
    rate = 50.0
    lost_within = 0.3

    def __post_init__(self) -> None:
        # Silence is noticed after the time-out; then the unit brakes from its speed, and lets go in a cycle or two.
        self.stops_within = 2 * TIMEOUT + self.speed_limit / BRAKING

    def check(self) -> Iterable[str]:
        """Check bus, vehicle and DBC, and that the limits fit into the messages."""
        yield from can_bus.problems(self.interface, self.channel, self.bitrate)
        can_bus.require()
        yield from settings_problems(self.vehicle, self.dbc, self._command_limits(), rate_of(self.rate or 50.0))

    def open(self) -> None:
        """Join the bus and listen; nothing is sent.

        Raises:
            DeviceLost: the bus cannot be opened.
            NoDevice: there is no such port or interface.
            MissingExtra: python-can or cantools is not installed.
            Unfit: the DBC is not one of the vehicle.
        """
        self._kind = VEHICLES[self.vehicle]
        codec = Codec(self._kind, self.dbc)
        self._encoder = CommandEncoder(codec)
        self._receiver = E2EReceiver(codec, self._kind.reports)
        self._identity = IdentityWatch()
        self._limits = self._command_limits()
        self._period = float(1 / rate_of(self.rate or 50.0))
        self._pause, self._unreadable = threading.Event(), 0
        # Ordered to follow, and nobody else has taken over since; lost, which was reported.
        self._intruder, self._ordered, self._lost = "", False, False
        self._now, self._stepped = Time(0), False
        self._disarm("not armed yet")
        self._bus: Bus | None = None
        deadline = time.monotonic() + BOOT_TIMEOUT
        while self.interface == "slcan" and not Path(self.channel).exists() and time.monotonic() < deadline:
            self._pause.wait(0.1)
        self._bus = Bus(self.interface, self.channel, self.bitrate)

    def identify(self) -> Identity:
        """Read model and serial number or VIN, where the bus has them, and whether the unit is virtual.

        Raises:
            DeviceLost: not all required reports of the vehicle come.
        """
        deadline = time.monotonic() + BOOT_TIMEOUT
        identity_deadline = time.monotonic() + IDENTITY_TIMEOUT
        identity = self._identity
        while self._receiver.signals is None or (not identity.complete and time.monotonic() < identity_deadline):
            if time.monotonic() > deadline:
                required = ", ".join(layout.name for layout in self._kind.reports if layout.required)
                raise DeviceLost(
                    f"no {self._kind.title} on the bus at {self.channel}: not all of {required} came in "
                    f"{BOOT_TIMEOUT:.0f} s; is it on, is its bus that fast, and is it this kind of vehicle?"
                )
            self._receive(0.02)
        return identity.identity(self._kind.title)

    def arm(self) -> None:
        """Have the unit clear its latches, and read that back; it takes over with the first steps.

        Raises:
            DeviceLost: the unit does not report.
            NotStopped: the unit reports a reason why it cannot be armed.
        """
        self._disarm("not armed yet")
        self._intruder = ""
        deadline = time.monotonic() + CLEAR_TIMEOUT
        count = 0
        while True:
            # The first commands only make the counters known; what was reported before the clearing does not count.
            self._send(DriveCommand(clear=count >= EDGE_CYCLES, steering=self._report().steering))
            count += self._kind.state_report in self._wait(self._period)
            hindrance = self._report().hindrance or (
                self._intruder and f"somebody else sends {self._intruder} on its bus"
            )
            if count > 2 * EDGE_CYCLES and not hindrance:
                break
            if time.monotonic() > deadline:
                raise NotStopped(f"the vehicle at {self.channel} cannot be armed: {hindrance or 'it does not report'}")
        self._receiver.restart(self._now)
        self._stepped = self._lost = False
        self._armed, self._reason = True, ""

    def step(self, command: VehicleCommand | None, now: Time) -> CanEVOutput:
        """Read the reports, then send a command.

        Raises:
            DeviceLost: the bus is gone, or a required report has not come for `lost_within`.
        """
        if self._stepped and now - self._now >= DOUBT_GAP * SECOND:
            self._identity.doubt(now)
        if not self._stepped or now - self._now >= TIMEOUT * SECOND:
            # After a gap between steps, frames in the buffer may be old, and the gap is no silence of the vehicle.
            self._stepped = True
            self._open_bus().discard()
            self._receiver.restart(now)
        self._now = now
        self._receiver.begin_cycle()
        fresh = self._receive()
        self._receiver.forget(now)
        report = self._report()
        if problem := self._identity.problem(now):
            self._lost = True
            raise DeviceLost(f"on the bus at {self.channel} {problem}")
        if (silence := self._receiver.silence(now)) >= self.lost_within - self._period:
            self._lost = True
            raise DeviceLost(f"the vehicle at {self.channel} reported nothing whole for {silence:.2f} s")
        distrust = self._receiver.distrust(now)
        if distrust:
            self._identity.doubt(now)
        self._monitor(distrust, report)
        applied = self._follow(command, report)
        trusted = not distrust and self._identity.certain and self._receiver.renewed
        return CanEVOutput(
            reports.vehicle_state(report, now) if trusted and self._kind.state_report in fresh else None,
            applied,
            self._status(report),
            reports.battery(report, now) if trusted and self._kind.battery_report in fresh else None,
        )

    def halt(self) -> None:
        """Have the vehicle brake and the unit let go, and read back that it has, and that the vehicle stands.

        Raises:
            NotStopped: the vehicle does not report it in time.
        """
        self._disarm("halted")
        deadline = time.monotonic() + self.stops_within + LEAVE_TIMEOUT
        standing, reported = 0, False
        try:
            while standing < STANDING_REPORTS:
                if time.monotonic() > deadline:
                    raise NotStopped(
                        f"the vehicle at {self.channel} did not stop: {reports.motion(self._report(), reported)}"
                    )
                self._send(DriveCommand(steering=self._report().steering))
                fresh = self._wait(self._period)
                if self._kind.state_report in fresh:
                    reported, standing = True, standing + 1 if reports.stands(self._report()) else 0
        except DeviceLost as error:
            raise NotStopped(f"whether it has stopped cannot be read: {error}") from error

    def close(self) -> None:
        """Have the vehicle brake and the unit let go, read that back, and leave the bus.

        Raises:
            NotStopped: the vehicle does not report it in time.
        """
        bus = getattr(self, "_bus", None)
        if bus is None:
            return
        try:
            # An order that was sent may have been carried out, whatever was reported since.
            if self._ordered and not self._lost:
                self.halt()
            elif self._ordered:
                with contextlib.suppress(DeviceLost):
                    self._send(DriveCommand(steering=self._report().steering))
        finally:
            self._bus = None
            bus.close()

    def _disarm(self, reason: str, *, fault: bool = False) -> None:
        self._armed, self._fault, self._reason = False, fault, reason
        self._engaged, self._steps, self._steering = False, 0, 0.0

    def _receive(self, seconds: float = 0.0) -> set[str]:
        """Receive frames for up to `seconds`; return the names of the messages that were accepted."""
        bus = self._open_bus()
        fresh = set()
        if seconds:
            bus.wait(seconds)
        for frame in bus.receive():
            if frame is None:
                self._unreadable += 1
                continue
            self._identity.receive(frame)
            fresh.add(self._receiver.receive(frame, self._now))
            # No adapter gives back what it sent: a command that is received is that of another sender.
            self._intruder = self._intruder or self._encoder.command_name(frame.identifier)
        return fresh - {""}

    def _wait(self, seconds: float) -> set[str]:
        self._pause.wait(seconds)
        return self._receive()

    def _report(self) -> DriveReport:
        signals = self._receiver.signals
        return DriveReport() if signals is None else self._kind.decode_report(signals)

    def _monitor(self, distrust: str, report: DriveReport) -> None:
        """Let go of the vehicle if its reports give a reason."""
        if not self._armed:
            return
        late = self._steps > EDGE_CYCLES + ENGAGE_TIMEOUT / self._period
        found = release(report, intruder=self._intruder, distrust=distrust, engaged=self._engaged, late=late)
        if found is not None:
            self._disarm(found.reason, fault=found.fault)
            # What somebody else moves from now on is no motion of this driver.
            self._ordered = self._ordered and not (self._intruder or report.overridden)
        self._engaged = self._armed and report.engaged

    def _follow(self, command: VehicleCommand | None, report: DriveReport) -> VehicleCommand | None:
        """Send the command of one step; return what was sent of it, None if it was not sent."""
        if not (self._armed and self._identity.certain):
            self._send(DriveCommand(steering=report.steering))
            return None
        self._steps += 1
        if not self._engaged:
            self._steering = report.steering
            enable = self._steps > EDGE_CYCLES
            request = DriveCommand(enable=enable, ready=report.ready, steering=self._steering, acceleration=BRAKING)
            # Taking over is no reason to leave park.
            self._send(replace(request, gear=report.gear or request.gear))
            return None
        self._reason = "" if command is None else refusal(command, self._limits)
        if command is None or self._reason:
            gear = report.gear or "D"
            braking = DriveCommand(enable=True, steering=self._steering, acceleration=BRAKING, gear=gear)
            self._steering = self._send(self._kind.smooth(braking, self._steering, report)).steering
            return None
        wanted = DriveCommand(
            enable=True,
            steering=command.steering,
            speed=command.speed,
            acceleration=self.acceleration_limit if command.acceleration is None else abs(command.acceleration),
            gear=command.gear,
        )
        sent = self._send(self._kind.smooth(wanted, self._steering, report))
        self._steering = sent.steering
        return VehicleCommand(speed=sent.speed, acceleration=sent.acceleration, steering=sent.steering, gear=sent.gear)

    def _send(self, command: DriveCommand) -> DriveCommand:
        """Send a command; return it in the resolution of its messages."""
        bus = self._open_bus()
        self._ordered = self._ordered or command.enable
        frames = self._encoder.encode(command)
        for frame in frames:
            bus.send(frame)
        return self._encoder.decode(frames)

    def _status(self, report: DriveReport) -> DeviceStatus:
        state = reports.device_state(report, armed=self._armed, fault=self._fault)
        rejected, voltage = self._receiver.rejected + self._unreadable, report.voltage or None
        reason = self._reason or self._receiver.complaint(self._now)
        return DeviceStatus(state=state, reason=reason, rejected=rejected, voltage=voltage)

    def _command_limits(self) -> Limits:
        return Limits(self.speed_limit, self.steering_limit, self.acceleration_limit)

    def _open_bus(self) -> Bus:
        if self._bus is None:
            raise DeviceLost(f"the bus at {self.channel} is closed")
        return self._bus
