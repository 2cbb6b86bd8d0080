"""Control table of an STS3215: address, width, sign bit and unit of each register of its memory.

Source: Feetech, "Memory table analysis of the magnetic encoder STS servo", sections 2.1 to 2.5 and 3; the sign bits as
the vendor's ftservo-python-sdk 2.0.1 has them (15), and that of the load as the table states (10). A negative number is
its magnitude with that bit set. Addresses up to 39 are EEPROM; a write there lasts only with the lock open.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TICKS = 4096
"""Number of ticks in a turn."""

FULL_ANGLE = 0x10
"""Bit of `PHASE` with which a servo counts its position over many turns."""

MIDDLE = 2048
"""Half a turn: tick to which a calibration puts the middle of a joint's range."""

TICK = 2 * math.pi / TICKS
"""Angle of one tick [rad]."""

MODEL_STS3215 = 777
"""Model number of an STS3215."""

BAUDS = (1_000_000, 500_000, 250_000, 128_000, 115_200, 76_800, 57_600, 38_400)
"""Speeds of the bus, in the order of the register `BAUD` [bit/s]."""

STALL = 2.94
"""Torque at stall, 30 kg·cm at 12 V [N·m]: STS3215 data sheet, C018."""

NO_LOAD = math.radians(60) / 0.222
"""Speed without load, 0.222 s for 60° at 12 V [rad/s]: the same data sheet."""


@dataclass(frozen=True, slots=True)
class Register:
    """Register in the control table of an STS3215 servo.

    Attributes:
        address: address of its first byte.
        width: number of bytes, low byte first [B].
        sign: index of the sign bit; None for an unsigned register.
        scale: value of one count in the unit.
        unit: SI unit, or degC; empty for none.
    """

    address: int
    width: int = 1
    sign: int | None = None
    scale: float = 1.0
    unit: str = ""

    @property
    def largest(self) -> int:
        """Largest count that the register can hold."""
        return (1 << (8 * self.width if self.sign is None else self.sign)) - 1

    @property
    def smallest(self) -> int:
        """Smallest count that the register can hold."""
        return 0 if self.sign is None else -self.largest

    def pack(self, count: int) -> bytes:
        """Return the bytes of a count.

        Raises:
            ValueError: the count does not fit.
        """
        if not self.smallest <= count <= self.largest:
            raise ValueError(f"{count} does not fit into {self}")
        minus = 1 << self.sign if self.sign is not None and count < 0 else 0
        return (abs(count) | minus).to_bytes(self.width, "little")

    def unpack(self, data: bytes) -> int:
        """Return the count that bytes of the register hold."""
        raw = int.from_bytes(data, "little")
        if self.sign is None:
            return raw
        magnitude = raw & self.largest
        return -magnitude if raw >> self.sign & 1 else magnitude


@dataclass(frozen=True, slots=True)
class Block:
    """Block of registers of the control table, read in one frame; those that are written have no gaps between them."""

    registers: tuple[Register, ...]

    @property
    def address(self) -> int:
        """Address of the first byte of the block."""
        return self.registers[0].address

    @property
    def width(self) -> int:
        """Number of bytes from its first register to its last [B]."""
        return self.registers[-1].address + self.registers[-1].width - self.address

    def pack(self, counts: Sequence[int]) -> bytes:
        """Return the bytes of counts, in the order of the registers.

        Raises:
            ValueError: a count does not fit, or there is a gap between the registers.
        """
        data = b"".join(register.pack(count) for register, count in zip(self.registers, counts, strict=True))
        if len(data) != self.width:
            raise ValueError(f"registers must be adjacent to be written, got {self}")
        return data

    def unpack(self, data: bytes) -> tuple[int, ...]:
        """Return the counts that bytes of the block hold, in the order of the registers."""
        start = self.address
        return tuple(r.unpack(data[r.address - start : r.address - start + r.width]) for r in self.registers)


# EEPROM: kept without power.
FIRMWARE_MAJOR = Register(0)
FIRMWARE_MINOR = Register(1)
ENDIAN = Register(2)
MODEL = Register(3, 2)
ID = Register(5)
BAUD = Register(6)
RETURN_DELAY = Register(7, scale=2e-6, unit="s")
STATUS_RETURN_LEVEL = Register(8)
MIN_POSITION = Register(9, 2, scale=TICK, unit="rad")
MAX_POSITION = Register(11, 2, scale=TICK, unit="rad")
MAX_TEMPERATURE = Register(13, unit="degC")
MAX_VOLTAGE = Register(14, scale=0.1, unit="V")
MIN_VOLTAGE = Register(15, scale=0.1, unit="V")
MAX_TORQUE = Register(16, 2, scale=1e-3)
PHASE = Register(18)
UNLOAD_CONDITIONS = Register(19)
ALARM_CONDITIONS = Register(20)
GAIN_P = Register(21)
GAIN_D = Register(22)
GAIN_I = Register(23)
MAX_CURRENT = Register(28, 2, scale=6.5e-3, unit="A")
OFFSET = Register(31, 2, sign=11, scale=TICK, unit="rad")
MODE = Register(33)
PROTECTED_TORQUE = Register(34, scale=1e-2)
PROTECTION_TIME = Register(35, scale=1e-2, unit="s")
OVERLOAD = Register(36, scale=1e-2)

# RAM: lost without power.
TORQUE = Register(40)
ACCELERATION = Register(41, scale=100 * TICK, unit="rad/s²")
GOAL = Register(42, 2, sign=15, scale=TICK, unit="rad")
GOAL_TIME = Register(44, 2, sign=10, scale=1e-3)
GOAL_SPEED = Register(46, 2, sign=15, scale=TICK, unit="rad/s")
TORQUE_LIMIT = Register(48, 2, scale=1e-3)
LOCK = Register(55)

# RAM, read only: measurements and state.
POSITION = Register(56, 2, sign=15, scale=TICK, unit="rad")
SPEED = Register(58, 2, sign=15, scale=TICK, unit="rad/s")
LOAD = Register(60, 2, sign=10, scale=1e-3)
VOLTAGE = Register(62, scale=0.1, unit="V")
TEMPERATURE = Register(63, unit="degC")
REG_WRITE_PENDING = Register(64)
STATUS = Register(65)
MOVING = Register(66)
CURRENT = Register(69, 2, sign=15, scale=6.5e-3, unit="A")

# Factory parameters: kept without power.
MOVING_THRESHOLD = Register(80, scale=TICK, unit="rad/s")
MAX_SPEED = Register(84, scale=50 * TICK, unit="rad/s")
MAX_ACCELERATION = Register(85, scale=100 * TICK, unit="rad/s²")

KIND = Block((FIRMWARE_MAJOR, FIRMWARE_MINOR, ENDIAN, MODEL))
RANGE = Block((MIN_POSITION, MAX_POSITION))
MOTION = Block((ACCELERATION, GOAL, GOAL_TIME, GOAL_SPEED))
CONTROL = Block((TORQUE, *MOTION.registers, TORQUE_LIMIT))
PRESENT = Block((POSITION, SPEED, LOAD, VOLTAGE, TEMPERATURE))
STATE = Block((OFFSET, MODE, TORQUE, GOAL, *PRESENT.registers))
STATE_AND_ONE = Block((*STATE.registers, REG_WRITE_PENDING))

SIZE = 128
"""Size of the memory [B]; the maker's table ends at 86, and what lies behind is undocumented."""

NAMEPLATE = Register(96, 24)
"""Text that a virtual servo has here: `PLATE` and its serial number; a real servo has none, or does not answer."""

PLATE = b"virtual "
"""Beginning of the text of a virtual servo."""
