"""Virtual STS3215: its memory, a motor that moves to its goal, and its protection.

The motor's set-point moves to the goal with the speed and the acceleration in the registers, and brakes in time;
without requests it moves to the last goal and holds it, as the real one. Duty is the body's torque as a share of the
torque at stall. The motor heats with the square of its duty and cools by itself; the supply sags with the duty. Beyond
a limit a bit of its status is set, and cleared once it is within again; if `UNLOAD_CONDITIONS` has that bit too, the
motor is off meanwhile, and the gears, 1:345, hold the shaft. An overload lasts until `TORQUE` is written.
"""

from __future__ import annotations

import math

from drivers.so101 import control_table
from drivers.so101.codec import BROADCAST, Frame, Instruction, Status
from drivers.so101.control_table import TICK, TICKS, Register
from embodied.guards.stopping import stoppable_speed

AMBIENT = 28.0
"""Ambient temperature [degC]."""

HEATING = 0.4
"""Rate at which a stalled motor warms [degC/s]."""

COOLING = 300.0
"""Time constant with which a motor cools [s]."""

SUPPLY = 12.0
"""Voltage of the supply [V]."""

SAG = 0.8
"""Voltage drop at a stalled motor [V]."""

FACTORY = {
    control_table.FIRMWARE_MAJOR: 3,
    control_table.FIRMWARE_MINOR: 10,
    control_table.MODEL: control_table.MODEL_STS3215,
    control_table.STATUS_RETURN_LEVEL: 1,
    control_table.MAX_POSITION: TICKS - 1,
    control_table.MAX_TEMPERATURE: 70,
    control_table.MAX_VOLTAGE: 140,
    control_table.MIN_VOLTAGE: 40,
    control_table.MAX_TORQUE: 1000,
    control_table.PHASE: 12,
    control_table.UNLOAD_CONDITIONS: int(Status.TEMPERATURE | Status.CURRENT | Status.LOAD),
    control_table.ALARM_CONDITIONS: int(Status.TEMPERATURE | Status.CURRENT | Status.LOAD),
    control_table.GAIN_P: 32,
    control_table.GAIN_D: 32,
    control_table.MAX_CURRENT: 500,
    control_table.PROTECTED_TORQUE: 20,
    control_table.PROTECTION_TIME: 200,
    control_table.OVERLOAD: 80,
}
"""Factory settings that are not 0."""

HAND_SPEED = 2.0
"""Speed at which a person turns the shaft by hand [rad/s]."""

EEPROM = range(control_table.ID.address, control_table.TORQUE.address)
"""Addresses of the writable EEPROM."""

WRITABLE = range(control_table.ID.address, control_table.POSITION.address)
"""Addresses that may be written."""

COMMANDS = range(control_table.TORQUE.address, control_table.LOCK.address)
"""Addresses of what moves or stops the motor."""

STANDING_SPEED = TICKS / 360
"""Speed up to which a shaft counts as standing, one degree per second [ticks/s]."""

CENTRE = 128
"""Value of `TORQUE` that makes the present position the middle one."""

UNCONTROLLED_SPEED = 0.2
"""Speed of a servo that ignores commands [rad/s]."""


class Servo:
    """Virtual STS3215 servo on the bus: its memory, motor and protection.

    Args:
        number: id on the bus.
        lowest, highest: position limits [ticks].
        plate: text behind the maker's table.

    Attributes:
        raw: true position of its shaft, whatever offset is set [ticks].
        speed: speed of its shaft [ticks/s].
        duty: duty of its motor, -1 to 1.
        target: position at which its motor holds the shaft now [ticks].
        supply: voltage of its supply [V].
        ignores_commands: whether it acknowledges what would move or stop it, and goes on turning.
        hand: position to which a person turns the shaft while the motor is off [ticks]; None for no person.
    """

    def __init__(self, number: int, lowest: int, highest: int, plate: bytes) -> None:
        self.raw = float(control_table.MIDDLE)
        self.speed = self.duty = 0.0
        self.target = self.raw
        self.supply = SUPPLY
        self.ignores_commands = False
        self.hand: float | None = None
        self._plate = int.from_bytes(plate.ljust(control_table.NAMEPLATE.width), "little")
        self._kept = bytearray(control_table.SIZE)
        self._memory = bytearray(control_table.SIZE)
        self._recover()
        self.put(control_table.ID, number)
        self.put(control_table.MIN_POSITION, lowest)
        self.put(control_table.MAX_POSITION, highest)
        self._kept[:] = self._memory
        self._temperature = AMBIENT
        self.restart()

    def restart(self) -> None:
        """Switch the power on: RAM is lost, and the motor is off."""
        self._memory[EEPROM.stop :] = bytes(control_table.SIZE - EEPROM.stop)
        self._memory[: EEPROM.stop] = self._kept[: EEPROM.stop]
        self.put(control_table.NAMEPLATE, self._plate)
        self.put(control_table.LOCK, 1)
        self.put(control_table.TORQUE_LIMIT, self.get(control_table.MAX_TORQUE))
        self._pending: tuple[int, bytes] | None = None
        self._pace = 0.0
        self._overloaded = 0.0
        self._follows = False
        self._stay()
        self._protect(0.0)
        self._measure()
        self.put(control_table.GOAL, self.get(control_table.POSITION))

    def get(self, register: Register) -> int:
        """Return the count in a register."""
        return register.unpack(bytes(self._memory[register.address : register.address + register.width]))

    def put(self, register: Register, count: int) -> None:
        """Set a register from inside the servo."""
        self._memory[register.address : register.address + register.width] = register.pack(count)

    def heat(self, temperature: float = AMBIENT) -> None:
        """Set the temperature of its motor [degC]; ambient by default."""
        self._temperature = temperature
        self._protect(0.0)

    @property
    def status(self) -> Status:
        """Faults that it reports in its status."""
        return Status(self.get(control_table.STATUS))

    @property
    def standing(self) -> bool:
        """Whether it stands at its goal, and follows commands."""
        return not self.ignores_commands and not self.get(control_table.MOVING)

    def answer(self, frame: Frame) -> Frame | None:
        """Carry out a request to this servo or to all, and return its answer, if it gives one."""
        values = b""
        match frame.code, frame.parameters:
            case Instruction.PING, b"":
                pass
            case Instruction.READ, bytes(asked) if len(asked) == 2:
                values = bytes(self._memory[asked[0] : asked[0] + asked[1]]).ljust(asked[1], b"\0")
            case Instruction.WRITE, bytes(data) if len(data) >= 2:
                self.write(data[0], data[1:])
            case Instruction.REG_WRITE, bytes(data) if len(data) >= 2:
                self._pending = data[0], data[1:]
                self.put(control_table.REG_WRITE_PENDING, 1)
            case Instruction.ACTION, b"":
                if self._pending is not None:
                    self.write(*self._pending)
                self._pending = None
                self.put(control_table.REG_WRITE_PENDING, 0)
            case Instruction.RECOVER, b"":
                self._recover()
            case Instruction.REBOOT, b"":
                self.restart()
            case _:
                return None
        answers = frame.code in (Instruction.PING, Instruction.READ) or self.get(control_table.STATUS_RETURN_LEVEL)
        if frame.id == BROADCAST or not answers:
            return None
        return Frame(frame.id, int(self.status), values)

    def write(self, address: int, data: bytes) -> None:
        """Write bytes from the bus; addresses that are read-only keep their values."""
        before = self.get(control_table.TORQUE)
        for at, byte in enumerate(data, address):
            if at not in WRITABLE or (self.ignores_commands and at in COMMANDS):
                continue
            self._memory[at] = byte
            if at in EEPROM and not self.get(control_table.LOCK):
                self._kept[at] = byte
        torque = self.get(control_table.TORQUE)
        if address <= control_table.TORQUE.address < address + len(data) and not self.ignores_commands:
            self._overloaded = 0.0
            if torque == CENTRE:
                self.put(control_table.OFFSET, round(self.raw) - control_table.MIDDLE)
                self.put(control_table.TORQUE, before)
                self._measure()

    def advance(self, period: float) -> None:
        """Advance the motor and its protection by a period [s]; `raw`, `speed` and `duty` must be up to date."""
        self._protect(period)
        follows = bool(self.get(control_table.TORQUE)) and not self.status & self.get(control_table.UNLOAD_CONDITIONS)
        if self.ignores_commands:
            self._pace = UNCONTROLLED_SPEED / TICK
            self.target += self._pace * period
        elif follows == self._follows:
            if follows:
                self._travel(period)
            elif self.hand is not None:
                reach = HAND_SPEED / TICK * period
                self.target += min(max(self.hand - self.target, -reach), reach)
        else:
            self._stay()
        self._follows = follows
        self._measure()

    def _stay(self) -> None:
        """Start from the present position, in the present turn of the shaft, with no hand on it."""
        self.target, self._pace, self.hand = self.raw, 0.0, None
        self._turn = (round(self.raw) - self.get(control_table.OFFSET)) // TICKS * TICKS

    def _travel(self, period: float) -> None:
        goal = self._goal()
        fastest = abs(self.get(control_table.GOAL_SPEED)) or control_table.NO_LOAD / TICK
        largest = self.get(control_table.ACCELERATION) * 100.0 or math.inf
        left = goal - self.target
        pace = min(fastest, abs(left) / period)
        if math.isfinite(largest):
            wanted = math.copysign(min(pace, stoppable_speed(abs(left), largest, period)), left)
            change = largest * period
            self._pace = min(max(wanted, self._pace - change), self._pace + change)
        else:
            self._pace = math.copysign(pace, left)
        self.target += self._pace * period

    def _goal(self) -> float:
        """Return the position of the shaft that the goal register demands [ticks]."""
        low, high = self.get(control_table.MIN_POSITION), self.get(control_table.MAX_POSITION)
        goal = self.get(control_table.GOAL)
        if low or high:
            goal = min(max(goal, low), high)
        return goal + self.get(control_table.OFFSET) + self._turn

    def _protect(self, period: float) -> None:
        """Update temperature and voltage, and set the status where a limit is passed."""
        duty = abs(self.duty)
        self._temperature += period * (HEATING * duty**2 - (self._temperature - AMBIENT) / COOLING)
        voltage = self.supply - SAG * duty
        self.put(control_table.VOLTAGE, round(voltage / control_table.VOLTAGE.scale))
        self.put(control_table.TEMPERATURE, round(min(self._temperature, control_table.TEMPERATURE.largest)))
        overload, delay = self.get(control_table.OVERLOAD) * 1e-2, self.get(control_table.PROTECTION_TIME) * 1e-2
        if self._overloaded < delay:
            self._overloaded = self._overloaded + period if duty >= overload else 0.0
        status = Status(0)
        if self.get(control_table.TEMPERATURE) > self.get(control_table.MAX_TEMPERATURE):
            status |= Status.TEMPERATURE
        if (
            not self.get(control_table.MIN_VOLTAGE)
            <= self.get(control_table.VOLTAGE)
            <= self.get(control_table.MAX_VOLTAGE)
        ):
            status |= Status.VOLTAGE
        if self._overloaded >= delay:
            status |= Status.LOAD
        self.put(control_table.STATUS, int(status))

    def _measure(self) -> None:
        """Update the measured registers; the position counts within one turn of 4096 ticks."""
        self.put(control_table.POSITION, (round(self.raw) - self.get(control_table.OFFSET)) % TICKS)
        self.put(control_table.SPEED, round(self.speed))
        self.put(control_table.LOAD, round(min(max(self.duty, -1.0), 1.0) * 1000))
        self.put(control_table.MOVING, int(self._pace != 0.0 or abs(self.speed) > STANDING_SPEED))

    def _recover(self) -> None:
        """Restore the factory settings, except for the id."""
        number = self.get(control_table.ID)
        self._memory[: EEPROM.stop] = bytes(EEPROM.stop)
        for register, count in FACTORY.items():
            self.put(register, count)
        self.put(control_table.ID, number)
        self._kept[: EEPROM.stop] = self._memory[: EEPROM.stop]
