"""A virtual STS3215: its memory, a motor that travels to its goal, and what protects it.

The motor's set-point travels to the goal with the speed and the acceleration in the registers, and brakes in time; in
silence it goes on to the last goal and stays there, as the real one. Duty is the body's torque by that at stall. The
motor heats with the square of its duty and cools by itself; the supply sags with the duty. Beyond a limit the bit in
its status is set, and is cleared once it is within again; where `UNLOAD` has that bit too, the motor drives no more
meanwhile, and the gears, 1:345, hold it where it is. An overload lasts until `TORQUE` is written.
"""

from __future__ import annotations

import math

from drivers.so101 import control_table
from drivers.so101.codec import EVERYONE, Frame, Instruction, Status
from drivers.so101.control_table import TICK, TICKS, Register
from embodied.guards.stopping import stoppable_speed

AMBIENT = 28.0
"""Temperature around it [degC]."""

HEATING, COOLING = 0.4, 300.0
"""A stalled motor warms this fast [degC/s]; a warm one cools with this time constant [s]."""

SUPPLY, SAG = 12.0, 0.8
"""Voltage of the supply, and by how much it falls when a motor stalls [V]."""

FACTORY = {
    control_table.FIRMWARE_MAJOR: 3,
    control_table.FIRMWARE_MINOR: 10,
    control_table.MODEL: control_table.MODEL_STS3215,
    control_table.ANSWERS_ALL: 1,
    control_table.HIGHEST: TICKS - 1,
    control_table.HOTTEST: 70,
    control_table.MOST_VOLTAGE: 140,
    control_table.LEAST_VOLTAGE: 40,
    control_table.MOST_TORQUE: 1000,
    control_table.PHASE: 12,
    control_table.UNLOAD: int(Status.TEMPERATURE | Status.CURRENT | Status.LOAD),
    control_table.ALARM: int(Status.TEMPERATURE | Status.CURRENT | Status.LOAD),
    control_table.GAIN_P: 32,
    control_table.GAIN_D: 32,
    control_table.MOST_CURRENT: 500,
    control_table.PROTECTED_TORQUE: 20,
    control_table.PROTECTION_TIME: 200,
    control_table.OVERLOAD: 80,
}
"""What the maker delivers it with, where that is not 0."""

HAND = 2.0
"""So fast somebody turns it by hand [rad/s]."""

EEPROM = range(control_table.ID.address, control_table.TORQUE.address)
WRITABLE = range(control_table.ID.address, control_table.POSITION.address)
CRAWL = TICKS / 360
"""A shaft that turns no faster than a degree in a second counts as standing [ticks/s]."""

CENTRE = 128
"""Written to `TORQUE`, this makes the present position the middle one."""


class Servo:
    """One servo.

    Args:
        number: its id on the bus.
        lowest, highest: ticks between which it goes.
        plate: text behind the maker's table.

    Attributes:
        raw: where its shaft really is, in ticks, whatever offset is set.
        speed: of its shaft [ticks/s].
        duty: what its motor does, -1 to 1.
        target: tick at which its motor holds the shaft now.
        supply: voltage of its supply [V].
        deaf: it acknowledges what would move or stop it, and goes on turning.
        hand: tick of the shaft to which somebody turns it while its motor is off; None where nobody does.
    """

    def __init__(self, number: int, lowest: int, highest: int, plate: bytes) -> None:
        self.raw = float(control_table.MIDDLE)
        self.speed = self.duty = 0.0
        self.target = self.raw
        self.supply = SUPPLY
        self.deaf = False
        self.hand: float | None = None
        self._plate = int.from_bytes(plate.ljust(control_table.NAMEPLATE.width), "little")
        self._kept = bytearray(control_table.SIZE)
        self._memory = bytearray(control_table.SIZE)
        self._recover()
        self.put(control_table.ID, number)
        self.put(control_table.LOWEST, lowest)
        self.put(control_table.HIGHEST, highest)
        self._kept[:] = self._memory
        self._temperature = AMBIENT
        self.restart()

    def restart(self) -> None:
        """The power comes: what was not locked in is forgotten, and the motor is off."""
        self._memory[EEPROM.stop :] = bytes(control_table.SIZE - EEPROM.stop)
        self._memory[: EEPROM.stop] = self._kept[: EEPROM.stop]
        self.put(control_table.NAMEPLATE, self._plate)
        self.put(control_table.LOCK, 1)
        self.put(control_table.TORQUE_LIMIT, self.get(control_table.MOST_TORQUE))
        self._pending: tuple[int, bytes] | None = None
        self._pace = 0.0
        self._overloaded = 0.0
        self._follows = False
        self._stay()
        self._protect(0.0)
        self._measure()
        self.put(control_table.GOAL, self.get(control_table.POSITION))

    def get(self, register: Register) -> int:
        """The count in a register."""
        return register.unpack(bytes(self._memory[register.address : register.address + register.width]))

    def put(self, register: Register, count: int) -> None:
        """Set a register, from inside."""
        self._memory[register.address : register.address + register.width] = register.pack(count)

    def heat(self, temperature: float = AMBIENT) -> None:
        """Its motor is that warm [degC]; as warm as what is around it, by default."""
        self._temperature = temperature
        self._protect(0.0)

    @property
    def status(self) -> Status:
        """What is wrong with it."""
        return Status(self.get(control_table.STATUS))

    @property
    def standing(self) -> bool:
        """Whether it is at its goal, and does not move."""
        return not self.deaf and not self.get(control_table.MOVING)

    def answer(self, frame: Frame) -> Frame | None:
        """Do what a frame to this servo, or to everyone, asks for; its answer, if it gives one."""
        given = b""
        match frame.code, frame.parameters:
            case Instruction.PING, b"":
                pass
            case Instruction.READ, bytes(asked) if len(asked) == 2:
                given = bytes(self._memory[asked[0] : asked[0] + asked[1]]).ljust(asked[1], b"\0")
            case Instruction.WRITE, bytes(data) if len(data) >= 2:
                self.write(data[0], data[1:])
            case Instruction.REG_WRITE, bytes(data) if len(data) >= 2:
                self._pending = data[0], data[1:]
                self.put(control_table.PENDING, 1)
            case Instruction.ACTION, b"":
                if self._pending is not None:
                    self.write(*self._pending)
                self._pending = None
                self.put(control_table.PENDING, 0)
            case Instruction.RECOVER, b"":
                self._recover()
            case Instruction.REBOOT, b"":
                self.restart()
            case _:
                return None
        talks = frame.code in (Instruction.PING, Instruction.READ) or self.get(control_table.ANSWERS_ALL)
        if frame.id == EVERYONE or not talks:
            return None
        return Frame(frame.id, int(self.status), given)

    def write(self, address: int, data: bytes) -> None:
        """Bytes that came over the wire; what may not be written stays as it is."""
        before = self.get(control_table.TORQUE)
        for at, byte in enumerate(data, address):
            if at not in WRITABLE or (self.deaf and control_table.TORQUE.address <= at < control_table.LOCK.address):
                continue
            self._memory[at] = byte
            if at in EEPROM and not self.get(control_table.LOCK):
                self._kept[at] = byte
        torque = self.get(control_table.TORQUE)
        if address <= control_table.TORQUE.address < address + len(data) and not self.deaf:
            self._overloaded = 0.0
            if torque == CENTRE:
                self.put(control_table.OFFSET, round(self.raw) - control_table.MIDDLE)
                self.put(control_table.TORQUE, before)
                self._measure()

    def advance(self, period: float) -> None:
        """The motor and its protection, for one period [s]; `raw`, `speed` and `duty` have been measured before."""
        self._protect(period)
        follows = bool(self.get(control_table.TORQUE)) and not self.status & self.get(control_table.UNLOAD)
        if self.deaf:
            self._pace = 0.2 / TICK
            self.target += self._pace * period
        elif follows == self._follows:
            if follows:
                self._travel(period)
            elif self.hand is not None:
                reach = HAND / TICK * period
                self.target += min(max(self.hand - self.target, -reach), reach)
        else:
            self._stay()
        self._follows = follows
        self._measure()

    def _stay(self) -> None:
        """Its motor begins here, in the turn in which the shaft is, and nobody holds it."""
        self.target, self._pace, self.hand = self.raw, 0.0, None
        self._turn = (round(self.raw) - self.get(control_table.OFFSET)) // TICKS * TICKS

    def _travel(self, period: float) -> None:
        goal = self._goal()
        fastest = abs(self.get(control_table.GOAL_SPEED)) or control_table.NO_LOAD / TICK
        harshest = self.get(control_table.ACCELERATION) * 100.0 or math.inf
        left = goal - self.target
        pace = min(fastest, abs(left) / period)
        if math.isfinite(harshest):
            wanted = math.copysign(min(pace, stoppable_speed(abs(left), harshest, period)), left)
            change = harshest * period
            self._pace = min(max(wanted, self._pace - change), self._pace + change)
        else:
            self._pace = math.copysign(pace, left)
        self.target += self._pace * period

    def _goal(self) -> float:
        """The tick of the shaft where the goal register sends it."""
        low, high = self.get(control_table.LOWEST), self.get(control_table.HIGHEST)
        goal = self.get(control_table.GOAL)
        if low or high:
            goal = min(max(goal, low), high)
        return goal + self.get(control_table.OFFSET) + self._turn

    def _protect(self, period: float) -> None:
        """Warm up, sag, and say so where a limit is passed."""
        duty = abs(self.duty)
        self._temperature += period * (HEATING * duty**2 - (self._temperature - AMBIENT) / COOLING)
        voltage = self.supply - SAG * duty
        self.put(control_table.VOLTAGE, round(voltage / control_table.VOLTAGE.scale))
        self.put(control_table.TEMPERATURE, round(min(self._temperature, control_table.TEMPERATURE.largest)))
        over, patience = self.get(control_table.OVERLOAD) * 1e-2, self.get(control_table.PROTECTION_TIME) * 1e-2
        if self._overloaded < patience:
            self._overloaded = self._overloaded + period if duty >= over else 0.0
        status = Status(0)
        if self.get(control_table.TEMPERATURE) > self.get(control_table.HOTTEST):
            status |= Status.TEMPERATURE
        if (
            not self.get(control_table.LEAST_VOLTAGE)
            <= self.get(control_table.VOLTAGE)
            <= self.get(control_table.MOST_VOLTAGE)
        ):
            status |= Status.VOLTAGE
        if self._overloaded >= patience:
            status |= Status.LOAD
        self.put(control_table.STATUS, int(status))

    def _measure(self) -> None:
        """What it says of its shaft; one turn has 4096 ticks, and it knows of no other."""
        self.put(control_table.POSITION, (round(self.raw) - self.get(control_table.OFFSET)) % TICKS)
        self.put(control_table.SPEED, round(self.speed))
        self.put(control_table.LOAD, round(min(max(self.duty, -1.0), 1.0) * 1000))
        self.put(control_table.MOVING, int(self._pace != 0.0 or abs(self.speed) > CRAWL))

    def _recover(self) -> None:
        """All but its id as the maker delivered it."""
        number = self.get(control_table.ID)
        self._memory[: EEPROM.stop] = bytes(EEPROM.stop)
        for register, count in FACTORY.items():
            self.put(register, count)
        self.put(control_table.ID, number)
        self._kept[: EEPROM.stop] = self._memory[: EEPROM.stop]
