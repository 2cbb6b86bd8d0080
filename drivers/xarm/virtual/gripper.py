"""The gripper of an xArm, behind the bus in the arm: Modbus RTU registers whose frames the box passes on unchanged.

Registers as the vendor's SDK reads and writes them. The drive counts pulses: 0 is closed, 850 is open.
"""

from __future__ import annotations

import struct

import numpy as np

from drivers.xarm.codec import GRIPPER, PULSE, PULSES

READ, WRITE = 0x03, 0x10

ENABLE, MODE, SPEED, TARGET, CURRENT = 0x0100, 0x0101, 0x0303, 0x0700, 0x0702
STATUS, ERROR, CLEAR = 0x0000, 0x000F, 0x0109
HARDWARE, SOFTWARE = 0x0800, (0x0801, 0x0802, 0x0803)
FIRMWARE = (3, 4, 3)

BAUD_RATE, BAUD_RATES = 0x0A0B, (
    4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1000000, 1500000, 2000000, 2500000
)  # fmt: skip

FULL_SPEED = 5000.0  # [pulses/s]


class GripperBus:
    """The bus at the end of the arm, with a gripper on it.

    Args:
        opening: widest of the body's fingers [m].

    Attributes:
        width: that the drive holds [m].
        measured: opening as the body has it [m].
        asked: the newest opening that was written, until it is taken away [m].
    """

    def __init__(self, opening: float) -> None:
        self._most = min(PULSES[1], round(opening / PULSE))
        self.width = self.measured = self._most * PULSE
        self.asked: float | None = None
        self._enabled = False
        self._goal = self.width
        self._speed = FULL_SPEED
        self._baud = BAUD_RATES.index(2000000)

    def advance(self, seconds: float) -> None:
        """Let time pass: the drive goes to where it was told, at its speed."""
        if self._enabled:
            step = self._speed * PULSE * seconds
            self.width += float(np.clip(self._goal - self.width, -step, step))

    def transfer(self, payload: bytes) -> bytes | None:
        """A request for one on the bus, its host first; None if nobody answers."""
        if len(payload) < 7 or payload[1] != GRIPPER:
            return None
        host, unit, function = payload[:3]
        address, count = struct.unpack_from(">HH", payload, 3)
        if function == READ:
            values = b"".join(self._read(address + index) for index in range(count))
            return bytes([host, unit, function, len(values)]) + values
        if function == WRITE and len(payload) >= 8 + 2 * count:
            self._write(address, struct.unpack_from(f">{count}H", payload, 8))
            return payload[:7]
        return None

    def _read(self, address: int) -> bytes:
        pulses = round(self.measured / PULSE)
        known = {
            STATUS: 0 if abs(self._goal - self.width) < PULSE else 1,
            ERROR: 0,
            CURRENT: (pulses >> 16) & 0xFFFF,
            CURRENT + 1: pulses & 0xFFFF,
            ENABLE: int(self._enabled),
            **dict(zip(SOFTWARE, FIRMWARE, strict=True)),
        }
        return struct.pack(">H", known.get(address, 0))

    def _write(self, address: int, values: tuple[int, ...]) -> None:
        if address == ENABLE:
            self._enabled = bool(values[0])
        elif address == SPEED:
            self._speed = float(min(max(values[0], 1), FULL_SPEED))
        elif address == TARGET and len(values) == 2:
            (pulses,) = struct.unpack(">i", struct.pack(">HH", *values))
            self._goal = min(max(pulses, PULSES[0]), self._most) * PULSE
            self.asked = pulses * PULSE

    def read_host(self, payload: bytes) -> bytes | None:
        """A register of the bus itself: its speed, as an index into the speeds it knows."""
        if len(payload) < 3:
            return None
        (address,) = struct.unpack_from(">H", payload, 1)
        return struct.pack(">i", self._baud if address == BAUD_RATE else 0)

    def write_host(self, payload: bytes) -> bytes | None:
        """Set a register of the bus itself."""
        if len(payload) < 7:
            return None
        (address,) = struct.unpack_from(">H", payload, 1)
        if address & 0x0FFF == BAUD_RATE:
            (value,) = struct.unpack_from("<f", payload, 3)
            if not 0 <= value < len(BAUD_RATES):
                return None
            self._baud = int(value)
        return b""
