"""Virtual STS3215: its memory, a motor that moves to its goal or at a speed, and its protection.

The motor's set-point moves to the goal with the speed and the acceleration in the registers, and brakes in time;
without requests it moves to the last goal and holds it, as the real one. In wheel and PWM mode it turns at a speed
until something stops it, in step mode by the goal from where it is. What registers report follows a write at once.

Duty is the body's torque as a share of the torque at stall. The motor heats with the square of its duty and cools by
itself; the supply sags with the duty. Beyond a limit a bit of its status is set, and cleared once it is within again;
if `UNLOAD_CONDITIONS` has that bit too, the motor is off meanwhile, and the gears, 1:345, hold the shaft. An overload
lasts until `TORQUE` is written.
"""

from __future__ import annotations

import math

from drivers.so101 import control_table
from drivers.so101.codec import BROADCAST, LONGEST, SHORTEST, Frame, Instruction, Status
from drivers.so101.control_table import FULL_ANGLE, TICK, TICKS, Register
from drivers.so101.virtual.memory_map import COMMANDS, EEPROM, FACTORY, FACTORY_PARAMETERS, HIGHEST, WRITABLE, Mode
from drivers.so101.virtual.motion import pace_at, pace_to

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

HAND_SPEED = 2.0
"""Speed at which a person turns the shaft by hand [rad/s]."""

STANDING_SPEED = TICKS / 360
"""Speed up to which a shaft counts as standing, one degree per second [ticks/s]."""

CENTRE = 128
"""Value of `TORQUE` that makes the present position the middle one."""

UNCONTROLLED_SPEED = 0.2
"""Speed of a servo that ignores commands [rad/s]."""

STALLED = 200
"""Distance by which the set-point of a turning motor is ahead of a shaft that something stops [ticks]."""


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
        jammed: whether something that its motor cannot move holds the shaft.
    """

    def __init__(self, number: int, lowest: int, highest: int, plate: bytes) -> None:
        self.raw = float(control_table.MIDDLE)
        self.speed = self.duty = 0.0
        self.target = self._aim = self.raw
        self.supply = SUPPLY
        self.ignores_commands = False
        self.hand: float | None = None
        self.jammed = False
        self.engrave(plate)
        self._kept = bytearray(control_table.SIZE)
        self._memory = bytearray(control_table.SIZE)
        self._recover()
        self.put(control_table.ID, number)
        self.put(control_table.MIN_POSITION, lowest)
        self.put(control_table.MAX_POSITION, highest)
        self._kept[:] = self._memory
        self._temperature = AMBIENT
        self.restart()

    def engrave(self, plate: bytes) -> None:
        """Set the text behind the maker's table, which it shows from its next start on."""
        self._plate = int.from_bytes(plate.ljust(control_table.NAMEPLATE.width), "little")

    def restart(self) -> None:
        """Switch the power on: RAM is lost, and the motor is off."""
        self._memory[:] = bytes(control_table.SIZE)
        for kept in (range(EEPROM.stop), FACTORY_PARAMETERS):
            self._memory[kept.start : kept.stop] = self._kept[kept.start : kept.stop]
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
        """Set a register from inside the servo, to the nearest count that it can hold."""
        count = min(max(count, register.smallest), register.largest)
        self._memory[register.address : register.address + register.width] = register.pack(count)

    def heat(self, temperature: float = AMBIENT) -> None:
        """Set the temperature of its motor [degC]; ambient by default."""
        self._temperature = temperature
        self._protect(0.0)

    def slip(self, ticks: int) -> None:
        """Turn the shaft by some ticks, while the joint stays where it is."""
        self.raw += ticks
        self.target += ticks
        self._aim += ticks
        self._turn = self._present_turn()
        self._measure()

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
            case Instruction.READ, bytes(asked) if len(asked) == 2 and asked[1] <= LONGEST - SHORTEST:
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
        if frame.code == Instruction.PING:
            return Frame(self.get(control_table.ID), int(self.status))
        answers = frame.code == Instruction.READ or self.get(control_table.STATUS_RETURN_LEVEL)
        if frame.id == BROADCAST or not answers:
            return None
        return Frame(frame.id, int(self.status), values)

    def write(self, address: int, data: bytes) -> None:
        """Write bytes from the bus; addresses that are read-only keep their values, and so does what is invalid."""
        before, old = self.get(control_table.TORQUE), bytes(self._memory)
        for at, byte in enumerate(data, address):
            if at in WRITABLE and not (self.ignores_commands and at in COMMANDS):
                self._memory[at] = byte
        for register, highest in HIGHEST.items():
            if self.get(register) > highest:
                self._memory[register.address] = old[register.address]
        if not self.get(control_table.LOCK):
            for kept in (*EEPROM, *FACTORY_PARAMETERS):
                if kept - address in range(len(data)):
                    self._kept[kept] = self._memory[kept]
        written = range(address, address + len(data))
        if control_table.OFFSET.address in written or control_table.PHASE.address in written:
            self._turn = self._present_turn()
        if control_table.TORQUE.address in written and not self.ignores_commands:
            self._overloaded = 0.0
            if self.get(control_table.TORQUE) == CENTRE:
                self._centre()
                self.put(control_table.TORQUE, before)
        if control_table.MODE.address in written and self.get(control_table.MODE) != old[control_table.MODE.address]:
            self._stay()
        if control_table.GOAL.address in written and self.get(control_table.MODE) == Mode.STEP and self._follows:
            self._aim = self.target + self.get(control_table.GOAL)
        self._protect(0.0)
        self._switch()
        self._measure()

    def advance(self, period: float) -> None:
        """Advance the motor and its protection by a period [s]; `raw`, `speed` and `duty` must be up to date."""
        if not self._follows:
            self.duty = 0.0  # what acts on the shaft then is a hand, or the gears
        elif self.jammed:
            self.duty = 1.0
        self._protect(period)
        switched = self._switch()
        if self.ignores_commands:
            self._pace = UNCONTROLLED_SPEED / TICK
            self.target += self._pace * period
        elif self._follows and not self.jammed and not switched:
            self._travel(period)
        elif not self._follows and self.hand is not None:
            reach = HAND_SPEED / TICK * period
            self.target += min(max(self.hand - self.target, -reach), reach)
        self._measure()

    def _switch(self) -> bool:
        """Let the motor hold the shaft where it is, or let go of it, by its registers; return whether that is new."""
        follows = bool(self.get(control_table.TORQUE)) and not self.status & self.get(control_table.UNLOAD_CONDITIONS)
        switched = follows != self._follows
        if switched:
            self._stay()
        self._follows = follows
        return switched

    def _stay(self) -> None:
        """Start from the present position, in the present turn of the shaft, with no hand on it."""
        self.target = self._aim = self.raw
        self._pace, self.hand = 0.0, None
        self._turn = self._present_turn()

    def _centre(self) -> None:
        """Set the offset with which the present position is the middle one."""
        self.put(control_table.OFFSET, round(self.raw) % TICKS - control_table.MIDDLE)
        self._turn = self._present_turn()

    @property
    def _many_turns(self) -> bool:
        """Whether it counts its position over many turns."""
        limits = self.get(control_table.MIN_POSITION), self.get(control_table.MAX_POSITION)
        return bool(self.get(control_table.PHASE) & FULL_ANGLE) or limits == (0, 0)

    def _present_turn(self) -> int:
        """Return the position of the shaft at which its count is 0, but for the offset [ticks]."""
        if self._many_turns:
            return 0
        return (round(self.raw) - self.get(control_table.OFFSET)) // TICKS * TICKS

    def _travel(self, period: float) -> None:
        fastest = min(control_table.NO_LOAD / TICK, self.get(control_table.MAX_SPEED) * 50.0 or math.inf)
        accelerations = (self.get(control_table.ACCELERATION), self.get(control_table.MAX_ACCELERATION))
        largest = min((100.0 * each for each in accelerations if each), default=math.inf)
        speed = self.get(control_table.GOAL_SPEED)
        match self.get(control_table.MODE):
            case Mode.WHEEL:
                self._turn_at(min(max(speed, -fastest), fastest), largest, period)
            case Mode.PWM:
                duty = min(max(self.get(control_table.GOAL_TIME) * control_table.GOAL_TIME.scale, -1.0), 1.0)
                self._turn_at(duty * control_table.NO_LOAD / TICK, largest, period)
            case mode:
                goal = self._aim if mode == Mode.STEP else self._goal()
                fastest = min(fastest, abs(speed) or math.inf)
                self._pace = pace_to(goal - self.target, self._pace, fastest, largest, period)
                self.target += self._pace * period

    def _turn_at(self, wanted: float, largest: float, period: float) -> None:
        self._pace = pace_at(wanted, self._pace, largest, period)
        self.target = min(max(self.target + self._pace * period, self.raw - STALLED), self.raw + STALLED)

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
        """Update the measured registers; the position counts within one turn of 4096 ticks, or over many."""
        self.put(control_table.POSITION, round(self.raw) - self.get(control_table.OFFSET) - self._present_turn())
        self.put(control_table.SPEED, round(self.speed))
        self.put(control_table.LOAD, round(min(max(self.duty, -1.0), 1.0) * 1000))
        self.put(control_table.MOVING, int(self._under_way or abs(self.speed) > STANDING_SPEED))

    @property
    def _under_way(self) -> bool:
        """Whether its set-point moves, or will by what was written last."""
        if not self._follows or self.jammed:
            return False
        match self.get(control_table.MODE):
            case Mode.POSITION:
                return abs(self._goal() - self.target) >= 1.0
            case Mode.STEP:
                return abs(self._aim - self.target) >= 1.0
            case _:
                return abs(self._pace) > STANDING_SPEED

    def _recover(self) -> None:
        """Restore the factory settings, except for the id."""
        number = self.get(control_table.ID)
        for kept in (range(EEPROM.stop), FACTORY_PARAMETERS):
            self._memory[kept.start : kept.stop] = bytes(len(kept))
        for register, count in FACTORY.items():
            self.put(register, count)
        self.put(control_table.ID, number)
        self._kept[:] = self._memory
