"""The far side of a vehicle's bus: its drive-by-wire unit behind an slcan adapter, and a car behind that.

The unit has a thread of its own, since it reports whether or not anybody steps the car: as it would from power on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from drivers.can_ev import identity
from drivers.can_ev.codec import Codec, Frame
from drivers.can_ev.e2e_protection import Reception
from drivers.can_ev.vehicle import STILL, Condition, Layout, Order
from drivers.can_ev.vehicles import VEHICLES
from drivers.can_ev.virtual import slcan
from drivers.can_ev.virtual.drive_by_wire import Ecu
from drivers.can_ev.virtual.slcan import Adapter
from embodied.bodies import car
from embodied.clock import SECOND, Time, rate_of
from embodied.devices.disturbance import Disturbance
from embodied.devices.virtual import VirtualDevice
from embodied.devices.virtual_serial import VirtualSerial
from embodied.errors import nearest
from embodied.messages import Vector, VehicleCommand
from embodied.messages.schema import Command
from embodied.world import World

FULL, IDLE, DRAW = 48.0, 2.0, 20.0
"""Voltage of a full battery [V]; current that it gives at rest, and more of it for each m/s² [A]."""

DRAINED = 0.05
"""Charge of the battery that is low."""

EFFORT, BRAKED = 5.0, 0.5
"""What a person who takes over does: torque at the wheel [N·m], and how far the brake is pressed."""


@dataclass
class VirtualEV(VirtualDevice):
    """A vehicle whose bus ends in an adapter on a pseudo-terminal.

    Attributes:
        vehicle: of which kind, a name of `VEHICLES`.
        body: name of the car in the world.
        model: that it says it is, of at most 6 letters.
        serial: its serial number or VIN, of at most 18.
        bitrate: of its bus [bit/s]; who opens the adapter at another speed hears nothing.
        link: path that leads to its port, whose own name is drawn by the system; empty for none.
    """

    vehicle: str = "generic"
    body: str = "car"
    model: str = "EV-1"
    serial: str = "VIRTUAL-EV"
    bitrate: int = 500_000
    link: str = ""

    rate = 100.0
    disturbances: tuple[Disturbance, ...] = ("flip", "truncate", "repeat", "reorder")
    faults = (
        "driver override",
        "low battery",
        "steering fault",
        "drive fault",
        "power loss",
        "stuck counter",
        "bad checksum",
    )

    def check(self) -> Iterable[str]:
        """There is such a vehicle, and what it says of itself finds room."""
        if self.vehicle not in VEHICLES:
            yield " ".join((f"there is no vehicle '{self.vehicle}';", *nearest(self.vehicle, VEHICLES)))
        for name, room in (("model", identity.LONGEST_MODEL), ("serial", identity.LONGEST_SERIAL)):
            text = getattr(self, name)
            if not (text.isascii() and text.isprintable() and 0 < len(text) <= room):
                yield f"{name} is {text!r}, and there is room for 1 to {room} plain letters"

    def open(self, world: World) -> None:
        """Take the car of the world, and switch its unit on.

        Raises:
            LinkFailed: there is something else where the link is to be.
            MissingExtra: cantools is not installed.
            WorldFailed: there is no such car.
        """
        kind = VEHICLES[self.vehicle]
        self._kind, self._codec, self._plate = kind, Codec(kind), Codec(identity.PLATE)
        self._car = car(world, self.body)
        self._lock = threading.Lock()
        self._period = float(1 / rate_of(self.rate or 100.0))
        self._ecu, self._adapter = Ecu(self._period), Adapter()
        self._reception = Reception(self._codec, kind.commands)
        self._heard: list[Command] = []
        self._complete: set[str] = set()
        self._cycle = 0
        self._counts: dict[str, int] = {}
        self._harms: set[str] = set()
        self._frozen = False
        self._how: Disturbance = ""
        self._every = self._sent = 0
        self._held: dict[int, Frame] = {}
        self._where = np.zeros(3)
        self._motions = self._car.read()
        self._line = VirtualSerial()
        self._line.link = self.link
        self._line.open()
        self.address = self._line.address
        self._drive = (self._motions.steering, 0.0)
        self.late = 0.0
        self._failure: BaseException | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="virtual drive-by-wire unit", daemon=True)
        self._thread.start()

    def step(self) -> None:
        """Measure the car, and do with it what the unit wants."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            self._measure()
            self._car.drive(*self._drive)

    def close(self) -> None:
        """The unit ends, and its port goes."""
        if (thread := getattr(self, "_thread", None)) is not None:
            self._over.set()
            thread.join()
        if (line := getattr(self, "_line", None)) is not None:
            line.close()

    def received(self) -> Sequence[Command]:
        """Every order to follow that came whole."""
        with self._lock:
            return list(self._heard)

    def position(self) -> Vector:
        """How far the car has gone [m], how far turned [rad], and the angle of its wheels [rad], shape (3,)."""
        with self._lock:
            return self._where.copy()

    def stopped(self) -> bool:
        """Whether it stands, and follows no orders."""
        with self._lock:
            return not self._ecu.engaged and not self._ecu.stopping and abs(self._motions.speed) <= STILL

    def unplug(self) -> None:
        """The bus is unplugged from the adapter."""
        self._line.unplug()

    def plug(self) -> None:
        """It is back."""
        self._line.plug()

    def freeze(self) -> None:
        """The unit hears, and reports nothing."""
        self._frozen = True

    def thaw(self) -> None:
        """It reports again."""
        self._frozen = False

    def disturb(self, how: Disturbance, every: int = 3) -> None:
        """Disturb one in so many of its frames: a bit of its data, half of it gone, twice, or after the next one."""
        with self._lock:
            self._how, self._every, self._sent, self._held = how, every, 0, {}

    def press_stop(self) -> None:
        """Its emergency stop is pressed, where the vehicle says so."""
        if not self._kind.presses:
            self._unsupported("say that its emergency stop is pressed")
        with self._lock:
            self._ecu.pressed = True

    def release_stop(self) -> None:
        """The button is out again."""
        with self._lock:
            self._ecu.pressed = False

    def ignore_stop(self) -> None:
        """The unit says that it leaves, and drives on."""
        with self._lock:
            self._ecu.deaf = True

    def inject(self, fault: str) -> None:
        """One of `faults`: a person takes over, something fails, or the unit reports wrongly."""
        if fault not in self.faults:
            self._unsupported(f"have the fault '{fault}'")
        with self._lock:
            self._harms.add(fault)

    def clear_faults(self) -> None:
        """All of that is over; what the unit has latched stays so, and one that had no power begins anew."""
        with self._lock:
            if "power loss" in self._harms:
                self._ecu = Ecu(self._period)
            self._harms.clear()

    def _serve(self) -> None:
        next_ = time.monotonic()
        try:
            while not self._over.wait(max(0.0, next_ - time.monotonic())):
                with self._lock:
                    self._turn()
                self.late = max(self.late, time.monotonic() - next_)
                # A cycle that comes too late is one cycle, and not several at once.
                next_ = max(next_ + self._period, time.monotonic())
        except BaseException as failure:  # told by the next step
            self._failure = failure

    def _turn(self) -> None:
        """One cycle of the unit: hear orders, go on, and report."""
        self._cycle += 1
        # Time is the unit's own: where its process was late, nobody else was silent.
        now = Time(round(self._cycle * self._period * SECOND))
        powered = "power loss" not in self._harms
        self._reception.tick()
        for frame in self._arrived():
            if powered:
                self._take(frame, now)
        distrust = self._reception.distrust(now)
        self._harmed()
        self._drive = self._ecu.advance(distrust, self._motions)
        if powered and not self._frozen and self._adapter.on and self._adapter.bitrate == self.bitrate:
            self._report(self._condition(self._drive[1]))

    def _measure(self) -> None:
        before, self._motions = self._motions, self._car.read()
        seconds = (self._motions.acquired - before.acquired) / SECOND
        moved = np.array([self._motions.speed, self._motions.yaw_rate]) * seconds
        self._where[:2] += moved
        self._where[2] = self._motions.steering

    def _arrived(self) -> list[Frame]:
        frames, answers = self._adapter.take(self._line.receive())
        if answers:
            self._line.send(answers)
        return frames if self._adapter.bitrate == self.bitrate else []

    def _take(self, frame: Frame, now: Time) -> None:
        name = self._reception.take(frame, now)
        if not name:
            return
        self._complete.add(name)
        signals = self._reception.signals
        if signals is None or any(layout.name not in self._complete for layout in self._kind.commands):
            return
        self._complete.clear()
        order = self._kind.asked(signals)
        self._ecu.obey(order)
        if order.enable:
            self._heard.append(commanded(order))

    def _harmed(self) -> None:
        self._ecu.person = "driver override" in self._harms
        self._ecu.present = self._harms & {"steering fault", "drive fault", "low battery"}
        if "power loss" in self._harms:
            self._ecu.engaged = self._ecu.stopping = self._ecu.deaf = False

    def _condition(self, acceleration: float) -> Condition:
        ecu, motions, person = self._ecu, self._motions, self._ecu.person
        front_left, front_right, rear_left, rear_right = (float(speed) for speed in motions.wheel_speeds)
        charge = DRAINED if "low battery" in self._harms else motions.charge
        return Condition(
            speed=motions.speed,
            steering=motions.steering,
            yaw_rate=motions.yaw_rate,
            gear=ecu.gear,
            engaged=ecu.engaged,
            stopping=ecu.stopping,
            overridden=ecu.overridden,
            stopped=ecu.pressed,
            faults=tuple(sorted(ecu.faults)),
            rejected=self._reception.rejected,
            wheels=(front_left, front_right, rear_left, rear_right),
            torque=EFFORT * person,
            brake=BRAKED * person,
            voltage=FULL * (0.8 + 0.2 * charge),
            current=-IDLE - DRAW * max(acceleration, 0.0),
            charge=charge,
        )

    def _report(self, condition: Condition) -> None:
        told = self._kind.tell(condition)
        for layout in self._kind.reports:
            if self._due(layout):
                self._send(self._codec, layout.name, told[layout.name])
        (plate,) = identity.PLATE.reports
        if self._due(plate):
            parts = identity.parts(self.model, self.serial, virtual=True)
            self._send(self._plate, plate.name, parts[self._counts.get(plate.name, 0) % len(parts)])

    def _due(self, layout: Layout) -> bool:
        return self._cycle % max(1, round(layout.period / self._period)) == 0

    def _send(self, codec: Codec, name: str, signals: object) -> None:
        count = self._counts.get(name, 0)
        frame = codec.pack(name, signals, count)  # type: ignore[arg-type]
        if "stuck counter" not in self._harms:
            self._counts[name] = count + 1
        if "bad checksum" in self._harms:
            frame = _flipped(frame)
        for each in self._disturbed(frame):
            self._line.send(slcan.pack(each))

    def _disturbed(self, frame: Frame) -> list[Frame]:
        """What becomes of a frame; frames of one message change places, since among others that is no matter."""
        held = self._held.pop(frame.identifier, None)
        after = [] if held is None else [held]
        self._sent += 1
        if not self._how or self._sent % self._every:
            return [frame, *after]
        match self._how:
            case "flip":
                return [_flipped(frame), *after]
            case "truncate":
                return [Frame(frame.identifier, frame.data[: len(frame.data) // 2]), *after]
            case "repeat":
                return [frame, frame, *after]
            case _:
                if held is None:
                    self._held[frame.identifier] = frame
                    return []
                return [frame, *after]


def commanded(order: Order) -> VehicleCommand:
    """An order as the graph has it."""
    return VehicleCommand(speed=order.speed, acceleration=order.acceleration, steering=order.steering, gear=order.gear)


def _flipped(frame: Frame) -> Frame:
    middle = len(frame.data) // 2
    data = frame.data[:middle] + bytes([frame.data[middle] ^ 0x04]) + frame.data[middle + 1 :]
    return Frame(frame.identifier, data)
