"""Codec of an xArm's control box: requests and replies on its control port, and the reports that it streams.

Framing as the vendor's SDK 1.18.4 (BSD-3-Clause) sends and expects it: every frame begins with transaction, protocol
and length, big-endian and of two bytes each, and then the number of a register. A reply has one more byte, the state of
the box, before its values. Floats are little-endian singles. Angles are [rad] here and on the wire,
lengths on the wire are [mm], and here [m].
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

PORT = 502
"""TCP port of the control."""

HEAD = struct.Struct(">HHH")
"""Head of a frame: transaction, protocol and length."""

LENGTH_AT = 4
"""Offset of the length in the head [B]."""

LONGEST = 1024
"""Length of the longest frame of this protocol [B]."""

SLOTS = 7
"""Number of joints in every frame, as many as the largest arm has."""

GRIPPER = 8
"""Address of the gripper on the bus in the arm."""

PULSE = 1e-4
"""Change of the gripper's opening per pulse of its drive [m]."""

PULSES = (0, 850)
"""Pulses of the gripper's drive when it is closed, and when it is open."""


class Register(IntEnum):
    """Number of a register of an xArm's control box, which says what a request reads, sets or starts."""

    VERSION = 1
    SERIAL = 2
    ENABLE = 11
    SET_STATE = 12
    GET_STATE = 13
    COUNT = 14
    ERROR = 15
    CLEAR_ERROR = 16
    CLEAR_WARNING = 17
    SET_MODE = 19
    MOVE_LINE = 21
    MOVE_JOINT = 23
    MOVE_HOME = 25
    SERVO_JOINT = 29
    SERVO_LINE = 30
    TOOL_POSE = 41
    JOINTS = 42
    INVERSE = 43
    FORWARD = 44
    JOINT_LIMITED = 45
    EFFORT = 55
    BUS = 124
    BUS_ERROR = 125
    BUS_WRITE16 = 127
    BUS_READ16 = 128
    FEEDBACK = 254


_VALUE_SIZES: dict[int, int] = {
    Register.VERSION: 40,
    Register.SERIAL: 40,
    Register.GET_STATE: 1,
    Register.COUNT: 2,
    Register.ERROR: 2,
}


class State(IntEnum):
    """State of motion of an xArm, as a number on its control port."""

    MOVING = 1
    STANDING = 2
    PAUSED = 3
    STOPPED = 4
    MODE_CHANGED = 5


class Mode(IntEnum):
    """Mode in which an xArm is commanded, as a number on its control port."""

    PLANNED = 0
    SERVO = 1


class Flag(IntFlag):
    """Bits of the state byte in a reply of an xArm's control box."""

    INVALID = 0x08
    NOT_READY = 0x10
    WARNING = 0x20
    ERROR = 0x40


class Fault(IntEnum):
    """Error codes of an xArm's control box that the driver or the virtual box distinguish."""

    EMERGENCY_STOP = 2
    SERVO_1 = 11
    TOOL_SILENT = 19
    JOINT_LIMIT = 23
    SPEED_LIMIT = 24


OVERHEATED = 15
"""Code of a servo whose motor is too hot."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Frame on an xArm's control port: a request, or a reply whose payload begins with the state byte."""

    transaction: int
    protocol: int
    register: int
    payload: bytes = b""

    def pack(self) -> bytes:
        """Return the bytes of the frame."""
        head = HEAD.pack(self.transaction, self.protocol, len(self.payload) + 1)
        return head + bytes([self.register]) + self.payload

    def reply(self, flags: int, values: bytes = b"") -> Frame:
        """Return the reply to this request.

        Args:
            flags: state byte.
            values: values behind it.
        """
        return Frame(self.transaction, self.protocol, self.register, bytes([flags]) + values)


class Broken(ValueError):
    """Bytes that are no frame of the control port; nothing behind them in the stream can be read either."""


def split(buffer: bytes) -> tuple[list[Frame], bytes]:
    """Split a stream of the control port into the complete frames at its beginning and the bytes that are left.

    Raises:
        Broken: the next bytes are no frame.
    """
    frames = []
    while len(buffer) >= HEAD.size:
        transaction, protocol, length = HEAD.unpack_from(buffer)
        if not 1 <= length <= LONGEST:
            raise Broken(f"length of a frame must be 1 to {LONGEST} bytes, got {length}")
        end = HEAD.size + length
        if len(buffer) < end:
            break
        frames.append(Frame(transaction, protocol, buffer[HEAD.size], buffer[HEAD.size + 1 : end]))
        buffer = buffer[end:]
    return frames, buffer


def whole(data: bytes) -> Frame:
    """Parse bytes that are exactly one reply of the control box.

    Raises:
        Broken: they are too short or too long, or no reply of this protocol.
    """
    if len(data) < HEAD.size + 2:
        raise Broken(f"length of a reply must be at least {HEAD.size + 2} bytes, got {len(data)}")
    transaction, protocol, length = HEAD.unpack_from(data)
    if protocol not in (2, 3):
        raise Broken(f"protocol must be 2 or 3, got {protocol}")
    if len(data) != HEAD.size + length:
        raise Broken(f"length of a reply must be {HEAD.size + length} bytes by its head, got {len(data)}")
    if data[HEAD.size + 1] & ~int(Flag.INVALID | Flag.NOT_READY | Flag.WARNING | Flag.ERROR | 0x07):
        raise Broken(f"state byte {data[HEAD.size + 1]:#x} has unknown bits")
    return Frame(transaction, protocol, data[HEAD.size], data[HEAD.size + 1 :])


def value_size(request: Frame) -> int | None:
    """Return the size of the values in the control box's reply to a request [B]; None where it is not checked."""
    if request.register == Register.JOINTS:
        return 4 * SLOTS * (max(1, request.payload[0] & 0x0F) if request.payload else 1)
    return _VALUE_SIZES.get(request.register)


def floats(values: Iterable[float]) -> bytes:
    """Encode numbers as little-endian singles for a frame of the control box."""
    numbers = list(values)
    return struct.pack(f"<{len(numbers)}f", *numbers)


def to_floats(data: bytes) -> tuple[float, ...]:
    """Decode little-endian singles of a frame of the control box; an incomplete one at the end is left out."""
    return struct.unpack_from(f"<{len(data) // 4}f", data)


def seven(values: Sequence[float]) -> tuple[float, ...]:
    """Pad values of an xArm's joints with zeros to the number of joints in a frame."""
    return (*values, *([0.0] * (SLOTS - len(values))))


def version(axes: int, kind: int, serial: str, box: str, firmware: str) -> bytes:
    """Encode the value of the control box's version register, padded to 40 bytes."""
    return f"{axes},{kind},{serial},{box},v{firmware}".encode().ljust(40, b"\0")[:40]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Report that the control box streams periodically, as bytes and back.

    Attributes:
        axes: number of joints of the arm.
        kind: type number of the arm.
        state, mode, count, error, warning: values of the registers of these names.
        position: joint positions [rad].
        velocity: joint velocities [rad/s].
        effort: joint torques [N·m].
        pose: pose of the flange, x, y, z [mm] and roll, pitch, yaw [rad].
        enabled: whether the motors are on, and so the brakes released.
        firmware: version of the firmware, three numbers.
        servos: state and code of each servo.
        temperature: temperature of each motor [degC].
        voltage: supply voltage of each motor [V].
        counter: number of this report.
    """

    axes: int
    kind: int
    state: int
    mode: int
    count: int
    error: int
    warning: int
    position: Sequence[float]
    velocity: Sequence[float]
    effort: Sequence[float]
    pose: Sequence[float]
    enabled: bool
    firmware: str
    servos: Sequence[tuple[int, int]] = field(default_factory=tuple)
    temperature: Sequence[int] = field(default_factory=tuple)
    voltage: Sequence[float] = field(default_factory=tuple)
    counter: int = 0

    def pack(self, port: int) -> bytes:
        """Return the bytes that a report port streams: 30001, 30002 or 30003.

        Raises:
            KeyError: there is no such report port.
        """
        makers = {30001: self._normal, 30002: self._rich, 30003: self._real}
        body = makers[port]()
        return struct.pack(">I", len(body) + 4) + body

    def _common(self) -> bytes:
        head = struct.pack(">BH", self.mode << 4 | self.state, self.count)
        return head + floats(seven(self.position)) + floats(self.pose) + floats(seven(self.effort))

    def _real(self) -> bytes:
        return self._common() + bytes(48)

    def _normal(self) -> bytes:
        motors = (1 << self.axes) - 1 if self.enabled else 0
        faults = bytes([motors, motors, self.error, self.warning])
        # No offset and no load at the flange; middling sensitivity; gravity along -z.
        return self._common() + faults + floats([0.0] * 10) + bytes([3, 3]) + floats([0.0, 0.0, -1.0])

    def _rich(self) -> bytes:
        data = bytearray(583)
        plain = self._normal()
        data[: len(plain)] = plain
        data[141:143] = bytes([self.kind, self.axes])
        data[147 : 147 + 30] = f"v{self.firmware}".encode().ljust(30, b"\0")[:30]
        data[177:197] = floats([10000.0, 1.0, 50000.0, 0.1, 1000.0])  # jerk, acceleration and speed of the flange
        data[197:217] = floats([286.5, 0.01, 20.0, 0.0001, 3.1416])  # of the joints
        data[217:225] = floats([2.3, 2.7])
        servos = [*self.servos, *([(0, 0)] * (SLOTS - len(self.servos)))]
        data[225:239] = bytes(value for pair in servos for value in pair)
        data[241:248] = struct.pack(">7b", *map(int, seven(self.temperature)))
        data[252:280] = floats(seven(self.velocity))
        data[280:284] = struct.pack(">I", self.counter)
        data[311] = 1  # collision detection is on
        data[337:351] = struct.pack(">7H", *(round(100 * volts) for volts in seven(self.voltage)))
        return bytes(data)
