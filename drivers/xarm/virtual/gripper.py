"""Virtual gripper of an xArm on the bus in the arm: Modbus RTU registers, whose frames the box passes on unchanged.

Registers as the vendor's SDK reads and writes them. The drive counts pulses: 0 is closed, 850 is open.
"""

from __future__ import annotations

import struct

import numpy as np

from drivers.xarm.codec import GRIPPER, PULSE, PULSES

READ = 0x03
"""Modbus function that reads registers."""

WRITE_ONE = 0x06
"""Modbus function that writes one register."""

WRITE = 0x10
"""Modbus function that writes registers."""

STATUS = 0x0000
"""Register of the drive's state of motion: 0 at rest, 1 moving."""

ERROR = 0x000F
"""Register of the drive's error; 0 for none."""

ENABLE = 0x0100
"""Register that switches the drive on."""

SPEED = 0x0303
"""Register of the drive's speed [pulses/s]."""

TARGET = 0x0700
"""First of two registers of the target [pulses]."""

CURRENT = 0x0702
"""First of two registers of the measured position [pulses]."""

SOFTWARE = (0x0801, 0x0802, 0x0803)
"""Registers of the three numbers of the firmware's version."""

FIRMWARE = (3, 4, 3)
"""Version of the firmware that it reports."""

BAUD_RATE = 0x0A0B
"""Register of the box with the speed of the bus, an index into `BAUD_RATES`."""

BAUD_RATES = (4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1000000, 1500000, 2000000, 2500000)
"""Speeds of the bus [bit/s]."""

REST_SPEED = 1e-3
"""Speed of the fingers below which the drive reports that it is at rest [m/s]."""

FULL_SPEED = 5000.0
"""Largest speed of the drive [pulses/s]."""


class GripperBus:
    """Virtual bus at the end of the xArm, with a Modbus gripper on it.

    Args:
        opening: largest opening of the body's fingers [m].

    Attributes:
        present: whether the gripper is plugged in.
        width: opening that the drive holds [m].
        measured: opening of the body [m].
        requested: newest opening that was written, until the box has recorded it [m].
    """

    def __init__(self, opening: float) -> None:
        self._widest = min(PULSES[1], round(opening / PULSE))
        self.width = self.measured = self._widest * PULSE
        self.requested: float | None = None
        self.present = True
        self._enabled = False
        self._goal = self.width
        self._before = self.measured
        self._moving = False
        self._speed = FULL_SPEED
        self._baud = BAUD_RATES.index(2000000)

    def advance(self, seconds: float) -> None:
        """Let time pass: the drive moves to its target, at its speed; its fingers may lag behind."""
        self._moving = abs(self.measured - self._before) > REST_SPEED * seconds
        self._before = self.measured
        if self._enabled:
            step = self._speed * PULSE * seconds
            self.width += float(np.clip(self._goal - self.width, -step, step))

    def transfer(self, payload: bytes) -> bytes | None:
        """Return the answer of the unit on the bus to a request, its host first; None if no unit answers."""
        if not self.present or len(payload) < 7 or payload[1] != GRIPPER:
            return None
        host, unit, function = payload[:3]
        address, count = struct.unpack_from(">HH", payload, 3)
        if function == READ:
            values = b"".join(self._read(address + index) for index in range(count))
            return bytes([host, unit, function, len(values)]) + values
        if function == WRITE_ONE:
            self._write(address, (count,))
            return payload[:7]
        if function == WRITE and len(payload) >= 8 + 2 * count:
            self._write(address, struct.unpack_from(f">{count}H", payload, 8))
            return payload[:7]
        return None

    def _read(self, address: int) -> bytes:
        pulses = round(self.measured / PULSE)
        known = {
            STATUS: int(self._moving or abs(self._goal - self.width) >= PULSE),
            ERROR: 0,
            CURRENT: (pulses >> 16) & 0xFFFF,
            CURRENT + 1: pulses & 0xFFFF,
            ENABLE: int(self._enabled),
            **dict(zip(SOFTWARE, FIRMWARE, strict=True)),
        }
        return struct.pack(">H", known.get(address, 0))

    def _write(self, address: int, values: tuple[int, ...]) -> None:
        if address == ENABLE and values:
            self._enabled = bool(values[0])
        elif address == SPEED and values:
            self._speed = float(min(max(values[0], 1), FULL_SPEED))
        elif address == TARGET and len(values) == 2:
            (pulses,) = struct.unpack(">i", struct.pack(">HH", *values))
            self._goal = min(max(pulses, PULSES[0]), self._widest) * PULSE
            self.requested = pulses * PULSE

    def read_host(self, payload: bytes) -> bytes | None:
        """Return the answer to reading a register of the bus itself: its speed is an index into `BAUD_RATES`."""
        if len(payload) < 3:
            return None
        (address,) = struct.unpack_from(">H", payload, 1)
        return struct.pack(">i", self._baud if address == BAUD_RATE else 0)

    def write_host(self, payload: bytes) -> bytes | None:
        """Set a register of the bus itself, and return the answer."""
        if len(payload) < 7:
            return None
        (address,) = struct.unpack_from(">H", payload, 1)
        if address & 0x0FFF == BAUD_RATE:
            (value,) = struct.unpack_from("<f", payload, 3)
            if not 0 <= value < len(BAUD_RATES):
                return None
            self._baud = int(value)
        return b""
