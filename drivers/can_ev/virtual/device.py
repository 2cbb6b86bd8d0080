"""Virtual device of a vehicle's bus: a drive-by-wire unit behind an slcan adapter, and a simulated vehicle behind that.

The unit has a thread of its own: as a real one, it reports from power on, whether or not anybody steps the vehicle.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from drivers.can_ev import identity, slcan
from drivers.can_ev.codec import Codec
from drivers.can_ev.e2e_protection import E2EReceiver
from drivers.can_ev.frame import Frame
from drivers.can_ev.vehicle import DriveCommand, DriveReport
from drivers.can_ev.vehicles import VEHICLES
from drivers.can_ev.virtual.adapter import Adapter
from drivers.can_ev.virtual.drive_by_wire import DriveByWireUnit
from drivers.can_ev.virtual.reporter import Reporter
from embodied.bodies import body_claim, car
from embodied.clock import SECOND, Time, rate_of
from embodied.devices.disturbance import ALL, EVERY, Disturbance, Disturber, cut_half, flip_bit
from embodied.devices.drive_by_wire import STANDSTILL_SPEED, current, voltage
from embodied.devices.virtual import RECEIVED_MOST, VirtualDevice
from embodied.devices.virtual_serial import VirtualSerial
from embodied.errors import nearest
from embodied.messages import Vector, VehicleCommand
from embodied.messages.schema import Command
from embodied.world import World

DRAINED_CHARGE = 0.05
"""Charge that a battery with the fault `low battery` reports, 0 to 1."""

PERSON_TORQUE = 5.0
"""Torque at the wheel of a person who takes over [N·m]."""

PERSON_BRAKE = 0.5
"""Position of the brake pedal of a person who takes over, 0 to 1."""


@dataclass
class VirtualEV(VirtualDevice):
    """Virtual drive-by-wire vehicle, whose CAN bus ends in an slcan adapter on a pseudo terminal.

    Attributes:
        vehicle: kind of vehicle, a name of `VEHICLES`.
        body: name of the car in the world.
        model: model that it reports, of at most 6 letters.
        serial: serial number or VIN that it reports, of at most 18 letters.
        bitrate: bit rate of its bus [bit/s]; an adapter opened at another speed receives nothing.
        link: path that leads to its port, whose own name is drawn by the system; empty for none.
    """

    vehicle: str = "generic"
    body: str = "car"
    model: str = "EV-1"
    serial: str = "VIRTUAL-EV"
    bitrate: int = 500_000
    link: str = ""

    rate = 100.0
    disturbances = ALL
    faults = (
        "driver override",
        "low battery",
        "steering fault",
        "drive fault",
        "power loss",
        "stuck counter",
        "bad checksum",
    )

    def claims(self) -> Iterable[str]:
        """Yield the road vehicle of the world."""
        yield body_claim("vehicle", self.body)

    def check(self) -> Iterable[str]:
        """Check that there is such a vehicle, and that its identity fits into the report."""
        if self.vehicle not in VEHICLES:
            yield " ".join((f"there is no vehicle '{self.vehicle}';", *nearest(self.vehicle, VEHICLES)))
        for name, most in (("model", identity.MODEL_LETTERS), ("serial", identity.SERIAL_LETTERS)):
            text = getattr(self, name)
            if not (text.isascii() and text.isprintable() and 0 < len(text) <= most):
                yield f"{name} must be 1 to {most} plain letters, got {text!r}"

    def open(self, world: World) -> None:
        """Take the car of the world, and switch its unit on.

        Raises:
            LinkFailed: something else is at the path of the link.
            MissingExtra: cantools is not installed.
            WorldFailed: there is no such car.
        """
        self._kind = VEHICLES[self.vehicle]
        codec = Codec(self._kind)
        self._car = car(world, self.body)
        self._lock = threading.Lock()
        self._period = float(1 / rate_of(self.rate or 100.0))
        self._unit, self._adapter = DriveByWireUnit(self._period), Adapter()
        self._receiver = E2EReceiver(codec, self._kind.commands)
        self._others: list[Frame] = []
        parts = identity.parts(self.model, self.serial, virtual=True)
        self._reporter = Reporter(codec, self._period, parts)
        self._commands: deque[Command] = deque(maxlen=RECEIVED_MOST)
        self._pending: set[str] = set()
        self._cycle = 0
        self._injected: set[str] = set()
        self._frozen = False
        self._disturber: Disturber[Frame] = Disturber(
            lambda frame: replace(frame, data=flip_bit(frame.data)),
            lambda frame: replace(frame, data=cut_half(frame.data)),
        )
        self._position = np.zeros(3)
        self._motions = self._car.read()
        self._line = VirtualSerial(link=self.link)
        self._line.open()
        self.address = self._line.address
        self._drive = (self._motions.steering, 0.0)
        self.late = 0.0
        self._failure: BaseException | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="virtual drive-by-wire unit", daemon=True)
        self._thread.start()

    def step(self) -> None:
        """Measure the car, and drive it as the unit decided."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            self._measure()
            self._car.drive(*self._drive)

    def close(self) -> None:
        """Stop the unit, and remove its port."""
        if (thread := getattr(self, "_thread", None)) is not None:
            self._closed.set()
            thread.join()
        if (line := getattr(self, "_line", None)) is not None:
            line.close()

    def received(self) -> Sequence[Command]:
        """Return the enabling commands that came whole."""
        with self._lock:
            return list(self._commands)

    def position(self) -> Vector:
        """Return distance travelled [m], angle turned [rad] and angle of the wheels [rad], shape (3,)."""
        with self._lock:
            return self._position.copy()

    def stopped(self) -> bool:
        """Return whether the vehicle stands, and the unit follows no commands."""
        with self._lock:
            still = abs(self._motions.speed) <= STANDSTILL_SPEED
            return not self._unit.engaged and not self._unit.stopping and still

    def unplug(self) -> None:
        """Disconnect the bus from the adapter."""
        self._line.unplug()

    def plug(self) -> None:
        """Connect the bus to the adapter again."""
        self._line.plug()

    def freeze(self) -> None:
        """Stop reporting, while commands are still received."""
        self._frozen = True

    def thaw(self) -> None:
        """Continue to report after a freeze."""
        self._frozen = False

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Disturb every nth frame; frames are reordered within their message, as their counters show."""
        with self._lock:
            self._disturber.set(how, every)

    def transmit(self, frame: Frame) -> None:
        """Put a frame on the bus as another host: the unit receives it, and the adapter passes it on."""
        with self._lock:
            self._others.append(frame)

    def mute(self, message: str = "") -> None:
        """Cease to send one of its reports, by the name of the message; empty for none."""
        with self._lock:
            self._reporter.muted = message

    def replace(self, serial: str) -> None:
        """Put another vehicle of the same kind on the bus, which stands and has just been switched on."""
        with self._lock:
            self._reporter.parts = identity.parts(self.model, serial, virtual=True)
            self._start()

    def restart(self) -> None:
        """Restart the unit, as after a loss of power: it forgets what it followed, and its counters begin again."""
        with self._lock:
            self._start()

    def press_stop(self) -> None:
        """Press its emergency stop, where the vehicle reports one."""
        if not self._kind.reports_stop:
            self._unsupported("report that its emergency stop is pressed")
        with self._lock:
            self._unit.pressed = True

    def release_stop(self) -> None:
        """Release its emergency stop, which lets nothing move."""
        with self._lock:
            self._unit.pressed = False

    def ignore_stop(self) -> None:
        """Have the unit report that it has let go, and drive on."""
        with self._lock:
            self._unit.ignores_stop = True

    def inject(self, fault: str) -> None:
        """Inject one of `faults`: a person who takes over, a failure, or wrong reports."""
        if fault not in self.faults:
            self._unsupported(f"have the fault '{fault}'")
        with self._lock:
            self._injected.add(fault)

    def clear_faults(self) -> None:
        """Remove all injected faults; latches stay, and a unit that had no power restarts."""
        with self._lock:
            if "power loss" in self._injected:
                self._start()
            self._injected.clear()

    def _start(self) -> None:
        self._unit = DriveByWireUnit(self._period)
        self._receiver = E2EReceiver(self._reporter.codec, self._kind.commands)
        self._reporter.restart()
        self._pending.clear()

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while not self._closed.wait(max(0.0, due - time.monotonic())):
                with self._lock:
                    self._run_cycle()
                self.late = max(self.late, time.monotonic() - due)
                # After a delay cycles are skipped, not caught up: a unit never runs several at once.
                due = max(due + self._period, time.monotonic())
        except BaseException as failure:  # raised by the next step
            self._failure = failure

    def _run_cycle(self) -> None:
        self._cycle += 1
        # The unit counts cycles for time: a delay of this process is no silence of the host.
        now = Time(round(self._cycle * self._period * SECOND))
        powered = "power loss" not in self._injected
        self._receiver.begin_cycle()
        for frame in self._frames():
            if powered:
                self._receive(frame, now)
        distrust = self._receiver.distrust(now)
        self._apply_faults()
        self._drive = self._unit.step(distrust, self._motions)
        if powered and not self._frozen and self._adapter.on and self._adapter.bitrate == self.bitrate:
            for frame in self._reporter.frames(self._report(self._drive[1]), self._cycle):
                for sent in self._disturber.apply(frame, stream=frame.identifier):
                    self._line.send(slcan.encode(sent))

    def _measure(self) -> None:
        before, self._motions = self._motions, self._car.read()
        seconds = (self._motions.acquired - before.acquired) / SECOND
        self._position[:2] += np.array([self._motions.speed, self._motions.yaw_rate]) * seconds
        self._position[2] = self._motions.steering

    def _frames(self) -> list[Frame]:
        frames, answers = self._adapter.receive(self._line.receive())
        if answers:
            self._line.send(answers)
        others, self._others = self._others, []
        if self._adapter.bitrate != self.bitrate:
            return others
        for frame in others if self._adapter.on else ():
            self._line.send(slcan.encode(frame))
        return frames + others

    def _receive(self, frame: Frame, now: Time) -> None:
        """Give a command to the unit once all of its messages have come."""
        name = self._receiver.receive(frame, now)
        if not name:
            return
        self._pending.add(name)
        signals = self._receiver.signals
        if signals is None or any(layout.name not in self._pending for layout in self._kind.commands):
            return
        self._pending.clear()
        command = self._kind.decode_command(signals)
        self._unit.receive(command)
        if command.enable:
            self._commands.append(vehicle_command(command))

    def _apply_faults(self) -> None:
        self._unit.person = "driver override" in self._injected
        self._unit.present = self._injected & {"steering fault", "drive fault", "low battery"}
        self._reporter.stuck = "stuck counter" in self._injected
        self._reporter.damaged = "bad checksum" in self._injected
        if "power loss" in self._injected:
            self._unit.engaged = self._unit.stopping = self._unit.ignores_stop = False

    def _report(self, acceleration: float) -> DriveReport:
        unit, motions, person = self._unit, self._motions, self._unit.person
        front_left, front_right, rear_left, rear_right = (float(speed) for speed in motions.wheel_speeds)
        charge = DRAINED_CHARGE if "low battery" in self._injected else motions.charge
        return DriveReport(
            speed=motions.speed,
            steering=motions.steering,
            yaw_rate=motions.yaw_rate,
            gear=unit.gear,
            engaged=unit.engaged and unit.following,
            ready=unit.engaged,
            stopping=unit.stopping,
            overridden=unit.overridden,
            stopped=unit.pressed,
            faults=tuple(sorted(unit.faults)),
            rejected=self._receiver.rejected,
            wheels=(front_left, front_right, rear_left, rear_right),
            torque=PERSON_TORQUE * person,
            brake=PERSON_BRAKE * person,
            voltage=voltage(charge),
            current=-current(acceleration),
            charge=charge,
        )


def vehicle_command(command: DriveCommand) -> VehicleCommand:
    """Return a command to the virtual drive-by-wire vehicle as a VehicleCommand message."""
    return VehicleCommand(
        speed=command.speed, acceleration=command.acceleration, steering=command.steering, gear=command.gear
    )
